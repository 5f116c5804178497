"""The `dstamp` command: options in, pipeline, tables and files out.

Exit codes: 0 HOLDS (or done), 1 VIOLATED, 2 usage or bad input, 3 UNDETERMINED.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dstamp_sim.core.errors import DstampError
from dstamp_sim.core.verdict import Judgement, Report
from dstamp_sim.engines.explorer import DEFAULT_LIMIT, DEFAULT_MEMORY_MB, Progress, Reductions
from dstamp_sim.rendering.text import story, summary

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="A concurrency race simulator: replay an incident, explore every interleaving, show what was found.",
    epilog="Exit codes: 0 HOLDS or done, 1 VIOLATED, 2 usage or bad input, 3 UNDETERMINED.",
)

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for pictures and witnesses.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
PlacementOption = Annotated[
    str | None,
    typer.Option(
        "--placement",
        metavar="NAME",
        help="A placement that the model names, or spans such as app-domain:deploy_app..check_hc1.",
    ),
]


def main() -> None:
    """The entry point: runs the command, and turns a user's mistake into one clear message and exit code 2."""
    try:
        app()
    except DstampError as error:
        _errors().print(Text(f"dstamp: {error}"))
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


@app.command(epilog="Example: dstamp replay --mechanism swarm-rollback --seed 7 --out out/rollback")
def replay(
    scenario: Annotated[
        Path | None, typer.Argument(help="A scenario file; the incident of 06-10/06-11 when left out.")
    ] = None,
    mechanism: Annotated[
        str | None, typer.Option(metavar="NAME", help="The candidate mechanism; the scenario's when left out.")
    ] = None,
    placement: PlacementOption = None,
    seed: Annotated[int | None, typer.Option(help="The seed of all durations and outcomes.")] = None,
    out: Out = Path("out"),
    as_json: AsJson = False,
) -> None:
    """Replay a cluster of runs on the clock and compare it, run by run, with what was observed."""
    from dstamp_sim.pipeline import replay_scenario  # noqa: PLC0415 - commands load what they need

    found = replay_scenario(scenario, mechanism=mechanism, placement=placement, seed=seed, out=out)
    if as_json:
        _print_json(
            {
                "title": found.scenario.title,
                "mechanism": found.mechanism,
                "placement": found.placement,
                "seed": found.scenario.timing.seed,
                "runs": [vars(row) for row in found.rows],
                "files": [str(file) for file in found.files],
            }
        )
        return
    console = _output()
    _say(console, Text(found.scenario.title, style="bold"))
    about = f"mechanism {found.mechanism}: {found.story}" if found.mechanism else "the model's own behaviour"
    _say(console, Text(f"{about}\nlock placement {found.placement}, seed {found.scenario.timing.seed}\n"))
    console.print(_replay_table(found.rows))
    judged = [row for row in found.rows if row.reproduced is not None]
    hits = sum(row.reproduced is True for row in judged)
    _say(console, Text(f"\n{hits} of {len(judged)} observed runs reproduced.", style="bold"))
    if found.assumptions:
        _say(console, Text("Assumed: " + "; ".join(f"{text} ({source})" for text, source in found.assumptions) + "."))
    assumed = [name for name, delay in found.scenario.timing.delays.items() if delay.source.startswith("assumed")]
    if assumed:
        _say(console, Text(f"Assumed durations: {', '.join(assumed)}."))
    _print_files(console, found.files)


