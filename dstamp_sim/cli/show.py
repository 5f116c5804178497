"""`dstamp show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from dstamp_sim.cli.console import (
    AsJson,
    Force,
    Html,
    Out,
    Trust,
    output,
    print_explanation,
    print_files,
    print_json,
    print_properties,
    properties_json,
    say,
    say_what_runs,
)


def show(
    witness: Annotated[Path, typer.Argument(help="A witness file, as explore and replay write it.")],
    html: Html = False,
    minimised: Annotated[
        bool, typer.Option("--minimise", help="Show the simplest trace that fails in the same way, and save it.")
    ] = False,
    out: Out = Path("out"),
    trust: Trust = False,
    force: Force = False,  # noqa: ARG001 - its callback has done all
    as_json: AsJson = False,
) -> None:
    """Replay a witness strictly and draw it again. An edited witness is refused at the first step that differs."""
    from dstamp_sim.pipeline.explained import explained_story  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.pipeline.show import show_witness  # noqa: PLC0415 - as above

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
