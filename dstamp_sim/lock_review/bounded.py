"""Placements that are not safe, asked within a scenario's durations. Some cannot fail there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dstamp_sim.core.errors import DstampError
from dstamp_sim.core.scenario import Scenario
from dstamp_sim.core.verdict import Report, Verdict
from dstamp_sim.engines.zones.within import explore_within
from dstamp_sim.lock_review.compare import JudgedPlacement, Standing
from dstamp_sim.lock_review.judge_placement import ReviewSubject
from dstamp_sim.pipeline.progress import Progress
from dstamp_sim.pipeline.subject import renamed

NOTHING_FAILS = "impossible within these bounds"


@dataclass(frozen=True)
class WithinBounds:
    """By placement that is not safe (its shape), what becomes of it with these durations and runs alone."""

    scenario: str
    runs: tuple[str, ...]
    found: dict[str, str]

    def lines(self) -> Iterator[str]:
        """Which placements cannot fail there, and how many can; the bounds are always named."""
        alone = f"Within the bounds of {self.scenario!r}, for {', '.join(self.runs) or 'its runs'} alone"
        cannot = [shape for shape, words in self.found.items() if words == NOTHING_FAILS]
        others = [words for words in self.found.values() if words != NOTHING_FAILS]
        if cannot:
            yield f"{alone}, these are not safe, but cannot fail: {'; '.join(cannot)}."
        if others:
            yield f"{alone}, {len(others)} of {len(self.found)} that are not safe can fail, or are not decided."


def bounded(
    subject: ReviewSubject, judged: Sequence[JudgedPlacement], given: Scenario, progress: Progress | None = None
) -> WithinBounds:
    """What the scenario's bounds make of each placement that is not safe."""
    unsafe = [one for one in judged if not one.safe]
    found = {}
    for number, one in enumerate(unsafe):
        if progress is not None:
            progress(number, len(unsafe), f"within {given.title}: {one.shape}")
        found[one.shape] = _within(subject, one, given)
    return WithinBounds(given.title, given.names, found)


def _within(subject: ReviewSubject, one: JudgedPlacement, given: Scenario) -> str:
    try:
        system = subject.build(one.placement, {**given.parameters, **subject.settings})
        timed, _ = renamed(system, given.names)
        report = explore_within(timed, given.timing).report
    except DstampError as why:
        return f"not asked: {why}"
    if report.verdict is Verdict.HOLDS and one.standing is Standing.TRAP:
        return "not decided: exact time does not ask whether the end stays possible"
    return _words(report)


def _words(report: Report) -> str:
    """What fails within the bounds and when, else what is not decided, else that nothing fails."""
    for verdict in (Verdict.VIOLATED, Verdict.UNDETERMINED):
        for judgement in report.judgements:
            if judgement.verdict is verdict:
                undecided = "not decided: " if verdict is Verdict.UNDETERMINED else ""
                return f"{undecided}{judgement.prop.name}: {judgement.reason}"
    return NOTHING_FAILS
