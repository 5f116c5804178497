"""`dstamp explore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dstamp_sim.cli.console import AsJson, Html, Out, PlacementOption, progress
from dstamp_sim.cli.report import print_report
from dstamp_sim.engines.explorer import DEFAULT_LIMIT, DEFAULT_MEMORY_MB, Reductions


def explore(
    model: Annotated[str, typer.Argument(help="path.py[:factory], a folder, or a short name such as classic/bank.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="K=V", help="A parameter of the factory; repeatable.")
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
    limit: Annotated[int, typer.Option(min=1, help="States to remember before giving up.")] = DEFAULT_LIMIT,
    memory_mb: Annotated[
        int, typer.Option("--memory", metavar="MB", min=1, help="Memory for states.")
    ] = DEFAULT_MEMORY_MB,
    no_por: Annotated[bool, typer.Option("--no-por", help="No partial-order reduction.")] = False,
    no_symmetry: Annotated[bool, typer.Option("--no-symmetry", help="Tell copies apart.")] = False,
    no_merge: Annotated[
        bool, typer.Option("--no-merge", help="Let local steps and equal futures cost states.")
    ] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Visit the whole space, judge every property.")
    ] = False,
    html: Html = False,
    count: Annotated[
        bool, typer.Option("--count", help="Also count all complete interleavings, and the bad ones: how rare it is.")
    ] = False,
    out: Out = Path("out"),
    as_json: AsJson = False,
) -> None:
    """Explore every interleaving of a model: the shortest bad one, or the proof that there is none."""
    from dstamp_sim.pipeline.explore import explore_model  # noqa: PLC0415 - commands load what they need

    reference = f"{model}:{mechanism}" if mechanism else model
    with progress() as tell:
        found = explore_model(
            reference,
            settings=settings or [],
            placement=placement,
            properties=properties or [],
            crashes=crashes,
            limit=limit,
            memory_mb=memory_mb,
            reductions=Reductions(merge=not no_merge, por=not no_por, symmetry=not no_symmetry),
            keep_going=keep_going,
            html=html,
            count=count,
            out=out,
            progress=tell,
        )
    print_report(f"{reference}, lock placement {found.placement}", found, as_json=as_json)
    raise typer.Exit(found.report.verdict.exit_code)