@app.command(
    epilog="Examples: dstamp explore classic/bank --set customers=3   |   "
    "dstamp explore cc_ci:swarm_rollback   |   "
    "dstamp explore cc_ci --set runs=3 --placement app-domain:deploy_app..check_hc1"
)
def explore(
    model: Annotated[str, typer.Argument(help="path.py[:factory], a folder, or a short name such as classic/bank.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="K=V", help="A parameter of the factory; repeatable.")
    ] = None,
    mechanism: Annotated[
        str | None, typer.Option(metavar="NAME", help="The factory of a mechanism that the model names.")
    ] = None,
    placement: PlacementOption = None,
    properties: Annotated[
        list[str] | None, typer.Option("--property", metavar="NAME", help="Judge only this one; repeatable.")
    ] = None,
    crashes: Annotated[
        int | None, typer.Option(min=0, help="The largest number of processes that may die (default: the model's).")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="States to remember before giving up.")] = DEFAULT_LIMIT,
    memory_mb: Annotated[
        int, typer.Option("--memory", metavar="MB", min=1, help="Memory for states.")
    ] = DEFAULT_MEMORY_MB,
    no_por: Annotated[bool, typer.Option("--no-por", help="No partial-order reduction.")] = False,
    no_symmetry: Annotated[bool, typer.Option("--no-symmetry", help="Tell copies apart.")] = False,
    no_merge: Annotated[
        bool, typer.Option("--no-merge", help="Let local steps and equal futures cost states.")
    ] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Visit the whole space, judge every property.")
    ] = False,
    out: Out = Path("out"),
    as_json: AsJson = False,
) -> None:
    """Explore every interleaving of a model: the shortest bad one, or the proof that there is none."""
    from dstamp_sim.pipeline import explore_model  # noqa: PLC0415 - commands load what they need

    reference = f"{model}:{mechanism}" if mechanism else model
    with _progress() as progress:
        found = explore_model(
            reference,
            settings=settings or [],
            placement=placement,
            properties=properties or [],
            crashes=crashes,
            limit=limit,
            memory_mb=memory_mb,
            reductions=Reductions(merge=not no_merge, por=not no_por, symmetry=not no_symmetry),
            keep_going=keep_going,
            out=out,
            progress=progress,
        )
    if as_json:
        _print_json(_report_json(found.report) | {"placement": found.placement, "files": [str(f) for f in found.files]})
    else:
        console = _output()
        _say(console, Text(f"{reference}, lock placement {found.placement}"))
        for line in summary(found.report):
            _say(console, Text(line))
        for judgement in found.report.judgements:
            if judgement.trace is not None:
                _say(console, Text(f"\n{judgement.prop.kind.value}: {judgement.prop.name}", style="bold"))
                _say(console, Text("\n".join(story(judgement.trace, width=console.width))))
        _print_files(console, found.files)
    raise typer.Exit(found.report.verdict.exit_code)


@app.command(epilog="Example: dstamp show out/bank-one-withdrawal-at-most.witness.json")
def show(
    witness: Annotated[Path, typer.Argument(help="A witness file, as explore and replay write them.")],
    out: Out = Path("out"),
    as_json: AsJson = False,
) -> None:
    """Replay a witness strictly and draw it again; an edited one is refused at the first step that differs."""
    from dstamp_sim.pipeline import show_witness  # noqa: PLC0415 - commands load what they need

    read, files = show_witness(witness, out)
    if as_json:
        _print_json({"about": read.about, "schedule": str(read.trace.schedule), "files": [str(f) for f in files]})
        return
    console = _output()
    _say(console, Text(f"{read.origin.model}: {read.about}", style="bold"))
    _say(console, Text("\n".join(story(read.trace, width=console.width))))
    _print_files(console, files)


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


def _report_json(report: Report) -> dict[str, Any]:
    coverage = vars(report.coverage) | {"lines_never_passed": [str(p) for p in report.coverage.lines_never_passed]}
    return {
        "verdict": report.verdict.value,
        "properties": [_judgement_json(judgement) for judgement in report.judgements],
        "coverage": coverage,
    }


def _judgement_json(judgement: Judgement) -> dict[str, Any]:
    trace = judgement.trace
    return {
        "property": judgement.prop.name,
        "kind": judgement.prop.kind.value,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
        "schedule": None if trace is None else str(trace.schedule),
        "story": None if trace is None else story(trace),
    }


def _output() -> Console:
    console = Console(soft_wrap=False, highlight=False)
    return console if console.is_terminal else Console(width=160, highlight=False)


def _errors() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def _say(console: Console, text: Text) -> None:
    """Print without breaking lines: what is piped is for other programs, and terminals wrap by themselves."""
    console.print(text, soft_wrap=True)


def _print_json(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _print_files(console: Console, files: Any) -> None:
    for file in files:
        _say(console, Text(f"wrote {file}"))


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A line of progress on a terminal, from the first second on; nothing when errors are piped."""
    console = _errors()
    if not console.is_terminal:
        yield None
        return
    begun = shown = monotonic()
    with console.status("") as status:
        status.stop()

        def tell(states: int, transitions: int, depth: int) -> None:
            nonlocal shown
            now = monotonic()
            if now - begun > 1 and now - shown > 0.2:
                shown = now
                rate = states / (now - begun)
                status.start()
                status.update(f"{states:,} states, {transitions:,} transitions, depth {depth}, {rate:,.0f} states/s")

        yield tell
