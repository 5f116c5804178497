"""The placement map: first section by last section, a panel for each lock; safe or broken, story or waiting time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from dstamp_sim.disk.writing import write
from dstamp_sim.lock_review.compare import AfterDeath, Standing
from dstamp_sim.rendering.fonts import drawable, label
from dstamp_sim.rendering.grid import bare, draw_cell, green
from dstamp_sim.rendering.plots import BROKEN, INK, MUTED, SETTINGS, STUCK, figure_bytes, waiting_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class MapCell:
    """One placement on a map: its row and column, and its status.

    `number` is written in it: seconds of waiting if it is safe (None: not priced), steps of the story if it fails
    (None: there is none). `narrow`: it is safe, but not for every number of runs; `starves`: but a run may wait for
    ever.
    """

    row: int
    column: int
    standing: Standing
    after_death: AfterDeath
    number: float | None
    narrow: bool = False
    present: bool = False
    recommended: bool = False
    starves: bool = False


@dataclass(frozen=True)
class Panel:
    """One map: its title, the names of rows and columns, and its cells."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[MapCell, ...]
    row_label: str = "from"
    column_label: str = "to"


def draw_map(panels: Sequence[Panel], title: str, path: Path, for_whom: str) -> None:
    """Writes the map as PNG or SVG, as the suffix says: square panels side by side, a wide one below them.

    `for_whom` says for which numbers of runs the safe ones are; the legend has every sign that is drawn, and no other.
    """
    write(path, lambda: _map(panels, title, path.suffix, for_whom))


def _map(panels: Sequence[Panel], title: str, kind: str, for_whom: str) -> bytes:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    square = [panel for panel in panels if len(panel.rows) <= 10]
    wide = [panel for panel in panels if len(panel.rows) > 10]
    with mpl.rc_context(SETTINGS):
        heights = ([4.6] if square else []) + [8.6] * len(wide)
        figure = Figure(figsize=(16, 1.5 + sum(heights)), dpi=100, facecolor="white", layout="constrained")
        figure.suptitle(drawable(title), fontsize=15, fontweight="bold", x=0.01, ha="left", color=INK)
        grid = figure.add_gridspec(len(heights), max(len(square), 1), height_ratios=heights)
        longest = max((cell.number or 0 for panel in panels for cell in panel.cells if _safe(cell)), default=0)
        for column, panel in enumerate(square):
            _draw(figure.add_subplot(grid[0, column]), panel, longest, small=False)
        for row, panel in enumerate(wide, start=1 if square else 0):
            _draw(figure.add_subplot(grid[row, :]), panel, longest, small=True)
        signs_drawn = signs([cell for panel in panels for cell in panel.cells], for_whom)
        legend = "   ".join(words.replace(" ", "\N{NO-BREAK SPACE}") for words in signs_drawn)
        figure.text(
            0.01, -0.005, drawable("\n".join(wrap(legend, 180))), fontsize=10.5, color=MUTED, va="top", ha="left"
        )
        return figure_bytes(figure, kind)


_DEATHS = {
    AfterDeath.BREAKS: ("◇", "safe until a run dies"),
    AfterDeath.STUCK: ("‖", "safe, but a death blocks the others"),
    AfterDeath.UNDECIDED: ("◇?", "safe; with a death not decided"),
}
"""The signs in a safe cell, and their meaning."""


def _safe(cell: MapCell) -> bool:
    return cell.standing is Standing.SAFE


