"""`dstamp margin`."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import output, print_files, print_json, reference_of, results, say
from dstamp_sim.cli.matrix import refuse_with_matrix
from dstamp_sim.cli.options import whole
from dstamp_sim.cli.progress import bar
from dstamp_sim.core.verdict import Verdict

if TYPE_CHECKING:
    from dstamp_sim.margin.margin import Duration, PropertyMargins


def margin(
    model: options.ModelArgument,
    within: Annotated[Path, typer.Option("--within", metavar="SCENARIO", help="The durations, as they are.")],
    settings: options.SettingsOption = None,
    mechanism: options.MechanismOption = None,
    placement: options.PlacementOption = None,
    properties: options.PropertiesOption = None,
    crashes: options.CrashesOption = None,
    limit: Annotated[int | None, typer.Option(parser=whole(1), help="How many zones of one search to keep.")] = None,
    budget: Annotated[int, typer.Option(metavar="S", parser=whole(1), help="Seconds before giving up.")] = 300,
    out: options.Out = Path("out"),
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Say which single duration of a scenario, changed by how much, makes a failure impossible, or possible.

    Every other duration stays as it is. A flip is exact, and asked again on both sides. The exit code is 0 if every
    length of every duration is decided, else 3.
    """
    from dstamp_sim.engines.zones.within import MOST_ZONES  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.margin.margin import find_margins  # noqa: PLC0415 - as above
    from dstamp_sim.margin.margin_picture import write_margins  # noqa: PLC0415 - as above
    from dstamp_sim.matrix.axes import read_axes  # noqa: PLC0415 - as above
    from dstamp_sim.pipeline.exact_time import load_timed_subject  # noqa: PLC0415 - as above

    reference = reference_of(model, mechanism)
    if read_axes(reference, settings or (), placement) is not None:
        refuse_with_matrix(within=within)
    asked = load_timed_subject(reference, within, settings, placement, properties, crashes)
    heading = f"{asked.subject.name}, within {within.name}"
    found = []
    with bar("durations moved") as tell:
        for one in find_margins(asked, limit=limit or MOST_ZONES, budget_s=budget, progress=tell):
            found.append(one)
            if not as_json:
                _print(one, heading if len(found) == 1 else "")
    files = write_margins(asked.subject, found, heading, out)
    if as_json:
        print_json({"subject": heading, "properties": [*map(_json, found)], "files": [str(file) for file in files]})
    else:
        print_files(output(), files)
    whole_answer = all(one.is_whole for one in found)
    raise typer.Exit((Verdict.HOLDS if whole_answer else Verdict.UNDETERMINED).exit_code)


def _print(found: PropertyMargins, heading: str) -> None:
    console = output()
    if heading:
        say(console, Text(heading))
    say(console, Text(found.headline(), style="bold"))
    told = [one for one in found.durations if one not in found.unchanging]
    wide = max((len(one.name) for one in told), default=0)
    for one in told:
        say(console, Text(f"  {one.name:<{wide}}  {one.text(0)} now; {'; '.join(one.words())}"))
        for line in one.checked():
            say(console, Text(f"  {'':<{wide}}    {line}", style="dim"))
    if found.unchanging:
        say(console, Text(f"  no length changes that: {'; '.join(one.name for one in found.unchanging)}"))
    if found.stopped:
        say(console, Text(f"  no other duration was moved: {found.stopped}"))
    results().flush()


def _json(found: PropertyMargins) -> dict[str, Any]:
    return {
        "property": found.prop.name,
        "possibility": found.present.possibility.value,
        "whole": found.is_whole,
        "stopped": found.stopped or found.present.why,
        "durations": [*map(_duration_json, found.durations)],
    }


def _duration_json(one: Duration) -> dict[str, Any]:
    lever = one.found.lever
    return {
        "duration": one.name,
        "moves": lever.end.value,
        "now_s": float(one.seconds(Fraction(0))),
        "lengths": [
            {
                "from_s": float(one.seconds(known.shifts.first.figure)),
                "from_in": not known.shifts.first.side,
                "to_s": None if math.isinf(known.shifts.last.figure) else float(one.seconds(known.shifts.last.figure)),
                "to_in": not known.shifts.last.side,
                "possibility": known.possibility.value,
                "why": known.why,
            }
            for known in one.found.known
        ],
        "flips": [
            {
                "at": one.text(flip.last.figure),
                "at_s": float(one.seconds(flip.last.figure)),
                "asked_again": {one.text(side.shift): side.possibility.value for side in flip.sides},
                "because": list(flip.because),
            }
            for flip in one.found.flips
        ],
    }
