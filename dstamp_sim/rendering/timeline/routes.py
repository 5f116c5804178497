"""Where arrows run between lanes: planned before anything is laid out, so that labels stand beside them.

An arrow leaves its lane straight up or down, turns in the gap beside it, where no label stands, and goes straight on to
its target. Several in one gap have a track each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dstamp_sim.rendering.timeline.names import spread
from dstamp_sim.rendering.timeline.shapes import WIDTH, Arrow, Label, Sheet, measure
from dstamp_sim.rendering.timeline.shelf import Extent, around, gaps

TRACK = 14.0
"""The height of a track for arrows between two lanes, in pixels."""
TURN_MARGIN = 8.0
"""The room below a lane, in pixels, besides its tracks."""
_ENDS_APART_PX = 8.0
"""How far apart two arrows stand that leave or reach one moment on one side of a lane."""


_BESIDE_ARROW_PX, _BESIDE_HEAD_PX = 5.0, 9.0
"""How far from an arrow and from its head a label stands."""


class LaneBand(NamedTuple):
    """The place of a lane: its top and bottom, those of its main row, and the end of the part below that."""

    top: float
    main: float
    main_bottom: float
    foot: float
    bottom: float

    @property
    def middle(self) -> float:
        """The middle of the main row."""
        return (self.main + self.main_bottom) / 2


@dataclass
class Route:
    """One arrow from lane `source` at pixel `start` to lane `target` at pixel `end`; `name` stands on it if not empty.

    `tip` is how far from the middle of its target's row it ends; `bar` is the hold that it points at instead.
    """

    kind: str
    source: str
    target: str
    start: float
    end: float
    tip: float = 6.0
    name: str = ""
    bar: str = ""
    track: int = 0

    @property
    def reach(self) -> tuple[float, float]:
        """The part of its track that it takes, its name included."""
        left, right = min(self.start, self.end) - 3, max(self.start, self.end) + 3
        short = max(0.0, plate_width(self.name) - (right - left)) if self.name else 0.0
        return left - short / 2, right + short / 2


def plate_width(name: str) -> float:
    """How wide the plate of an arrow's name is, in pixels."""
    return measure(name, 10, bold=True) + 8


