"""The story that is easiest to follow: a schedule of the fewest processes, crashes, context switches and steps.

Knows schedules only. A function decides whether one still shows the same, so a schedule of any engine can be minimised,
even a timed run's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, permutations
from typing import NamedTuple

from dstamp_sim.core.numbers import many
from dstamp_sim.core.schedule import CRASH, Choice, Schedule

EFFORT_STEPS = 300_000
"""How many steps all attempts may try before a minimisation gives up (some seconds)."""

Attempt = Callable[[Schedule], Schedule | None]
"""Performs the possible choices of a schedule, in turn, until it shows the finding; returns the performed choices.

None when it does not show it. The returned choices must replay strictly.
"""

Slice = tuple[Choice, ...]
"""Choices of one process in a row."""


class ScheduleSize(NamedTuple):
    """The figures to make small, the first one first."""

    processes: int
    crashes: int
    switches: int
    steps: int

    def __str__(self) -> str:
        kinds = ("process", "crash", "switch", "step")
        return ", ".join(many(count, kind) for count, kind in zip(self, kinds, strict=True))


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
    """A schedule that shows the same as `schedule`, with locally the least `size`: no simpler neighbour shows it.

    Neighbours leave out a process (the others may go on instead), a crash (who died may go on), a stretch of a process
    or some of its steps, let one process do what another did, or move a stretch to those of the same process before
    and after it. Fewer processes or crashes may take more steps. Gives up after `effort_steps`. Deterministic.
    Raises ValueError when `schedule` itself does not show it.
    """
    search = _Minimisation(attempt, effort_steps, schedule.start)
    best = search.tried(schedule)
    if best is None:
        raise ValueError(f"schedule {schedule} does not show the finding to be minimised")
    try:
        while (better := search.round(best)) != best:
            best = better
    except _EffortSpent as spent:
        return Minimised(spent.best, search.steps_tried, local_minimum=False)
    return Minimised(best, search.steps_tried, local_minimum=True)


class _EffortSpent(Exception):  # not an error: the best schedule so far is good enough
    def __init__(self, best: Schedule) -> None:
        super().__init__()
        self.best = best


@dataclass
class _Minimisation:
    attempt: Attempt
    effort_steps: int
    start: tuple[tuple[str, int], ...]
    steps_tried: int = 0

    def tried(self, schedule: Schedule) -> Schedule | None:
        self.steps_tried += len(schedule)
        return self.attempt(Schedule(schedule.choices, start=self.start))

    def round(self, best: Schedule) -> Schedule:
        """The best after each kind of neighbour was tried once, the kinds that save most first."""
        for neighbours in (_fewer_processes, _fewer_crashes, _fewer_switches, _fewer_steps):
            best = self._improved(best, neighbours)
        return best

    def _improved(self, best: Schedule, neighbours: Callable[[Schedule], Iterator[Schedule]]) -> Schedule:
        """The best of one kind; after an improvement it continues, and does not restart."""
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


def _going_on(process: str, schedule: Schedule) -> Slice:
    """More choices of a process than an attempt is likely to need; impossible ones are skipped."""
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
    """Without all, half, a quarter, … one of the equal choices of a stretch, or with only one, two, four, … of them."""
    runs = [tuple(same) for _, same in groupby(schedule)]
    for at in range(len(runs) - 1, -1, -1):
        halves = [len(runs[at]) >> times for times in range(len(runs[at]).bit_length())]
        for gone in dict.fromkeys((*halves, *(len(runs[at]) - kept for kept in reversed(halves)))):
            yield _joined(runs[:at], [runs[at][gone:]], runs[at + 1 :])


def _stretches(schedule: Schedule) -> list[Slice]:
    return [tuple(same) for _, same in groupby(schedule, key=lambda choice: choice.process)]


def _nearest(stretches: Sequence[Slice], at: int, step: int) -> int | None:
    """The stretch of the same process before (`step` -1) or after (1) the one at `at`."""
    end = len(stretches) if step > 0 else -1
    process = stretches[at][0].process
    return next((i for i in range(at + step, end, step) if stretches[i][0].process == process), None)


def _joined(*parts: Sequence[Slice]) -> Schedule:
    return _made(choice for stretches in parts for stretch in stretches for choice in stretch)


def _made(choices: Iterable[Choice]) -> Schedule:
    return Schedule(tuple(choices))
