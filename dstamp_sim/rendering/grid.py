"""A grid of coloured cells, each with a text: the map of placements and the heat map of settings are such grids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dstamp_sim.rendering.plots import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Colour = str | tuple[float, float, float]


def green(part: float) -> tuple[float, float, float]:
    """From a light green (0) to a dark one (1)."""
    return _between((0.80, 0.93, 0.86), (0.06, 0.38, 0.30), part)


def red(part: float) -> tuple[float, float, float]:
    """From a light red (0) to a dark one (1)."""
    return _between((0.97, 0.88, 0.85), (0.62, 0.17, 0.12), part)


def _between(
    light: tuple[float, float, float], dark: tuple[float, float, float], part: float
) -> tuple[float, float, float]:
    r, g, b = (one + (other - one) * part for one, other in zip(light, dark, strict=True))
    return r, g, b


def draw_cell(
    axes: Axes, row: int, column: int, text: str, fill: Colour, *, dark: bool, fails: bool, size: float = 8.6
) -> None:
    """One cell: `dark` says that its fill is, so that the text is light; what fails is hatched."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - slow to import

    hatch = "////" if fails else None
    axes.add_patch(Rectangle((column, row), 1, 1, fc=fill, ec="#ffffff", lw=1.2, hatch=hatch, hatch_linewidth=0.5))
    behind = {"fc": "#ffffff", "ec": "none", "pad": 1.0, "alpha": 0.85} if fails else None
    middle = column + 0.5, row + 0.5
    colour = "#ffffff" if dark else INK
    axes.text(*middle, text, ha="center", va="center", fontsize=size, color=colour, bbox=behind)


def bare(axes: Axes, rows: int, columns: int) -> None:
    """Axes around a grid, with the first row on top, and without a frame."""
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
