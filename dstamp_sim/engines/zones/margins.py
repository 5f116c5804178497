"""Margins: for which lengths of one single duration a failure is possible, all others as they are. Exact.

A stretch of lengths is asked at once, each delay with any length of it. If nothing fails so, nothing fails for any one
of them. If something does, its way says for which lengths it is possible; what is left of the stretch is asked again.
Widening a duration only adds behaviours, so where one end moves, that is all; where a whole duration moves, delays of
the same name may have had different lengths on the way, and the stretch is halved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from typing import NamedTuple

from dstamp_sim.core.errors import UnboundedProgram
from dstamp_sim.core.properties import Property
from dstamp_sim.engines.zones.bursts import Bursts
from dstamp_sim.engines.zones.levers import Lever
from dstamp_sim.engines.zones.performed import BurstWay, bounds_of, performed
from dstamp_sim.engines.zones.stretches import (
    NOWHERE_ELSE,
    ShiftedBound,
    ShiftSpot,
    ShiftStretch,
    forbidding,
    possible_shifts,
)
from dstamp_sim.engines.zones.ticks import MOST_TICKS
from dstamp_sim.engines.zones.within import BY_HAND, Possibility
from dstamp_sim.engines.zones.zones import ZoneQuestion, ZoneSearch

MOST_STRETCHES = 100
"""How many stretches of one lever are asked."""

BESIDE_FLIP_S = Fraction(1, 1000)
"""How far beyond an end that is reached the other verdict is asked."""


class AnsweredShifts(NamedTuple):
    """What is known of a stretch of shifts; UNKNOWN has a reason."""

    shifts: ShiftStretch
    possibility: Possibility
    why: str = ""


class FlipSide(NamedTuple):
    """A shift next to a flip, and what was found when it was asked alone."""

    shift: Fraction
    possibility: Possibility


@dataclass(frozen=True)
class VerdictFlip:
    """Where the verdict flips: `last` is the last spot with the present one, and `sides` are asked once more, alone.

    `because`: with these lengths of other durations it is possible up to there, and not beyond.
    """

    last: ShiftSpot
    sides: tuple[FlipSide, FlipSide]
    because: tuple[str, ...]

    @property
    def change(self) -> Fraction:
        """How far that is, without regard to the side."""
        return abs(Fraction(self.last.figure))


@dataclass(frozen=True)
class Margin:
    """One lever: what is known of all shifts, in their order, and the nearest flips below and above no shift."""

    lever: Lever
    known: tuple[AnsweredShifts, ...]
    flips: tuple[VerdictFlip, ...]

    @property
    def is_whole(self) -> bool:
        """Whether all shifts are decided."""
        return all(one.possibility is not Possibility.UNKNOWN for one in self.known)


class Margins:
    """The margins of one property, which is the judge's number `index`.

    `limit` zones are kept of a search; after `deadline` (of the monotonic clock) no more is asked, nor after Ctrl-C.
    """

    def __init__(self, bursts: Bursts, index: int, *, limit: int, deadline: float) -> None:
        self.bursts, self.base, self.index = bursts, bursts.clockwork, index
        self.prop: Property = bursts.judge.properties[index]
        self.limit, self.deadline, self.stopped = limit, deadline, ""
        self.present, self._way = self._asked(None, NOWHERE_ELSE)

    def of(self, lever: Lever) -> Margin:
        """What is known of a lever."""
        known = tuple(_joined(sorted(self._answers(lever))))
        return Margin(lever, known, tuple(self._flips(lever, known)))

    def _answers(self, lever: Lever) -> Iterator[AnsweredShifts]:
        """The lever's domain in parts, the nearest ones first."""
        domain = lever.domain(self.base)
        here = self._possible_on(self._way, lever, domain) if self._way is not None else NOWHERE_ELSE
        yield self.present._replace(shifts=here)
        ahead = [*domain.without(here)]
        for _ in range(MOST_STRETCHES):
            if not ahead:
                return
            asked = min(ahead, key=_distance)
            ahead.remove(asked)
            found, way = self._asked(lever, asked)
            if way is None:
                yield found
                continue
            possible = self._possible_on(way, lever, asked)
            if possible.is_empty:
                ahead += asked.halves()
            else:
                yield found._replace(shifts=possible)
                ahead += asked.without(possible)
        why = f"not decided after {MOST_STRETCHES} questions"
        yield from (AnsweredShifts(left, Possibility.UNKNOWN, why) for left in ahead)

    def _asked(self, lever: Lever | None, shifts: ShiftStretch) -> tuple[AnsweredShifts, BurstWay | None]:
        """Whether the property can be decided with any of these shifts; a way on which it is, where there is a way."""
        if not self.stopped and monotonic() > self.deadline:
            self.stopped = "the time given was over"
        clockwork = lever.moved(self.base, shifts) if lever else self.base
        fine = all(one.low <= MOST_TICKS for one in (*clockwork.delays.values(), *clockwork.starts))
        if self.stopped or not fine:
            return AnsweredShifts(shifts, Possibility.UNKNOWN, self.stopped or "the figures are too fine"), None
        self.bursts.set_clock(clockwork)
        search = ZoneSearch(self.bursts, ZoneQuestion(1 << self.index, first=True), self.limit)
        try:
            search.run()
        except KeyboardInterrupt:
            self.stopped = search.stopped = BY_HAND
        except UnboundedProgram as unbounded:
            search.stopped = str(unbounded)
        if search.seen >> self.index & 1:
            return AnsweredShifts(shifts, Possibility.POSSIBLE), search.way_to_the_earliest()
        if search.stopped:
            return AnsweredShifts(shifts, Possibility.UNKNOWN, search.stopped), None
        return AnsweredShifts(shifts, Possibility.IMPOSSIBLE), None

    def _possible_on(self, way: BurstWay, lever: Lever, within: ShiftStretch) -> ShiftStretch:
        """The shifts with which a way is possible."""
        return possible_shifts(self._bounds(way, lever), len(way) + 1, within) if way else within

    def _bounds(self, way: BurstWay, lever: Lever) -> list[ShiftedBound]:
        """The bounds between the instants of a way, by the lever's shift."""
        one = ShiftStretch(ShiftSpot(Fraction(1)), ShiftSpot(Fraction(1)))
        self.bursts.set_clock(lever.moved(self.base, one))
        shifted = bounds_of(self.bursts, way)
        self.bursts.set_clock(self.base)
        still = bounds_of(self.bursts, way)
        return [
            ShiftedBound(a.earlier, a.later, a.ticks, b.ticks - a.ticks, a.strict, a.why)
            for a, b in zip(still, shifted, strict=True)
        ]

    def _flips(self, lever: Lever, known: Sequence[AnsweredShifts]) -> Iterator[VerdictFlip]:
        """The flips next to no shift, one below and one above at most, each asked once more on both sides."""
        here = next(number for number, one in enumerate(known) if one.shifts.has(ShiftSpot(Fraction(0))))
        present = known[here]
        for beside, up in ((here - 1, False), (here + 1, True)):
            decided = 0 <= beside < len(known) and Possibility.UNKNOWN not in (present[1], known[beside][1])
            if decided:
                last, first = present.shifts[up], known[beside].shifts[not up]
                near, far = self._near(present.shifts, last), self._near(known[beside].shifts, first)
                inside, beyond = (near, first) if present.possibility is Possibility.POSSIBLE else (far, last)
                sides = self._alone(lever, near)[0], self._alone(lever, far)[0]
                told = {side.possibility for side in sides}
                assert Possibility.UNKNOWN in told or len(told) == 2, f"{lever} does not flip between {near} and {far}"
                yield VerdictFlip(last, sides, self._because(lever, inside, beyond))

    def _because(self, lever: Lever, inside: Fraction, beyond: ShiftSpot) -> tuple[str, ...]:
        """The lengths of other durations that forbid the spot beyond to a way which is possible inside."""
        _, way = self._alone(lever, inside)
        cycle = forbidding(self._bounds(way, lever), len(way) + 1, beyond) if way else None
        others = (bound.why for bound in cycle.bounds if bound.why and not bound.times) if cycle else ()
        return tuple(dict.fromkeys(others))

    def _near(self, within: ShiftStretch, spot: ShiftSpot) -> Fraction:
        """The figure of a spot if a stretch that ends there has it, else one in the stretch that is near."""
        figure = Fraction(spot.figure)
        if within.has(ShiftSpot(figure)):
            return figure
        up = within.first.figure == figure
        other = within.last.figure if up else within.first.figure
        near = BESIDE_FLIP_S * self.base.per_s
        near = near if isinstance(other, float) else min(near, abs(other - figure) / 2)
        return figure + near if up else figure - near

    def _alone(self, lever: Lever, shift: Fraction) -> tuple[FlipSide, BurstWay]:
        """One shift asked alone; what is possible is performed by the timed engine."""
        at = ShiftStretch(ShiftSpot(shift), ShiftSpot(shift))
        answer, way = self._asked(lever, at)
        if way:
            self.bursts.set_clock(lever.moved(self.base, at))
            performed(self.bursts, way, self.prop)
        return FlipSide(shift, answer.possibility), way or ()


def _distance(shifts: ShiftStretch) -> float:
    return 0.0 if shifts.has(ShiftSpot(Fraction(0))) else min(abs(float(spot.figure)) for spot in shifts)


def _joined(known: Iterable[AnsweredShifts]) -> Iterator[AnsweredShifts]:
    """The parts with neighbours of the same answer made one."""
    last: AnsweredShifts | None = None
    for one in known:
        if last is not None and one[1:] == last[1:]:
            last = last._replace(shifts=ShiftStretch(last.shifts.first, one.shifts.last))
        else:
            yield from [last] if last else []
            last = one
    yield from [last] if last else []
