"""Which steps of a trace have an order in every schedule: by their program, by a lock, or by waiting for each other.

Step a happens before step b if b could not have been performed before a with the same programs: both are of one process
(program order), b takes a lock that a released (hand-over), or b was blocked until a's change (wake). Lamport, "Time,
clocks, and the ordering of events in a distributed system" (1978); vector clocks after Mattern (1989).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from dstamp_sim.core.shared_object import may_do
from dstamp_sim.core.trace import Step, Trace


class OrderKind(Enum):
    """Why one step happens before another."""

    PROGRAM = "program order"
    LOCK = "lock hand-over"
    WAKE = "wake"


@dataclass(frozen=True)
class Edge:
    """Step `before` happens before step `after` (numbers from 0), directly."""

    order: OrderKind
    before: int
    after: int


class HappensBefore:
    """The order of a trace's steps: direct edges and vector clocks. Cost: steps times processes.

    `also` are further ordered pairs of steps (a read after its write, say).
    """

    def __init__(self, trace: Trace, also: Iterable[tuple[int, int]] = ()) -> None:
        self.edges = tuple(_edges(trace))
        pairs = [*((edge.before, edge.after) for edge in self.edges), *also]
        self.clocks = _clocks(trace, pairs)


def _edges(trace: Trace) -> Iterator[Edge]:
    last_of: dict[str, int] = {}
    released: dict[tuple[str, Hashable], int] = {}
    changed: dict[str, int] = {}
    for number, step in enumerate(trace.steps):
        if step.process in last_of:
            yield Edge(OrderKind.PROGRAM, last_of[step.process], number)
        if step.taken is not None:
            giver = released.get((_lock_name(step), step.taken.token))
            if giver is not None and trace.steps[giver].process != step.process:
                yield Edge(OrderKind.LOCK, giver, number)
        elif step.touched in changed and _was_blocked(trace, changed[step.touched], number):
            yield Edge(OrderKind.WAKE, changed[step.touched], number)
        last_of[step.process] = number
        for hold in step.dropped:
            released[hold.target.name if step.op is None else _lock_name(step), hold.token] = number
        for change in step.changes:
            changed[change.target] = number


def _lock_name(step: Step) -> str:
    return str(step.touched)


def _was_blocked(trace: Trace, writer: int, number: int) -> bool:
    """Whether the op of step `number` had no outcome just before the change that `writer` made to its object."""
    op, touched = trace.steps[number].op, trace.steps[number].touched
    if op is None or op.target is None or trace.steps[writer].process == trace.steps[number].process:
        return False
    before = next(change.before for change in trace.steps[writer].changes if change.target == touched)
    return not may_do(op, before)


def _clocks(trace: Trace, pairs: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Per step: how many steps of each process happen before it or are it."""
    index = {name: n for n, name in enumerate(trace.processes)}
    clocks: list[list[int]] = [[0] * len(index) for _ in trace.steps]
    into: dict[int, list[int]] = {}
    for before, after in pairs:
        into.setdefault(after, []).append(before)
    for number, step in enumerate(trace.steps):
        for before in into.get(number, ()):
            clocks[number] = [max(a, b) for a, b in zip(clocks[number], clocks[before], strict=True)]
        clocks[number][index[step.process]] += 1
    return [tuple(clock) for clock in clocks]
