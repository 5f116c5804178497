"""`dstamp mutate`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import output, print_json, reference_of, say
from dstamp_sim.cli.options import whole
from dstamp_sim.cli.progress import bar
from dstamp_sim.core.numbers import many
from dstamp_sim.core.system import Also

if TYPE_CHECKING:
    from dstamp_sim.mutation.mutants import Mutation


def mutate(
    model: options.ModelArgument,
    settings: options.SettingsOption = None,
    mechanism: options.MechanismOption = None,
    placement: options.PlacementOption = None,
    properties: options.PropertiesOption = None,
    crashes: options.CrashesOption = None,
    serial: options.Serial = False,
    limit: Annotated[
        int | None, typer.Option(parser=whole(1), help="How many states of a mutant to keep before giving up.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Change a model in one place at a time, and say which changes its properties do not notice.

    An op is dropped, neighbours are swapped, a guard is negated, a run ends early, a span of the placement is shorter.
    Nothing has to notice a change that leaves all outcomes as they are. The exit code is 0, whatever was noticed.
    """
    from dstamp_sim.mutation.mutants import STATES_OF_A_MUTANT, find_mutants  # noqa: PLC0415 - loads what it needs
    from dstamp_sim.pipeline.subject import load_subject  # noqa: PLC0415 - as above

    asked = load_subject(reference_of(model, mechanism), settings, placement, properties, crashes, also=Also(serial))
    with bar("mutants explored") as tell:
        found = find_mutants(asked, limit=limit or STATES_OF_A_MUTANT, progress=tell)
    if as_json:
        mutants = [asdict(mutant) | {"fate": mutant.fate.value} for mutant in found.mutants]
        print_json({"model": asked.name, "mutants": mutants, "noticed_by": dict(found.noticed_by)})
        return
    _print(found)


def _print(found: Mutation) -> None:
    """The counts, what each property notices, and each mutant that none does."""
    from dstamp_sim.mutation.mutants import Fate  # noqa: PLC0415 - commands load what they need

    console = output()
    say(console, Text(found.name, style="bold"))
    counts = [f"{len(some)} {fate.value}" for fate in Fate if (some := found.of(fate))]
    say(console, Text("; ".join([many(len(found.mutants), "mutant"), *counts])))
    for name, count in found.noticed_by.items():
        say(console, Text(f"  {name} notices {count or 'nothing'}"))
    for name in found.undecided:
        say(console, Text(f"  {name} is not decided for the model itself, and notices nothing"))
    for fate in (Fate.OTHER, Fate.SAME, Fate.OPEN, Fate.REFUSED):
        if some := found.of(fate):
            say(console, Text(fate.value, style="bold"))
        for one in some:
            say(console, Text(f"  {one.where}  {one.change}{one.why and f' ({one.why})'}"))
    if found.of(Fate.OTHER) and not found.of(Fate.NOTICED):
        say(console, Text("No property notices anything: what it says of this model says nothing about it."))
