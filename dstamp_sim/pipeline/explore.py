"""Explore every interleaving of a model, with a witness and a timeline of each trace that is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.analyses.minimise import minimise
from dstamp_sim.core.system import System
from dstamp_sim.core.verdict import Coverage, Judgement, Report, certify
from dstamp_sim.engines.explore.explorer import (
    ALL_REDUCTIONS,
    DEFAULT_LIMIT,
    DEFAULT_MEMORY_MB,
    NOT_SHORTEST,
    ExploreProgress,
    Reductions,
    explore,
)
from dstamp_sim.engines.replay import attempts, replay
from dstamp_sim.engines.sampling.counting import count_interleavings
from dstamp_sim.inputs.model_file import Model
from dstamp_sim.inputs.witness_file import Origin, Witness, check_writable
from dstamp_sim.pipeline.explained import explained
from dstamp_sim.pipeline.files import badges_of, save_with_timeline
from dstamp_sim.pipeline.findings import findings_of
from dstamp_sim.pipeline.subject import load_subject
from dstamp_sim.pipeline.trace_page import write_space_page, write_trace_page


@dataclass(frozen=True)
class Exploration:
    """What `dstamp explore` found, and the files it wrote."""

    report: Report
    placement: str
    files: tuple[Path, ...]
    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    """By property: why, where there is a trace."""
    findings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Findings beside the verdicts, by kind (see `pipeline.findings`)."""
    interleavings: int | None = None
    """The number of all complete interleavings, if they were counted."""
    deciding: Mapping[str, int] = field(default_factory=dict)
    """By property: how many of them violate it, or reach it where it is a wish."""


def explore_model(
    reference: str,
    *,
    settings: Sequence[str] = (),
    placement: str | None = None,
    properties: Sequence[str] = (),
    crashes: int | None = None,
    limit: int = DEFAULT_LIMIT,
    memory_mb: int = DEFAULT_MEMORY_MB,
    reductions: Reductions = ALL_REDUCTIONS,
    keep_going: bool = False,
    html: bool = False,
    count: bool = False,
    out: Path,
    progress: ExploreProgress | None = None,
) -> Exploration:
    """Explores a model and saves a witness and a timeline of each trace that it finds.

    `html` adds pages to step through, `count` also counts complete interleavings.
    Raises UsageError for unknown names and an unwritable folder, and ModelError where the model breaks a rule.
    """
    asked = load_subject(reference, settings=settings, placement=placement, properties=properties, crashes=crashes)
    model, system, origin = asked.model, asked.system, asked.origin
    check_writable(out)
    counted = count_interleavings(system, properties=properties, progress=progress) if count else None
    report = explore(
        system,
        properties=properties,
        limit=limit,
        memory_mb=memory_mb,
        keep_going=keep_going,
        reductions=reductions,
        progress=progress,
    )
    judgements = tuple(_easy_to_follow(system, judgement, report.coverage) for judgement in report.judgements)
    report = replace(report, judgements=judgements)
    explanations = {
        judgement.prop.name: explained(system, judgement.trace, about=judgement.prop)
        for judgement in report.judgements
        if judgement.trace is not None
    }
    files = [
        file
        for judgement in report.judgements
        if judgement.trace is not None
        for file in save_judgement(out, model, origin, judgement, system, explanations[judgement.prop.name], html=html)
    ]
    if html:
        files.append(write_space_page(out / f"{model.path.stem}-states.html", reference, system))
    found = Exploration(report, system.placement.name, tuple(files), explanations, findings=findings_of(system))
    if counted is None:
        return found
    return replace(found, interleavings=counted.total, deciding={k: sums[0] for k, sums in counted.deciding.items()})


def _easy_to_follow(system: System, judgement: Judgement, coverage: Coverage) -> Judgement:
    """The judgement with its trace minimised, where the explorer could not afford that; the trace is never longer."""
    if judgement.trace is None or judgement.minimal:
        return judgement
    schedule = minimise(judgement.trace.schedule, attempts(system, judgement.prop)).schedule
    saved = len(judgement.trace.steps) - len(schedule)
    if saved < 0:
        return judgement
    trace = replay(system, schedule)
    reason = f"{certify(judgement.prop, coverage, trace).reason}, {NOT_SHORTEST}" if saved else judgement.reason
    return replace(judgement, trace=trace, reason=reason)


def save_judgement(
    out: Path,
    model: Model,
    origin: Origin,
    judgement: Judgement,
    system: System,
    why: Explanation,
    *,
    html: bool = False,
) -> list[Path]:
    """The witness, the timeline and (with `html`) the page of a judgement's trace, as files in `out`."""
    assert judgement.trace is not None
    about = judgement.prop.title
    slug = "".join(c if c.isalnum() else "-" for c in f"{model.path.stem}-{judgement.prop.name}".lower())
    witness = Witness(origin, about, judgement.trace)
    badges = badges_of(system, judgement.trace, [judgement.prop])
    title = f"{judgement.verdict.value}: {about}, lock placement {system.placement.name}"
    files = list(save_with_timeline(out, slug[:80], witness, system, title, badges, why))
    return [*files, write_trace_page(out / f"{slug[:80]}.html", witness, system, why)] if html else files
