"""`dstamp replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from dstamp_sim.cli.console import AsJson, Out, PlacementOption, bar, output, print_files, print_json, say
from dstamp_sim.cli.judgement import print_judgement


def replay(
    scenario: Annotated[
        Path | None, typer.Argument(help="A scenario file; the incident of 06-10/06-11 when left out.")
    ] = None,
    mechanism: Annotated[
        str | None, typer.Option(metavar="NAME", help="The candidate mechanism; the scenario's when left out.")
    ] = None,
    placement: PlacementOption = None,
    seed: Annotated[int | None, typer.Option(help="The seed of all durations and outcomes.")] = None,
    judge: Annotated[
        bool | None, typer.Option("--judge/--no-judge", help="Judge all mechanisms (default: unless --mechanism).")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge against this evidence instead of the scenario's.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the judgement as a report (Markdown).")
    ] = None,
    out: Out = Path("out"),
    as_json: AsJson = False,
) -> None:
    """Replay a cluster of runs on the clock and compare it, run by run, with what was observed."""
    from dstamp_sim.incident.replay_scenario import replay_scenario  # noqa: PLC0415 - commands load what they need

    found = replay_scenario(scenario, mechanism=mechanism, placement=placement, seed=seed, out=out)
    wanted = judge if judge is not None else mechanism is None and found.scenario.priors is not None
    document: dict[str, Any] | None = None
    judged_files: tuple[Path, ...] = ()
    if wanted or evidence or report:
        from dstamp_sim.engines.parallel.threads import cores  # noqa: PLC0415 - loaded when needed
        from dstamp_sim.incident.incident import judge_scenario  # noqa: PLC0415 - as above

        with bar("judging mechanisms") as tell:
            _, document, judged_files = judge_scenario(
                scenario, evidence=evidence, seed=seed, out=out, report=report, workers=cores(), tell=tell
            )
    if as_json:
        print_json(
            {
                "title": found.scenario.title,
                "mechanism": found.mechanism,
                "placement": found.placement,
                "seed": found.scenario.timing.seed,
                "runs": [vars(row) for row in found.rows],
                "files": [str(file) for file in (*found.files, *judged_files)],
            }
            | ({"judgement": document} if document else {})
        )
        return
    console = output()
    say(console, Text(found.scenario.title, style="bold"))
    about = f"mechanism {found.mechanism}: {found.story}" if found.mechanism else "the model's own behaviour"
    say(console, Text(f"{about}\nlock placement {found.placement}, seed {found.scenario.timing.seed}\n"))
    console.print(_replay_table(found.rows))
    judged = [row for row in found.rows if row.reproduced is not None]
    hits = sum(row.reproduced is True for row in judged)
    say(console, Text(f"\n{hits} of {len(judged)} observed runs reproduced.", style="bold"))
    if found.assumptions:
        say(console, Text("Assumed: " + "; ".join(f"{text} ({source})" for text, source in found.assumptions) + "."))
    assumed = [name for name, delay in found.scenario.timing.delays.items() if delay.source.startswith("assumed")]
    if assumed:
        say(console, Text(f"Assumed durations: {', '.join(assumed)}."))
    if document is not None:
        print_judgement(console, document)
    print_files(console, (*found.files, *judged_files))


def _replay_table(rows: Any) -> Table:
    """A row per run: what was observed above what was simulated, in the fields that were observed (else in all)."""
    observed = dict.fromkeys(field for row in rows for field in row.observed)
    fields = list(observed or dict.fromkeys(field for row in rows for field in row.simulated))
    table = Table(show_lines=True)
    for heading in ("run", "", *fields, "reproduced", "why"):
        table.add_column(heading, overflow="fold", style="bold" if heading == "run" else None)
    for row in rows:
        mark = {True: "yes", False: "NO", None: "not observed"}[row.reproduced]
        cells = ["\n".join(_cell(side.get(field)) for side in (row.observed, row.simulated)) for field in fields]
        style = {True: "green", False: "red", None: ""}[row.reproduced]
        table.add_row(row.run, "observed\nsimulated", *map(Text, cells), Text(mark, style=style), Text(row.why))
    return table


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
