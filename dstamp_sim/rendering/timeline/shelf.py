"""A row for labels: where it still has room, beside other labels and beside the arrows that cross it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Extent = tuple[float, float]
"""From where to where."""

_LABELS_APART_PX = 9.0
"""The room between two labels, in pixels."""


def gaps(bounds: Extent, blocked: Iterable[Extent]) -> list[Extent]:
    """The free parts of `bounds` between the blocked stretches, from left to right."""
    free, begin = list[Extent](), bounds[0]
    for left, right in sorted(blocked):
        if left > begin:
            free.append((begin, min(left, bounds[1])))
        begin = max(begin, right)
    return [gap for gap in (*free, (begin, bounds[1])) if gap[1] > gap[0]]


def around(xs: Iterable[float], half: float) -> list[Extent]:
    """A stretch around each of `xs`."""
    return [(x - half, x + half) for x in xs]


@dataclass
class Shelf:
    """Labels side by side within `bounds`; none over another, none over what is `blocked`."""

    bounds: Extent
    blocked: list[Extent]
    taken: list[Extent] = field(default_factory=list)

    def fit(self, width: float, ideal: float, low: float, high: float) -> float | None:
        """The left edge nearest to `ideal`, from `low` to `high`, at which so wide a label has room; None: nowhere."""
        found = None
        for left, right in gaps(self.bounds, [*self.blocked, *self.taken]):
            first, last = max(left, low), min(right - width, high)
            if first <= last:
                at = min(max(ideal, first), last)
                found = at if found is None or abs(at - ideal) < abs(found - ideal) else found
        return found

    def take(self, left: float, width: float) -> Extent:
        """Puts a label there, with a little room on both sides; returns the part that it takes, for `leave`."""
        stretch = (left - _LABELS_APART_PX, left + width + _LABELS_APART_PX)
        self.taken.append(stretch)
        return stretch

    def leave(self, stretch: Extent) -> None:
        """Takes a label off again."""
        self.taken.remove(stretch)
