"""The files of a matrix: a table of its cells, and a heat map of their verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from math import log
from pathlib import Path
from typing import TYPE_CHECKING

from dstamp_sim.core.verdict import Verdict
from dstamp_sim.disk.writing import write
from dstamp_sim.matrix.axes import PLACEMENT
from dstamp_sim.matrix.cells import MatrixCell
from dstamp_sim.matrix.matrix import Matrix
from dstamp_sim.rendering.as_csv import csv_text
from dstamp_sim.rendering.fonts import drawable, label
from dstamp_sim.rendering.grid import Colour, bare, draw_cell, green, red
from dstamp_sim.rendering.plots import BROKEN, INK, MUTED, SETTINGS, figure_bytes
from dstamp_sim.rendering.text import at_least, at_most

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ON_A_MAP = 60
"""A heat map has at most so many rows, and so many columns."""

FIELDS = (
    *("verdict", "states", "transitions", "exhausted", "broken", "steps", "copies", "why", "refused"),
    *("schedules", "failing", "low", "high", "how"),
)
"""What the table says of a cell, beside its values."""


def write_matrix(matrix: Matrix, name: str, out: Path) -> tuple[Path, ...]:
    """Writes the table as CSV, and the heat map as PNG and SVG if it is not too large to be read."""
    table = out / f"{matrix.stem}.csv"
    write(table, lambda: _csv(matrix))
    grid = _Grid(matrix)
    if max(len(grid.rows), len(grid.columns)) > MOST_ON_A_MAP:
        return (table,)
    pictures = (out / f"{matrix.stem}.png", out / f"{matrix.stem}.svg")
    for file in pictures:
        write(file, partial(_map, matrix, grid, name, file.suffix))
    return (table, *pictures)


class _Grid:
    """Where each cell lies on the heat map: the longest parameter goes across, all other axes make the rows."""

    def __init__(self, matrix: Matrix) -> None:
        names = [axis.name for axis in matrix.axes]
        counted = [axis for axis in matrix.axes if axis.name != PLACEMENT]
        across = max(counted, key=lambda axis: len(axis.values), default=None)
        self.at = None if across is None else matrix.axes.index(across)
        self.columns = across.values if across else ("",)
        self.rows = [*product(*(axis.values for axis in matrix.axes if axis is not across))]
        self.column_label = across.name if across else ""
        self.row_label = ", ".join(name for name in names if name != self.column_label)

    def place(self, cell: MatrixCell) -> tuple[int, int]:
        """The row and the column of a cell."""
        if self.at is None:
            return self.rows.index(cell.values), 0
        rest = (*cell.values[: self.at], *cell.values[self.at + 1 :])
        return self.rows.index(rest), self.columns.index(cell.values[self.at])


def _csv(matrix: Matrix) -> str:
    head = [*(axis.name for axis in matrix.axes), *FIELDS]
    rows = (
        [*cell.values, cell.verdict.value, *(told[field] for field in FIELDS[1:])]
        for cell, told in ((cell, cell.told()) for cell in matrix.cells)
    )
    return csv_text(head, rows, end="\n")


def _map(matrix: Matrix, grid: _Grid, name: str, kind: str) -> bytes:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    names = [label(", ".join(row)) for row in grid.rows]
    wide = 1.5 + 0.085 * max(map(len, names)) + 1.0 * len(grid.columns)
    with mpl.rc_context(SETTINGS):
        size = (max(wide, 7.0), 1.7 + 0.42 * len(names))
        figure = Figure(figsize=size, dpi=100, facecolor="white", layout="constrained")
        figure.suptitle(label(name), fontsize=13, fontweight="bold", x=0.01, ha="left", color=INK)
        _draw(figure.add_subplot(), matrix, grid, names)
        legend = "   ".join(_legend(matrix.cells))
        figure.text(0.01, -0.01, drawable(legend), fontsize=9.5, color=MUTED, va="top", ha="left")
        return figure_bytes(figure, kind)


def _draw(axes: Axes, matrix: Matrix, grid: _Grid, names: Sequence[str]) -> None:
    most = max(cell.states for cell in matrix.cells)
    for cell in matrix.cells:
        fill, dark = _face(cell, most)
        draw_cell(axes, *grid.place(cell), cell_text(cell), fill, dark=dark, fails=cell.verdict is Verdict.VIOLATED)
    bare(axes, len(names), len(grid.columns))
    axes.set_xticks([k + 0.5 for k in range(len(grid.columns))], [label(value) for value in grid.columns])
    axes.set_yticks([k + 0.5 for k in range(len(names))], names)
    axes.set_xlabel(label(grid.column_label), color=MUTED)
    axes.set_ylabel(label(grid.row_label), color=MUTED)


def cell_text(cell: MatrixCell) -> str:
    """The text of a cell: its states if it HOLDS, the length of its story if it is VIOLATED, else a sign.

    Of a sample: the least and the largest share that fails, or what was seen where that is not known.
    """
    if cell.schedules:
        seen = f"{cell.failing:,}/{cell.schedules:,}" if cell.high - cell.low == 1 else f"≤ {at_most(cell.high)}"
        return f"{at_least(cell.low)[:-2]} to {at_most(cell.high)}" if cell.low else seen
    if cell.verdict is Verdict.HOLDS:
        return "any" if cell.how else f"{cell.states:,}"
    if cell.verdict is Verdict.VIOLATED:
        return f"✕ {'≤ ' * bool(cell.how)}{cell.steps}" if cell.steps else "✕"
    return "·" if cell.refused else "?"


def _face(cell: MatrixCell, most: int) -> tuple[Colour, bool]:
    """The colour of a cell, and whether it is dark: the darker a green, the more states, on a logarithmic scale."""
    if cell.failing:
        return red(cell.failing / cell.schedules), False
    if cell.verdict is not Verdict.HOLDS:
        return (BROKEN if cell.verdict is Verdict.VIOLATED else "#eceff1"), False
    part = log(max(cell.states, 1)) / log(max(most, 2))
    return green(part), part > 0.55


def _legend(cells: Sequence[MatrixCell]) -> Iterator[str]:
    if any(c.schedules for c in cells):
        yield "Red: the share of schedules that fail, with 95 % confidence."
        yield "≤: none of those that were drawn fails."
        cells = [c for c in cells if not c.schedules]
    signs = [
        (any(c.verdict is Verdict.HOLDS for c in cells), "Green: HOLDS; the number of states."),
        (any(c.verdict is Verdict.VIOLATED for c in cells), "✕: VIOLATED; the steps of the shortest story."),
        (any(c.how and c.verdict is Verdict.VIOLATED for c in cells), "≤: replayed from a smaller setting."),
        (any(c.how and c.verdict is Verdict.HOLDS for c in cells), "any: proved for any number."),
        (any(c.verdict is Verdict.UNDETERMINED and not c.refused for c in cells), "?: UNDETERMINED."),
        (any(c.refused for c in cells), "·: the model does not take this setting."),
    ]
    yield from (words for drawn, words in signs if drawn)