@dataclass
class Routes:
    """All arrows between `lanes`, from top to bottom."""

    lanes: Sequence[str] = ()
    all: list[Route] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._at = {name: number for number, name in enumerate(self.lanes)}
        self.all = [route for route in self.all if route.source in self._at and route.target in self._at]
        self._stand_apart()
        for gap in range(len(self.lanes)):
            _give_tracks([route for route in self._between() if self._gap(route) == gap])

    def below(self, lane: str) -> list[Extent]:
        """What arrows and their heads take of the part below a lane's main row."""
        return self._taken(lane, below=True)

    def above(self, lane: str) -> list[Extent]:
        """What arrows and their heads take of the part above a lane's main row."""
        return self._taken(lane, below=False)

    def on(self, lane: str) -> list[float]:
        """Where arrows touch or cross a lane's main row."""
        touching = [r.start for r in self.all if r.source == lane] + [r.end for r in self.all if r.target == lane]
        return touching + [route.end for route in self._between() if self._passes(route, lane)]

    def room(self, lane: str) -> float:
        """The height of the gap below a lane."""
        tracks = [route.track for route in self._between() if self._gap(route) == self._at.get(lane)]
        return TURN_MARGIN + (TRACK * (1 + max(tracks)) if tracks else 0)

    def own(self, lane: str) -> bool:
        """Whether an arrow runs from a lane to itself, just below its main row."""
        return any(route.source == route.target == lane for route in self.all)

    def _between(self) -> Iterator[Route]:
        return (route for route in self.all if route.source != route.target)

    def _down(self, route: Route) -> bool:
        return self._at[route.source] < self._at[route.target]

    def _gap(self, route: Route) -> int:
        """The number of the lane above the gap in which an arrow turns."""
        return self._at[route.source] - (0 if self._down(route) else 1)

    def _taken(self, lane: str, *, below: bool) -> list[Extent]:
        """A stretch around each arrow beside a lane's main row, wider where its head is."""
        heads = [r.end for r in self._between() if r.target == lane and self._down(r) != below]
        crossing = [x for route in self._between() for x in self._crossing(route, lane, below=below)]
        return [*around(crossing, _BESIDE_ARROW_PX), *around(heads, _BESIDE_HEAD_PX)]

    def _passes(self, route: Route, lane: str) -> bool:
        low, high = sorted((self._at[route.source], self._at[route.target]))
        return low < self._at.get(lane, -1) < high or (bool(route.bar) and lane == route.target and self._down(route))

    def _crossing(self, route: Route, lane: str, *, below: bool) -> list[float]:
        if self._passes(route, lane):
            return [route.end]
        leaves = lane == route.source and self._down(route) == below
        comes = lane == route.target and self._down(route) != below
        return [route.start] * leaves + [route.end] * comes

    def _stand_apart(self) -> None:
        """Ends that are close together in a lane, on one side of it, are moved apart, as little as is needed."""
        ends = defaultdict[tuple[str, bool], list[tuple[float, float, int, str]]](list)
        for number, route in enumerate(self.all):
            if route.source != route.target and not route.bar:
                ends[route.source, self._down(route)].append((route.start, route.end, number, "start"))
                ends[route.target, not self._down(route)].append((route.end, route.start, number, "end"))
        for side in ends.values():
            side.sort()
            apart = spread([x for x, *_ in side], [_ENDS_APART_PX] * len(side), (0, WIDTH))
            for (_, _, number, which), x in zip(side, apart, strict=True):
                setattr(self.all[number], which, x)

    def draw(self, sheet: Sheet, places: Mapping[str, LaneBand], bars: Mapping[tuple[str, str], Extent]) -> None:
        """Puts every arrow on the sheet, and its name; `bars` are the top and bottom of holds, by lane and name."""
        for route in self.all:
            source, target = places[route.source], places[route.target]
            if source is target:
                turn, leave, arrive = source.main_bottom + 8, source.middle + 5, source.middle + route.tip
            else:
                turn = self._turn(route, places)
                leave, arrive = self._ends(route, source, target, bars.get((route.target, route.bar)))
            points = ((route.start, leave), (route.start, turn), (route.end, turn), (route.end, arrive))
            sheet.arrows.append(Arrow(route.kind, points, route.source, route.target))
            if route.name:
                sheet.labels.append(Label(route.name, self._name_at(route), turn, 10, "center", "link"))

    def _turn(self, route: Route, places: Mapping[str, LaneBand]) -> float:
        return places[self.lanes[self._gap(route)]].foot + TURN_MARGIN / 2 + TRACK * (route.track + 0.5)

    def _ends(self, route: Route, source: LaneBand, target: LaneBand, bar: Extent | None) -> tuple[float, float]:
        down = self._down(route)
        if route.bar:
            leave = source.main_bottom if down else source.main
            top, bottom = bar or (target.main, target.main_bottom)
            return leave, top if down else bottom
        half = min(5.0, (source.main_bottom - source.main) / 2 - 1)
        return source.middle + (half if down else -half), target.middle - (route.tip if down else -route.tip)

    def _name_at(self, route: Route) -> float:
        """The middle of its track, or as near to that as no other arrow crosses; beside its track if need be."""
        middle, wide = (route.start + route.end) / 2, plate_width(route.name)
        left, right = route.reach
        others = [other for other in self._between() if other is not route and self._gap(route) in self._gaps(other)]
        blocked = around([x for other in others for x in (other.start, other.end)], 3)
        for room in (0.0, wide):
            free = [(a, b) for a, b in gaps((left - room, right + room), blocked) if b - a >= wide]
            if free:
                return min(
                    (min(max(middle, a + wide / 2), b - wide / 2) for a, b in free), key=lambda x: abs(x - middle)
                )
        return middle

    def _gaps(self, route: Route) -> range:
        low, high = sorted((self._at[route.source], self._at[route.target]))
        return range(low, high)


def _give_tracks(routes: Sequence[Route]) -> None:
    """A track for each arrow of a gap, the first that is free over all of its width."""
    ends = list[float]()
    for route in sorted(routes, key=lambda r: r.reach):
        left, right = route.reach
        route.track = next((n for n, end in enumerate(ends) if end < left), len(ends))
        ends[route.track : route.track + 1] = [right]
