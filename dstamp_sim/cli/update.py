"""`dstamp update`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import output, print_files, print_json, say, say_what_runs
from dstamp_sim.cli.judgement import BudgetOption, OnlyOption, finished_rows_printed, print_judgement
from dstamp_sim.cli.progress import bar
from dstamp_sim.core.errors import UsageError

if TYPE_CHECKING:
    from dstamp_sim.incident.incident import Update
    from dstamp_sim.incident.loaded import Incident


def update(
    evidence: Annotated[
        Path | None,
        typer.Argument(metavar="EVIDENCE", help="The evidence file (with --into, by default the scenario's)."),
    ] = None,
    observe: Annotated[
        list[str] | None,
        typer.Option(
            "--observe",
            metavar="EXPERIMENT=OUTCOME",
            help="An experiment and its outcome, or what is known of it: 'EXPERIMENT: PART=VALUE, ...'; repeatable.",
        ),
    ] = None,
    list_all: Annotated[
        bool, typer.Option("--list", help="List the experiments, their costs, and how each can come out; then stop.")
    ] = False,
    source: Annotated[str, typer.Option(help="Who saw the outcome, or where it is written.")] = "dstamp update",
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FILE", help="Write to this new file; EVIDENCE stays as it is.")
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The scenario that the evidence is for, as for `replay`."),
    ] = None,
    only: OnlyOption = None,
    budget: BudgetOption = None,
    full: Annotated[bool, typer.Option("--full", help="Print the whole report, not its first screen.")] = False,
    out: options.Out = Path("out"),
    trust: options.Trust = False,
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Add the outcomes of experiments to the end of an evidence file, judge again, and say what they changed."""
    from dstamp_sim.engines.parallel.threads import cores  # noqa: PLC0415 - loaded when needed
    from dstamp_sim.incident.incident import judge_update  # noqa: PLC0415 - as above
    from dstamp_sim.incident.loaded import load_incident, scenario_file  # noqa: PLC0415 - as above

    say_what_runs(scenario_file(scenario), trust=trust, scenario=True)
    if list_all:
        _list(load_incident(scenario, evidence=evidence), as_json=as_json)
        return
    if (evidence or into) is None or not observe:
        raise UsageError(
            "name the EVIDENCE, or a new file (--into), and what was observed (--observe); `dstamp update --list` has "
            "all outcomes"
        )
    before = load_incident(scenario, evidence=evidence).only(only or [], budget)
    with finished_rows_printed(as_json=as_json), bar("steps of the judgement done") as tell:
        found = judge_update(before, observe, source=source, into=into, out=out, workers=cores(), tell=tell)
    judged, written = found.judged, into or before.source
    assert written is not None  # else nothing could have been added to
    if as_json:
        print_json(judged.summary.as_json() | {"files": [str(file) for file in (written, *judged.files)]})
        return
    if full:
        print_judgement(judged, out, full=True)
    else:
        _print_changes(found, out)
    print_files(output(), [written])


def _print_changes(found: Update, out: Path) -> None:
    from dstamp_sim.incident.report.changes import changes  # noqa: PLC0415 - as above
    from dstamp_sim.incident.report.judgement_files import REPORT_PAGE  # noqa: PLC0415 - as above
    from dstamp_sim.rendering.as_console import print_document  # noqa: PLC0415 - as above

    now, clash = found.judged.findings.standing, found.judged.summary.conflict
    document = changes(found.made, found.before, now, clash.says if clash else "", out / REPORT_PAGE)
    print_document(output(), document)


def _list(incident: Incident, *, as_json: bool) -> None:
    """The experiments of the incident's model."""
    known = incident.model.hypotheses
    experiments = known.experiments if known else {}
    if as_json:
        print_json(
            {
                name: {"story": one.story, "cost": one.cost, "outcomes": list(one.can_be())}
                for name, one in experiments.items()
            }
        )
        return
    for name, one in experiments.items():
        say(output(), Text.assemble((name, "bold"), f": {one.story} (cost: {one.cost or 'not stated'})"))
        for outcome in one.can_be():
            say(output(), Text(f"  {outcome}"))
    say(output(), Text("Observed: --observe 'EXPERIMENT=OUTCOME', or by known parts: 'EXPERIMENT: PART=VALUE, ...'"))
