"""`dstamp update`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dstamp_sim.cli.console import AsJson, Force, Out, bar, output, print_files, print_json
from dstamp_sim.cli.judgement import print_judgement


def update(
    evidence: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="The evidence file.")],
    observe: Annotated[
        list[str],
        typer.Option("--observe", metavar="EXPERIMENT=OUTCOME", help="An experiment and its outcome; repeatable."),
    ],
    source: Annotated[str, typer.Option(help="Who saw the outcome, or where it is written.")] = "dstamp update",
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FILE", help="Write to this new file; EVIDENCE stays as it is.")
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The scenario that the evidence is for (default: the incident's)."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print the whole report, not its first screen.")] = False,
    out: Out = Path("out"),
    force: Force = False,  # noqa: ARG001 - its callback has done all
    as_json: AsJson = False,
) -> None:
    """Add the outcome of an experiment to the end of an evidence file, and judge the mechanisms again."""
    from dstamp_sim.engines.parallel.threads import cores  # noqa: PLC0415 - loaded when needed
    from dstamp_sim.incident.incident import judge_incident, update_evidence  # noqa: PLC0415 - as above
    from dstamp_sim.incident.loaded import load_incident  # noqa: PLC0415 - as above

    before = load_incident(scenario, evidence=evidence)
    after = update_evidence(before, observe, source=source, into=into, out=out)
    with bar("steps of the judgement done") as tell:
        found = judge_incident(after, out=out, workers=cores(), tell=tell)
    if as_json:
        print_json(found.summary.as_json() | {"files": [str(file) for file in (after.source, *found.files)]})
        return
    print_judgement(found, out, full=full)
    print_files(output(), [into or evidence])
