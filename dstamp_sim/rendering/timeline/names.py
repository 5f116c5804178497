"""Where names go: inside their box if they fit, else on a flag above it, else as a code that the key explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dstamp_sim.rendering.timeline.shapes import Label, Line, Sheet, clean, elide, measure

SIZE = 12.0
"""The type size of names in boxes and on flags, in pixels."""
_FAR = 46.0
"""A flag that would stand further than this from its box shows the code instead of the name, in pixels."""

Interval = tuple[float, float]


@dataclass
class Key:
    """The codes of names that did not fit: `L1` for locks, `V1` for values, and a number for each of `sections`."""

    sections: tuple[str, ...] = ()
    codes: dict[tuple[str, str], str] = field(default_factory=dict)
    left_out: int = 0

    def code(self, prefix: str, name: str) -> str:
        """The code of a name, given at first use."""
        if not prefix and name in self.sections:
            return self.codes.setdefault((prefix, name), str(self.sections.index(name) + 1))
        count = sum(1 for known, _ in self.codes if known == prefix)
        return self.codes.setdefault((prefix, name), f"{prefix}{count + 1}")

    def entries(self) -> list[str]:
        """What to write under the picture, in order of code."""
        return [f"{code} = {name}" for (_, name), code in sorted(self.codes.items(), key=lambda e: _order(e[1]))]


def _order(code: str) -> tuple[str, int]:
    digits = code.lstrip("LV")
    return code[: len(code) - len(digits)], int(digits)


@dataclass(frozen=True, slots=True)
class Named:
    """A box from `left` to `right` that wants its name shown; `taken` are the parts of it under a mark.

    A flag keeps to one side of the pixel `avoid`, where an arrow comes down.
    """

    left: float
    right: float
    name: str
    kind: str = "plain"
    taken: tuple[Interval, ...] = ()
    avoid: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Where the boxes of a row lie: their middle, their top, the middle of the flags above, and the flags' bounds."""

    middle: float
    top: float
    flags: float
    bounds: Interval
    prefix: str


def name_boxes(sheet: Sheet, row: Row, items: Sequence[Named], key: Key) -> None:
    """Puts every item's name on the sheet; no two labels of the row overlap."""
    flagged = []
    for item in items:
        left, right = _free(item)
        bold = item.kind == "on_wrong"
        short = fitted(item.name, right - left - 6, bold=bold)
        if short:
            sheet.labels.append(Label(short, (left + right) / 2, row.middle, SIZE, "center", item.kind))
        else:
            flagged.append(item)
    _raise_flags(sheet, row, flagged, key)


def fitted(name: str, room: float, *, bold: bool = False) -> str:
    """`name` if it fits into `room` pixels, or an abbreviation that keeps most of a very long one; else empty."""
    if measure(name, SIZE, bold=bold) <= room:
        return name
    if room >= 150:
        return elide(name, SIZE, room, bold=bold)
    return ""


def needs_flags(items: Sequence[Named]) -> bool:
    """Whether some name does not fit into its box."""
    return any(not fitted(i.name, (f := _free(i))[1] - f[0] - 6, bold=i.kind == "on_wrong") for i in items)


def _free(item: Named) -> Interval:
    """The widest part of a box that no mark covers."""
    edges = [item.left]
    parts: list[Interval] = []
    for start, end in sorted(item.taken):
        parts.append((edges[-1], start))
        edges.append(max(end, edges[-1]))
    parts.append((edges[-1], item.right))
    return max(parts, key=lambda part: round(part[1] - part[0], 6))


