"""The places of names: inside their box if they fit, else on a flag above it, else as a code that the key explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dstamp_sim.rendering.timeline.shapes import Label, Line, Sheet, clean, elide, measure
from dstamp_sim.rendering.timeline.shelf import Extent, Shelf, gaps

SIZE = 12.0
"""The type size of names in boxes and on flags, in pixels."""
_WIDEST_CODE = "V88"
"""A text as wide as the widest code."""
_FAR = 58.0
"""A flag that would stand further than this from its box shows the code instead of the name, in pixels."""


@dataclass
class Legend:
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
    """A box from `left` to `right` that wants its name shown; `taken` are the parts of it under a mark."""

    left: float
    right: float
    name: str
    kind: str = "plain"
    taken: tuple[Extent, ...] = ()


@dataclass(frozen=True, slots=True)
class BoxRow:
    """Where the boxes of a row lie: their middle, their top, the middle of the flags above, and the flags' bounds.

    `blocked` is the part of the flags' room that arrows take. Values (prefix `V`) are shown whole or as a code, never
    in part.
    """

    middle: float
    top: float
    flags: float
    bounds: Extent
    prefix: str
    blocked: Sequence[Extent] = ()


def name_boxes(sheet: Sheet, row: BoxRow, items: Sequence[Named], key: Legend) -> None:
    """Puts every item's name on the sheet; no two labels of the row overlap."""
    flagged = []
    for item in items:
        left, right = _free(item)
        bold = item.kind == "on_wrong"
        short = fitted(item.name, right - left - 6, bold=bold, whole=row.prefix == "V")
        if short:
            sheet.labels.append(Label(short, (left + right) / 2, row.middle, SIZE, "center", item.kind))
        else:
            flagged.append(item)
    _raise_flags(sheet, row, flagged, key)


def fitted(name: str, room: float, *, bold: bool = False, whole: bool = False) -> str:
    """`name` if it fits into `room` pixels, or, unless `whole`, most of a very long one; else empty."""
    if measure(name, SIZE, bold=bold) <= room:
        return name
    if room >= 150 and not whole:
        return elide(name, SIZE, room, bold=bold)
    return ""


def needs_flags(items: Sequence[Named], *, whole: bool = False) -> bool:
    """Whether some name does not fit into its box."""
    return any(not fitted(i.name, (f := _free(i))[1] - f[0] - 6, bold=i.kind == "on_wrong", whole=whole) for i in items)


def _free(item: Named) -> Extent:
    """The widest part of a box that no mark covers."""
    edges = [item.left]
    parts: list[Extent] = []
    for start, end in sorted(item.taken):
        parts.append((edges[-1], start))
        edges.append(max(end, edges[-1]))
    parts.append((edges[-1], item.right))
    return max(parts, key=lambda part: round(part[1] - part[0], 6))


def _raise_flags(sheet: Sheet, row: BoxRow, flagged: Sequence[Named], key: Legend) -> None:
    """Names where they fit; codes, widest first, where flags would stand too far off. Wrong values come last."""
    items = _not_too_many(row, flagged)
    key.left_out += len(flagged) - len(items)
    centers = [sum(_free(item)) / 2 for item in items]
    texts: list[str | None] = [_on_flag(item.name, row) for item in items]  # None: a code, given when all are settled
    settled = [False] * len(items)
    while True:
        widths = [measure(_WIDEST_CODE if t is None else t, SIZE) + 8 for t in texts]
        places = spread_between(centers, widths, row.bounds, row.blocked)
        far = [n for n, x in enumerate(places) if abs(x - centers[n]) > _FAR]
        near = [n for n, done in enumerate(settled) if not done and any(abs(n - m) <= 2 for m in far)]
        if not near:
            break
        pick = max(near, key=lambda n: (items[n].kind != "on_wrong", widths[n], -n))
        settled[pick] = True
        if widths[pick] > measure(_WIDEST_CODE, SIZE) + 8:
            texts[pick] = None
    words = [key.code(row.prefix, item.name) if t is None else t for item, t in zip(items, texts, strict=True)]
    _plant(sheet, row, items, list(zip(centers, places, words, strict=True)), key)


