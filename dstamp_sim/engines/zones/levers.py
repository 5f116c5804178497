"""The single durations of a scenario that may be moved, and the bounds with one of them moved."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction

from dstamp_sim.core.scenario import Timing
from dstamp_sim.engines.zones.stretches import ShiftSpot, ShiftStretch
from dstamp_sim.engines.zones.ticks import Clockwork, TickBounds
from dstamp_sim.engines.zones.zone_kernel import NO_BOUND

WITHOUT_END = NO_BOUND // 2
"""The greatest length in ticks of a delay that has none; it is open."""


class MovedEnd(Enum):
    """What of a duration moves: its greatest length, its least one, or the one length that it has."""

    LONGEST = "longest"
    SHORTEST = "shortest"
    BOTH = "length"


@dataclass(frozen=True)
class Lever:
    """A delay by name, or a start by the number of its process, and which end of it moves.

    `late` are the processes that start later by the delay: their starts move with it.
    """

    of: str | int
    end: MovedEnd
    late: tuple[int, ...] = ()

    def bounds(self, clockwork: Clockwork) -> TickBounds:
        """The duration as it is."""
        return clockwork.starts[self.of] if isinstance(self.of, int) else clockwork.delays[self.of]

    def domain(self, clockwork: Clockwork) -> ShiftStretch:
        """The shifts, in ticks, after which the duration has a length and none below 0."""
        low, high, open_low, open_high = self.bounds(clockwork)
        narrowest = Fraction(high - low)
        inside = 1 if open_low or open_high else 0
        first = ShiftSpot(-narrowest, inside) if self.end is MovedEnd.LONGEST else ShiftSpot(Fraction(-low))
        return ShiftStretch(
            first, ShiftSpot(narrowest, -inside) if self.end is MovedEnd.SHORTEST else ShiftSpot(math.inf, -1)
        )

    def moved(self, clockwork: Clockwork, by: ShiftStretch) -> Clockwork:
        """The bounds with all lengths that some shift of the stretch allows; ticks are finer where need be.

        Where the lever is a length, each delay of that name may have another one.
        """
        finer = math.lcm(*(spot.figure.denominator for spot in by if isinstance(spot.figure, Fraction)))
        delays = {name: _finer(one, finer) for name, one in clockwork.delays.items()}
        starts = [_finer(one, finer) for one in clockwork.starts]
        if isinstance(self.of, str):
            delays[self.of] = self._moved(delays[self.of], by, finer)
        for pid in self.late if isinstance(self.of, str) else (self.of,):
            starts[pid] = self._moved(starts[pid], by, finer)
        return replace(clockwork, per_s=clockwork.per_s * finer, delays=delays, starts=tuple(starts))

    def _moved(self, bounds: TickBounds, by: ShiftStretch, finer: int) -> TickBounds:
        low, high, open_low, open_high = bounds
        if self.end is not MovedEnd.LONGEST:
            low, open_low = low + int(by.first.figure * finer), open_low or by.first.side > 0
        if self.end is not MovedEnd.SHORTEST:
            endless = isinstance(by.last.figure, float)
            high = WITHOUT_END if endless else high + int(by.last.figure * finer)
            open_high = endless or open_high or by.last.side < 0
        return TickBounds(low, high, open_low, open_high)


def levers(clockwork: Clockwork, names: Sequence[str], timing: Timing) -> Iterator[Lever]:
    """Every delay that a scenario states, each end of an interval or the one length, and the starts that it states."""
    for delay, (low, high, *_) in clockwork.delays.items():
        late = tuple(pid for pid, name in enumerate(names) if timing.late.get(name) == delay)
        ends = (MovedEnd.LONGEST, MovedEnd.SHORTEST) if low < high else (MovedEnd.BOTH,)
        yield from (Lever(delay, end, late) for end in ends)
    yield from (Lever(pid, MovedEnd.BOTH) for pid, name in enumerate(names) if name in timing.starts_s)


def _finer(bounds: TickBounds, finer: int) -> TickBounds:
    return bounds._replace(low=bounds.low * finer, high=bounds.high * finer)
