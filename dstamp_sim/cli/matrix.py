"""How `explore`, `prove` and `sample` print a matrix: a row for each cell as found, then where the verdict flips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.text import Text

from dstamp_sim.cli.console import notice, output, print_files, print_json, results, say
from dstamp_sim.cli.progress import bar
from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.numbers import many
from dstamp_sim.core.system import NOTHING_MORE, Also
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.rendering.text import at_least, at_most

if TYPE_CHECKING:
    from dstamp_sim.matrix.axes import MatrixSetting
    from dstamp_sim.matrix.cells import CellOptions, MatrixCell, MatrixSubject
    from dstamp_sim.matrix.matrix import Matrix


def refuse_with_matrix(**options: object) -> None:
    """Raises UsageError for an option that is given, as it is about one setting."""
    for name, given in options.items():
        if given:
            raise UsageError(f"--{name} is about one setting, not a matrix: set one value each")


def refuse_one_setting(on: str | None) -> None:
    """Raises UsageError if `--on` is given: one setting is one task."""
    if on is not None:
        raise UsageError("--on is about many settings: write a matrix, such as --set customers=1..6")


def ask_matrix(
    reference: str,
    setting: MatrixSetting,
    properties: Sequence[str],
    crashes: int | None,
    asking: CellOptions,
    *,
    also: Also = NOTHING_MORE,
    on: str | None,
    out: Path,
    as_json: bool,
) -> NoReturn:
    """Finds the cells, prints and writes them, and exits with the code of the verdict on all of them together."""
    from dstamp_sim.matrix.cells import MatrixSubject  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.matrix.matrix import find_matrix  # noqa: PLC0415 - as above
    from dstamp_sim.matrix.matrix_files import write_matrix  # noqa: PLC0415 - as above
    from dstamp_sim.pipeline.where import Where  # noqa: PLC0415 - as above

    where = Where.parse(on, notice)
    subject = MatrixSubject(reference, setting, tuple(properties), crashes, asking.shared_by(where.processes), also)
    console, axes = output(), subject.setting.axes
    wide = [max(len(axis.name), *map(len, axis.values)) for axis in axes]
    with bar("cells found") as count:

        def tell(cell: MatrixCell, number: int, total: int) -> None:
            if number == 1 and not as_json:  # what is refused before has no table
                say(console, Text(_heading(subject)))
                say(console, Text(_columns([axis.name for axis in axes], wide) + "verdict", style="bold"))
            if not as_json:
                say(console, Text(_columns(cell.values, wide) + _found(cell)))
                results().flush()
            count(number, total)

        found = find_matrix(subject, out=out, where=where, tell=tell)
    files = write_matrix(found, _heading(subject), out)
    if as_json:
        print_json(_json(found) | {"files": [str(file) for file in files]})
    else:
        for line in _below(found):
            say(console, Text(line))
        print_files(console, files)
    raise typer.Exit(found.verdict.exit_code)


def _heading(subject: MatrixSubject) -> str:
    setting = subject.setting
    placed = [f"placement {setting.placement}"] if setting.placement else []
    return ", ".join([subject.reference, *setting.fixed, *placed])


def _columns(values: Sequence[str], wide: Sequence[int]) -> str:
    return "".join(f"{value:<{width}}  " for value, width in zip(values, wide, strict=True))


def _found(cell: MatrixCell) -> str:
    """What was found for a cell, in a line."""
    if cell.refused:
        return f"not asked     {cell.refused}"
    if cell.schedules:
        return f"{cell.verdict.value:<12}{_drawn(cell)}"
    if cell.how:
        upto = f"  at most {many(cell.steps, 'step')}: {cell.broken}" if cell.broken else ""
        return f"{cell.verdict.value:<12}       not explored{upto}  ({cell.how})"
    size = f"{cell.states:>12,} {'state' if cell.states == 1 else 'states'}"
    if cell.verdict is Verdict.VIOLATED:
        numbers = f" with {cell.copies}" if cell.copies else ""
        return f"{cell.verdict.value:<12}{size}  {many(cell.steps, 'step')}{numbers}: {cell.broken}"
    return f"{cell.verdict.value:<12}{size}  {cell.why}".rstrip()


def _drawn(cell: MatrixCell) -> str:
    """How many schedules of a sample fail, and the share of all that are drawn so."""
    counted = f"{f'{cell.failing:,}' if cell.failing else 'none'} of {many(cell.schedules, 'schedule')}"
    share = f"{at_least(cell.low)} to {at_most(cell.high)}" if cell.low else f"at most {at_most(cell.high)}"
    return "  ".join(filter(None, [f"{counted:>28}", share * (cell.high < 1 or cell.low > 0), cell.broken, cell.why]))


def _below(found: Matrix) -> list[str]:
    """Where the verdict flips, the command that tells the first story, and what was known before."""
    from dstamp_sim.matrix.axes import PLACEMENT  # noqa: PLC0415 - commands load what they need

    counted = any(axis.name != PLACEMENT for axis in found.axes)
    lines = ["", *(found.flips() or ["The verdict is the same all along every parameter."] * counted)]
    bad = next((cell for cell in found.cells if cell.verdict is Verdict.VIOLATED), None)
    if bad is not None:
        lines.append(f"The first story: {_command(found.subject, bad)}")
    if found.known:
        lines.append(f"{many(found.known, 'cell')} of {len(found.cells):,} known from {found.kept}, not asked again.")
    return lines


def _command(subject: MatrixSubject, cell: MatrixCell) -> str:
    """The command that asks one cell."""
    settings, placement = subject.setting.of(cell.values)
    options = [f"--set {quote(item)}" for item in settings]
    options += [f"--placement {quote(placement)}"] if placement else []
    options += [f"--property {quote(name)}" for name in subject.properties]
    options += [f"--crashes {subject.crashes}"] if subject.crashes is not None else []
    options += [f"--{name}" for name, asked in subject.also._asdict().items() if asked]
    options += subject.asking.flags
    return " ".join([f"dstamp {subject.asking.verb}", quote(subject.reference), *options])


def _json(found: Matrix) -> dict[str, Any]:
    cells = [
        cell.told() | {"verdict": cell.verdict.value, "values": dict(zip(_names(found), cell.values, strict=True))}
        for cell in found.cells
    ]
    return {
        "model": found.subject.reference,
        "fixed": list(found.subject.setting.fixed),
        "verdict": found.verdict.value,
        "axes": {axis.name: list(axis.values) for axis in found.axes},
        "cells": cells,
        "flips": found.flips(),
        "known": found.known,
    }


def _names(found: Matrix) -> list[str]:
    return [axis.name for axis in found.axes]
