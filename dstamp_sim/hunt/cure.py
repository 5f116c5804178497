"""Where a lock must be held: the narrowest stretches of the runs, searched again under a lock that is played.

Stretches are tried from the narrowest on. Those that leave a failing schedule possible that is known already are passed
over; the others are searched, and what then fails is known from there on. So what is found is the narrowest: of each
narrower choice some schedule is known that it allows and that fails.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from dstamp_sim.hunt.follow import Follow
from dstamp_sim.hunt.job import PreparedJob
from dstamp_sim.hunt.played_lock import CallAnchor, LockedStretch, LockedStretches
from dstamp_sim.hunt.search import Bounds, Found, Search
from dstamp_sim.hunt.trial_outcome import HeldStep, TrialOutcome

MOST_CURES = 3


@dataclass(frozen=True)
class Cure:
    """Stretches to be held under one lock: how many calls they hold up at most, and the search under that lock."""

    stretches: LockedStretches
    calls: int
    found: Found

    def text(self) -> list[str]:
        """The cure as lines, the first with what its search says."""
        lines = [f"{self.calls} calls under one lock; searched again: {self.found.none_found()}"]
        return [*lines, *(f"  {run} {stretch}" for run, stretch in self.stretches.items())]


@dataclass(frozen=True)
class Cures:
    """At most three cures, those that hold up fewer calls first; none contains another.

    `tried` says how many choices of stretches were searched, `all_tried` whether no choice is left that might be one.
    """

    found: tuple[Cure, ...]
    tried: int
    all_tried: bool

    @property
    def none_can_be(self) -> bool:
        """Whether every choice of stretches was tried, and cured nothing."""
        return self.all_tried and not self.found

    def text(self) -> list[str]:
        """What came of it, as lines."""
        lines = []
        for number, cure in enumerate(self.found, start=1):
            first, *rest = cure.text()
            lines += ["", f"cure {number}: {first}", *rest]
        if not self.found:
            why = (
                "each choice of stretches under one lock leaves a schedule that fails"
                if self.none_can_be
                else "out of time"
            )
            lines += ["", f"no cure found: {why}"]
        return lines


def cures_of(stage: PreparedJob, bounds: Bounds, failing: Sequence[TrialOutcome]) -> Cures:
    """Where a lock must be held.

    Runs of the same command get the same stretch. The search of each is within `bounds`, and all of it within their
    seconds; a cure whose space was not all visited is the last one, and its search says why.
    """
    until = time.monotonic() + bounds.seconds
    anchors = {run: _anchors_alone(stage, run) for run in stage.job.runs}
    known = [_Known(out) for out in failing]
    cures: list[Cure] = []
    tried, all_tried = 0, True
    try:
        for stretches in _by_width(stage.job.runs, anchors):
            left = until - time.monotonic()
            if left <= 0 or len(cures) == MOST_CURES:
                all_tried = False
                break
            if any(_contains(stretches, cure.stretches, anchors) for cure in cures):
                continue
            if not all(one.excluded_by(stretches) for one in known):
                continue
            tried, stage.lock = tried + 1, stretches
            found = Search(stage, replace(bounds, seconds=left)).run()
            if found.failing is None:
                cures.append(Cure(stretches, sum(_width(anchors[run], s) for run, s in stretches.items()), found))
            else:
                known.append(_Known(found.failing))
    finally:
        stage.lock = {}
    return Cures(tuple(cures), tried, all_tried)


def _anchors_alone(stage: PreparedJob, run: str) -> list[CallAnchor]:
    """The calls that a run makes alone, on what it shares."""
    return [anchor for _, anchor in anchored(stage.play(Follow((), (run,)), only=run).steps)]


def anchored(steps: Sequence[HeldStep]) -> Iterator[tuple[str, CallAnchor]]:
    """Whose call each step is, and which of its calls."""
    made: Counter[tuple[str, str, str]] = Counter()
    for step in steps:
        key = (step.run, step.call.name, step.call.object)
        made[key] += 1
        yield step.run, CallAnchor(step.call.name, step.call.object, made[key])


class _Known:
    """A failing schedule: where in it each run makes which call, until when that may wait, and when the run ended."""

    def __init__(self, out: TrialOutcome) -> None:
        self.at: dict[tuple[str, CallAnchor], int] = {}
        self.over: dict[tuple[str, CallAnchor], int] = {}
        self.end: dict[str, int] = {}
        waits: dict[str, tuple[str, CallAnchor]] = {}
        for number, (key, step) in enumerate(zip(anchored(out.steps), out.steps, strict=True)):
            if key[0] in waits:
                self.over[waits.pop(key[0])] = number
            if step.blocks:
                waits[key[0]] = key
            self.at[key] = self.over[key] = self.end[key[0]] = number
        stuck = {run for run in self.end if run not in out.exits}
        self.end |= dict.fromkeys(stuck, len(out.steps))
        self.over |= {key: self.end[key[0]] for key in waits.values()}

    def excluded_by(self, stretches: LockedStretches) -> bool:
        """Whether two runs are in their stretches at once, so that the lock may make this schedule impossible."""
        spans = [
            (begin, self.over.get((run, stretch.last), self.end[run]))
            for run, stretch in stretches.items()
            if (begin := self.at.get((run, stretch.first))) is not None
        ]
        return any(max(one[0], two[0]) <= min(one[1], two[1]) for one, two in combinations(spans, 2))


def _by_width(
    runs: Mapping[str, str], anchors: Mapping[str, Sequence[CallAnchor]]
) -> Iterator[dict[str, LockedStretch]]:
    """Every choice of a stretch for each command, those with fewer calls first; the same commands have the same."""
    able = [run for run in runs if anchors[run]]
    groups = [[run for run in able if runs[run] == command] for command in dict.fromkeys(runs[run] for run in able)]
    most = [min(len(anchors[run]) for run in group) for group in groups]
    for total in range(len(groups), sum(most) + 1):
        for widths in _shares(total, most):
            yield from _placed_in(groups, widths, anchors)


def _shares(total: int, most: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every way to write `total` as one number from 1 up to each of `most`."""
    if not most:
        yield from [()] if total == 0 else []
        return
    for mine in range(1, min(most[0], total) + 1):
        yield from ((mine, *rest) for rest in _shares(total - mine, most[1:]))


def _placed_in(
    groups: Sequence[Sequence[str]], widths: Sequence[int], anchors: Mapping[str, Sequence[CallAnchor]]
) -> Iterator[dict[str, LockedStretch]]:
    if not groups:
        yield {}
        return
    mine = anchors[groups[0][0]]
    for begin in range(len(mine) - widths[0] + 1):
        stretch = LockedStretch(mine[begin], mine[begin + widths[0] - 1])
        for rest in _placed_in(groups[1:], widths[1:], anchors):
            yield dict.fromkeys(groups[0], stretch) | rest


def _span(anchors: Sequence[CallAnchor], stretch: LockedStretch) -> tuple[int, int]:
    return anchors.index(stretch.first), anchors.index(stretch.last)


def _width(anchors: Sequence[CallAnchor], stretch: LockedStretch) -> int:
    begin, end = _span(anchors, stretch)
    return end - begin + 1


def _contains(whole: LockedStretches, part: LockedStretches, anchors: Mapping[str, Sequence[CallAnchor]]) -> bool:
    for run, stretch in part.items():
        begin, end = _span(anchors[run], whole[run])
        first, last = _span(anchors[run], stretch)
        if not (begin <= first and last <= end):
            return False
    return True
