"""A scenario's durations as whole numbers of ticks: intervals with their ends, on a clock without rounding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isinf
from typing import NamedTuple

from dstamp_sim.core.errors import ScenarioError, UsageError, unknown
from dstamp_sim.core.scenario import Timing
from dstamp_sim.core.semantics import Semantics

MOST_TICKS = 2**40
"""The largest figure, in ticks: a zone adds many of them up."""


class TickBounds(NamedTuple):
    """From `low` to `high` ticks, the ends included unless they are open."""

    low: int
    high: int
    open_low: bool = False
    open_high: bool = False


@dataclass(frozen=True)
class Clockwork:
    """The bounds of all that takes time in a system: how many ticks make a second, delays by name, starts in order."""

    per_s: int
    delays: dict[str, TickBounds]
    starts: tuple[TickBounds, ...]

    def seconds(self, ticks: Fraction | int) -> str:
        """A number of ticks as seconds, exactly: a decimal fraction if it is one."""
        figure = Fraction(ticks, self.per_s)
        exact = Decimal(figure.numerator) / Decimal(figure.denominator)
        return f"{exact.normalize():f} s" if Fraction(exact) == figure else f"{figure} s"


def clockwork(semantics: Semantics, timing: Timing) -> Clockwork:
    """The bounds that a scenario states. A process without a start begins at 0.

    Raises ScenarioError for a delay without an end and figures too far apart, UsageError for what exact time does not
    know: starts of unknown processes, deaths, delays of any name.
    """
    for name in (*timing.starts_s, *timing.late):
        if name not in semantics.names:
            raise UsageError(unknown("process", name, semantics.names))
    if timing.deaths_s or semantics.system.crashes:
        raise UsageError("exact time knows no deaths: leave out dies_after_s, and ask with --crashes 0")
    if timing.any_delay is not None:
        raise UsageError("exact time knows no delay of any name: name every delay")
    supports = {name: _support_s(name, timing) for name in timing.delays}
    starts_s = [timing.starts_s.get(name, 0.0) for name in semantics.names]
    per_s = _per_second([*starts_s, *(end for ends in supports.values() for end in ends)])
    delays = {}
    for name, (low, high) in supports.items():
        open_ends = timing.delays[name].open_ends
        delays[name] = TickBounds(_ticks(low, per_s), _ticks(high, per_s), "low" in open_ends, "high" in open_ends)
    at = [_ticks(start, per_s) for start in starts_s]
    starts = tuple(_start(*which, timing, delays) for which in zip(semantics.names, at, strict=True))
    return Clockwork(per_s, delays, starts)


def _start(name: str, at: int, timing: Timing, delays: Mapping[str, TickBounds]) -> TickBounds:
    """When a process starts: at `at`, or later by a delay."""
    if name not in timing.late:
        return TickBounds(at, at)
    timing.delay(timing.late[name])
    late = delays[timing.late[name]]
    return late._replace(low=at + late.low, high=at + late.high)


def _support_s(name: str, timing: Timing) -> tuple[float, float]:
    given = timing.delays[name]
    low, high = given.support_s
    if isinf(high):
        raise ScenarioError(
            f"delay {name!r} is {given.words()}, which has no longest duration: exact time needs one, at_most_s = ... "
            "beside the figures"
        )
    return low, high


def _per_second(figures_s: Iterable[float]) -> int:
    """The least power of ten that makes all figures whole."""
    exponents = (Decimal(repr(figure)).normalize().as_tuple().exponent for figure in figures_s)
    places = max((-exponent for exponent in exponents if isinstance(exponent, int)), default=0)
    return int(10 ** max(places, 0))


def _ticks(figure_s: float, per_s: int) -> int:
    ticks = int(Decimal(repr(figure_s)) * per_s)
    if ticks > MOST_TICKS:
        raise ScenarioError(f"{figure_s:g} s is more than {MOST_TICKS:,} times the smallest fraction of a second given")
    return ticks
