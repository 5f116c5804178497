"""Other orders of a trace's steps, as step numbers: whether they are possible is not decided here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush
from itertools import pairwise

from dstamp_sim.core.holds import Held
from dstamp_sim.core.trace import Trace


def waits(trace: Trace, first: int, last: int) -> list[int]:
    """The order where the process of step `first` does nothing from there on until step `last` is done."""
    steps = trace.steps
    inside = [n for n in range(first, last + 1) if steps[n].process != steps[first].process]
    return [*range(first), *inside]


def hurries(trace: Trace, first: int, last: int, until: int) -> list[int]:
    """The order where the process of step `last` does all up to it before step `first`, then the others to `until`."""
    steps = trace.steps
    pulled = [n for n in range(first, last + 1) if steps[n].process == steps[last].process]
    rest = [n for n in range(first, until + 1) if steps[n].process != steps[last].process]
    return [*range(first), *pulled, *rest]


def begins(trace: Trace, number: int) -> int:
    """The first step with which a process took what it still holds at step `number`; `number` if it holds nothing.

    A process that must wait, waits there: otherwise it would keep others out.
    """
    return min((held.since for held in _held_at(trace, number)), default=number)


def lets_go(trace: Trace, number: int) -> int:
    """The last step with which a process releases what it holds at step `number`; `number` if it never does.

    A process that goes first must get there: otherwise it would keep the others out.
    """
    return max([number, *(held.until for held in _held_at(trace, number) if held.until is not None)])


def _held_at(trace: Trace, number: int) -> list[Held]:
    """What the process of a step holds just before it, including what it releases there."""
    mine = (held for held in trace.holds() if held.process == trace.steps[number].process and held.since < number)
    return [held for held in mine if held.until is None or held.until >= number]


def readings_after(trace: Trace, readings: Collection[int], write: int, last: int) -> list[int]:
    """The order up to step `last` where `readings`, and all that their processes do then, wait for step `write`."""
    steps, since = trace.steps, {trace.steps[n].process: n for n in readings}
    others = [n for n, step in enumerate(steps[: last + 1]) if n < since.get(step.process, len(steps))]
    return [*(n for n in others if n <= write), *sorted(readings), *(n for n in others if n > write)]


def reversed_all(trace: Trace, pairs: Sequence[tuple[int, int]]) -> list[int] | None:
    """The order nearest to the trace's in which the last of each pair comes before the first; None: there is none.

    Who is to wait, waits before it takes what it holds then: see `begins`.
    """
    sorter = TopologicalSorter[int](dict.fromkeys(range(len(trace.steps)), ()))
    for process in trace.processes:
        for before, after in pairwise(n for n, step in enumerate(trace.steps) if step.process == process):
            sorter.add(after, before)
    for first, last in pairs:
        sorter.add(begins(trace, first), last)
    try:
        sorter.prepare()
    except CycleError:
        return None
    order, ready = list[int](), list(sorter.get_ready())
    heapify(ready)
    while ready:
        order.append(heappop(ready))
        sorter.done(order[-1])
        for number in sorter.get_ready():
            heappush(ready, number)
    return order
