"""A failing schedule made simple: fewest stretches, then every switch moved as far as the failure allows.

What then stands at the switches is what matters: the last call that must come before one, and the first that would have
come in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from dstamp_sim.hunt.follow import Follow, RunPart, choices_of, parts_of
from dstamp_sim.hunt.job import PreparedJob
from dstamp_sim.hunt.trial_outcome import TrialOutcome

_TO_ITS_END = 9999


@dataclass(frozen=True)
class Shrunk:
    """A failing schedule made simple, and its trial, which was watched.

    `needed` are the steps that must come before a switch; `too_late` those that, done before it, would have prevented
    the failure.
    """

    parts: tuple[RunPart, ...]
    outcome: TrialOutcome
    needed: tuple[int, ...]
    too_late: tuple[int, ...]
    trials: int


class Shrinker:
    """Makes one failing trial of a stage simple. Cost: some ten to forty trials."""

    def __init__(self, stage: PreparedJob) -> None:
        self.stage, self.names = stage, tuple(stage.job.runs)
        self.trials = 0

    def shrink(self, failing: TrialOutcome) -> Shrunk:
        """The simple form; the trial as it was found where it does not fail again."""
        parts = self._fewest(failing)
        parts = self._shortest(parts)
        watched = self._play(parts, watch=True)
        if watched.fails:
            return self._switches(parts, watched)
        return Shrunk(tuple(parts_of([s.choice for s in failing.steps])), failing, (), (), self.trials)

    def _play(self, parts: Sequence[RunPart], *, watch: bool = False) -> TrialOutcome:
        self.trials += 1
        return self.stage.play(Follow(choices_of(parts), self.names, loose=True), watch=watch)

    def _fails(self, parts: Sequence[RunPart]) -> bool:
        return self._play(parts).fails

    def _fewest(self, failing: TrialOutcome) -> list[RunPart]:
        """Without the stretches that are not needed; what is in none runs at the end."""
        parts = parts_of([step.choice for step in failing.steps])
        at = 0
        while at < len(parts) > 1:
            fewer = _joined([*parts[:at], *parts[at + 1 :]])
            if len(fewer) < len(parts) and self._fails(fewer):
                parts, at = fewer, 0
            else:
                at += 1
        return parts

    def _shortest(self, parts: list[RunPart]) -> list[RunPart]:
        """Every stretch but the last as short as it can be, the later ones first."""
        run, count, dies = parts[-1]
        parts[-1] = (run, count if dies else _TO_ITS_END, dies)
        for at in range(len(parts) - 2, -1, -1):
            parts[at] = self._with(parts[at], self._least(parts, at))
        return parts

    @staticmethod
    def _with(part: RunPart, count: int) -> RunPart:
        return part[0], count, part[2]

    def _least(self, parts: Sequence[RunPart], at: int) -> int:
        low, high = 0, parts[at][1]  # it fails with `high`
        while high - low > 1:
            middle = (low + high) // 2
            if self._fails([*parts[:at], self._with(parts[at], middle), *parts[at + 1 :]]):
                high = middle
            else:
                low = middle
        return high

    def _most(self, parts: Sequence[RunPart], at: int, most: int) -> int:
        low, high = parts[at][1], most + 1
        while high - low > 1:
            middle = (low + high) // 2
            if self._fails([*parts[:at], self._with(parts[at], middle), *parts[at + 1 :]]):
                low = middle
            else:
                high = middle
        return low

    def _switches(self, parts: list[RunPart], watched: TrialOutcome) -> Shrunk:
        needed, late = list[int](), list[int]()
        end = 0
        for at, (run, count, dies) in enumerate(parts[:-1]):
            end += count + dies
            needed.append(end - 1)
            mine = [number for number, step in enumerate(watched.steps) if step.run == run]
            before = sum(n for name, n, _ in parts[:at] if name == run)
            if not dies and any(number >= end for number in mine):
                most = before + self._most(parts, at, len(mine) - before)
                late += mine[most : most + 1]
        steps = range(len(watched.steps))
        return Shrunk(
            tuple(parts),
            watched,
            tuple(n for n in needed if n in steps),
            tuple(n for n in late if n in steps),
            self.trials,
        )


def _joined(parts: Sequence[RunPart]) -> list[RunPart]:
    """The same with neighbours of one run as one stretch."""
    found: list[RunPart] = []
    for run, same in groupby(parts, key=lambda part: part[0]):
        mine = list(same)
        found.append((run, sum(count for _, count, _ in mine), any(dies for _, _, dies in mine)))
    return found