def _on_flag(name: str, row: BoxRow) -> str | None:
    """The longest text of a flag: most of a section's name; a value whole, or its code."""
    short = elide(name, SIZE, 240)
    return None if row.prefix == "V" and short != name else short


def _not_too_many(row: BoxRow, items: Sequence[Named]) -> list[Named]:
    """The items in order; only the wrong ones, or none, where the row is too short for so many codes."""
    ordered = sorted(items, key=lambda item: (sum(_free(item)), item.left))
    room = (row.bounds[1] - row.bounds[0]) / 26
    wrong = [item for item in ordered if item.kind == "on_wrong"]
    return next((some for some in (ordered, wrong) if len(some) <= room), [])


def _plant(
    sheet: Sheet, row: BoxRow, items: Sequence[Named], flags: Sequence[tuple[float, float, str]], key: Legend
) -> None:
    shelf = Shelf((row.bounds[0] - 60, row.bounds[1]), list(row.blocked))
    for item, (center, place, words) in zip(items, flags, strict=True):
        wide = measure(words, SIZE)
        left = place - wide / 2
        if abs(place - center) > 3 * _FAR or shelf.fit(wide, left, left - 1, left + 1) is None:
            key.left_out += 1
            continue
        shelf.taken.append((left, left + wide))
        label = Label(words, place, row.flags, SIZE, "center", "flag_wrong" if item.kind == "on_wrong" else "flag")
        sheet.labels.append(label)
        foot = row.flags + 0.55 * SIZE
        sheet.lines.append(Line("leader", ((place, foot), (center, row.top))))


def spread_between(
    centers: Sequence[float], widths: Sequence[float], bounds: Extent, blocked: Sequence[Extent]
) -> list[float]:
    """The same as `spread`, but nothing stands on `blocked` parts: each stays in the next free stretch."""
    free = gaps(bounds, blocked) or [bounds]
    groups: list[list[int]] = [[] for _ in free]
    last = 0
    for number, (center, width) in enumerate(zip(centers, widths, strict=True)):
        last = max(last, min(range(len(free)), key=lambda n: _away(free[n], center, width)))
        groups[last].append(number)
    places = list(centers)
    for stretch, group in zip(free, groups, strict=True):
        for number, place in zip(
            group, spread([centers[n] for n in group], [widths[n] for n in group], stretch), strict=True
        ):
            places[number] = place
    return places


def _away(stretch: Extent, center: float, width: float) -> float:
    """How far a flag would stand from its box in a free stretch; further than anything where it does not fit."""
    if stretch[1] - stretch[0] < width:
        return 10_000 - stretch[1] + stretch[0]
    return abs(min(max(center, stretch[0] + width / 2), stretch[1] - width / 2) - center)


def spread(centers: Sequence[float], widths: Sequence[float], bounds: Extent) -> list[float]:
    """Positions as near to `centers` (ascending) as possible without overlap; within `bounds` if they fit."""
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


def _left(block: Sequence[float], bounds: Extent) -> float:
    count, width, wanted = block
    return max(bounds[0], min(wanted / count, bounds[1] - width))


def flow(sheet: Sheet, words: Sequence[str], bounds: Extent, y: float, kind: str = "note") -> float:
    """Writes `words` side by side from `y` on, on as many lines as needed; returns the y below them."""
    x = bounds[0]
    for word in words:
        short = elide(clean(word), SIZE, bounds[1] - bounds[0])
        wide = measure(short, SIZE)
        if x > bounds[0] and x + wide > bounds[1]:
            x, y = bounds[0], y + 18
        sheet.labels.append(Label(short, x, y, SIZE, "left", kind))
        x += wide + 20
    return y + 18 if words else y
