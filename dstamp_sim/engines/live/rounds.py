"""Ways round in a fair component, breadth first over its states together with what fairness still owes on the way.

A debt is of weak fairness until its process moves or is owed nothing in some state; of strong fairness, from the first
state in which it is owed a move until it makes one. A way round that comes home without debts is a fair cycle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.engines.live.fair import Demands, Graph


class At(NamedTuple):
    """A state on the way round: the debts left, and who has made the move that strong fairness owes (bits)."""

    state: int
    debts: int
    moved: int


class Rounds:
    """Looks for cycles inside of the `components`, while there is `effort`: how many moves may still be tried."""

    def __init__(self, graph: Graph, components: NDArray[np.int64], demands: Demands) -> None:
        label = components[graph.source]
        inner = np.flatnonzero((label >= 0) & (label == components[graph.target]))
        self.effort = math.inf
        self._moves, self._pid, self._target = inner.tolist(), graph.pid[inner].tolist(), graph.target[inner].tolist()
        self._first = np.searchsorted(graph.source[inner], np.arange(len(components) + 1)).tolist()
        self._weak, self._strong = _bits(demands.weak), _bits(demands.strong)
        self._shift = demands.weak.shape[1]
        self._lasting = sum(1 << pid for pid in np.flatnonzero(demands.strong.any(axis=0)).tolist())

    def debts(self, start: int) -> int:
        """How much fairness owes where a cycle begins."""
        return self._begin(start).debts.bit_count()

    def by_length(self, start: int) -> Iterator[list[int] | None]:
        """For each length from 0 on, the moves of a fair cycle of that length through a state, else None.

        Ends after the first cycle, where there is no other way on, and where the effort has run out.
        """
        ways = self._nearest(self._begin(start), lambda at: at.state == start and not at.debts)
        return (way and way[0] for way in ways)

    def greedy(self, start: int) -> list[int] | None:
        """The moves of a fair cycle through a state: from debt to debt, the nearest first, and home.

        None where the effort runs out.
        """
        at, cycle = self._begin(start), list[int]()
        while at.debts or at.state != start:
            found = next(filter(None, self._nearest(at, self._next_aim(at, start))), None)
            if found is None:
                return None
            cycle, at = cycle + found[0], found[1]
        return cycle

    @staticmethod
    def _next_aim(at: At, start: int) -> Callable[[At], bool]:
        if at.debts:
            return lambda after: bool(at.debts & ~after.debts)
        return lambda after: after.state == start

    def _begin(self, start: int) -> At:
        return At(start, self._weak[start] | self._strong[start] << self._shift, 0)

    def _nearest(self, begin: At, aim: Callable[[At], bool]) -> Iterator[tuple[list[int], At] | None]:
        """For each length from 0 on: the moves to the first place where `aim` is true, and that place; None before."""
        came: dict[At, tuple[At, int]] = {begin: (begin, -1)}
        level = [begin]
        while level and self.effort > 0:
            there = next(filter(aim, level), None)
            yield None if there is None else (_back(came, there), there)
            if there is not None:
                return
            met, level = level, []
            for at in met:
                for move, after in self._onward(at):
                    if after not in came:
                        came[after] = (at, move)
                        level.append(after)

    def _onward(self, at: At) -> Iterator[tuple[int, At]]:
        first, last = self._first[at.state], self._first[at.state + 1]
        self.effort -= 1 + last - first
        for n in range(first, last):
            pid, there = self._pid[n], self._target[n]
            moved = at.moved | 1 << pid
            weak = at.debts & self._weak[there] & ~moved
            strong = (at.debts >> self._shift | self._strong[there]) & ~moved
            yield self._moves[n], At(there, weak | strong << self._shift, moved & self._lasting)


def _back(came: dict[At, tuple[At, int]], at: At) -> list[int]:
    moves = list[int]()
    while (before := came[at])[1] >= 0:
        moves.append(before[1])
        at = before[0]
    return moves[::-1]


def _bits(flags: NDArray[np.bool_]) -> list[int]:
    """A number for each row, with a bit for each column."""
    packed: NDArray[Any] = np.packbits(flags, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]
