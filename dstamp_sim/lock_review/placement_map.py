"""The placement map: first section by last section, a panel for each lock; safe or broken, story or waiting time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dstamp_sim.rendering.plots import BROKEN, INK, MUTED, SETTINGS, STUCK, save, shade, waiting_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Cell:
    """One placement on a map: its row and column, and what it is.

    `state` is "safe", "fragile" (safe until a process dies), "stuck" (deadlock), "broken" or "unknown"; `number` is
    what is written in it: seconds of waiting where it is safe (None: not priced), steps of the story where it is not.
    """

    row: int
    column: int
    state: str
    number: float | None
    present: bool = False
    recommended: bool = False


@dataclass(frozen=True)
class Panel:
    """One map: its title, what rows and columns are called, and its cells."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    row_label: str = "from"
    column_label: str = "to"


def draw_map(panels: Sequence[Panel], title: str, path: Path) -> None:
    """Writes the map as PNG or SVG, as the suffix says: square panels side by side, a wide one below them."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    square = [panel for panel in panels if len(panel.rows) <= 10]
    wide = [panel for panel in panels if len(panel.rows) > 10]
    with mpl.rc_context(SETTINGS):
        heights = ([4.6] if square else []) + [8.6] * len(wide)
        figure = Figure(figsize=(16, 1.5 + sum(heights)), dpi=100, facecolor="white", layout="constrained")
        figure.suptitle(title, fontsize=15, fontweight="bold", x=0.01, ha="left", color=INK)
        grid = figure.add_gridspec(len(heights), max(len(square), 1), height_ratios=heights)
        longest = max((cell.number or 0 for panel in panels for cell in panel.cells if cell.state in _SAFE), default=0)
        for column, panel in enumerate(square):
            _draw(figure.add_subplot(grid[0, column]), panel, longest, small=False)
        for row, panel in enumerate(wide, start=1 if square else 0):
            _draw(figure.add_subplot(grid[row, :]), panel, longest, small=True)
        figure.text(0.01, -0.005, _SIGNS, fontsize=10.5, color=MUTED, va="top", ha="left")
        save(figure, path)


_SAFE = ("safe", "fragile")
_SIGNS = (
    "Green: safe for every number of runs; the darker, the longer 95 in 100 runs wait at most (written).   "
    "◇: safe until a run dies.   Hatched: broken; the number is the length of its shortest story in steps.   "
    "✕: deadlock.\nThick ring: recommended.   Dashed ring: as it is now."
)


def _draw(axes: Axes, panel: Panel, longest: float, *, small: bool) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - slow to import

    for cell in panel.cells:
        safe = cell.state in _SAFE
        fill = shade(cell.number, longest) if safe else {"stuck": STUCK, "unknown": "#eceff1"}.get(cell.state, BROKEN)
        hatch = None if safe or cell.state == "unknown" else "////"
        axes.add_patch(
            Rectangle((cell.column, cell.row), 1, 1, fc=fill, ec="#ffffff", lw=1.2, hatch=hatch, hatch_linewidth=0.5)
        )
        _write(axes, cell, dark=safe and (cell.number or 0) > 0.35 * longest, small=small)
    for cell in panel.cells:
        for marked, style, width, inset in ((cell.present, (0, (3, 2)), 2.2, 0.06), (cell.recommended, "-", 3.2, 0.03)):
            if marked:
                box = (cell.column + inset, cell.row + inset)
                side = 1 - 2 * inset
                axes.add_patch(Rectangle(box, side, side, fc="none", ec=INK, lw=width, ls=style, zorder=4))
    size = 8.5 if small else 10.5
    axes.set_xlim(0, len(panel.columns))
    axes.set_ylim(len(panel.rows), 0)
    axes.set_xticks([k + 0.5 for k in range(len(panel.columns))], panel.columns, rotation=45, ha="right", fontsize=size)
    axes.set_yticks([k + 0.5 for k in range(len(panel.rows))], panel.rows, fontsize=size)
    axes.set_title(panel.title, loc="left", fontsize=12.5, color=INK)
    axes.set_xlabel(panel.column_label, fontsize=size, color=MUTED)
    axes.set_ylabel(panel.row_label, fontsize=size, color=MUTED, labelpad=1)
    axes.tick_params(length=0)
    axes.set_aspect("auto" if small else "equal")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _write(axes: Axes, cell: Cell, *, dark: bool, small: bool) -> None:
    size = 6.8 if small else 8.6
    if cell.state in _SAFE:
        text = "safe" if cell.number is None else waiting_text(cell.number)
        text += "\n◇" if cell.state == "fragile" else ""
    else:
        sign = {"stuck": "✕ ", "unknown": "?"}.get(cell.state, "")
        text = f"{sign}{cell.number:.0f}" if cell.number else sign
    color = "#ffffff" if dark else INK
    behind = None if cell.state in (*_SAFE, "unknown") else {"fc": "#ffffff", "ec": "none", "pad": 1.0, "alpha": 0.85}
    axes.text(
        cell.column + 0.5, cell.row + 0.5, text, ha="center", va="center", fontsize=size, color=color, bbox=behind
    )
