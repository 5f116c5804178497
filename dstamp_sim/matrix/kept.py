"""The cells that are found already, kept in a file line by line: an interrupted matrix goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dstamp_sim.disk.reading import Unreadable, read_text
from dstamp_sim.disk.writing import Unwritable, append, write
from dstamp_sim.matrix.cells import MatrixCell

KEPT_HEAD = "dstamp matrix, cells: the digest of what each depends on, and what was found"
"""The first line of the file."""

_CELL = TypeAdapter(MatrixCell)


def read_kept(file: Path) -> Mapping[str, MatrixCell]:
    """The cells in a file of `keep`, by their keys; a line that was cut short is passed over.

    Raises Unwritable if another file is there: cells are to be added to it.
    """
    if not file.exists() and not file.is_symlink():
        return {}
    try:
        head, *lines = read_text(file).splitlines() or [""]
    except Unreadable as error:
        raise Unwritable(file, f"what is there is no file of a matrix ({error.why}); move it") from error
    if head != KEPT_HEAD:
        raise Unwritable(file, "what is there is no file of a matrix; move it")
    kept: dict[str, MatrixCell] = {}
    for line in lines:
        key, _, written = line.partition(" ")
        try:
            kept[key] = _CELL.validate_json(written)
        except ValidationError:
            continue
    return kept


def begin_cells(file: Path) -> None:
    """Begins the file if it is not there. Raises Unwritable if it cannot be."""
    if not file.exists():
        append(file, KEPT_HEAD)


def keep_cell(file: Path, key: str, cell: MatrixCell) -> None:
    """Adds a cell to the file, whoever else adds one; where it cannot be, `keep_all` does or says so."""
    with suppress(Unwritable):
        append(file, _line(key, cell))


def keep_all(file: Path, cells: Mapping[str, MatrixCell]) -> None:
    """Writes the file anew, as any result, unless it has all these cells."""
    if cells.keys() - (kept := read_kept(file)).keys():
        lines = [KEPT_HEAD, *(_line(key, cell) for key, cell in {**kept, **cells}.items())]
        write(file, lambda: "\n".join([*lines, ""]), over=True)


def _line(key: str, cell: MatrixCell) -> str:
    return f"{key} {_CELL.dump_json(cell).decode()}"
