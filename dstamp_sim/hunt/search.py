"""The search: alone, one after the other, then every schedule of 1, 2, ... preemptions, the suspicious ones first."""

from __future__ import annotations

import heapq
import itertools
import os
import time
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.numbers import many
from dstamp_sim.core.schedule import CRASH, Choice
from dstamp_sim.hunt.folding import Folding, drawn
from dstamp_sim.hunt.follow import Follow
from dstamp_sim.hunt.job import PreparedJob
from dstamp_sim.hunt.touches import Uses, merge, shared
from dstamp_sim.hunt.tree import Tree
from dstamp_sim.hunt.trial_outcome import End, HeldStep, TrialOutcome

Tell = Callable[[int, int], None]
"""Told how many trials were played, and how many are known that were not."""

Prefix = tuple[Choice, ...]


@dataclass(frozen=True)
class Bounds:
    """How far a search goes: so many preemptions, deaths and seconds. `seed` orders equally suspicious schedules."""

    preemptions: int = 2
    crashes: int = 0
    seconds: float = 60.0
    seed: int = 0


@dataclass
class Found:
    """What a search found. `whole`: every schedule within the bounds was played; else `stopped` says why not."""

    stage: PreparedJob
    bounds: Bounds
    failing: TrialOutcome | None = None
    preemptions: int = 0
    played: int = 0
    left: int = 0
    unrepeated: int = 0
    ends: Counter[End] = field(default_factory=Counter)
    outcomes: set[str] = field(default_factory=set)
    unseen: dict[str, str] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)
    seconds: float = 0.0
    stopped: str = ""

    @property
    def whole(self) -> bool:
        """Whether every schedule within the bounds was played, and each could be judged."""
        return not self.reasons()

    def reasons(self) -> list[str]:
        """Why nothing can be said of the whole bounded space; empty where it was visited."""
        found = [self.stopped] if self.stopped else []
        for end, word in ((End.DIVERGED, "did other calls than foreseen"), (End.UNDECIDED, "came to no end")):
            if self.ends[end]:
                found.append(f"{self.ends[end]} trials {word}")
        if self.unrepeated:
            found.append(f"{self.unrepeated} trials failed and did not fail again")
        return found + [f"{run} uses {what}, which no trial orders" for what, run in self.unseen.items()]

    def none_found(self) -> str:
        """What it says that nothing failed, in a sentence: never that nothing can."""
        upto = many(self.bounds.preemptions, "preemption")
        upto += f" and {many(self.bounds.crashes, 'death')}" if self.bounds.crashes else ""
        if self.whole:
            return f"none found in the whole space of up to {upto}: {many(self.played, 'schedule')}, each played"
        return f"UNDETERMINED: none found in {many(self.played, 'schedule')}; {'; '.join(self.reasons())}" + (
            f"; at least {self.left} were not played" if self.left else ""
        )

    def not_seen(self) -> list[str]:
        """What the runs did that no trial orders, compares or makes anew, by the calls that were seen."""
        kept = [f"{run} writes {path}, which keeps what the last trial left" for path, run in self.stage.kept.items()]
        return [
            *(f"{run} uses {what}, which no trial orders" for what, run in self.unseen.items()),
            *(f"{run} made several calls at once, whose order was not varied" for run in sorted(self.inside)),
            *sorted(kept),
            *(f"{name} differs from trial to trial, and was not compared" for name in self.stage.drifting),
        ]


def look_around(stage: PreparedJob) -> None:
    """Plays each run alone and every serial order, and so learns which objects are shared and what is right.

    Raises UsageError where that shows that a hunt makes no sense: writes outside, a check that fails without any race.
    """
    names = tuple(stage.job.runs)
    for name in names:
        one, two = (stage.play(Follow((), (name,)), only=name, learn=True) for _ in range(2))
        _learn_names(stage, one, two)
        _learn(stage, two, (name,))
    stage.uses = {}
    for name in names:
        _learn(stage, stage.play(Follow((), (name,)), only=name, learn=True), (name,))
    stage.serial = [_serial(stage, order) for order in itertools.permutations(names)]


