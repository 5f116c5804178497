"""`dstamp explore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dstamp_sim.cli import options
from dstamp_sim.cli.console import reference_of
from dstamp_sim.cli.matrix import ask_matrix
from dstamp_sim.cli.options import whole
from dstamp_sim.cli.progress import progress
from dstamp_sim.cli.report import print_report
from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.system import Also
from dstamp_sim.engines.explore.settings import DEFAULT_LIMIT, DEFAULT_MEMORY_MB, HISTORY_LIMIT, Reductions


def explore(
    model: options.ModelArgument,
    settings: options.SettingsOption = None,
    mechanism: options.MechanismOption = None,
    placement: options.PlacementOption = None,
    properties: options.PropertiesOption = None,
    crashes: options.CrashesOption = None,
    serial: options.Serial = False,
    live: options.Live = False,
    limit: Annotated[
        int, typer.Option(parser=whole(1), help="How many states to keep before giving up.")
    ] = DEFAULT_LIMIT,
    memory_mb: Annotated[
        int, typer.Option("--memory", metavar="MB", parser=whole(1), help="How much memory to use for states.")
    ] = DEFAULT_MEMORY_MB,
    ops: Annotated[
        int, typer.Option(parser=whole(1), help="Ops of one process before giving up: maybe it has no end.")
    ] = HISTORY_LIMIT,
    no_por: Annotated[bool, typer.Option("--no-por", help="No partial-order reduction.")] = False,
    no_symmetry: Annotated[
        bool, typer.Option("--no-symmetry", help="No symmetry reduction: tell copies apart.")
    ] = False,
    no_merge: Annotated[
        bool, typer.Option("--no-merge", help="No merging of local steps and of local states with equal futures.")
    ] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Do not stop at the first violation: visit the whole space.")
    ] = False,
    html: options.Html = False,
    count: Annotated[
        bool, typer.Option("--count", help="Also count all complete interleavings and the bad ones.")
    ] = False,
    out: options.Out = Path("out"),
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Explore every interleaving of a model: the shortest bad one, or the proof that there is none.

    Several values make a matrix, which says where the verdict flips: `--set customers=1..6 --set capacity=1,2,4`,
    `--placement 'lock:*'`, `--placement all`. An interrupted one goes on where it was.

    It knows no time: an order that only durations rule out is possible here, and `replay --draws N` counts with them.
    """
    from dstamp_sim.matrix.axes import read_axes  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.pipeline.explore import ExploreOptions, explore_model  # noqa: PLC0415 - as above
    from dstamp_sim.pipeline.subject import load_subject  # noqa: PLC0415 - as above

    reference = reference_of(model, mechanism)
    reductions = Reductions(merge=not no_merge, por=not no_por, symmetry=not no_symmetry)
    also = Also(serial, live)
    asking = ExploreOptions(limit, memory_mb, ops, keep_going, reductions)
    if (setting := read_axes(reference, settings or (), placement)) is not None:
        if html or count:
            raise UsageError(f"--{'html' if html else 'count'} is about one setting, not a matrix: set one value each")
        ask_matrix(reference, setting, properties or (), crashes, asking, also=also, out=out, as_json=as_json)
    asked = load_subject(reference, settings, placement, properties, crashes, also=also)
    with progress() as tell:
        found = explore_model(asked, asking, html=html, count=count, out=out, progress=tell)
    print_report(asked.name, found, as_json=as_json)
    raise typer.Exit(found.report.verdict.exit_code)