def signs(cells: Sequence[MapCell], for_whom: str) -> list[str]:
    """The meaning of each drawn sign; `for_whom` are the numbers of runs for which the safe ones are safe."""
    safe, standings = [cell for cell in cells if _safe(cell)], {cell.standing for cell in cells}
    waits = any(cell.number is not None for cell in safe)
    price = "; the darker, the longer 95 in 100 runs wait at most (written)" if waits else ""
    signs_drawn = [
        (bool(safe), f"Green: safe{for_whom}{price}."),
        (any(cell.narrow for cell in safe), f"{_NARROW}: not for every number of runs."),
        *((any(c.after_death is state for c in safe), f"{sign}: {means}.") for state, (sign, means) in _DEATHS.items()),
        (
            any(cell.starves for cell in cells),
            f"{_STARVES}: safe, but a run may wait for ever as others come.",
        ),
        (Standing.BROKEN in standings, "Hatched: broken; the number is the length of its shortest story in steps."),
        (Standing.DEADLOCK in standings, "✕: deadlock, with its number of steps."),
        (
            Standing.TRAP in standings,
            "↻: a trap, with its number of steps: from there the end is not possible any more.",
        ),
        (Standing.UNDECIDED in standings, "?: not decided; the review says why."),
        (any(cell.recommended for cell in cells), "Thick ring: recommended."),
        (any(cell.present for cell in cells), "Dashed ring: as it is now."),
    ]
    return [words for drawn, words in signs_drawn if drawn]


_NARROW, _STARVES = "°", "∞"


def _draw(axes: Axes, panel: Panel, longest: float, *, small: bool) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - slow to import

    for cell in panel.cells:
        draw_cell(
            axes,
            cell.row,
            cell.column,
            written_in(cell),
            _shade(cell.number, longest) if _safe(cell) else _FILLS[cell.standing],
            dark=_safe(cell) and (cell.number or 0) > 0.35 * longest,
            fails=cell.standing in _FAILS,
            size=6.8 if small else 8.6,
        )
    for cell in panel.cells:
        for marked, style, width, inset in ((cell.present, (0, (3, 2)), 2.2, 0.06), (cell.recommended, "-", 3.2, 0.03)):
            if marked:
                box = (cell.column + inset, cell.row + inset)
                side = 1 - 2 * inset
                axes.add_patch(Rectangle(box, side, side, fc="none", ec=INK, lw=width, ls=style, zorder=4))
    size = 8.5 if small else 10.5
    bare(axes, len(panel.rows), len(panel.columns))
    columns, rows = [label(name) for name in panel.columns], [label(name) for name in panel.rows]
    axes.set_xticks([k + 0.5 for k in range(len(columns))], columns, rotation=45, ha="right", fontsize=size)
    axes.set_yticks([k + 0.5 for k in range(len(rows))], rows, fontsize=size)
    axes.set_title(label(panel.title), loc="left", fontsize=12.5, color=INK)
    axes.set_xlabel(label(panel.column_label), fontsize=size, color=MUTED)
    axes.set_ylabel(label(panel.row_label), fontsize=size, color=MUTED, labelpad=1)
    axes.set_aspect("auto" if small else "equal")


_FAILS = (Standing.BROKEN, Standing.DEADLOCK, Standing.TRAP)
_STANDING_SIGNS = {Standing.DEADLOCK: "✕ ", Standing.TRAP: "↻ "}
_FILLS = {Standing.BROKEN: BROKEN, Standing.DEADLOCK: STUCK, Standing.TRAP: STUCK, Standing.UNDECIDED: "#eceff1"}


def _shade(seconds: float | None, longest: float) -> tuple[float, float, float]:
    """A green that is darker for longer waiting times, on a logarithmic scale."""
    return green(0.0 if seconds is None or longest <= 0 else log1p(max(seconds, 0.0) / 30) / log1p(longest / 30))


def written_in(cell: MapCell) -> str:
    """The text of a cell: its waiting time and signs if it is safe, the length of its story if it fails."""
    match cell.standing:
        case Standing.SAFE:
            text = "safe" if cell.number is None else waiting_text(cell.number)
            sign = _DEATHS.get(cell.after_death, ("", ""))[0] + (f" {_STARVES}" if cell.starves else "")
            return f"{text}{_NARROW if cell.narrow else ''}" + (f"\n{sign}" if sign else "")
        case Standing.UNDECIDED:
            return "?"
        case Standing.BROKEN | Standing.DEADLOCK | Standing.TRAP:
            sign = _STANDING_SIGNS.get(cell.standing, "")
            return f"{sign}{cell.number:.0f}" if cell.number else sign
