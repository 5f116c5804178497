"""Backward coverability: can some number of copies come to a bad state? Exact, over tables of small integers.

Processes with `copies=ANY` are counted, all else is *control*: the states of the shared objects, the local states of
the processes whose number is fixed, and the deaths so far. A *demand* is a control state and a multiset of counted
local states: it stands for every global state with that control in which at least those processes are there. More
processes never take a move away from the others, so finite programs over finite shared state are a well-structured
system, and the demands from which a bad one is reached have a finite basis (Abdulla, Cerans, Jonsson, Tsay, "General
decidability theorems for infinite-state systems", 1996; the counting is German and Sistla's, 1992).

A move backwards never makes a demand smaller. So demands are taken smallest first, and the first one that holds of an
initial state says the least number of copies.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dstamp_sim.core.value import text
from dstamp_sim.engines.tables.tables import ENDED, Tables

MOST_MOVES = 50_000
MOST_DEMANDS = 200_000
MOST_PRECISE = 20_000
MOST_TRIED = 100_000
"""Moves between control states, and demands of one question, after which there is no answer; moves tried until only
single local states are followed, not pairs; and moves tried so until there is no answer (a second or two each)."""


EVERY_PAIR = -1
"""The bits that stand for all local states, as those that may be somewhere at the same time."""


class TooMany(Exception):  # not an error: the question is simply larger than allowed
    """A bound was passed before the question was decided; the text says which."""


class Demand(NamedTuple):
    """At least these processes (their local states, sorted) in this control state (its number)."""

    control: int
    locals: tuple[int, ...]


class Arrival(NamedTuple):
    """A move that leads to a control state: from which one, and of which counted process (None: of a fixed one)."""

    control: int
    before: int | None
    after: int | None


@dataclass
class Controls:
    """The control states that may occur, with the counted local states that may be in them, and the moves into each.

    An over-approximation by views of two processes (Abdulla, Haziza, Holik, "All for the price of few", 2013):
    `pairs[c]` are the local states that some process may be in under control c, each with those (as bits) that another
    may be in at the same time. What is not in it is unreachable for every number of copies; demands that ask for it
    are dropped, which changes no answer and makes most questions small.
    """

    tables: Tables
    counted: frozenset[int]
    rows: list[tuple[int, ...]] = field(default_factory=list)
    pairs: list[dict[int, int]] = field(default_factory=list)
    arrivals: list[list[Arrival]] = field(default_factory=list)
    starts: tuple[int, ...] = ()
    begins: range = range(1)
    precise: bool = True

    def __post_init__(self) -> None:
        objects, columns = len(self.tables.objects), self.tables.local_starts()
        pids = range(len(self.tables.semantics.names))
        self.fixed = [pid for pid in pids if self.tables.class_of[pid] not in self.counted]
        self.starts = tuple(columns[pid] for pid in pids if pid not in self.fixed)
        self._numbers: dict[tuple[int, ...], int] = {}
        shared = self.tables.initial_rows()[:, :objects].tolist()
        starts = [(*row, *(columns[pid] for pid in self.fixed), 0) for row in shared]
        self.begins = range(len(starts))
        self.precise = self._spread(starts, MOST_PRECISE)
        if not self.precise:
            self._numbers.clear()
            self.rows, self.pairs, self.arrivals = [], [], []
            if not self._spread(starts, MOST_TRIED):
                raise TooMany(
                    f"the shared states were not all found within {MOST_TRIED:,} moves; {self._most_values()}"
                )

    def _most_values(self) -> str:
        """Which object has the most values, and the remedy where they have no end."""
        slot = max(range(len(self.tables.objects)), key=lambda number: len(self.tables.states[number]))
        values = self.tables.states[slot]
        shown = ", ".join(text(value) for value in values[:3])
        return (
            f"{self.tables.objects[slot].name} has {len(values):,} values so far ({shown}, ...): "
            "where they have no end, an op that blocks at a bound makes them finitely many"
        )

    def may_be(self, demand: Demand) -> bool:
        """Whether a demand may be met, as far as is known."""
        pairs = self.pairs[demand.control]
        return all(
            first in pairs and all(pairs[first] >> second & 1 for second in demand.locals[index + 1 :])
            for index, first in enumerate(demand.locals)
        )

    def _spread(self, starts: Sequence[tuple[int, ...]], most: int) -> bool:
        """Finds every control state, and what may be in it, from the initial ones; False after `most` moves."""
        tried = 0
        bits = sum(1 << local for local in set(self.starts))
        for start in starts:
            self._join(start, dict.fromkeys(self.starts, bits if self.precise else EVERY_PAIR))
        waiting = deque(self.begins)
        queued = set(self.begins)
        reported: set[tuple[int, Arrival]] = set()
        while waiting:
            control = waiting.popleft()
            queued.discard(control)
            for row, before, after in self._moves(control):
                tried += 1
                if tried > most:
                    return False
                there, grew = self._join(row, self._left(control, before, after))
                arrival = Arrival(control, before, after)
                if (there, arrival) not in reported:
                    reported.add((there, arrival))
                    self.arrivals[there].append(arrival)
                    if len(reported) > MOST_MOVES:
                        raise TooMany(f"more than {MOST_MOVES:,} moves between shared states; {self._most_values()}")
                if grew and there not in queued:
                    queued.add(there)
                    waiting.append(there)
        return True

    def _left(self, control: int, before: int | None, after: int | None) -> dict[int, int]:
        """The pairs that may be in the control state after a move: those of the others, and the mover with them."""
        pairs = self.pairs[control]
        if before is None or after is None or before == after:
            return pairs
        if not self.precise:
            return dict.fromkeys([*pairs, after], EVERY_PAIR)
        others, came = pairs[before], 1 << after
        left = {local: (pairs[local] & others) | came for local in _bits(others)}
        left[after] = left.get(after, 0) | others
        return left

    def _join(self, row: tuple[int, ...], pairs: Mapping[int, int]) -> tuple[int, bool]:
        """The number of a control state, and whether it or what may be in it is new."""
        number = self._numbers.setdefault(row, len(self.rows))
        if number == len(self.rows):
            self.rows.append(row)
            self.pairs.append(dict(pairs))
            self.arrivals.append([])
            return number, True
        known, grew = self.pairs[number], False
        for local, others in pairs.items():
            wider = known.get(local, 0) | others
            if local not in known or wider != known[local]:
                known[local], grew = wider, True
        return number, grew

    def _moves(self, control: int) -> Iterator[tuple[tuple[int, ...], int | None, int | None]]:
        """The moves from a control state: the control state after it, and a counted mover's local state before, after.

        Moves of fixed processes change their own column.
        """
        row, objects = self.rows[control], len(self.tables.objects)
        for local in list(self.pairs[control]):
            for after, onward in self._steps_of(row, local):
                yield after, local, onward
        for column, _ in enumerate(self.fixed, start=objects):
            for after, onward in self._steps_of(row, row[column]):
                yield (*after[:column], onward, *after[column + 1 :]), None, None

    def _steps_of(self, row: tuple[int, ...], local: int) -> Iterator[tuple[tuple[int, ...], int]]:
        """What a process in `local` may do: the control state after it (its own column unchanged), its local state."""
        t = self.tables
        slot = int(t.target.data[local])
        if slot == ENDED:
            return
        for onward, state in t.successors(local, row[slot] if slot >= 0 else 0):
            yield ((*row[:slot], state, *row[slot + 1 :]) if slot >= 0 else row), onward
        if row[-1] < t.semantics.system.crashes and t.classes[t.keys[local].klass].killable:
            after = list(row)
            for hold in t.holds_of(local):
                held = int(t.hold_object.data[hold])
                after[held] = t.after_loss(hold, after[held])
            yield (*after[:-1], row[-1] + 1), t.death(local)


@dataclass(frozen=True)
class CoverabilityResult:
    """Whether some number of copies meets one of the demands: the counted local states of the smallest
    initial state that does (None: no number of copies), the demands kept, and the moves tried backwards.
    """  # noqa: D205 - one sentence

    starts: tuple[int, ...] | None
    demands: int
    moves: int


def cover(
    controls: Controls, wanted: Iterable[Demand], progress: Callable[[int, int], None] | None = None
) -> CoverabilityResult:
    """Decides whether a state that meets one of the `wanted` demands is reachable, for some number of copies.

    Exact, and the number is the smallest. Deterministic. Raises TooMany past `MOST_DEMANDS`.
    """
    heap = [(len(demand.locals), order, demand) for order, demand in enumerate(wanted) if controls.may_be(demand)]
    heapq.heapify(heap)
    seen = {demand for _, _, demand in heap}
    basis: dict[int, list[tuple[int, ...]]] = {}
    kept, moves, order = 0, 0, len(heap)
    while heap:
        _, _, demand = heapq.heappop(heap)
        known = basis.setdefault(demand.control, [])
        if any(_within(small, demand.locals) for small in known):
            continue
        if demand.control in controls.begins and set(demand.locals) <= set(controls.starts):
            return CoverabilityResult(demand.locals, kept, moves)
        known.append(demand.locals)
        kept += 1
        if kept > MOST_DEMANDS:
            raise TooMany(f"more than {MOST_DEMANDS:,} minimal states lead to a bad one")
        if progress is not None and kept % 1000 == 0:
            progress(kept, moves)
        for earlier in _before(controls, demand):
            moves += 1
            if earlier not in seen:
                seen.add(earlier)
                order += 1
                heapq.heappush(heap, (len(earlier.locals), order, earlier))
    return CoverabilityResult(None, kept, moves)


def _before(controls: Controls, demand: Demand) -> Iterator[Demand]:
    """The least demands from which one move leads to what `demand` stands for."""
    for control, before, after in controls.arrivals[demand.control]:
        if before is None:
            earlier = Demand(control, demand.locals)
        else:
            rest = list(demand.locals)
            if after in rest:
                rest.remove(after)
            elif control == demand.control:
                continue  # it asks for more than the demand itself
            earlier = Demand(control, tuple(sorted([*rest, before])))
        if controls.may_be(earlier):
            yield earlier


def _within(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether a sorted multiset is part of another."""
    if len(small) > len(large):
        return False
    rest = iter(large)
    return all(any(local == other for other in rest) for local in small)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
