"""A judgement as `replay` and `update` print it: the first screen, or the whole report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dstamp_sim.cli.console import output, print_files, print_json

if TYPE_CHECKING:
    from dstamp_sim.incident.incident import JudgedIncident

OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", metavar="MECHANISM", help="Judge only this mechanism; repeatable.")
]
BudgetOption = Annotated[
    float | None,
    typer.Option(
        "--budget",
        metavar="SECONDS",
        min=0.0,
        help="Processor time for one mechanism under one reading; beyond it, undetermined (default: 120).",
    ),
]


def print_judgement(found: JudgedIncident, out: Path, *, full: bool) -> None:
    """The first screen of a judgement; with `full` the whole report; then the files that were written."""
    from dstamp_sim.incident.report.first_screen import first_screen  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.incident.report.full import full_report  # noqa: PLC0415 - as above
    from dstamp_sim.incident.report.judgement_files import REPORT_PAGE  # noqa: PLC0415 - as above
    from dstamp_sim.rendering.as_console import print_document  # noqa: PLC0415 - as above

    console = output()
    if full:
        print_document(console, full_report(found.summary, {file.stem: file for file in found.files}))
        print_files(console, found.files)
    else:
        print_document(console, first_screen(found.summary, out / REPORT_PAGE))


@contextmanager
def finished_rows_printed(*, as_json: bool) -> Iterator[None]:
    """Where Ctrl-C ends the judgement inside, its finished rows are printed first, marked as not the whole."""
    from dstamp_sim.incident.judge_mechanisms import JudgementInterrupted  # noqa: PLC0415 - as above
    from dstamp_sim.incident.report.unfinished import unfinished, unfinished_json  # noqa: PLC0415 - as above
    from dstamp_sim.rendering.as_console import print_document  # noqa: PLC0415 - as above

    try:
        yield
    except JudgementInterrupted as stopped:
        if as_json:
            print_json(unfinished_json(stopped))
        else:
            print_document(output(), unfinished(stopped))
        raise
