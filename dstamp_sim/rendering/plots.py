"""Shared parts of the review's pictures, and two of them: price against safety, and waiting time as arrivals grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dstamp_sim.disk.writing import write
from dstamp_sim.rendering.fonts import FACE, drawable, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, BROKEN, STUCK = "#1c2733", "#5b6875", "#f3d3cb", "#d9c6ea"
SETTINGS: Any = {
    "font.family": FACE,
    "text.parse_math": False,
    "svg.hashsalt": "dstamp",
    "svg.fonttype": "path",
    "axes.edgecolor": "#aab4be",
    "hatch.color": "#c9836f",
}
COLOURS = ("#1b6e53", "#2f5fa8", "#b3541e", "#7a3f9a", "#4d5a66", "#a8862a")
_CURVE_SIGNS = ("o", "s", "^", "D", "v", "P")


def waiting_text(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}" if seconds >= 10 * size else f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """A figure as `.png` or `.svg`; the same figure always has the same bytes."""
    picture, metadata = BytesIO(), {"Date": None} if kind == ".svg" else {"Software": None}
    figure.savefig(picture, format=kind.lstrip("."), metadata=metadata, bbox_inches="tight", pad_inches=0.2)
    return picture.getvalue()


class Level(Enum):
    """How safe a placement is, the least first: its row in the picture of prices."""

    BROKEN = "broken"
    DEADLOCK = "deadlocks"
    TRAP = "leads into a trap"
    UNDECIDED = "not decided"
    FRAGILE = "safe until\na run dies"
    DEATH_UNDECIDED = "safe; with a\ndeath not decided"
    BLOCKS = "safe; a death\nblocks the others"
    SAFE = "safe, also\nwhen one dies"


_LEVEL_MARKS = {
    Level.BROKEN: ("x", "#b3541e"),
    Level.DEADLOCK: ("o", "#7a3f9a"),
    Level.TRAP: ("v", "#7a3f9a"),
    Level.UNDECIDED: ("s", "#6d7780"),
    Level.FRAGILE: ("D", "#8a8f2a"),
    Level.DEATH_UNDECIDED: ("d", "#8a8f2a"),
    Level.BLOCKS: ("^", "#2f7d8a"),
    Level.SAFE: ("o", "#1b6e53"),
}


@dataclass(frozen=True)
class PlacementPoint:
    """One placement: the waiting time that 95 in 100 runs stay below, with its interval, and its safety.

    `steps` is the length of the story where it is broken; `name` is written beside it if it is not empty.
    """

    waited_s: float
    low_s: float
    high_s: float
    level: Level
    steps: int
    name: str
    ringed: bool


def draw_front(points: Sequence[PlacementPoint], title: str, path: Path) -> None:
    """Writes price against safety: a row for each level, the cheapest of each joined as the Pareto front."""
    write(path, lambda: _front_picture(points, title, path.suffix))


def _front_picture(points: Sequence[PlacementPoint], title: str, kind: str) -> bytes:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(16, 6.4), dpi=100, facecolor="white", layout="constrained")
        axes = figure.add_subplot()
        rows = [level for level in Level if any(point.level is level for point in points)]
        placed = [(point, _height(point, rows)) for point in points]
        for point, height in placed:
            _dot(axes, point, height)
        front = _front(placed)
        axes.plot([max(p.waited_s, 0) for p, _ in front], [h for _, h in front], color=INK, lw=1.4, ls="--", zorder=2)
        _name_points(axes, placed)
        axes.set_xscale("symlog", linthresh=30)
        axes.set_xlim(left=-3)
        _minutes(axes.xaxis)
        axes.set_yticks(range(len(rows)), [level.value for level in rows], fontsize=12)
        axes.set_ylim(-0.6, len(rows) - 0.3)
        axes.set_xlabel("95 in 100 runs wait at most (further left is cheaper; bars: 95 % interval)", fontsize=12)
        axes.set_title(drawable(title), loc="left", fontsize=14, fontweight="bold", color=INK)
        axes.grid(axis="x", color="#e4e8ec")
        without_frame(axes)
        return figure_bytes(figure, kind)


def _dot(axes: Axes, point: PlacementPoint, height: float) -> None:
    sign, colour = _LEVEL_MARKS[point.level]
    axes.errorbar(
        point.waited_s,
        height,
        xerr=[[max(point.waited_s - max(point.low_s, 0), 0)], [max(point.high_s - point.waited_s, 0)]],
        fmt=sign,
        ms=9 if point.ringed else 6,
        mec=INK if point.ringed else colour,
        mew=2 if point.ringed else 1,
        color=colour,
        alpha=1 if point.ringed or point.name else 0.55,
        elinewidth=1,
        zorder=4 if point.ringed else 3,
    )


def _height(point: PlacementPoint, rows: Sequence[Level]) -> float:
    """Within the broken ones, those with a longer story stand higher: they are rarer."""
    return rows.index(point.level) + (min(point.steps, 60) / 60 * 0.6 - 0.35 if point.level is Level.BROKEN else 0.0)


def _front(placed: Sequence[tuple[PlacementPoint, float]]) -> list[tuple[PlacementPoint, float]]:
    """The placements that no other beats in both; an undecided one beats none."""
    best: list[tuple[PlacementPoint, float]] = []
    for point, height in sorted(placed, key=lambda pair: (pair[0].waited_s, -pair[1])):
        if point.level is not Level.UNDECIDED and (not best or height > best[-1][1]):
            best.append((point, height))
    return best


def _name_points(axes: Axes, placed: Sequence[tuple[PlacementPoint, float]]) -> None:
    """Names beside their points, one below the other if points are close."""
    by_level: dict[Level, int] = {}
    for point, height in sorted((pair for pair in placed if pair[0].name), key=lambda pair: pair[0].waited_s):
        count = by_level[point.level] = by_level.get(point.level, 0) + 1
        up = 12 + 15 * ((count - 1) % 3)
        axes.annotate(
            label(point.name),
            (max(point.waited_s, 0), height),
            xytext=(6, -up - 6 if point.level is Level.BROKEN else up),
            textcoords="offset points",
            fontsize=10,
            color=INK,
            arrowprops={"arrowstyle": "-", "color": "#aab4be", "lw": 0.8},
        )


@dataclass(frozen=True)
class Curve:
    """How a placement's waiting time grows: by arrivals a day, (low, mean, high) in seconds."""

    name: str
    per_day: tuple[float, ...]
    waited_s: tuple[tuple[float, float, float], ...]


