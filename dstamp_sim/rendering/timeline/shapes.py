"""The parts of a picture: plain numbers in pixels, y downwards. No drawing, no matplotlib."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from dstamp_sim.core.escaping import harmless

WIDTH = 1600.0
"""The width of every picture, in pixels."""

_ROUND = 7.0
"""How far from the corner of an arrow its rounding begins, in pixels."""

Anchor = Literal["left", "center", "right"]
Point = tuple[float, float]

# Advance widths of DejaVu Sans for the characters 32 to 126, in hundredths of the type size, rounded up.
_REGULAR_HUNDREDTHS = (
    "33 41 47 85 65 96 79 28 40 40 51 85 33 37 33 35 65 65 65 65 65 65 65 65 65 65 35 35 85 85 85 54 101 69 70 "
    "71 78 64 58 78 76 30 30 66 57 87 76 80 61 80 70 64 62 74 69 100 69 62 69 40 35 40 85 51 51 62 64 56 64 62 "
    "36 64 64 29 29 59 29 98 64 62 64 64 42 53 40 64 60 83 60 60 53 65 35 65 85 "
)
_BOLD_HUNDREDTHS = (
    "36 47 53 85 70 101 88 32 47 47 53 85 39 42 39 37 70 70 70 70 70 70 70 70 70 70 41 41 85 85 85 59 101 78 "
    "77 74 84 69 69 83 85 38 38 78 65 100 85 86 74 86 78 73 69 82 78 111 78 73 73 47 37 47 85 51 51 68 72 60 "
    "72 69 44 72 72 35 35 67 35 105 72 70 72 72 50 60 49 72 66 93 65 66 59 72 37 72 85 "
)
_REGULAR = tuple(map(int, _REGULAR_HUNDREDTHS.split()))
_BOLD = tuple(map(int, _BOLD_HUNDREDTHS.split()))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `kind` says how it looks, `owner` is its lane, `name` the thing that it shows."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    owner: str = ""
    name: str = ""
    tint: int = 0

    @property
    def right(self) -> float:
        """The x of its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of its lower edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text, vertically centred on `y`, `size` pixels high."""

    text: str
    x: float
    y: float
    size: float = 12
    anchor: Anchor = "left"
    kind: str = "plain"

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The rectangle that the text needs at most: left, top, right, bottom."""
        wide = measure(self.text, self.size, bold=self.kind in BOLD)
        left = self.x - {"left": 0.0, "center": wide / 2, "right": wide}[self.anchor]
        return left, self.y - 0.6 * self.size, left + wide, self.y + 0.6 * self.size


@dataclass(frozen=True, slots=True)
class Line:
    """A line through `points`."""

    kind: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A small sign at one point."""

    kind: str
    x: float
    y: float
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """From the write that a check saw to that check: three straight pieces between four points, their corners rounded.

    `kind` is `own` (the reader wrote it itself), `other` (another process did: the race) or `wrong` (and it is wrong).
    """

    kind: str
    points: tuple[Point, Point, Point, Point]
    writer: str
    reader: str

    def corners(self) -> tuple[tuple[Point, Point, Point], tuple[Point, Point, Point]]:
        """Of both corners, where the rounding begins, the corner itself, and where the rounding ends."""
        a, b, c, d = self.points
        return (_towards(b, a), b, _towards(b, c)), (_towards(c, b), c, _towards(c, d))


def _towards(corner: Point, other: Point) -> Point:
    """A point some pixels from a corner on the way to another point, at most half of it."""
    long = abs(other[0] - corner[0]) + abs(other[1] - corner[1])  # pieces are upright or level
    part = min(_ROUND, long / 2) / long if long else 0.0
    return corner[0] + (other[0] - corner[0]) * part, corner[1] + (other[1] - corner[1]) * part


@dataclass(frozen=True, slots=True)
class Spot:
    """Where step `number` (from 0) stands."""

    number: int
    x: float
    y: float


@dataclass(frozen=True)
class Layout:
    """A whole picture, in pixels; each tuple is in drawing order. `spots` are the steps that are drawn."""

    width: float
    height: float
    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    labels: tuple[Label, ...] = ()
    spots: tuple[Spot, ...] = ()


@dataclass
class Sheet:
    """The shapes collected so far, while a layout is being made."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def finish(self, height: float, spots: Iterable[Spot] = ()) -> Layout:
        """The layout of everything collected."""
        boxes, lines, marks = tuple(self.boxes), tuple(self.lines), tuple(self.marks)
        return Layout(WIDTH, height, boxes, lines, marks, tuple(self.arrows), tuple(self.labels), tuple(spots))


BOLD = frozenset({"title", "process", "letter", "verdict_bad", "on_wrong", "cut", "missing", "link"})
"""The kinds of label that are set in bold type."""


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """The width of `text` in pixels in DejaVu Sans, rounded up; every character beyond ASCII counts as a wide one."""
    widths = _BOLD if bold else _REGULAR
    return sum(widths[ord(char) - 32] if " " <= char <= "~" else 112 for char in text) * size / 100


_LONGEST_DRAWN = 2_000
"""No picture has room for so many letters of one text."""


def clean(text: str) -> str:
    """`text` on one line, harmless, without what cannot be seen, and without its middle if very long."""
    if len(text) > _LONGEST_DRAWN:
        text = f"{text[: _LONGEST_DRAWN // 2]}…{text[-_LONGEST_DRAWN // 2 :]}"
    kept = harmless(" ".join(text.split()))
    return " ".join("".join(c for c in kept if unicodedata.category(c) not in ("Cf", "Cn", "Co")).split())


def elide(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """`text`, or its beginning and end around an ellipsis so that it fits into `room` pixels; empty if nothing fits."""
    if measure(text, size, bold=bold) <= room:
        return text
    kept = min(len(text), 400)
    while kept > 1:
        kept = kept - 1 if kept < 60 else kept * 9 // 10
        head = (kept * 2 + 2) // 3
        short = text[:head].rstrip() + "…" + (text[len(text) - (kept - head) :].lstrip() if kept > head else "")
        if measure(short, size, bold=bold) <= room:
            return short
    return ""


def wrap(text: str, size: float, room: float, lines: int, *, bold: bool = False) -> list[str]:
    """`text` on at most `lines` lines of `room` pixels, broken after blanks and hyphens; the last one elided."""
    done: list[str] = []
    rest = text
    while rest and len(done) < lines - 1 and measure(rest, size, bold=bold) > room:
        cut = _break(rest, size, room, bold=bold)
        done.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*done, elide(rest, size, room, bold=bold)] if rest else done


def _break(text: str, size: float, room: float, *, bold: bool) -> int:
    fits, last, used = 1, 0, 0.0
    for index, char in enumerate(text[:400]):
        used += measure(char, size, bold=bold)
        if used > room:
            break
        fits = index + 1
        if char in " -,_":
            last = index + 1
    return last or fits
