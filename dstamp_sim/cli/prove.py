"""`dstamp prove`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dstamp_sim.cli import options
from dstamp_sim.cli.console import reference_of
from dstamp_sim.cli.matrix import ask_matrix, refuse_one_setting
from dstamp_sim.cli.progress import progress
from dstamp_sim.cli.report import print_report
from dstamp_sim.core.errors import UsageError


def prove(
    model: options.ModelArgument,
    settings: options.OpenSettingsOption = None,
    mechanism: options.MechanismOption = None,
    placement: options.PlacementOption = None,
    properties: options.PropertiesOption = None,
    crashes: options.CrashesOption = None,
    within: Annotated[Path | None, typer.Option("--within", metavar="SCENARIO", hidden=True)] = None,
    on: options.OnOption = None,
    out: options.Out = Path("out"),
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Judge a model for every number of copies: HOLDS for all of them, or the fewest that fail and how.

    Several values of another parameter, or `--placement all`, make a matrix, as in `explore`.
    """
    from dstamp_sim.matrix.axes import read_axes  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.pipeline.prove import ProveOptions, prove_model  # noqa: PLC0415 - as above
    from dstamp_sim.pipeline.subject import load_subject  # noqa: PLC0415 - as above

    if within is not None:
        raise UsageError("a proof is for any number of copies and knows no time: set a number, and explore --within")
    reference = reference_of(model, mechanism)
    setting = read_axes(reference, settings or (), placement)
    if setting is not None:
        ask_matrix(reference, setting, properties or (), crashes, ProveOptions(), on=on, out=out, as_json=as_json)
    refuse_one_setting(on)
    asked = load_subject(reference, settings, placement, properties, crashes, numbers_open=True)
    with progress() as tell:
        found = prove_model(asked, out=out, progress=tell)
    heading = f"{reference}, any number of {', '.join(found.report.coverage.any_number)}, lock placement "
    print_report(heading + found.placement, found, as_json=as_json)
    raise typer.Exit(found.report.verdict.exit_code)
