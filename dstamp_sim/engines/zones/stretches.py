"""Stretches of a figure that may move, and the one for which a way through zones is possible: exact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple


class ShiftSpot(NamedTuple):
    """A figure (0), or what lies just below (-1) or just above (1) it, nearer than any other figure."""

    figure: Fraction | float
    side: int = 0


class ShiftStretch(NamedTuple):
    """All figures from the first spot to the last one. An end that is open has a side; `math.inf` is no figure."""

    first: ShiftSpot
    last: ShiftSpot

    @property
    def is_empty(self) -> bool:
        """Whether no figure is in it."""
        return self.first > self.last

    def has(self, spot: ShiftSpot) -> bool:
        """Whether a spot lies in it."""
        return self.first <= spot <= self.last

    def meet(self, other: ShiftStretch) -> ShiftStretch:
        """What is in both."""
        return ShiftStretch(max(self.first, other.first), min(self.last, other.last))

    def without(self, other: ShiftStretch) -> Iterator[ShiftStretch]:
        """What is left of it below and above of a stretch inside."""
        below = ShiftStretch(self.first, other.first._replace(side=other.first.side - 1))
        above = ShiftStretch(other.last._replace(side=other.last.side + 1), self.last)
        return (rest for rest in (below, above) if not rest.is_empty)

    def halves(self) -> Iterator[ShiftStretch]:
        """Two parts of it."""
        low, high = Fraction(self.first.figure), self.last.figure
        middle = 2 * abs(low) + 1 if isinstance(high, float) else (low + high) / 2
        yield ShiftStretch(self.first, ShiftSpot(middle))
        yield ShiftStretch(ShiftSpot(middle, 1), self.last)


NOWHERE_ELSE = ShiftStretch(ShiftSpot(Fraction(0)), ShiftSpot(Fraction(0)))
"""No shift at all."""


class ShiftedBound(NamedTuple):
    """One instant is at least `ticks` and `times` a shift after another one; a strict bound is longer than that."""

    earlier: int
    later: int
    ticks: int
    times: int
    strict: bool
    why: str = ""


class BoundCycle(NamedTuple):
    """Bounds that lead back to their first instant: `ticks` and `times` the shift are 0 at most, or less if strict."""

    ticks: int
    times: int
    strict: int
    bounds: tuple[ShiftedBound, ...]


def possible_shifts(bounds: Sequence[ShiftedBound], count: int, within: ShiftStretch) -> ShiftStretch:
    """The shifts of a stretch for which `count` instants exist that keep to all bounds: empty, or one stretch.

    Cuts off an end of the stretch while a cycle of bounds forbids it; each cycle forbids all beyond its edge.
    """
    empty = ShiftStretch(ShiftSpot(Fraction(1)), ShiftSpot(Fraction(0)))
    first, last = within
    while (cycle := forbidding(bounds, count, last)) is not None:
        if cycle.times <= 0:
            return empty
        last = ShiftSpot(Fraction(-cycle.ticks, cycle.times), -1 if cycle.strict else 0)
        if first > last:
            return empty
    while (cycle := forbidding(bounds, count, first)) is not None:
        if cycle.times >= 0:
            return empty
        first = ShiftSpot(Fraction(-cycle.ticks, cycle.times), 1 if cycle.strict else 0)
        if first > last:
            return empty
    return ShiftStretch(first, last)


_Length = tuple[int, int, int]
"""Of a way along bounds: compared part by part, as the sides of spots and strictness count less than any figure."""


def forbidding(bounds: Sequence[ShiftedBound], count: int, at: ShiftSpot) -> BoundCycle | None:
    """A cycle of bounds that no instants keep to if the shift is at that spot."""
    lengths = [_length(bound, at) for bound in bounds]
    longest: list[_Length] = [(0, 0, 0)] * count
    came: list[ShiftedBound | None] = [None] * count
    changed = -1
    for _ in range(count + 1):
        changed = -1
        for bound, length in zip(bounds, lengths, strict=True):
            before = longest[bound.earlier]
            there = (before[0] + length[0], before[1] + length[1], before[2] + length[2])
            if there > longest[bound.later]:
                longest[bound.later], came[bound.later], changed = there, bound, bound.later
        if changed < 0:
            return None
    return _cycle_before(changed, came)


def _length(bound: ShiftedBound, at: ShiftSpot) -> _Length:
    if isinstance(at.figure, float):
        return bound.times, bound.ticks, bound.strict
    figure = at.figure
    return bound.ticks * figure.denominator + bound.times * figure.numerator, bound.times * at.side, bound.strict


def _cycle_before(instant: int, came: Sequence[ShiftedBound | None]) -> BoundCycle:
    """The cycle that one comes into by going back from an instant."""
    seen: list[int] = []
    while instant not in seen:
        seen.append(instant)
        instant = _bound_to(instant, came).earlier
    cycle = [_bound_to(one, came) for one in seen[seen.index(instant) :]]
    ticks, times, strict = (sum(column) for column in list(zip(*cycle, strict=True))[2:5])
    return BoundCycle(ticks, times, strict, tuple(cycle))


def _bound_to(instant: int, came: Sequence[ShiftedBound | None]) -> ShiftedBound:
    bound = came[instant]
    assert bound is not None, "a cycle of bounds has an instant without a bound"
    return bound
