"""Prove: a verdict for every number of copies, with a witness and a timeline of each trace that is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import ClassVar

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.system import ANY
from dstamp_sim.core.verdict import Report, Verdict
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.explore.settings import ExploreProgress
from dstamp_sim.engines.prove.unbounded import prove
from dstamp_sim.inputs.witness_file import Origin
from dstamp_sim.pipeline.explained import explained
from dstamp_sim.pipeline.explore import Exploration
from dstamp_sim.pipeline.subject import Subject
from dstamp_sim.pipeline.witnessed import save_judgement


@dataclass(frozen=True)
class ProveOptions:
    """How a proof is asked for, beside its subject, which is loaded with its numbers open."""

    verb: ClassVar[str] = "prove"
    numbers_open: ClassVar[bool] = True

    @property
    def flags(self) -> list[str]:
        """The options as they are typed: there are none."""
        return []

    def shared_by(self, workers: int) -> ProveOptions:
        """The options of each of so many proofs that run at once."""
        return self

    def report(self, asked: Subject, progress: ExploreProgress | None = None) -> Report:
        """The report on the subject's properties, for every number of copies.

        Raises UsageError for a model without a number to leave open, and a property that does not fit; ModelError if
        the model breaks a rule.
        """
        if not asked.system.any_number:
            raise UsageError(
                f"{asked.origin.model} fixes the number of every process: declare copies=ANY, or annotate the "
                "factory's parameter with Copies, and leave it unset or --set it to any"
            )
        return prove(asked.system, properties=asked.properties, progress=progress)


def prove_model(asked: Subject, *, out: Path, progress: ExploreProgress | None = None) -> Exploration:
    """Judges a model, loaded with its numbers open, for every number of copies.

    Raises as `ProveOptions.report`, and UsageError for an unwritable folder.
    """
    model, system, origin = asked.model, asked.system, asked.origin
    check_writable(out)
    report = ProveOptions().report(asked, progress)
    files, explanations = list[Path](), dict[str, Explanation]()
    for judgement in report.judgements:
        if judgement.trace is not None:
            copies = judgement.copies or {}
            counted = system.with_copies(copies)
            why = explanations[judgement.prop.name] = explained(counted, judgement.trace, about=judgement.prop)
            files += save_judgement(out, model, replace(origin, copies=copies), judgement, counted, why)
    advice = tuple(_one_more(asked.origin, report))
    return Exploration(report, system.placement.name, tuple(files), explanations, findings={"advice": advice})


def _one_more(origin: Origin, report: Report) -> Iterator[str]:
    """The command that looks one copy further than the trials did, if they left something undecided."""
    up_to = [one.holds_up_to for one in report.judgements if one.verdict is Verdict.UNDETERMINED and one.holds_up_to]
    counted = [name for name, value in origin.parameters.items() if value is ANY]
    if up_to and counted:
        settings = {**origin.parameters, **dict.fromkeys(counted, min(up_to) + 1)}
        options = [f"--set {quote(f'{name}={value}')}" for name, value in settings.items()]
        options += [f"--placement {quote(origin.placement)}"] if origin.placement else []
        options += [f"--crashes {origin.crashes}"] if origin.crashes else []
        further = f"dstamp explore {quote(origin.model)} {' '.join(options)} --keep-going"
        yield f"More copies may still fail; one more: {further}"
