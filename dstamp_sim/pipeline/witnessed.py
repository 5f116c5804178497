"""What is told of judgements that have a trace: why it decides, and the files that show it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.analyses.minimise import minimise
from dstamp_sim.core.system import System
from dstamp_sim.core.verdict import Coverage, Judgement, Report, certify
from dstamp_sim.engines.explore.explorer import NOT_SHORTEST
from dstamp_sim.engines.replay import attempts, replay
from dstamp_sim.inputs.model_file import Model
from dstamp_sim.inputs.witness_file import Origin, Witness
from dstamp_sim.pipeline.explained import explained
from dstamp_sim.pipeline.file_names import file_stem
from dstamp_sim.pipeline.files import badges_of, save_with_timeline
from dstamp_sim.pipeline.subject import Subject
from dstamp_sim.pipeline.trace_page import write_trace_page


def witnessed(
    report: Report, asked: Subject, out: Path, *, html: bool
) -> tuple[Report, dict[str, Explanation], list[Path]]:
    """The report with its traces made easy to follow, why each of them decides, and the files that show them."""
    judgements = tuple(_easy_to_follow(asked.system, judgement, report.coverage) for judgement in report.judgements)
    shown = [judgement for judgement in judgements if judgement.trace is not None]
    explanations = {one.prop.name: explained(asked.system, one.trace, about=one.prop) for one in shown if one.trace}
    files = [
        file
        for one in shown
        for file in save_judgement(
            out, asked.model, asked.origin, one, asked.system, explanations[one.prop.name], html=html
        )
    ]
    return replace(report, judgements=judgements), explanations, files


def _easy_to_follow(system: System, judgement: Judgement, coverage: Coverage) -> Judgement:
    """The judgement with its trace minimised, where the explorer could not afford that; the trace is never longer.

    A trace on the clock stays as it is: it is the earliest.
    """
    if judgement.trace is None or judgement.minimal or judgement.prop.in_time or judgement.trace.timed:
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
    stem = file_stem(model.path.stem, judgement.prop.name, [prop.name for prop in system.checked_properties])
    witness = Witness(origin, about, judgement.trace)
    badges = badges_of(system, judgement.trace, [judgement.prop])
    title = f"{judgement.verdict.value}: {about}, lock placement {system.placement.name}"
    files = list(save_with_timeline(out, stem, witness, system, title, badges, why, model.story))
    return [*files, write_trace_page(out / f"{stem}.html", witness, system, why, model.story)] if html else files
