"""`dstamp show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import (
    output,
    print_explanation,
    print_files,
    print_json,
    print_properties,
    properties_json,
    say,
    say_what_runs,
)
from dstamp_sim.cli.hunt import is_hunt_file, perform, print_performed
from dstamp_sim.cli.options import whole
from dstamp_sim.core.errors import UsageError


def show(
    witness: Annotated[Path, typer.Argument(help="A witness file, as explore and replay write it; or a hunt's.")],
    html: options.Html = False,
    minimised: Annotated[
        bool, typer.Option("--minimise", help="Show the simplest trace that fails in the same way, and save it.")
    ] = False,
    out: options.Out = Path("out"),
    again: Annotated[
        int | None, typer.Option(metavar="N", parser=whole(1), help="A hunt's: how often it is performed (10).")
    ] = None,
    trust: options.Trust = False,
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Replay a witness strictly and draw it again. An edited witness is refused at the first step that differs.

    A hunt's file is performed again N times on real programs, and refused where one of them changed.
    """
    from dstamp_sim.pipeline.explained import explained_story  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.pipeline.show import show_witness  # noqa: PLC0415 - as above

    if is_hunt_file(witness):
        if minimised:
            raise UsageError(f"{witness}: --minimise says nothing to a hunt's file: its schedule is simple already")
        print_performed(perform(witness, again or 10, trust=trust, out=out, html=html), as_json=as_json)
        return
    if again is not None:
        raise UsageError(f"{witness}: --again is for a hunt's file; a model's witness does the same each time")
    say_what_runs(witness, trust=trust)
    shown = show_witness(witness, out, html=html, minimised=minimised)
    read, why = shown.witness, shown.why
    if as_json:
        print_json(
            {
                "about": read.about,
                "schedule": str(read.trace.schedule),
                "explanation": why.sentence,
                "cycle": why.proof,
                "properties": properties_json(shown.properties),
                "files": [str(file) for file in shown.files],
            }
        )
        return
    console = output()
    say(console, Text(f"{read.origin.model}: {read.about}", style="bold"))
    say(console, Text("\n".join(explained_story(read.trace, why, width=console.width))))
    print_properties(console, shown.properties)
    failing = [item.judgement.prop.name for item in shown.properties if item.why]
    if not failing or (why.fact is not None and why.fact.property not in failing):
        print_explanation(console, why)
    print_files(console, shown.files)
