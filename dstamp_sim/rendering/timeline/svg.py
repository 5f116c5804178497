"""A laid-out timeline as SVG, in a page or a separate file: real text, and classes that a style sheet colours."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files

from dstamp_sim.core.escaping import harmless
from dstamp_sim.rendering.timeline.shapes import BOLD, Arrow, Box, Label, Layout, Line, Mark, clean

SHAPES_BELOW = "/* the timeline's shapes */"
"""Where, in the page's style sheet, that of the timeline begins."""
_ANCHORS = {"left": "start", "center": "middle", "right": "end"}
_GROUND = ("odd", "even", "object")
_OUTLINES = {
    "step": "M0 -4V0",
    "change": "M-3 0L0 -5L3 0Z",
    "write": "M0 -4A4 4 0 1 1 0 4A4 4 0 1 1 0 -4Z",
    "check_own": "M0 -5L5 0L0 5L-5 0Z",
    "check_other": "M0 -9L9 0L0 9L-9 0Z",
    "check_wrong": "M0 -9L9 0L0 9L-9 0Z",
    "death": "M-6 -6L6 6M-6 6L6 -6",
}


def svg_of(layout: Layout, title: str) -> str:
    """The picture as an `svg` element; the same layout makes the same text. Names are escaped, never interpreted."""
    width, height = _number(layout.width), _number(layout.height)
    parts = [
        f'<svg class="timeline" viewBox="0 0 {width} {height}" role="img" aria-label="{_escaped(clean(title))}">',
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<path d="M0 0V6" class="hatch"/></pattern>'
        '<marker id="tip" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="5" markerHeight="5" orient="auto">'
        '<path d="M0 0L10 5L0 10Z" fill="context-stroke"/></marker></defs>',
        *(_box(box) for box in layout.boxes if box.kind in _GROUND),
        *(_box(box) for box in layout.boxes if box.kind in ("window", "cycle")),
        *(_line(line) for line in layout.lines if line.kind == "grid"),
        *(_box(box) for box in sorted(layout.boxes, key=_height) if box.kind not in (*_GROUND, "window", "cycle")),
        *(_line(line) for line in layout.lines if line.kind != "grid"),
        *(_arrow(arrow) for arrow in layout.arrows),
        *(_mark(mark) for mark in layout.marks),
        *(part for label in layout.labels for part in _label(label)),
        '<g class="over"></g></svg>',
    ]
    return "\n".join(parts)


def standalone_svg(layout: Layout, title: str) -> str:
    """The picture as a separate file, with the page's colours (dark where the reader's are)."""
    style = (files("dstamp_sim.rendering") / "assets" / "page.css").read_text(encoding="utf-8")
    colours, shapes = style.partition("* {")[0], style.partition(SHAPES_BELOW)[2].partition("@media")[0]
    size = f'xmlns="http://www.w3.org/2000/svg" width="{_number(layout.width)}" height="{_number(layout.height)}"'
    font = 'svg { background: var(--page); font-family: "DejaVu Sans", system-ui, sans-serif; }'
    written = svg_of(layout, title).replace("<svg ", f"<svg {size} ", 1)
    return written.replace("<defs>", f"<style>\n{colours}{font}\n{shapes}</style><defs>", 1) + "\n"


def _height(box: Box) -> int:
    """What lies above what: a life below its sections, those below the signs on them, a cut over everything."""
    return {"life": 0, "outer": 1, "cut": 3}.get(box.kind, 2)


def _box(box: Box) -> str:
    classes = f"box {box.kind}" + (f" tint{box.tint % 8}" if box.kind in ("section", "outer") else "")
    x, y, wide, high = map(_number, (box.x, box.y, max(box.width, 0), max(box.height, 0)))
    round_ = ' rx="6"' if box.kind.startswith("verdict") else ""
    body = f'<rect class="{classes}" x="{x}" y="{y}" width="{wide}" height="{high}"{round_}'
    name = f"><title>{_escaped(clean(box.name))}</title></rect>" if box.name else "/>"
    hatched = box.kind in ("wait", "wrong", "wrong_seen")
    over = f'<rect class="hatched {box.kind}" x="{x}" y="{y}" width="{wide}" height="{high}"/>' if hatched else ""
    return body + name + over


def _line(line: Line) -> str:
    return f'<polyline class="line {line.kind}" points="{_points(line.points)}"/>'


def _arrow(arrow: Arrow) -> str:
    first, last = arrow.points[0], arrow.points[-1]
    turns = "".join(f"L{_at(a)}Q{_at(b)} {_at(c)}" for a, b, c in arrow.corners())
    return f'<path class="arrow {arrow.kind}" d="M{_at(first)}{turns}L{_at(last)}" marker-end="url(#tip)"/>'


def _mark(mark: Mark) -> str:
    at = f"translate({_number(mark.x)} {_number(mark.y)})"
    return f'<path class="mark {mark.kind}" transform="{at}" d="{_OUTLINES[mark.kind]}"/>'


def _label(label: Label) -> Iterator[str]:
    if label.kind in ("on_wrong", "link", "missing"):
        left, top, right, bottom = label.extent
        wide, high = _number(right - left), _number(bottom - top)
        at = f'x="{_number(left)}" y="{_number(top)}" width="{wide}" height="{high}"'
        yield f'<rect class="plate {label.kind}" {at}/>'
    bold = ' font-weight="700"' if label.kind in BOLD else ""
    yield (
        f'<text class="label {label.kind}" x="{_number(label.x)}" y="{_number(label.y + 0.35 * label.size)}" '
        f'font-size="{_number(label.size)}" text-anchor="{_ANCHORS[label.anchor]}"{bold}>{_escaped(label.text)}</text>'
    )


def _points(points: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _at(point: tuple[float, float]) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    """At most one decimal, without needless zeros."""
    return f"{value:.1f}".removesuffix(".0")


def _escaped(text: str) -> str:
    """Text for an element or an attribute in double quotes."""
    return escape(harmless(text), quote=False).replace('"', "&quot;")
