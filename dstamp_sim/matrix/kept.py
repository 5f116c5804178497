"""The cells that are found already, kept in a file line by line: an interrupted matrix goes on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dstamp_sim.core.errors import UsageError, cut
from dstamp_sim.core.escaping import harmless_json
from dstamp_sim.disk.reading import Unreadable, read_text
from dstamp_sim.disk.writing import Unwritable, append, write
from dstamp_sim.matrix.cells import MatrixCell

KEPT_HEAD = "dstamp matrix, cells: a digest of the line, one of what the cell depends on, and what was found"
"""The first line of the file."""

_CELL = TypeAdapter(MatrixCell)


def read_kept(file: Path) -> Mapping[str, MatrixCell]:
    """The cells in a file of `keep`, by their keys; a line that was cut short is passed over.

    Raises Unwritable if another file is there: cells are to be added to it. Raises UsageError for a line that is not as
    it was written: what was found by nobody is not believed.
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
    for number, line in enumerate(lines, start=2):
        digest, _, content = line.partition(" ")
        key, _, written = content.partition(" ")
        try:
            kept[key] = _CELL.validate_json(written)
        except ValidationError:
            continue
        if digest != _digest(content):
            wrong = f"line {number} ({cut(', '.join(kept[key].values))}) is not as it was written"
            raise UsageError(f"{cut(str(file))}: {wrong}; delete the line, and that cell is asked again")
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
    content = f"{key} {harmless_json(_CELL.dump_json(cell).decode())}"
    return f"{_digest(content)} {content}"


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:32]
