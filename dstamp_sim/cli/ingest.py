"""`dstamp ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import errors, output, print_json, say
from dstamp_sim.cli.progress import bar
from dstamp_sim.core.errors import cut
from dstamp_sim.core.numbers import many
from dstamp_sim.disk.writing import write_held

MOST_LETTERS = 200
"""How much of the names of runs without a field is said at most."""


def ingest(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="RUNS", help="A folder with one subfolder per run, or what the mapping says; or one log."
        ),
    ],
    model: Annotated[str, typer.Option(metavar="MODEL", help="The model, which says what can be observed of a run.")],
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What is where, in TOML (default: ID/results.json, its log beside or inside)."
        ),
    ] = None,
    into: Annotated[Path, typer.Option("--into", metavar="FILE", help="The evidence file to write.")] = Path(
        "evidence.toml"
    ),
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite an existing evidence file.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Make an evidence file from real run folders, or from any folder or log. Bad files are named and skipped."""
    from dstamp_sim.incident.ingest import ingest_runs  # noqa: PLC0415 - commands load what they need

    with bar("run folders") as tell:
        found = ingest_runs(folder, model=model, mapping=mapping, into=into, replace=replace, progress=tell)
    complaints = [{"file": str(item.file), "why": item.why} for item in found.complaints]
    beyond = sorted({name for run in found.runs for name in run.other})
    silent = [run.id for run in found.runs if not run.seen]
    if as_json:
        told = {"not_compared": beyond, "without_a_field": silent, "skipped": complaints, "file": str(into)}
        print_json({"runs": len(found.runs)} | told)
        return
    for item in complaints:
        errors().print(Text(f"skipped {item['file']}: {item['why']}"))
    if beyond:
        say(output(), Text(f"kept and not compared, as the model has no such field: {', '.join(beyond)}"))
    if silent:
        named = cut(", ".join(silent), MOST_LETTERS)
        say(output(), Text(f"no field of the model was found in {named}: is it written so?"))
    wrote = f"; wrote {into}" if into in write_held() else ""
    say(output(), Text(f"{many(len(found.runs), 'run')}, {many(len(complaints), 'file')} skipped{wrote}"))
