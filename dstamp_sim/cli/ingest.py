"""`dstamp ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from dstamp_sim.cli.console import AsJson, bar, errors, output, print_json, say


def ingest(
    folder: Annotated[
        Path, typer.Argument(metavar="RUNS_DIR", help="A folder with one subfolder per run, each with a results.json.")
    ],
    model: Annotated[
        str,
        typer.Option(metavar="MODEL", help="The model, which says what can be observed of a run."),
    ],
    into: Annotated[Path, typer.Option("--into", metavar="FILE", help="The evidence file to write.")] = Path(
        "evidence.toml"
    ),
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite an existing evidence file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make an evidence file from real run folders. Bad files are named and skipped."""
    from dstamp_sim.incident.ingest import ingest_runs  # noqa: PLC0415 - commands load what they need

    with bar("run folders") as tell:
        found = ingest_runs(folder, model=model, into=into, replace=replace, progress=tell)
    complaints = [{"file": str(item.file), "why": item.why} for item in found.complaints]
    if as_json:
        print_json({"runs": len(found.runs), "skipped": complaints, "file": str(into)})
        return
    for item in complaints:
        errors().print(Text(f"skipped {item['file']}: {item['why']}"))
    say(output(), Text(f"{len(found.runs):,} runs, {len(complaints):,} files skipped; wrote {into}"))
