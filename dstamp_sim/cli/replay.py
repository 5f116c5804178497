"""`dstamp replay`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from dstamp_sim.cli.console import (
    AsJson,
    Out,
    PlacementOption,
    bar,
    output,
    print_files,
    print_json,
    print_properties,
    properties_json,
    say,
)
from dstamp_sim.cli.judgement import print_judgement

if TYPE_CHECKING:
    from dstamp_sim.incident.replay_scenario import Replay, Row
    from dstamp_sim.pipeline.how_often import HowOften


def replay(
    scenario: Annotated[
        Path | None, typer.Argument(help="A scenario file; the incident of 06-10/06-11 when left out.")
    ] = None,
    mechanism: Annotated[
        str | None, typer.Option(metavar="NAME", help="The candidate mechanism; the scenario's when left out.")
    ] = None,
    placement: PlacementOption = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The seed of all durations and outcomes.")] = None,
    draws: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Also count how often each property fails in N draws, seed by seed."),
    ] = 0,
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
    """Replay a cluster of runs on the clock, judge its properties, and compare it with what was observed, run by run.

    A replay is one draw from assumed figures. Exit code 1 says that a property fails in it (with --draws: in some
    draw), 3 that one was never asked. Beside evidence the question is what was observed: then 0, but for --draws.
    """
    from dstamp_sim.incident.replay_scenario import replay_scenario  # noqa: PLC0415 - commands load what they need

    with bar("draws") as tell:
        found = replay_scenario(
            scenario, mechanism=mechanism, placement=placement, seed=seed, out=out, draws=draws, tell=tell
        )
    wanted = judge if judge is not None else mechanism is None and not draws and found.scenario.priors is not None
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
                "properties": properties_json(found.properties),
                "files": [str(file) for file in (*found.files, *judged_files)],
            }
            | ({"draws": _draws_json(found)} if found.draws else {})
            | ({"judgement": document} if document else {})
        )
    else:
        _print(found, document, judged_files)
    compared = found.scenario.evidence is not None or evidence is not None
    raise typer.Exit(0 if compared and not draws else found.exit_code)


def _print(found: Replay, document: dict[str, Any] | None, judged_files: Sequence[Path]) -> None:
    console = output()
    say(console, Text(found.scenario.title, style="bold"))
    about = f"mechanism {found.mechanism}: {found.story}" if found.mechanism else "the model's own behaviour"
    say(console, Text(f"{about}\nlock placement {found.placement}, seed {found.scenario.timing.seed}\n"))
    judged = [row for row in found.rows if row.reproduced is not None]
    console.print(_compared(found.rows) if judged else _simulated(found.rows))
    if judged:
        hits = sum(row.reproduced is True for row in judged)
        say(console, Text(f"\n{hits} of {len(judged)} observed runs reproduced.", style="bold"))
    print_properties(console, found.properties)
    for line in _draws(found):
        say(console, Text(line))
    if found.assumptions:
        say(console, Text("Assumed: " + "; ".join(f"{text} ({source})" for text, source in found.assumptions) + "."))
    assumed = [name for name, delay in found.scenario.timing.delays.items() if delay.source.startswith("assumed")]
    if assumed:
        say(console, Text(f"Assumed durations: {', '.join(assumed)}."))
    if document is not None:
        print_judgement(console, document)
    print_files(console, (*found.files, *judged_files))


def _draws(found: Replay) -> Iterator[str]:
    """How often each property was decided in the draws, with the limits of its probability."""
    for often in found.draws[:1]:
        first = found.scenario.timing.seed
        yield f"\n{often.draws:,} draws (seeds {first} to {first + often.draws - 1}):"
    for often in found.draws:
        yield f"  {often.prop.title}: {_how_often(often)}"


def _how_often(often: HowOften) -> str:
    """`fails in 37 (first: seed 12); with 95 % confidence in 2.619% to 5.065%`, of the scenario's figures."""
    if not often.asked:
        return "never asked"
    low, high = often.limits
    in_some = f" (the first has seed {often.first_seed})" if often.decided else ""
    asked = "" if often.asked == often.draws else f" of {often.asked:,} that came to ask it"
    limits = f"{low:.3%} to {high:.3%}" if often.decided else f"at most {high:.3%}"
    told = f"{'is reached' if often.prop.is_wish else 'fails'} in {f'{often.decided:,}' if often.decided else 'none'}"
    return f"{told}{asked}{in_some}; with 95 % confidence in {limits} of all draws"


def _draws_json(found: Replay) -> dict[str, Any]:
    return {
        "seed": found.scenario.timing.seed,
        "draws": found.draws[0].draws,
        "properties": [
            {
                "property": often.prop.name,
                "kind": often.prop.kind.value,
                "decided": often.decided,
                "asked": often.asked,
                "first_seed": often.first_seed,
                "probability_95": often.limits,
            }
            for often in found.draws
        ],
    }


def _simulated(rows: Sequence[Row]) -> Table:
    """A row per run with what came out, and why where the model says so: nothing was observed."""
    fields = list(dict.fromkeys(field for row in rows for field in row.simulated))
    why = any(row.why for row in rows)
    table = Table()
    for heading in ("run", *fields, *["why"] * why):
        table.add_column(heading, overflow="fold", style="bold" if heading == "run" else None)
    for row in rows:
        table.add_row(row.run, *(Text(_cell(row.simulated.get(f))) for f in fields), *[Text(row.why)] * why)
    return table


def _compared(rows: Sequence[Row]) -> Table:
    """A row per run: what was observed above what was simulated, in the fields that were observed."""
    fields = list(dict.fromkeys(field for row in rows for field in row.observed))
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
