"""Where a moment lies: one scale for the whole picture, with long idle stretches cut out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from dstamp_sim.rendering.timeline.shapes import measure
from dstamp_sim.rendering.timeline.shelf import Extent

IDLE = 0.04
"""A stretch in which no process runs is cut when it is longer than this part of the active time."""
QUIET = 0.6
"""A stretch in which processes run but none moves is cut when it is longer than this part of the active time."""

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the axis drawn to scale: from `start` at pixel `left` to `end` at pixel `right`."""

    start: float
    end: float
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The gap between two pieces: `length` axis units, drawn as the pixels `left` to `right`."""

    left: float
    right: float
    length: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled position."""

    x: float
    text: str


@dataclass(frozen=True)
class Axis:
    """Pieces of one common scale, in order; `timed` says whether the unit is a second or a step."""

    pieces: tuple[Piece, ...]
    timed: bool
    origin: datetime | None = None

    def x(self, moment: float) -> float:
        """The pixel of a moment; inside a cut, between the neighbouring pieces; outside, at the nearest end."""
        before = self.pieces[0]
        if moment <= before.start:
            return before.left
        for piece in self.pieces:
            if moment < piece.start:
                return before.right + _part(moment, before.end, piece.start) * (piece.left - before.right)
            if moment <= piece.end:
                return piece.left + _part(moment, piece.start, piece.end) * (piece.right - piece.left)
            before = piece
        return before.right

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """The cuts, from left to right."""
        return tuple(Cut(a.right, b.left, b.start - a.end) for a, b in pairwise(self.pieces))

    def ticks(self) -> list[Tick]:
        """Labelled positions whose labels do not overlap (12 px type)."""
        return self._clock() if self.timed else self._steps()

    def _steps(self) -> list[Tick]:
        piece = self.pieces[0]
        scale = (piece.right - piece.left) / (piece.end - piece.start)
        widest = measure(f"{int(piece.end)}", 12) + 10
        every = next(k * 10**e for e in range(9) for k in (1, 2, 5) if k * 10**e * scale >= widest)
        first = int(piece.start)
        numbers = [n for n in range(first + 1, int(piece.end) + 1) if n % every == 0 or n == first + 1]
        return _apart(Tick(self.x(n - 0.5), str(n)) for n in numbers)

    def _clock(self) -> list[Tick]:
        piece = max(self.pieces, key=lambda p: p.end - p.start)
        scale = (piece.right - piece.left) / (piece.end - piece.start)
        every = next((s for s in _STEPS_S if s * scale >= 64), None) or 86400 * (1 + int(64 / (86400 * scale)))
        found: list[Tick] = []
        day = None
        for part in self.pieces:
            fresh = True
            for moment in _multiples(part, every, self._midnight_s()):
                today = self._day(moment)
                with_day = fresh or today != day
                found.append(Tick(self.x(moment), self.clock(moment, with_day=with_day, seconds=every < 60)))
                fresh, day = False, today
        return _apart(found)

    def _midnight_s(self) -> float:
        if self.origin is None:
            return 0.0
        return -(self.origin - self.origin.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()

    def _day(self, moment: float) -> str:
        return "" if self.origin is None else f"{self.origin + timedelta(seconds=moment):%m-%d}"

    def clock(self, moment: float, *, with_day: bool = True, seconds: bool = False) -> str:
        """A moment as wall-clock time (`06-11 00:48`), or since the origin (`1:05`, hours and minutes)."""
        if not self.timed:
            return f"step {int(moment) + 1}"
        return clock_time(moment, self.origin, with_day=with_day, seconds=seconds)


def clock_time(moment: float, origin: datetime | None, *, with_day: bool = True, seconds: bool = False) -> str:
    """A moment (seconds) on the wall clock, `06-11 00:48`, or since the origin, `1:05`, if there is none."""
    if origin is not None:
        at = origin + timedelta(seconds=moment)
        return f"{at:%m-%d }" * with_day + (f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}")
    whole = round(moment)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if seconds else f"{hours}:{minutes:02}"


def step_axis(first: int, last: float, left: float, right: float) -> Axis:
    """An axis of the steps `first` to `last` (counted from 0); step n occupies n to n + 1."""
    return Axis((Piece(first, max(last, first + 1), left, right),), timed=False)


def clock_axis(
    busy: Iterable[Extent], moments: Iterable[float], left: float, right: float, origin: datetime | None
) -> Axis:
    """An axis in seconds that covers `busy` (when processes ran) and `moments` (when one moved), idle gaps cut."""
    found = sorted(moments)
    spans = _united([*busy, *((moment, moment) for moment in found)], 0.0) or [(0.0, 1.0)]
    active = sum(end - start for start, end in spans) or 1.0
    pieces = [part for span in _united(spans, IDLE * active) for part in _without_quiet(span, found, QUIET * active)]
    pad = 0.012 * sum(end - start for start, end in pieces) or 0.5
    pieces = [(start - pad, end + pad) for start, end in pieces]
    return Axis(_scaled(pieces, left, right), timed=True, origin=origin)


def _without_quiet(span: Extent, moments: Sequence[float], longest: float) -> list[Extent]:
    """The parts of a span between its quiet stretches; where next to nothing happens, the quiet is the picture."""
    inside = [span[0], *(m for m in moments if span[0] < m < span[1]), span[1]]
    if len(set(inside)) < 6:
        return [span]
    parts, start = [], span[0]
    for a, b in pairwise(inside):
        if b - a > longest:
            parts.append((start, a))
            start = b
    return [*parts, (start, span[1])]


def _scaled(pieces: Sequence[Extent], left: float, right: float) -> tuple[Piece, ...]:
    gap = 64.0 if len(pieces) <= 6 else 18.0
    gap = min(gap, (right - left) / 2 / max(1, len(pieces) - 1))
    scale = (right - left - gap * (len(pieces) - 1)) / sum(end - start for start, end in pieces)
    done, x = [], left
    for start, end in pieces:
        done.append(Piece(start, end, x, x + (end - start) * scale))
        x += (end - start) * scale + gap
    return tuple(done)


def _united(spans: Iterable[Extent], gap: float) -> list[Extent]:
    done: list[Extent] = []
    for start, end in sorted(spans):
        if done and start - done[-1][1] <= gap:
            done[-1] = (done[-1][0], max(end, done[-1][1]))
        else:
            done.append((start, end))
    return done


def _multiples(piece: Piece, every: float, zero: float) -> list[float]:
    first = -int(-(piece.start - zero) // every)
    found = []
    while zero + first * every <= piece.end:
        found.append(zero + first * every)
        first += 1
    return found or [(piece.start + piece.end) / 2]


def _apart(ticks: Iterable[Tick]) -> list[Tick]:
    """The ticks whose centred labels leave 8 px between them; the earlier one wins."""
    done: list[Tick] = []
    taken = float("-inf")
    for tick in ticks:
        half = measure(tick.text, 12) / 2
        if tick.x - half >= taken:
            done.append(tick)
            taken = tick.x + half + 8
    return done


def _part(moment: float, start: float, end: float) -> float:
    return (moment - start) / (end - start) if end > start else 0.0


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `5 d 18 h`, `3 h 20 min`, `42 s`."""
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    rest, words = round(seconds), []
    for name, size in units:
        if rest >= size:
            words.append(f"{rest // size} {name}")
            rest %= size
        elif words:
            break
        if len(words) == 2:
            break
    return " ".join(words) or f"{seconds:.2g} s"