def _raise_flags(sheet: Sheet, row: Row, flagged: Sequence[Named], key: Key) -> None:
    """Names where they fit; codes, widest first, where flags would stand too far off. Wrong values give way last."""
    items = _not_too_many(row, flagged)
    key.left_out += len(flagged) - len(items)
    centers = [sum(_free(item)) / 2 for item in items]
    texts = [elide(item.name, SIZE, 240) for item in items]
    settled = [False] * len(items)
    while True:
        widths = [measure(t, SIZE) + 8 for t in texts]
        wanted = [_aside(item, x, wide, row.bounds) for item, x, wide in zip(items, centers, widths, strict=True)]
        places = spread(wanted, widths, row.bounds)
        far = [n for n, x in enumerate(places) if abs(x - centers[n]) > _FAR]
        near = [n for n, done in enumerate(settled) if not done and any(abs(n - m) <= 2 for m in far)]
        if not near:
            break
        pick = max(near, key=lambda n: (items[n].kind != "on_wrong", measure(texts[n], SIZE), -n))
        settled[pick] = True
        if measure(texts[pick], SIZE) > 24:
            texts[pick] = key.code(row.prefix, items[pick].name)
    _plant(sheet, row, items, list(zip(centers, places, texts, strict=True)), key)


def _not_too_many(row: Row, items: Sequence[Named]) -> list[Named]:
    """The items in order; only the wrong ones, or none, where the row is too short for so many codes."""
    ordered = sorted(items, key=lambda item: (sum(_free(item)), item.left))
    room = (row.bounds[1] - row.bounds[0]) / 26
    wrong = [item for item in ordered if item.kind == "on_wrong"]
    return next((some for some in (ordered, wrong) if len(some) <= room), [])


def _aside(item: Named, center: float, width: float, bounds: Interval) -> float:
    """Where a flag wants to stand: over its box, or to the right of the arrow that comes down there."""
    if item.avoid is None:
        return center
    right = item.avoid + width / 2 + 6
    return right if right + width / 2 <= bounds[1] else item.avoid - width / 2 - 6


def _plant(sheet: Sheet, row: Row, items: Sequence[Named], flags: Sequence[tuple[float, float, str]], key: Key) -> None:
    for item, (center, place, words) in zip(items, flags, strict=True):
        wide = measure(words, SIZE)
        if abs(place - center) > 3 * _FAR or place + wide / 2 > row.bounds[1]:
            key.left_out += 1
            continue
        label = Label(words, place, row.flags, SIZE, "center", "flag_wrong" if item.kind == "on_wrong" else "flag")
        sheet.labels.append(label)
        foot = row.flags + 0.55 * SIZE
        sheet.lines.append(Line("leader", ((place, foot), (center, row.top))))


def spread(centers: Sequence[float], widths: Sequence[float], bounds: Interval) -> list[float]:
    """Positions as near to `centers` (ascending) as they can be without overlap; within `bounds` where they fit."""
    blocks: list[list[float]] = []  # count, total width, sum of wanted left edges
    for center, width in zip(centers, widths, strict=True):
        blocks.append([1, width, center - width / 2])
        while len(blocks) > 1 and _left(blocks[-2], bounds) + blocks[-2][1] > _left(blocks[-1], bounds):
            count, wide, wanted = blocks.pop()
            blocks[-1][2] += wanted - count * blocks[-1][1]
            blocks[-1][0] += count
            blocks[-1][1] += wide
    places: list[float] = []
    for block in blocks:
        x = _left(block, bounds)
        for width in widths[len(places) : len(places) + int(block[0])]:
            places.append(x + width / 2)
            x += width
    return places


def _left(block: Sequence[float], bounds: Interval) -> float:
    count, width, wanted = block
    return max(bounds[0], min(wanted / count, bounds[1] - width))


def flow(sheet: Sheet, words: Sequence[str], bounds: Interval, y: float, kind: str = "note") -> float:
    """Writes `words` side by side from `y` on, on as many lines as needed; gives the y below them."""
    x = bounds[0]
    for word in words:
        short = elide(clean(word), SIZE, bounds[1] - bounds[0])
        wide = measure(short, SIZE)
        if x > bounds[0] and x + wide > bounds[1]:
            x, y = bounds[0], y + 18
        sheet.labels.append(Label(short, x, y, SIZE, "left", kind))
        x += wide + 20
    return y + 18 if words else y
