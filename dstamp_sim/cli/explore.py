"""`dstamp explore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dstamp_sim.cli import options
from dstamp_sim.cli.console import notice, reference_of
from dstamp_sim.cli.matrix import ask_matrix, refuse_one_setting, refuse_with_matrix
from dstamp_sim.cli.options import whole
from dstamp_sim.cli.progress import progress
from dstamp_sim.cli.report import print_report
from dstamp_sim.cli.within import ask_within
from dstamp_sim.core.system import Also
from dstamp_sim.engines.explore.settings import DEFAULT_LIMIT, DEFAULT_MEMORY_MB, HISTORY_LIMIT, Reductions

_StatesOption = Annotated[
    int, typer.Option(parser=whole(1), help="How many states (--within: zones) to keep before giving up.")
]
_MemoryOption = Annotated[
    int, typer.Option("--memory", metavar="MB", parser=whole(1), help="How much memory to use for states.")
]
_OpsOption = Annotated[
    int, typer.Option(parser=whole(1), help="Ops of one process before giving up: maybe it has no end.")
]
_CountOption = Annotated[bool, typer.Option("--count", help="Also count all complete interleavings and the bad ones.")]


def explore(
    model: options.ModelArgument,
    settings: options.SettingsOption = None,
    mechanism: options.MechanismOption = None,
    placement: options.PlacementOption = None,
    properties: options.PropertiesOption = None,
    crashes: options.CrashesOption = None,
    serial: options.Serial = False,
    live: options.Live = False,
    limit: _StatesOption = DEFAULT_LIMIT,
    memory_mb: _MemoryOption = DEFAULT_MEMORY_MB,
    ops: _OpsOption = HISTORY_LIMIT,
    no_por: options.NoPor = False,
    no_symmetry: options.NoSymmetry = False,
    no_merge: options.NoMerge = False,
    keep_going: options.KeepGoing = False,
    within: options.WithinOption = None,
    html: options.Html = False,
    count: _CountOption = False,
    checkpoint: options.CheckpointOption = None,
    checkpoint_every: options.CheckpointEvery = 60,
    resume: options.ResumeOption = None,
    on: options.OnOption = None,
    out: options.Out = Path("out"),
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Explore every interleaving of a model: the shortest bad one, or the proof that there is none.

    Several values make a matrix, which says where the verdict flips: `--set customers=1..6 --set capacity=1,2,4`,
    `--placement 'lock:*'`, `--placement all`. An interrupted one goes on where it was; where a smaller setting or a
    proof decides, nothing is explored, unless --keep-going. --checkpoint keeps what is found, as the cache does after
    ten minutes; --resume goes on from there. It knows no time, unless --within says how long delays last.
    """
    from dstamp_sim.matrix.axes import read_axes  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.pipeline.explore import ExploreOptions, explore_model  # noqa: PLC0415 - as above
    from dstamp_sim.pipeline.keeping import Keeping  # noqa: PLC0415 - as above
    from dstamp_sim.pipeline.subject import load_subject  # noqa: PLC0415 - as above

    reference = reference_of(model, mechanism)
    reductions, also = Reductions(not no_merge, not no_por, not no_symmetry), Also(serial, live)
    asking = ExploreOptions(limit, memory_mb, ops, keep_going, reductions)
    if (setting := read_axes(reference, settings or (), placement)) is not None:
        refuse_with_matrix(within=within, html=html, count=count, checkpoint=checkpoint, resume=resume)
        ask_matrix(reference, setting, properties or (), crashes, asking, also=also, on=on, out=out, as_json=as_json)
    refuse_one_setting(on)
    if within is not None:
        from dstamp_sim.pipeline.exact_time import load_timed_subject  # noqa: PLC0415 - as above

        timed = load_timed_subject(reference, within, settings, placement, properties, crashes)
        others = {"--serial": serial, "--live": live, "--count": count, "--checkpoint": checkpoint, "--resume": resume}
        others["--checkpoint-every"] = checkpoint_every != 60
        ask_within(timed, asking, others, within, html=html, out=out, as_json=as_json)
    asked = load_subject(reference, settings, placement, properties, crashes, also=also)
    keeping = Keeping(checkpoint, resume, checkpoint_every, notice)
    with progress() as tell:
        found = explore_model(asked, asking, html=html, count=count, keeping=keeping, out=out, progress=tell)
    print_report(asked.name, found, as_json=as_json)
    raise typer.Exit(found.report.verdict.exit_code)
