"""Readings that came too early: with the same steps in another order, after a later write, all was well."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import NamedTuple

from dstamp_sim.analyses.conflicts import Conflicts, locks
from dstamp_sim.analyses.fields import Location
from dstamp_sim.analyses.orders import readings_after
from dstamp_sim.analyses.what_if import Decision, WhatIf
from dstamp_sim.core.schedule import Choice

MOST_ORDERS = 100
"""How many other orders are performed at most."""
_MOST_STEPS_MOVED = 300_000
"""How many steps of the trace all of them may have in total."""


class EarlyReads(NamedTuple):
    """Steps of several processes that read the same value and did the same, and the later write to it."""

    location: Location
    readings: tuple[int, ...]
    write: int
    choices: tuple[Choice, ...] = ()
    """All choices of the rerun in which they waited."""


def too_early(
    what_if: WhatIf, conflicts: Conflicts, fact: Decision, first: Collection[str], waiting: Callable[[int, int], bool]
) -> EarlyReads | None:
    """One reading, else the fewest alike, without which `fact` is gone if only they wait for a write that came later.

    Those of the objects `first` first, and of them the latest; those last whose process was `waiting` when the write
    came. None if no order that was performed helps: the effort is bounded.
    """
    alike = sorted(
        _alike(conflicts, what_if.since(fact)),
        key=lambda early: (any(waiting(n, early.write) for n in early.readings), early.location.target not in first),
    )
    alone = (early._replace(readings=(n,)) for early in alike for n in early.readings)
    together = (early for early in alike if len(early.readings) > 1)
    most = min(MOST_ORDERS, _MOST_STEPS_MOVED // (len(what_if.trace.steps) + 1))
    for early in islice((*alone, *together), most):
        if choices := _waiting(what_if, early, fact):
            return _fewest(what_if, early._replace(choices=choices), fact)
    return None


def _alike(conflicts: Conflicts, last: int) -> list[EarlyReads]:
    """Every read up to step `last` of a value that another process changes later, with the like reads of others."""
    found: dict[tuple[object, ...], EarlyReads] = {}
    for number, location, write in _overtaken(conflicts, last):
        step = conflicts.trace.steps[number]
        verb = step.op.verb if step.op else ""
        key = (location, write, verb, step.result, step.label)
        early = found.setdefault(key, EarlyReads(location, (), write))
        if step.process not in {conflicts.trace.steps[n].process for n in early.readings}:
            found[key] = early._replace(readings=(number, *early.readings))
    return list(found.values())


def _overtaken(conflicts: Conflicts, last: int) -> Iterator[tuple[int, Location, int]]:
    """Readings by runs, the latest first, with the next write of something else by another process."""
    trace, accesses = conflicts.trace, conflicts.accesses
    for number in range(last, -1, -1):
        step = trace.steps[number]
        if step.op is None or locks(step) or step.process in trace.daemons:
            continue
        for location in (place for place in accesses[number].reads if place not in accesses[number].writes):
            write = next((n for n in conflicts.writers(location) if number < n <= last), None)
            if write is None or trace.steps[write].process == step.process:
                continue
            if accesses.written(write, location) != accesses.value(number, location):
                yield number, location, write


def _waiting(what_if: WhatIf, early: EarlyReads, fact: Decision) -> tuple[Choice, ...] | None:
    order = readings_after(what_if.trace, early.readings, early.write, what_if.since(fact))
    return what_if.in_order(fact, order)


def _fewest(what_if: WhatIf, early: EarlyReads, fact: Decision) -> EarlyReads:
    """The same without the reads that need not wait."""
    for number in early.readings:
        fewer = early._replace(readings=tuple(n for n in early.readings if n != number))
        if fewer.readings and (choices := _waiting(what_if, fewer, fact)):
            early = fewer._replace(choices=choices)
    return early