def _within(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")


def _learn_names(stage: PreparedJob, one: TrialOutcome, two: TrialOutcome) -> None:
    """Folds the names that differ though the same run did the same twice."""
    found = drawn(one.uses, two.uses, stage.start.entries)
    stage.folding = Folding(stage.folding.shapes | found.shapes, stage.folding.stable | found.stable)


def _serial(stage: PreparedJob, order: tuple[str, ...]) -> tuple[Tree, tuple[tuple[str, int], ...]]:
    """How a serial order ends; where nothing but that is the judge, it is played twice, and what drifts is noted."""
    out = stage.play(Follow((), order), serial=True)
    _learn(stage, out, order)
    if stage.job.check is None:
        twice = stage.play(Follow((), order), serial=True)
        stage.drifting = (*stage.drifting, *stage.differences(out.tree, twice.tree))
    return out.tree, tuple(out.exits.items())


def _learn(stage: PreparedJob, out: TrialOutcome, order: tuple[str, ...]) -> None:
    merge(stage.uses, out.uses)
    who = order[0] + (" alone" if len(order) == 1 else " before " + " before ".join(order[1:]))
    allowed = [os.path.abspath(path) for path in stage.supervisor.allowed]
    written = {path: run for path, run in out.outside.items() if not any(_within(path, top) for top in allowed)}
    stage.kept.update((path, run) for path, run in out.outside.items() if path not in written)
    if written:
        words = ", ".join(f"{run} writes {path}" for path, run in list(written.items())[:5])
        raise UsageError(
            f"hunt: {words}: outside of the scratch folder nothing is made anew for a trial, so it is read-only; "
            "--allow PATH leaves a path writable, and as the last trial left it"
        )
    if -31 in out.exits.values():
        raise UsageError(f"hunt: {who}: it makes system calls of another processor (32-bit?), which cannot be held")
    if out.end is End.UNDECIDED:
        raise UsageError(f"hunt: {who}: {out.why}; a run that nothing can be said of by itself cannot be hunted")
    if out.end is not End.GOOD:
        raise UsageError(
            f"hunt: {who}: {out.end.value}: {out.why}; nothing raced in this trial: "
            "the check, or a run by itself, is wrong, not racy"
        )


class Search:
    """A search, whose state can be asked for at any time: Ctrl-C leaves what was found.

    With `every`, it ends with no failure, and each trial is watched and put there.
    """

    def __init__(
        self, stage: PreparedJob, bounds: Bounds, tell: Tell | None = None, *, every: list[TrialOutcome] | None = None
    ) -> None:
        self.stage, self.bounds, self.tell, self.every = stage, bounds, tell, every
        self.names = tuple(stage.job.runs)
        self.found = Found(stage, bounds)
        self.random = Random(bounds.seed)

    def run(self) -> Found:
        """What was found, when something was, or the space or the time is spent.

        Where trials show sharing that was not known, a call more is a step, and the search begins again.
        """
        begun = time.monotonic()
        try:
            while not self._pass(begun + self.bounds.seconds):
                pass
        except KeyboardInterrupt:
            self.found.stopped = "interrupted"
        self.found.seconds = time.monotonic() - begun
        return self.found

    def _pass(self, until: float) -> bool:
        """Searches with what is known to be shared; False where more became known and nothing failed."""
        seen = deepcopy(self.stage.uses)
        self.found.ends.clear()
        self.found.unrepeated = 0
        self.found.played = 0
        if self.every is not None:
            self.every.clear()
        queue: list[tuple[int, int, float, Prefix]] = [(0, 0, 0.0, ())]
        while queue:
            self.found.left = len(queue)
            if time.monotonic() > until:
                self.found.stopped = f"the budget of {self.bounds.seconds:g} s was spent"
                return True
            cost, heat, _, prefix = heapq.heappop(queue)
            out = self.stage.play(Follow(prefix, self.names), watch=self.every is not None)
            self._count(out, len(queue))
            if self.every is not None:
                self.every.append(out)
            elif out.fails and self._fails_again(out):
                self.found.failing, self.found.preemptions = out, cost
                self.found.stopped = "it ends with the first failure"
                return True
            merge(seen, out.uses)
            if out.end is not End.DIVERGED:
                for item in self._branches(out.steps, len(prefix), cost, heat):
                    heapq.heappush(queue, item)
        self.found.left = 0
        grew = shared(seen) != shared(self.stage.uses)
        self.stage.uses = seen
        return not grew

    def _fails_again(self, out: TrialOutcome) -> bool:
        """Whether the same choices fail once more: what cannot be repeated is counted and not believed."""
        again = self.stage.play(Follow([step.choice for step in out.steps], self.names)).fails
        self.found.unrepeated += not again
        return again

    def _count(self, out: TrialOutcome, left: int) -> None:
        self.found.played += 1
        self.found.ends[out.end] += 1
        self.found.outcomes.add(f"{out.end.value} {sorted(out.exits.items())} {out.tree.digest()}")
        for what, run in out.unseen.items():
            self.found.unseen.setdefault(what, run)
        self.found.inside |= out.inside
        if self.tell:
            self.tell(self.found.played, left)

    def _branches(
        self, steps: list[HeldStep], begin: int, cost: int, heat: int
    ) -> list[tuple[int, int, float, Prefix]]:
        """The schedules that leave this one after its prefix, by one switch or one death."""
        found = []
        choices = tuple(step.choice for step in steps)
        deaths = sum(choice.outcome == CRASH for choice in choices[:begin])
        for at in range(begin, len(steps)):
            step = steps[at]
            last = steps[at - 1].run if at else None
            for other in step.enabled:
                total = cost + (last in step.enabled)
                if other != step.run and total <= self.bounds.preemptions:
                    more = heat - (hot(steps, at, other, self.stage.uses) if last in step.enabled else 0)
                    found.append((total, more, self.random.random(), (*choices[:at], Choice(other))))
            if deaths < self.bounds.crashes and not step.call.is_sleep:
                writes = any(touch.how == "w" for touch in step.call.touches)
                dying = (*choices[:at], Choice(step.run, CRASH))
                found.append((cost, heat + 1 - writes, self.random.random(), dying))
        return found


def hot(steps: list[HeldStep], at: int, other: str, uses: Uses) -> int:
    """How suspicious a switch to `other` before step `at` is.

    3 between a read and a write of one object that the other changes, 2 between two other uses of one that it changes,
    1 between two uses of one that it reads; 0 elsewhere.
    """
    step = steps[at]
    best = 0
    for touch in step.call.touches:
        theirs = uses.get(touch.object, {}).get(other, set())
        mine = {t.how for s in steps[:at] if s.run == step.run for t in s.call.touches if t.object == touch.object}
        if mine and "w" in theirs:
            best = max(best, 3 if touch.how == "w" and "r" in mine else 2)
        elif mine and theirs and "w" in {touch.how, *mine}:
            best = max(best, 1)
    return best
