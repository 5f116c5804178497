"""The story that is easiest to follow: a schedule of the fewest processes, crashes, context switches and steps.

Knows schedules only. Whether one still shows what the first one showed is asked of a function, so a schedule of any
engine can be minimised, a timed run's too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, permutations
from typing import NamedTuple

from dstamp_sim.core.schedule import CRASH, Choice, Schedule

EFFORT_STEPS = 300_000
"""Steps tried, in all attempts together, before a minimisation gives up (some seconds)."""

Attempt = Callable[[Schedule], Schedule | None]
"""Performs what is possible of a schedule, in turn, up to where it shows what is to be shown; gives what was performed.

None when it does not show it. What it gives must replay strictly.
"""

Segment = tuple[Choice, ...]
"""Choices of one process in a row."""


class ScheduleSize(NamedTuple):
    """What is made small, the first figure first."""

    processes: int
    crashes: int
    switches: int
    steps: int


@dataclass(frozen=True)
class Minimised:
    """The schedule found. `local_minimum` is false when the effort ran out before every neighbour had been tried."""

    schedule: Schedule
    steps_tried: int
    local_minimum: bool


def size(schedule: Schedule) -> ScheduleSize:
    """The size of a schedule."""
    crashes = sum(choice.outcome == CRASH for choice in schedule)
    return ScheduleSize(len({choice.process for choice in schedule}), crashes, schedule.switches, len(schedule))


def minimise(schedule: Schedule, attempt: Attempt, *, effort_steps: int = EFFORT_STEPS) -> Minimised:
    """A schedule that shows the same as `schedule`, of locally the least `size`: no simpler neighbour of it shows it.

    Neighbours leave out a process (the others may go on instead), a crash (who died may go on), a stretch of a process
    or some of its steps, let one process do what another did, or move a stretch to those of the same process before
    and after it. Fewer processes or crashes may take more steps. Gives up after `effort_steps`. Deterministic.
    Raises ValueError when `schedule` does not itself show what is asked.
    """
    search = _Minimisation(attempt, effort_steps)
    best = search.tried(schedule)
    if best is None:
        raise ValueError(f"schedule {schedule} does not show what it is to be minimised for")
    try:
        while (better := search.round(best)) != best:
            best = better
    except _EffortSpent as spent:
        return Minimised(spent.best, search.steps_tried, local_minimum=False)
    return Minimised(best, search.steps_tried, local_minimum=True)


class _EffortSpent(Exception):  # no error: the best schedule so far is good enough
    def __init__(self, best: Schedule) -> None:
        super().__init__()
        self.best = best


@dataclass
class _Minimisation:
    attempt: Attempt
    effort_steps: int
    steps_tried: int = 0

    def tried(self, schedule: Schedule) -> Schedule | None:
        self.steps_tried += len(schedule)
        return self.attempt(schedule)

    def round(self, best: Schedule) -> Schedule:
        """The best after each kind of neighbour was tried once, those that save most first."""
        for neighbours in (_fewer_processes, _fewer_crashes, _fewer_switches, _fewer_steps):
            best = self._improved(best, neighbours)
        return best

    def _improved(self, best: Schedule, neighbours: Callable[[Schedule], Iterator[Schedule]]) -> Schedule:
        """The best of one kind; after an improvement it goes on where it was, not from the start again."""
        passed = 0
        candidates = list(neighbours(best))
        while passed < len(candidates):
            if self.steps_tried >= self.effort_steps:
                raise _EffortSpent(best)
            found = self.tried(candidates[passed])
            if found is not None and size(found) < size(best):
                best, candidates = found, list(neighbours(found))
            else:
                passed += 1
        return best


def _fewer_processes(schedule: Schedule) -> Iterator[Schedule]:
    names = list(dict.fromkeys(choice.process for choice in schedule))
    for gone in reversed(names):
        kept = _made(choice for choice in schedule if choice.process != gone)
        yield kept
        yield _joined([kept.choices], [_going_on(name, schedule) for name in names if name != gone])
    for gone, other in permutations(reversed(names), 2):
        yield _made(choice._replace(process=other) if choice.process == gone else choice for choice in schedule)


def _fewer_crashes(schedule: Schedule) -> Iterator[Schedule]:
    for at, choice in enumerate(schedule):
        if choice.outcome == CRASH:
            before, after = schedule.choices[:at], schedule.choices[at + 1 :]
            yield _joined([before, after])
            yield _joined([before, _going_on(choice.process, schedule), after])
            yield _joined([before, after, _going_on(choice.process, schedule)])


def _going_on(process: str, schedule: Schedule) -> Segment:
    """More choices of a process than an attempt is likely to need; it passes over those that are not possible."""
    return (Choice(process),) * len(schedule)


def _fewer_switches(schedule: Schedule) -> Iterator[Schedule]:
    """Without one stretch, or with it moved, in whole or split, to the stretches of its process before and after."""
    stretches = _stretches(schedule)
    for at in range(len(stretches) - 1, -1, -1):
        yield _joined(stretches[:at], stretches[at + 1 :])
        before, after = _nearest(stretches, at, -1), _nearest(stretches, at, 1)
        moved = stretches[at]
        for split in range(len(moved), -1, -1):
            early, late = moved[:split], moved[split:]
            if (early and before is None) or (late and after is None):
                continue
            parts = list(stretches)
            parts[at] = ()
            if before is not None:
                parts[before] += early
            if after is not None:
                parts[after] = late + parts[after]
            yield _joined(parts)


def _fewer_steps(schedule: Schedule) -> Iterator[Schedule]:
    """Without all, half, a quarter, … one of the equal choices of a stretch."""
    runs = [tuple(same) for _, same in groupby(schedule)]
    for at in range(len(runs) - 1, -1, -1):
        gone = len(runs[at])
        while gone:
            yield _joined(runs[:at], [runs[at][gone:]], runs[at + 1 :])
            gone //= 2


def _stretches(schedule: Schedule) -> list[Segment]:
    return [tuple(same) for _, same in groupby(schedule, key=lambda choice: choice.process)]


def _nearest(stretches: Sequence[Segment], at: int, step: int) -> int | None:
    """The stretch of the same process before (`step` -1) or after (1) the one at `at`."""
    end = len(stretches) if step > 0 else -1
    process = stretches[at][0].process
    return next((i for i in range(at + step, end, step) if stretches[i][0].process == process), None)


def _joined(*parts: Sequence[Segment]) -> Schedule:
    return _made(choice for stretches in parts for stretch in stretches for choice in stretch)


def _made(choices: Iterable[Choice]) -> Schedule:
    return Schedule(tuple(choices))
