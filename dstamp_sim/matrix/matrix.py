"""A matrix: one question, asked of a model at every combination of several values, and where the verdict flips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.verdict import Verdict, combined
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.parallel.processes import spawned
from dstamp_sim.inputs.model_file import file_of, fingerprint
from dstamp_sim.matrix.axes import PLACEMENT, MatrixAxis
from dstamp_sim.matrix.cells import MatrixCell, MatrixSubject
from dstamp_sim.matrix.kept import begin_cells, keep_all, keep_cell, read_kept


@dataclass(frozen=True)
class Matrix:
    """The cells of a matrix, in the order of `Setting.cells`; `known` of them were found by an earlier command."""

    subject: MatrixSubject
    cells: tuple[MatrixCell, ...]
    known: int
    kept: Path

    @property
    def stem(self) -> str:
        """How the names of its files begin."""
        return self.kept.stem

    @property
    def axes(self) -> tuple[MatrixAxis, ...]:
        """The axes, the slowest first."""
        return self.subject.setting.axes

    @property
    def verdict(self) -> Verdict:
        """The verdict on all cells together."""
        return combined([cell.verdict for cell in self.cells])

    def flips(self) -> list[str]:
        """Where the verdict changes along a parameter, a sentence for each way in which it does."""
        ways: dict[str, list[str]] = {}
        for at, axis in enumerate(self.axes):
            if axis.name != PLACEMENT:
                for way, where in self._along(at, axis):
                    ways.setdefault(way, []).append(where)
        return [f"{way} ({'; '.join(where)})." if any(where) else f"{way}." for way, where in ways.items()]

    def _along(self, at: int, axis: MatrixAxis) -> Iterator[tuple[str, str]]:
        """How the verdict changes along an axis, and the other values with which it does."""
        lines: dict[tuple[str, ...], list[MatrixCell]] = {}
        for cell in self.cells:
            lines.setdefault((*cell.values[:at], *cell.values[at + 1 :]), []).append(cell)
        others = [other.name for other in self.axes if other is not axis]
        for values, line in lines.items():
            stretches = [(verdict, [*cells]) for verdict, cells in groupby(line, key=lambda cell: cell.verdict)]
            if len(stretches) > 1:
                way = ", ".join(_stretch(axis, verdict, [c.values[at] for c in cells]) for verdict, cells in stretches)
                yield way, ", ".join(f"{other} {value}" for other, value in zip(others, values, strict=True))


def _stretch(axis: MatrixAxis, verdict: Verdict, values: Sequence[str]) -> str:
    """`VIOLATED for customers=2 to 6`."""
    upto = f" to {values[-1]}" if len(values) > 1 else ""
    return f"{verdict.value} for {axis.name}={values[0]}{upto}"


def find_matrix(
    subject: MatrixSubject,
    *,
    out: Path,
    workers: int,
    tell: Callable[[MatrixCell, int, int], None],
) -> Matrix:
    """Asks every cell that no earlier command with this `out` has found, and keeps each as soon as it is found.

    `tell` is called with every cell, its number from 1 and the number of all, in their order. The cells are the same
    whatever the number of `workers`, and however often the work was interrupted. Raises UsageError if no cell's
    setting is one that the model takes, for an unknown property, and for an unwritable folder; ModelError if the model
    breaks a rule.
    """
    check_writable(out)
    path = file_of(subject.reference)
    file = out / f"{path.stem}-matrix.cells"
    before, source = read_kept(file), fingerprint(path)
    every = [*subject.setting.cells()]
    subject.check_properties(every[0])
    keys = {values: subject.key(values, source) for values in every}
    known = {values: before[key] for values, key in keys.items() if key in before and before[key].values == values}
    missing = [(keys[values], values) for values in every if values not in known]
    asked, cells = _asked(subject, file, missing, workers), list[MatrixCell]()
    for number, values in enumerate(every, start=1):
        cell = known.get(values) or next(asked)
        cells.append(cell)
        tell(cell, number, len(every))
    keep_all(file, {keys[cell.values]: cell for cell in cells})
    if all(cell.refused for cell in cells):
        raise UsageError(cells[0].refused)
    return Matrix(subject, tuple(cells), len(every) - len(missing), file)


_Task = tuple[str, tuple[str, ...]]
"""The key and the values of a cell that is to be found."""


def _asked(subject: MatrixSubject, file: Path, missing: Sequence[_Task], workers: int) -> Iterator[MatrixCell]:
    begin_cells(file)
    if workers < 2 or len(missing) < 2:
        return (_found((subject, file), task) for task in missing)
    return spawned(_found, missing, workers, _begin, (subject, file))


def _found(about: tuple[MatrixSubject, Path], task: _Task) -> MatrixCell:
    (subject, file), (key, values) = about, task
    cell = subject.found(values)
    keep_cell(file, key, cell)
    return cell


def _begin(subject: MatrixSubject, file: Path) -> tuple[MatrixSubject, Path]:
    return subject, file
