"""`dstamp export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import output, print_files, print_json, say, say_what_runs
from dstamp_sim.cli.hunt import is_hunt_file, perform

if TYPE_CHECKING:
    from dstamp_sim.export.export import TraceOf


def _print_formats(asked: bool) -> None:
    if not asked:
        return
    from dstamp_sim.export.formats import OF_MODELS, OF_SPACES, OF_TRACES  # noqa: PLC0415 - commands load what they need

    for of, formats in (("a model", OF_MODELS), ("its whole space", OF_SPACES), ("a witness", OF_TRACES)):
        for name, known in formats.items():
            say(output(), Text(f"{name}, of {of}: {known.about}"))
    raise typer.Exit


def _hunted(*, trust: bool) -> TraceOf:
    return lambda file: perform(file, 1, trust=trust).trace(file)


def export(
    model: Annotated[
        str, typer.Argument(help="path.py[:factory], a folder, a short name such as classic/bank, or a witness file.")
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="The format, such as promela for a model or mermaid for a witness; see --formats.",
        ),
    ],
    formats: Annotated[  # noqa: ARG001 - its callback has done all
        bool, typer.Option("--formats", callback=_print_formats, is_eager=True, help="List the formats and exit.")
    ] = False,
    settings: options.SettingsOption = None,
    placement: options.PlacementOption = None,
    properties: options.PropertiesOption = None,
    crashes: options.CrashesOption = None,
    no_merge: Annotated[
        bool, typer.Option("--no-merge", help="No merging of local states with equal futures.")
    ] = False,
    out: options.Out = Path("out"),
    trust: options.Trust = False,
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Write a model or a witness in another tool's language, for a second opinion or another view."""
    from dstamp_sim.export.export import export as write  # noqa: PLC0415 - commands load what they need

    if Path(model).suffix == ".json" and not is_hunt_file(Path(model)):
        say_what_runs(Path(model), trust=trust)
    file = write(
        model,
        to=to,
        settings=settings or [],
        placement=placement,
        properties=properties or [],
        crashes=crashes,
        merge=not no_merge,
        out=out,
        trace_of=_hunted(trust=trust) if is_hunt_file(Path(model)) else None,
    )
    if as_json:
        print_json({"format": to, "files": [str(file)]})
    else:
        print_files(output(), [file])
