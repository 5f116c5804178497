"""Draws a laid-out timeline as PNG or SVG. Computes nothing: every number comes from the layout."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dstamp_sim.disk.writing import write
from dstamp_sim.rendering.fonts import FACE, drawable
from dstamp_sim.rendering.timeline.shapes import BOLD, Arrow, Box, Label, Layout, Line, Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 100
_PT = 72 / _DPI
_INK, _FAINT, _RED, _ORANGE = "#1b1f24", "#57606a", "#a40000", "#e69f00"
# Pale, cool and different in lightness; orange and red are kept for what is wrong (Okabe and Ito's palette).
_TINTS = ("#dcebf7", "#b7d3ea", "#e4efdc", "#bdd7b5", "#ece5f3", "#cdc0e0", "#f0f1f2", "#cfd6db")

_BOXES: dict[str, dict[str, Any]] = {
    "odd": {"fc": "#ffffff", "ec": "none", "zorder": 0},
    "even": {"fc": "#f6f7f8", "ec": "none", "zorder": 0},
    "object": {"fc": "#eef1f4", "ec": "none", "zorder": 0},
    "life": {"fc": "#fafbfc", "ec": "#8b949e", "lw": 0.8, "zorder": 2},
    "section": {"ec": "#4d5763", "lw": 0.8, "zorder": 2.1},
    "outer": {"ec": "#4d5763", "lw": 0.8, "zorder": 2.05},
    "window": {"fc": "#fde0d9", "ec": "none", "alpha": 0.75, "zorder": 0.5},
    "cycle": {"fc": "#fff3c4", "ec": "none", "alpha": 0.75, "zorder": 0.4},
    "missing": {"fc": "#ffffff", "ec": _RED, "lw": 1.6, "ls": (0, (3, 2)), "zorder": 2.3},
    "wait": {"fc": "#ffffff", "ec": "#57606a", "lw": 0.8, "hatch": "////", "zorder": 2.2},
    "hold": {"fc": "#3b4a5a", "ec": "none", "zorder": 2},
    "keep": {"fc": "#cfd6db", "ec": "#3b4a5a", "lw": 0.8, "zorder": 2},
    "value": {"fc": "#d5e5f2", "ec": "#4d5763", "lw": 0.8, "zorder": 2},
    "verdict": {"fc": "#ffffff", "ec": "#57606a", "lw": 1, "zorder": 3},
    "verdict_good": {"fc": "#e6f2ec", "ec": "#00664b", "lw": 1.2, "zorder": 3},
    "verdict_bad": {"fc": _RED, "ec": _RED, "lw": 1.2, "zorder": 3},
}
_LINES: dict[str, dict[str, Any]] = {
    "axis": {"color": _INK, "lw": 1, "zorder": 2},
    "grid": {"color": "#d8dde2", "lw": 0.7, "zorder": 1},
    "leader": {"color": "#6e7781", "lw": 0.7, "zorder": 2.5},
    "bracket": {"color": "#4d5763", "lw": 1, "zorder": 2.5},
    "absent": {"color": "#8b949e", "lw": 1.2, "ls": (0, (2, 3)), "zorder": 2},
    "window": {"color": _RED, "lw": 1.1, "ls": (0, (4, 3)), "zorder": 1.5},
    "sight": {"color": _INK, "lw": 0.9, "ls": (0, (1, 2.5)), "zorder": 2.6},
}
_MARK_STYLES: dict[str, dict[str, Any]] = {
    "step": {"marker": 2, "ms": 4, "mec": "#6e7781", "mew": 1, "zorder": 3},
    "change": {"marker": 10, "ms": 5, "mec": _INK, "mfc": _INK, "mew": 0, "zorder": 3},
    "write": {"marker": "o", "ms": 7.5, "mec": "#ffffff", "mfc": _INK, "mew": 1, "zorder": 6},
    "check_own": {"marker": "D", "ms": 6.5, "mec": "#57606a", "mfc": "#ffffff", "mew": 1.2, "zorder": 6},
    "check_other": {"marker": "D", "ms": 13, "mec": "#ffffff", "mfc": "#004b80", "mew": 1.2, "zorder": 6},
    "check_wrong": {"marker": "D", "ms": 13, "mec": "#ffffff", "mfc": _RED, "mew": 1.2, "zorder": 6},
    "death": {"marker": "x", "ms": 12, "mec": _INK, "mew": 3, "zorder": 6},
}
_ARROWS: dict[str, dict[str, Any]] = {
    "own": {"color": "#8b949e", "lw": 1.1, "mutation_scale": 8, "zorder": 4},
    "other": {"color": "#004b80", "lw": 2.2, "mutation_scale": 15, "zorder": 5},
    "wrong": {"color": _RED, "lw": 3.2, "mutation_scale": 18, "zorder": 5},
    "again": {"color": "#7a5c00", "lw": 1.4, "mutation_scale": 12, "zorder": 5},
    "cause": {"color": _RED, "lw": 3.2, "mutation_scale": 18, "zorder": 5},
    "cycle": {"color": _INK, "lw": 1.6, "mutation_scale": 14, "zorder": 4.5, "ls": (0, (5, 2))},
}
_LABELS: dict[str, str] = {
    "letter": "#ffffff",
    "verdict_bad": "#ffffff",
    "verdict_good": "#00442f",
    "on_hold": "#ffffff",
    "quiet": _FAINT,
    "deed": "#3b434c",
    "subtitle": "#3b434c",
    "omission": _FAINT,
    "flag_wrong": _RED,
    "cut": _FAINT,
    "missing": _RED,
}
_SETTINGS: dict[Any, Any] = {
    "font.family": [FACE],
    "hatch.linewidth": 0.8,
    "path.simplify": True,
    "axes.unicode_minus": True,
    "text.usetex": False,
    "savefig.bbox": None,
    "savefig.dpi": "figure",
}


def draw_timeline(layout: Layout, path: Path) -> None:
    """Writes the picture of `layout` as `png` makes it."""
    write(path, lambda: png(layout))


def png(layout: Layout) -> bytes:
    """The picture of `layout` as a PNG, 1600 px wide.

    The same layout makes the same picture, byte for byte, under one version of matplotlib. matplotlib's settings are
    put back; its global figures are not used.
    """
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and most commands draw nothing
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(layout.width / _DPI, layout.height / _DPI), dpi=_DPI, facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, layout.width), ylim=(layout.height, 0))
        axes.set_axis_off()
        _draw(axes, layout)
        picture = BytesIO()
        figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def _draw(axes: Axes, layout: Layout) -> None:
    for box in layout.boxes:
        _box(axes, box)
    for line in layout.lines:
        _line(axes, line)
    for mark in layout.marks:
        _mark(axes, mark)
    for arrow in layout.arrows:
        _arrow(axes, arrow)
    for label in layout.labels:
        _label(axes, label)


def _box(axes: Axes, box: Box) -> None:
    from matplotlib.patches import FancyBboxPatch, Rectangle  # noqa: PLC0415 - slow to import

    if box.kind in _SHAPED:
        _SHAPED[box.kind](axes, box)
        return
    style = dict(_BOXES[box.kind])
    if box.kind in ("section", "outer"):
        style["fc"] = _TINTS[box.tint % len(_TINTS)]
    if box.kind.startswith("verdict"):
        shape = "round,pad=0,rounding_size=6"
        axes.add_patch(FancyBboxPatch((box.x, box.y), box.width, box.height, boxstyle=shape, **style))
    else:
        axes.add_patch(Rectangle((box.x, box.y), box.width, box.height, **style))


def _wrong(axes: Axes, box: Box) -> None:
    """A wrong value: orange, hatched, notched at both ends; heavier where a check saw it."""
    from matplotlib.patches import Polygon  # noqa: PLC0415 - slow to import

    notch = min(7.0, box.width / 3)
    top, middle, low = box.y - 2, box.y + box.height / 2, box.bottom + 2
    points = [(box.x, top), (box.right, top), (box.right - notch, middle), (box.right, low), (box.x, low)]
    points.append((box.x + notch, middle))
    seen = box.kind == "wrong_seen"
    fill, edge, weight = (_ORANGE, _INK, 2.6) if seen else ("#fbe3b3", "#8a5a00", 1.1)
    hatch = "xxx" if seen else "\\\\\\\\"
    axes.add_patch(Polygon(points, closed=True, fc=fill, ec="#8a5a00", lw=0, hatch=hatch, zorder=2.1))
    axes.add_patch(Polygon(points, closed=True, fc="none", ec=edge, lw=weight, zorder=2.2))


def _cut(axes: Axes, box: Box) -> None:
    """A cut: a white band over everything, with two slanted strokes at its foot and its head."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - slow to import

    axes.add_patch(Rectangle((box.x, box.y), box.width, box.height, fc="#ffffff", ec="none", zorder=3.4))
    for x in (box.x, box.right):
        axes.plot([x, x], [box.y, box.bottom], color="#c4cbd2", lw=1, zorder=3.5)
    middle = (box.x + box.right) / 2
    for y in (box.y, box.bottom - 6):
        for shift in (-4, 2):
            axes.plot([middle + shift - 3, middle + shift + 5], [y + 7, y - 7], color=_INK, lw=1.4, zorder=3.6)


