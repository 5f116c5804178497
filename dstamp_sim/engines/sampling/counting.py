"""Every complete interleaving counted, exactly: how many there are, and how many of them decide a property.

A state's completions are the sum of its successors'; so one pass over an explored space counts what nobody could list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dstamp_sim.core.errors import UnboundedProgram, UsageError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.system import System
from dstamp_sim.engines.explore.settings import HISTORY_LIMIT, ExploreProgress
from dstamp_sim.engines.explore.space import Space
from dstamp_sim.engines.sampling.oracle import CountedGraph, Offer
from dstamp_sim.engines.sampling.questions import EVERY_OBJECT, EVERYBODY, Asked, Questions, all_are, decided
from dstamp_sim.engines.sampling.uniform import thresholds
from dstamp_sim.engines.sampling.walker import look_up, move
from dstamp_sim.engines.tables import kernel
from dstamp_sim.engines.tables.compiled import compiled_with_arrays
from dstamp_sim.engines.tables.kernel import Deaths, StepTables
from dstamp_sim.engines.tables.tables import OutOfMemory, Tables

LIMIT = 2_000_000
"""The most states of a space whose interleavings are counted; big integers need time and memory."""

MEMORY_MB = 4096

BITS = 62
"""Bits of a draw that is compared with the cut-off shares."""


@dataclass(frozen=True)
class Interleavings:
    """A space without reduction, with the number of complete interleavings that lead on from every state.

    `completions[s]` for state s (0 is the initial one), `deciding[name][s]` those that pass through a state which
    decides the property (violates it, or reaches what it asks for). Edges as in `oracle.Graph`.
    """

    tables: Tables
    first: Any
    actor: Any
    outcome: Any
    to: Any
    completions: Sequence[int]
    deciding: Mapping[str, Sequence[int]]

    @property
    def total(self) -> int:
        """All complete interleavings of the system."""
        return self.completions[0]

    def shares(self, state: int) -> list[int]:
        """The completions behind each edge of a state."""
        return [self.completions[to] for to in self.to[self.first[state] : self.first[state + 1]].tolist()]

    def graph(self, bits: int = BITS) -> CountedGraph:
        """The space for compiled code that draws uniformly, comparing `bits` bits."""
        ends, exact = np.zeros(len(self.to), np.uint64), np.zeros(len(self.to), np.bool_)
        for state in range(len(self.first) - 1):
            begin, end = int(self.first[state]), int(self.first[state + 1])
            if end - begin > 1:
                cut, whole = thresholds(self.shares(state), bits)
                ends[begin:end], exact[begin:end] = cut, whole
        return CountedGraph(self.first, self.actor, self.outcome, self.to, ends, exact, bits)


def count_interleavings(
    system: System,
    *,
    properties: Sequence[str] = (),
    limit: int = LIMIT,
    memory_mb: int = MEMORY_MB,
    progress: ExploreProgress | None = None,
) -> Interleavings:
    """The complete interleavings of `system`, and by property how many decide it. Exact; every op counts as a step.

    What asks ahead is left out: a complete interleaving decides nothing about what else could have come.

    Tells `progress` while the space grows. Raises UsageError when there are more than `limit` states, or infinitely
    many interleavings (a cycle of daemons, a process that polls).
    """
    semantics = Semantics(system, history_limit=HISTORY_LIMIT)
    judge = Judge(semantics, [prop for prop in system.properties_named(properties) if not prop.asks_ahead])
    return interleavings_of(semantics, judge, limit, memory_mb, progress)


def interleavings_of(
    semantics: Semantics,
    judge: Judge,
    limit: int = LIMIT,
    memory_mb: int = MEMORY_MB,
    progress: ExploreProgress | None = None,
) -> Interleavings:
    """As `count_interleavings`, for a system that is already prepared."""
    semantics.initial()  # it counts from one state on
    tables = Tables(semantics, judge, merge=False)
    space = Space(tables, symmetry=False, future=None, memory_bytes=memory_mb << 20)
    _expand_all(space, limit, progress)
    counted = _Counting(space, Questions(tables, judge)).counted([prop.name for prop in judge.properties])
    judge.check()
    return counted


def _expand_all(space: Space, limit: int, progress: ExploreProgress | None) -> None:
    too_large = (
        f"more than {limit:,} states: too many to count interleavings exactly; use fewer processes, "
        "or estimate by schedules (dstamp sample --strategy random-walk, pct or pos)"
    )
    try:
        while space.levels[-2] < space.levels[-1]:
            at, end = space.levels[-2:]
            while at < end:
                at = space.expand(at, end)
                if progress is not None:
                    progress(space.count, space.transitions, len(space.levels) - 1)
                if space.count > limit:
                    raise UsageError(too_large)
            space.close_level()
    except OutOfMemory as full:
        raise UsageError(too_large) from full
    except UnboundedProgram as unbounded:
        passed, _, _ = str(unbounded).partition(": no end")
        raise UsageError(f"there may be infinitely many interleavings: {passed}") from unbounded


class _Counting:
    def __init__(self, space: Space, questions: Questions) -> None:
        self.space, self.questions = space, questions
        self.first = np.zeros(space.count + 1, np.int64)
        edges = space.transitions
        self.actor, self.outcome, self.to = (np.zeros(edges, kind) for kind in (np.int16, np.int32, np.int32))
        self.bits = np.zeros(space.count, np.int64)

    def counted(self, names: Sequence[str]) -> Interleavings:
        self._link()
        completions = self._sums([0] * self.space.count, self.first[1:] == self.first[:-1], [1] * self.space.count)
        deciding = {
            name: self._sums([0] * self.space.count, (self.bits >> index) & 1, completions)
            for index, name in enumerate(names)
        }
        return Interleavings(self.space.tables, self.first, self.actor, self.outcome, self.to, completions, deciding)

    @cached_property
    def _last_first(self) -> list[int]:
        """The states, each after all of its successors. Raises UsageError when there is a cycle."""
        order = _topological(self.first, self.to)
        if len(order) < self.space.count:
            daemons = [p.name for p in self.space.tables.semantics.processes if p.daemon]
            raise UsageError(
                f"there are infinitely many interleavings: a daemon ({', '.join(daemons)}) can run in a cycle"
            )
        return order[::-1].tolist()  # type: ignore[no-any-return]  # numpy's tolist is untyped

    def _sums(self, sums: list[int], fixed: Any, values: Sequence[int]) -> list[int]:
        """By state: `values` where `fixed`, elsewhere the sum over the successors."""
        first, to, known = self.first.tolist(), self.to.tolist(), fixed.tolist()
        for state in self._last_first:
            if known[state]:
                sums[state] = values[state]
            else:
                sums[state] = sum(sums[after] for after in to[first[state] : first[state + 1]])
        return sums

    def _link(self) -> None:
        space = self.space
        n, at = space.processes, 0
        offer = Offer(np.zeros(n, np.int32), np.zeros(n, np.int8), np.zeros(n, np.int32))
        misses, missed = np.zeros((64, 3), np.int64), np.zeros(2, np.int64)
        rows = space.columns(range(space.objects + n + 1), 0, space.count).astype(np.int32)
        slots = np.full(1 << (2 * space.count).bit_length(), -1, np.int32)
        kernel.rehash(rows, space.count, slots)
        while at < space.count:
            at = _link(
                rows, slots, space.count, at, space.objects, space.tables.steps(), space.tables.deaths(),
                self.questions.asked(), offer, misses, missed, self.first, self.actor, self.outcome, self.to, self.bits,
            )  # fmt: skip
            self.questions.answer()


@compiled_with_arrays
def _link(
    rows: Any,
    slots: Any,
    count: int,
    begin: int,
    objects: int,
    steps: StepTables,
    death: Deaths,
    asked: Asked,
    offer: Offer,
    misses: Any,
    missed: Any,
    first: Any,
    actor: Any,
    outcome: Any,
    to: Any,
    bits: Any,
) -> Any:
    """Writes the edges of the states from `begin` on, and what they decide; returns the first with an open question."""
    n = offer.outcomes.shape[0]
    row = np.zeros(rows.shape[1], np.int32)
    for at in range(begin, count):
        row[:] = rows[at]
        found = decided(row, objects, EVERY_OBJECT, EVERYBODY, asked)
        if found < 0 or asked.counts[0] + 64 > asked.answers.shape[0]:
            return at
        look_up(row, objects, steps, death, offer, misses, missed)
        able: Any = False
        edge = first[at]
        for which in range(2 * n):
            ways = offer.outcomes[which] if which < n else np.int32(offer.may_die[which - n])
            able |= which < n and ways > 0
            for k in range(ways):
                row[:] = rows[at]
                move(row, objects, which, k, steps, death, misses, missed)
                number, _ = kernel.insert(rows, count, slots, row)
                actor[edge], outcome[edge], to[edge] = which, k, number
                edge += 1
        row[:] = rows[at]
        if not able and not all_are(row, objects, asked.rests):
            found |= asked.deadlock
        bits[at] = found
        first[at + 1] = edge
    return count


@compiled_with_arrays
def _topological(first: Any, to: Any) -> Any:
    """The states in an order in which every edge leads on (Kahn 1962); those on or behind a cycle are left out."""
    count = first.shape[0] - 1
    waiting = np.zeros(count, np.int64)
    for edge in range(to.shape[0]):
        waiting[to[edge]] += 1
    order = np.zeros(count, np.int64)
    placed, passed = 0, 0
    for state in range(count):
        if waiting[state] == 0:
            order[placed] = state
            placed += 1
    while passed < placed:
        state = order[passed]
        passed += 1
        for edge in range(first[state], first[state + 1]):
            waiting[to[edge]] -= 1
            if waiting[to[edge]] == 0:
                order[placed] = to[edge]
                placed += 1
    return order[:placed]