def draw_waiting(curves: Sequence[Curve], present_per_day: float, title: str, path: Path) -> None:
    """Writes the waiting time as arrivals grow, a line with its interval for each placement, named at its end."""
    write(path, lambda: _waiting_picture(curves, present_per_day, title, path.suffix))


def _waiting_picture(curves: Sequence[Curve], present_per_day: float, title: str, kind: str) -> bytes:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(16, 6.8), dpi=100, facecolor="white", layout="constrained")
        axes = figure.add_subplot()
        for number, curve in enumerate(curves):
            colour, sign = COLOURS[number % len(COLOURS)], _CURVE_SIGNS[number % len(_CURVE_SIGNS)]
            low, mean, high = zip(*curve.waited_s, strict=True)
            axes.plot(curve.per_day, mean, color=colour, marker=sign, lw=2, ms=7, label=label(curve.name))
            axes.fill_between(curve.per_day, [max(v, 0) for v in low], high, color=colour, alpha=0.15, lw=0)
        axes.axvline(present_per_day, color=MUTED, ls=":", lw=1.5)
        axes.annotate("scenario", (present_per_day, 1), xycoords=("data", "axes fraction"), xytext=(4, -14),
                      textcoords="offset points", color=MUTED, fontsize=11)  # fmt: skip
        axes.set_yscale("symlog", linthresh=30)
        axes.set_ylim(bottom=-3)
        _minutes(axes.yaxis)
        axes.set_xlabel("runs a day, all domains together", fontsize=12)
        axes.set_ylabel("95 in 100 runs wait at most", fontsize=12)
        axes.set_title(drawable(title), loc="left", fontsize=14, fontweight="bold", color=INK)
        axes.legend(loc="upper left", frameon=False, fontsize=11)
        axes.grid(color="#e4e8ec")
        without_frame(axes)
        return figure_bytes(figure, kind)


def _minutes(axis: Any) -> None:
    """Ticks at round durations."""
    marks = [0, 10, 30, 60, 300, 900, 1800, 3600, 4 * 3600, 12 * 3600, 86400, 3 * 86400, 10 * 86400]
    names = ["0", "10 s", "30 s", "1 min", "5 min", "15 min", "30 min", "1 h", "4 h", "12 h", "1 d", "3 d", "10 d"]
    axis.set_ticks(marks, names, fontsize=11)
    axis.set_ticks([], minor=True)


def without_frame(axes: Axes) -> None:
    """No frame above and to the right."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