_SHAPED = {"wrong": _wrong, "wrong_seen": _wrong, "cut": _cut}


def _line(axes: Axes, line: Line) -> None:
    xs, ys = zip(*line.points, strict=True)
    axes.plot(xs, ys, **_LINES[line.kind], solid_capstyle="butt")


def _mark(axes: Axes, mark: Mark) -> None:
    axes.plot([mark.x], [mark.y], ls="none", **_MARK_STYLES[mark.kind])


def _arrow(axes: Axes, arrow: Arrow) -> None:
    from matplotlib.patches import FancyArrowPatch, PathPatch  # noqa: PLC0415 - slow to import
    from matplotlib.path import Path as Curve  # noqa: PLC0415 - slow to import

    turns = [point for corner in arrow.corners() for point in corner]
    codes = [Curve.MOVETO, *[Curve.LINETO, Curve.CURVE3, Curve.CURVE3] * 2, Curve.LINETO]
    curve = Curve([arrow.points[0], *turns, arrow.points[-1]], codes)
    style = _ARROWS[arrow.kind]
    if arrow.kind != "own":
        axes.add_patch(PathPatch(curve, fc="none", ec="#ffffff", lw=style["lw"] + 3, zorder=style["zorder"] - 0.5))
    axes.add_patch(FancyArrowPatch(path=curve, arrowstyle="-|>", fill=True, capstyle="butt", **style))


def _label(axes: Axes, label: Label) -> None:
    behind: dict[str, Any] | None = None
    if label.kind == "on_wrong":
        behind = {"fc": "#ffffff", "ec": "none", "pad": 1.2}
    elif label.kind == "missing":
        behind = {"fc": "#ffffff", "ec": "none", "pad": 0.6}
    elif label.kind == "link":
        behind = {"fc": "#ffffff", "ec": _INK, "pad": 1.5, "lw": 0.8}
    elif label.kind.startswith("flag"):
        behind = {"fc": "#ffffff", "ec": "none", "pad": 0.4, "alpha": 0.8}
    axes.text(
        label.x,
        label.y,
        drawable(label.text),
        fontsize=label.size * _PT,
        ha=label.anchor,
        va="center_baseline",
        color=_LABELS.get(label.kind, _INK),
        weight="bold" if label.kind in BOLD else "normal",
        bbox=behind,
        zorder=7,
        parse_math=False,
    )
