"""Prove: a verdict for every number of copies, with a witness and a timeline of each trace that is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.core.errors import UsageError
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.explore.settings import ExploreProgress
from dstamp_sim.engines.prove.unbounded import prove
from dstamp_sim.pipeline.explained import explained
from dstamp_sim.pipeline.explore import Exploration
from dstamp_sim.pipeline.subject import Subject
from dstamp_sim.pipeline.witnessed import save_judgement


def prove_model(
    asked: Subject,
    *,
    out: Path,
    progress: ExploreProgress | None = None,
) -> Exploration:
    """Judges a model, loaded with its numbers open, for every number of copies.

    Raises UsageError for an unwritable folder, a model without a number to leave open, and a property that does not
    fit; ModelError if the model breaks a rule.
    """
    model, system, origin = asked.model, asked.system, asked.origin
    if not system.any_number:
        raise UsageError(
            f"{origin.model} fixes the number of every process: declare copies=ANY, or annotate the factory's "
            "parameter with Copies, and leave it unset or --set it to any"
        )
    check_writable(out)
    report = prove(system, properties=asked.properties, progress=progress)
    files, explanations = list[Path](), dict[str, Explanation]()
    for judgement in report.judgements:
        if judgement.trace is not None:
            copies = judgement.copies or {}
            counted = system.with_copies(copies)
            why = explanations[judgement.prop.name] = explained(counted, judgement.trace, about=judgement.prop)
            files += save_judgement(out, model, replace(origin, copies=copies), judgement, counted, why)
    return Exploration(report, system.placement.name, tuple(files), explanations)
