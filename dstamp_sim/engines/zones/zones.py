"""The search of all timed behaviours: zones of clock values, pause by pause, breadth first."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.numbers import many
from dstamp_sim.engines.zones import zone_kernel as kernel
from dstamp_sim.engines.zones.bursts import Burst, Bursts

ZONES_AT_ONCE = 1 << 10
"""How many zones are visited between two calls of the kernel: Ctrl-C acts between them."""


@dataclass(frozen=True)
class TickMoment:
    """A time in ticks since the beginning; where `reached` is false, it is come near to without end."""

    ticks: int
    reached: bool


@dataclass(frozen=True)
class ZoneQuestion:
    """What a search is for: not to follow what decides the properties in `cut` (bits), and to note when that may be.

    `moments`: the time since the beginning is a clock of its own; `only_earlier`: what cannot be the earliest moment is
    left out; `first`: the search is over once the cut is decided, and the earliest is any.
    """

    cut: int = 0
    moments: bool = False
    only_earlier: bool = False
    first: bool = False


@dataclass
class ZoneSearch:
    """All zones of a system, or as many as `limit`: `stopped` says why no more."""

    bursts: Bursts
    asked: ZoneQuestion
    limit: int
    stopped: str = ""
    count: int = 0
    figures: NDArray[np.int64] = field(default_factory=lambda: np.zeros(8, np.int64))

    def __post_init__(self) -> None:
        self.clocks = len(self.bursts.semantics.names) + 1 + self.asked.moments
        self.figures[[kernel.EARLIEST, kernel.LATEST]] = -kernel.INF
        self.figures[[kernel.FOUND_ZONE, kernel.FOUND_BURST]] = -1
        self._zones = _room(min(max(1 << 10, len(self.bursts.starts)), self.limit), self.clocks)
        self._desk = np.empty((2, self.clocks, self.clocks), np.int64)

    @property
    def seen(self) -> int:
        """The properties that some behaviour decides, as bits."""
        return int(self.figures[kernel.SEEN])

    @property
    def unfailed(self) -> bool:
        """Whether a behaviour comes to its end without deciding a property of the cut."""
        return bool(self.figures[kernel.UNFAILED])

    @property
    def transitions(self) -> int:
        """How many bursts were possible in the zones visited."""
        return int(self.figures[kernel.BURSTS])

    @property
    def earliest(self) -> TickMoment | None:
        """The earliest moment at which a behaviour decides a property of the cut."""
        return _moment(int(self.figures[kernel.EARLIEST]), -1)

    @property
    def latest(self) -> TickMoment | None:
        """The latest moment at which a behaviour first decides a property of the cut."""
        return _moment(int(self.figures[kernel.LATEST]), 1)

    @property
    def states(self) -> int:
        """How many pauses have a zone."""
        return int((self._zones.head >= 0).sum())

    @property
    def depth(self) -> int:
        """The most bursts, one after the other, to a zone of these."""
        depths = np.zeros(self.count, np.int64)
        for number, parent in enumerate(self._zones.parent[: self.count]):
            depths[number] = depths[parent] + 1 if parent >= 0 else 0
        return int(depths.max(initial=0))

    @property
    def asks(self) -> int:
        """The properties that are asked in some state, as bits."""
        return int(self.figures[kernel.ASKED])

    def run(self) -> ZoneSearch:
        """This search, done as far as its limit allows."""
        self._begin()
        at, unfollowed = 0, kernel.Unfollowed(self.asked.cut, self.asked.only_earlier)
        while at < self.count and not self.stopped and not (self.asked.first and self.seen & self.asked.cut):
            end, arrays = at + ZONES_AT_ONCE, self.bursts.arrays()
            why, at, self.count = kernel.advance(
                at, end, self.count, self._zones, arrays, unfollowed, self.figures, self._desk
            )
            if why == kernel.NOT_FOUND:
                for number in dict.fromkeys(self._zones.pause[at : self.count].tolist()):
                    self.bursts.describe(number)
                self._make_room_for_pauses()
            elif why == kernel.FULL:
                self._grow()
        return self

    def way_to_the_earliest(self) -> list[tuple[int, Burst]]:
        """The bursts to the earliest moment, with the pauses before them; the first one says where it begins."""
        zone, burst = int(self.figures[kernel.FOUND_ZONE]), int(self.figures[kernel.FOUND_BURST])
        way: list[tuple[int, Burst]] = []
        while zone >= 0 and burst >= 0:
            way.append((int(self._zones.pause[zone]), self.bursts.all[burst]))
            zone, burst = int(self._zones.parent[zone]), int(self._zones.burst[zone])
        return way[::-1]

    def _begin(self) -> None:
        self._make_room_for_pauses()
        for number in self.bursts.starts:
            decided, asks = self.bursts.judged(self.bursts.pauses[number].state)
            self.figures[kernel.SEEN] |= decided
            self.figures[kernel.ASKED] |= asks
            if decided & self.asked.cut:
                self.figures[kernel.EARLIEST] = max(self.figures[kernel.EARLIEST], 1)
                self.figures[kernel.LATEST] = max(self.figures[kernel.LATEST], 1)
                continue
            self._desk[0] = kernel.ZERO
            figures = self.figures
            added = kernel.enter(self._desk, self.bursts.arrays(), number, self._zones, self.count, -1, -1, figures)
            if added < 0:
                self.stopped = f"the limit of {many(self.limit, 'zone')} was reached"
                return
            self.count = added

    def _grow(self) -> None:
        if len(self._zones.pause) >= self.limit:
            self.stopped = f"the limit of {many(self.limit, 'zone')} was reached"
            return
        wider = _room(min(2 * len(self._zones.pause), self.limit), self.clocks)
        for new, old in zip(wider[:-1], self._zones[:-1], strict=True):
            new[: len(old)] = old
        self._zones = wider._replace(head=self._zones.head)

    def _make_room_for_pauses(self) -> None:
        more = len(self.bursts.pauses) - len(self._zones.head)
        self._zones = self._zones._replace(head=np.append(self._zones.head, np.full(max(more, 0), -1, np.int64)))


def _room(count: int, clocks: int) -> kernel.Zones:
    pause, parent, burst, following = np.zeros((4, count), np.int64)
    matrices, covered = np.empty((count, clocks, clocks), np.int64), np.zeros(count, np.bool_)
    return kernel.Zones(matrices, pause, parent, burst, following, covered, np.empty(0, np.int64))


def _moment(bound: int, sign: int) -> TickMoment | None:
    return None if bound == -kernel.INF else TickMoment(sign * (bound >> 1), bool(bound & 1))
