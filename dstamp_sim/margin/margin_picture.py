"""The picture of margins: a bar for each duration, with the lengths at which a failure is possible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dstamp_sim.disk.writing import write
from dstamp_sim.engines.zones.within import Possibility
from dstamp_sim.margin.margin import Duration, PropertyMargins
from dstamp_sim.pipeline.file_names import file_stem
from dstamp_sim.pipeline.subject import Subject
from dstamp_sim.rendering.fonts import drawable, label
from dstamp_sim.rendering.grid import green
from dstamp_sim.rendering.plots import BROKEN, INK, MUTED, SETTINGS, figure_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FILL = {
    Possibility.IMPOSSIBLE: (green(0.25), None),
    Possibility.POSSIBLE: (BROKEN, "////"),
    Possibility.UNKNOWN: ("#eceff1", None),
}


def write_margins(subject: Subject, found: Sequence[PropertyMargins], title: str, out: Path) -> tuple[Path, ...]:
    """Writes a picture for each property that some duration changes, as PNG and SVG."""
    names = [prop.name for prop in subject.system.checked_properties]
    files = []
    for one in found:
        stem = file_stem(subject.model.path.stem, one.prop.name, names)
        files += [(out / f"{stem}-margin{kind}", one) for kind in (".png", ".svg") if one.flipping]
    for file, one in files:
        write(file, partial(_picture, one, title, file.suffix))
    return tuple(file for file, _ in files)


def window(one: Duration) -> tuple[float, float]:
    """The lengths that a bar shows, in seconds: where it is and where it flips, with room on both sides."""
    lowest = float(one.seconds(Fraction(one.found.lever.domain(one.clockwork).first.figure)))
    marks = [float(one.seconds(Fraction(0))), *(float(one.seconds(flip.last.figure)) for flip in one.found.flips)]
    room = 0.6 * (max(marks) - min(marks)) or max(*marks, 1.0)
    return max(lowest, min(marks) - room), max(marks) + room


def _picture(found: PropertyMargins, title: str, kind: str) -> bytes:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    with mpl.rc_context(SETTINGS):
        size = (13, 1.9 + 0.8 * len(found.durations))
        figure = Figure(figsize=size, dpi=100, facecolor="white", layout="constrained")
        figure.suptitle(label(title), fontsize=13, fontweight="bold", x=0.01, ha="left", color=INK)
        axes = figure.add_subplot()
        axes.set_title(drawable(found.headline()), fontsize=10.5, loc="left", color=MUTED)
        for row, one in enumerate(found.durations):
            _bar(axes, row, one)
        axes.set_xlim(0, 1)
        axes.set_ylim(len(found.durations) - 0.3, -0.6)
        axes.set_yticks(range(len(found.durations)), [label(one.name) for one in found.durations], fontsize=11)
        axes.tick_params(length=0)
        axes.set_xticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
        legend = "Each bar has its own scale. Line: where it is. Green: impossible. Hatched: possible. Grey: not known."
        axes.set_xlabel(legend, fontsize=9.5, color=MUTED, loc="left")
        return figure_bytes(figure, kind)


def _bar(axes: Axes, row: int, one: Duration) -> None:
    """A bar with its stretches, where it is (above) and where it flips (below)."""
    low, high = window(one)

    def across(seconds: float) -> float:
        return min(max((seconds - low) / (high - low), 0.0), 1.0)

    for known in one.found.known:
        begin, end = (across(float(one.seconds(spot.figure))) for spot in known.shifts)
        colour, hatch = _FILL[known.possibility]
        axes.barh(row, end - begin, left=begin, height=0.36, color=colour, hatch=hatch, ec="white", lw=0)
    for flip in one.found.flips:
        at = across(float(one.seconds(flip.last.figure)))
        axes.text(at, row + 0.22, one.text(flip.last.figure), ha="center", va="top", fontsize=9.5, color=INK)
    at = across(float(one.seconds(Fraction(0))))
    axes.plot([at, at], [row - 0.26, row + 0.18], color=INK, lw=2.2)
    axes.text(at, row - 0.28, one.text(0), ha="center", va="bottom", fontsize=9.5, color=MUTED)
    if math.isinf(one.found.known[-1].shifts.last.figure):
        arrow = {"arrowstyle": "->", "color": MUTED}
        axes.annotate("", (1.015, row), (1.0, row), arrowprops=arrow, annotation_clip=False)
