"""Causes that make a difference only together: the fewest steps left out, or the fewest orders of two reversed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, islice, takewhile

from dstamp_sim.analyses.cause_kinds import Cause, CauseKind
from dstamp_sim.analyses.orders import reversed_all
from dstamp_sim.analyses.reruns import InTurn, Moved, Rerun, Together, Without
from dstamp_sim.analyses.reversals import Reversals

MOST_SETS = 200
"""How many sets are tried at most, the smallest first; after them one set is made smaller while that helps."""
_MOST_CANDIDATES = 20
"""Of how many orders of two steps sets are made at most."""
_MOST_ORDERS = 3
"""How many orders a sentence has room for; where it takes more, one process after the other is said."""


class SmallestSets:
    """The smallest sets of causes of one fact that are enough only together. Deterministic; bounded."""

    def __init__(self, reversals: Reversals) -> None:
        self.reversals, self.what_if, self.fact = reversals, reversals.what_if, reversals.fact
        self.left_sets = False
        """Whether there were more sets of causes than were tried, so that a smaller one may be missed."""

    def left_out(self, single: Sequence[Cause]) -> Iterator[Cause]:
        """The fewest of them, steps each of which does harm alone, without which all is well."""
        for parts in self._sets(single):
            numbers = tuple(sorted(part.read for part in parts))
            if choices := self.what_if.without(self.fact, numbers):
                rerun = Rerun(Without(numbers), choices)
                first = numbers[0]
                yield Cause(CauseKind.TOGETHER, None, None, None, first, first, reruns=(rerun,), parts=parts)

    def reversed(self) -> Iterator[Cause]:
        """The fewest orders of two steps that do no harm the other way round, all at once.

        First those of which a safe order of whole processes is made, then the latest; whoever has not ended then goes
        on in that order, too. One is tried, then sets of two and of three; where these are too many, all of which that
        order is made, and then fewer while that is safe.
        """
        found = {(first, last): (place, kind) for first, last, place, kind in self.reversals.on_one_field()}
        turn = next(self.reversals.in_turn(), None)
        made = dict.fromkeys(self._reversed_in_turn(found, turn))
        orders = [
            Cause(CauseKind.ORDER, found[pair][0], None, pair[0], pair[1], pair[1], kind=found[pair][1])
            for pair in islice(dict.fromkeys((*made, *found)), _MOST_CANDIDATES)
        ]
        self.left_sets = self.left_sets or len(found) > _MOST_CANDIDATES
        sets = takewhile(lambda parts: len(parts) <= _MOST_ORDERS, self._sets(orders, smallest=1))
        together = (cause for parts in sets if (cause := self._all_at_once(parts, turn)) is not None)
        if (cause := next(together, None)) is None:
            cause = self._fewer([order for order in orders if (order.write, order.read) in made], turn)
        if cause is not None and len(cause.parts) <= _MOST_ORDERS:
            yield cause

    def _sets(self, single: Sequence[Cause], smallest: int = 2) -> Iterator[tuple[Cause, ...]]:
        """Sets of them, the smallest first; `left_sets` is set where there are more than may be tried."""
        sizes = range(smallest, len(single) + 1)
        sets = (parts for size in sizes for parts in combinations(single, size))
        for number, parts in enumerate(sets):
            if number == MOST_SETS or self.what_if.tired:
                self.left_sets = True
                return
            yield parts

    def _reversed_in_turn(self, pairs: Iterable[tuple[int, int]], turn: Cause | None) -> list[tuple[int, int]]:
        """Those pairs of steps that a safe order of whole processes has the other way round."""
        if turn is None:
            return []
        where = {n: self.reversals.where(n, turn.reruns[0].choices) for n in range(self.reversals.since + 1)}
        performed = [(first, last, where[first], where[last]) for first, last in pairs]
        return [(first, last) for first, last, a, b in performed if a is not None and b is not None and b < a]

    def _all_at_once(self, parts: Sequence[Cause], turn: Cause | None) -> Cause | None:
        """These orders, where all of them the other way round are possible and safe."""
        change = turn.reruns[0].change if turn is not None else None
        processes = change.processes if isinstance(change, InTurn) else ()
        parts = sorted(parts, key=lambda part: part.read)
        pairs = [(part.write, part.read) for part in parts if part.write is not None]
        numbers = reversed_all(self.what_if.trace, pairs)
        choices = self.what_if.as_far_as_can_be(self.fact, numbers, processes) if numbers is not None else None
        if choices is None:
            return None
        moved = tuple(Moved((last,), first, later=False) for first, last in pairs)
        if not all(self.reversals.is_moved(Rerun(change, choices)) for change in moved):
            return None
        if len(parts) == 1:
            return replace(parts[0], reruns=(Rerun(moved[0], choices),))
        rerun = Rerun(Together(moved), choices)
        first = parts[0].read
        return Cause(CauseKind.TOGETHER, None, None, None, first, first, reruns=(rerun,), parts=tuple(parts))

    def _fewer(self, orders: Sequence[Cause], turn: Cause | None) -> Cause | None:
        """All of these orders, and then each left out without which the others are enough."""
        found = self._all_at_once(orders, turn) if orders else None
        for order in orders:
            if found is not None and not self.what_if.tired and len(found.parts) > 1:
                found = self._all_at_once([part for part in found.parts if part is not order], turn) or found
        return found
