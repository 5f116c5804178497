"""A matrix: one question, asked of a model at every combination of several values, and where the verdict flips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.verdict import Verdict, combined
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.parallel.tasks import Workers
from dstamp_sim.inputs.model_file import file_of, fingerprint
from dstamp_sim.matrix.axes import PLACEMENT, MatrixAxis
from dstamp_sim.matrix.cells import MatrixCell, MatrixSubject
from dstamp_sim.matrix.kept import begin_cells, keep_all, keep_cell, read_kept
from dstamp_sim.pipeline.where import Where


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
    where: Where,
    tell: Callable[[MatrixCell, int, int], None],
) -> Matrix:
    """Asks every cell that no earlier command with this `out` has found, and keeps each as soon as it is found.

    `tell` is called with every cell, its number from 1 and the number of all, in their order. The cells are the same
    `where`ver they are asked, and however often the work was interrupted. Raises UsageError if no cell's
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
    found = {values: before[key] for values, key in keys.items() if key in before and before[key].values == values}
    known = len(found)
    begin_cells(file)
    with where.workers(subject, subject.reference, _begin, (subject,), len(every) - known) as workers:
        asking = _Asking(subject, workers, [values for values in every if values not in found])
        for number, values in enumerate(every, start=1):
            while values not in found:
                for cell in asking.some(found):
                    found[cell.values] = cell
                    keep_cell(file, keys[cell.values], cell)
            tell(found[values], number, len(every))
    cells = [found[values] for values in every]
    keep_all(file, {keys[cell.values]: cell for cell in cells})
    if all(cell.refused for cell in cells):
        raise UsageError(cells[0].refused)
    return Matrix(subject, tuple(cells), known, file)


_Task = tuple[tuple[str, ...], Mapping[str, MatrixCell]]
"""The values of a cell that is to be found, and the smaller cells from which it may be known, by their axes."""


class _Asking:
    """Cells that are asked by workers, each as soon as those are found from which it may be known."""

    def __init__(self, subject: MatrixSubject, workers: Workers, missing: Sequence[tuple[str, ...]]) -> None:
        self._subject, self._workers, self._waiting = subject, workers, list(missing)
        self._under_way = set[Future[MatrixCell]]()

    def some(self, found: Mapping[tuple[str, ...], MatrixCell]) -> list[MatrixCell]:
        """The next cells that are found, one or more; `found` are those so far."""
        for values in [*self._waiting]:
            smaller = self._subject.smaller(values)
            if len(self._under_way) < self._workers.ahead and all(each in found for each in smaller.values()):
                self._waiting.remove(values)
                task = values, {axis: found[each] for axis, each in smaller.items()}
                self._under_way.add(self._workers.submit(_found, task))
        done, self._under_way = wait(self._under_way, return_when=FIRST_COMPLETED)
        return [future.result() for future in done]


def _found(subject: MatrixSubject, task: _Task) -> MatrixCell:
    return subject.found(*task)


def _begin(subject: MatrixSubject) -> MatrixSubject:
    return subject
