"""`dstamp prove`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dstamp_sim.cli.console import AsJson, Out, PlacementOption, progress
from dstamp_sim.cli.report import print_report


def prove(
    model: Annotated[str, typer.Argument(help="path.py[:factory], a folder, or a short name such as classic/bank.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="K=V", help="A parameter of the factory; numbers of copies not set are any."),
    ] = None,
    mechanism: Annotated[
        str | None, typer.Option(metavar="NAME", help="The factory of a mechanism that the model names.")
    ] = None,
    placement: PlacementOption = None,
    properties: Annotated[
        list[str] | None, typer.Option("--property", metavar="NAME", help="Judge only this one; repeatable.")
    ] = None,
    crashes: Annotated[
        int | None, typer.Option(min=0, help="The largest number of processes that may die (default: the model's).")
    ] = None,
    out: Out = Path("out"),
    as_json: AsJson = False,
) -> None:
    """Judge a model for every number of copies: HOLDS for all of them, or the fewest that fail and how."""
    from dstamp_sim.pipeline.prove import prove_model  # noqa: PLC0415 - commands load what they need

    reference = f"{model}:{mechanism}" if mechanism else model
    with progress() as tell:
        found = prove_model(
            reference,
            settings=settings or [],
            placement=placement,
            properties=properties or [],
            crashes=crashes,
            out=out,
            progress=tell,
        )
    heading = f"{reference}, any number of {', '.join(found.report.coverage.any_number)}, lock placement "
    print_report(heading + found.placement, found, as_json=as_json)
    raise typer.Exit(found.report.verdict.exit_code)
