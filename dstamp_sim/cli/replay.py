"""`dstamp replay`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import (
    output,
    print_files,
    print_json,
    print_properties,
    properties_json,
    say,
    say_what_runs,
)
from dstamp_sim.cli.judgement import BudgetOption, OnlyOption, finished_rows_printed, print_judgement
from dstamp_sim.cli.options import whole
from dstamp_sim.cli.progress import bar
from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.numbers import many
from dstamp_sim.rendering.text import at_least, at_most

if TYPE_CHECKING:
    from dstamp_sim.incident.incident import JudgedIncident
    from dstamp_sim.incident.replay_scenario import Replay
    from dstamp_sim.pipeline.how_often import HowOften

ScenarioArgument = Annotated[
    Path | None,
    typer.Argument(help="A scenario file, its folder, or an incident of the package by name (default: incident)."),
]

RareOption = Annotated[
    bool, typer.Option("--rare", help="Also estimate how likely what hardly any drawn world shows is (minutes).")
]


def replay(
    scenario: ScenarioArgument = None,
    mechanism: Annotated[
        str | None, typer.Option(metavar="NAME", help="The candidate mechanism (default: the scenario's).")
    ] = None,
    placement: options.PlacementOption = None,
    seed: Annotated[int | None, typer.Option(parser=whole(0), help="Seed of all durations and outcomes.")] = None,
    draws: Annotated[
        int, typer.Option(metavar="N", parser=whole(0), help="Also count how often each property fails in N draws.")
    ] = 0,
    judge: Annotated[
        bool | None,
        typer.Option("--judge/--no-judge", help="Judge all mechanisms (default: yes, unless --mechanism is set)."),
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge against this evidence instead of the scenario's.")
    ] = None,
    only: OnlyOption = None,
    budget: BudgetOption = None,
    rare: RareOption = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the judgement as a report (Markdown).")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print the whole report, not its first screen.")] = False,
    out: options.Out = Path("out"),
    trust: options.Trust = False,
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Replay a cluster of runs on the clock beside the observed runs, and judge which mechanisms can explain those.

    A replay is one draw from assumed figures. Exit code 1 says that a property fails in it (with --draws: in some
    draw), 3 that one was never asked. With evidence the question is what was observed: then it is 0, unless --draws is
    set.
    """
    from dstamp_sim.incident.loaded import load_incident, scenario_file  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.incident.replay_scenario import replay_incident  # noqa: PLC0415 - as above

    judged = {"--report": bool(report), "--only": bool(only), "--rare": rare}
    if judge is False:
        _refuse(judged)
    say_what_runs(scenario_file(scenario), trust=trust, scenario=True)
    incident = load_incident(scenario, evidence=evidence, seed=seed)
    with bar("draws") as tell:
        found = replay_incident(incident, mechanism=mechanism, placement=placement, out=out, draws=draws, tell=tell)
    incident = replace(incident.only(only or [], budget), rare=rare)
    by_default = mechanism is None and not draws and incident.scenario.priors is not None
    judgement: JudgedIncident | None = None
    if judge or (judge is None and (by_default or evidence or any(judged.values()))):
        from dstamp_sim.engines.parallel.threads import cores  # noqa: PLC0415 - loaded when needed
        from dstamp_sim.incident.incident import judge_incident  # noqa: PLC0415 - as above

        with finished_rows_printed(as_json=as_json), bar("steps of the judgement done") as tell:
            judgement = judge_incident(incident, replayed=found, out=out, report=report, workers=cores(), tell=tell)
    if as_json:
        print_json(_json(found, judgement))
    else:
        _print(found, judgement, out, full=full)
    raise typer.Exit(0 if incident.evidence is not None and not draws else found.exit_code)


def _refuse(judged: Mapping[str, bool]) -> None:
    """Raises UsageError for an option that is about the judgement, if one is set."""
    for option in (name for name, given in judged.items() if given):
        raise UsageError(f"{option} is about the judgement: leave out --no-judge")


def _json(found: Replay, judgement: JudgedIncident | None) -> dict[str, Any]:
    replayed = {
        "title": found.scenario.title,
        "mechanism": found.mechanism,
        "placement": found.placement,
        "seed": found.scenario.timing.seed,
        "runs": [vars(row) for row in found.rows],
        "properties": properties_json(found.properties),
        "files": [str(file) for file in (*found.files, *(judgement.files if judgement else ()))],
    }
    drawn = {"draws": _draws_json(found)} if found.draws else {}
    return replayed | drawn | ({"judgement": judgement.summary.as_json()} if judgement else {})


def _print(found: Replay, judgement: JudgedIncident | None, out: Path, *, full: bool) -> None:
    if judgement is None:
        _print_replay(found)
    else:
        print_judgement(judgement, out, full=full)
        _print_draws(found)


def _print_replay(found: Replay) -> None:
    from dstamp_sim.incident.report.replayed import assumed, replay_document  # noqa: PLC0415 - as above
    from dstamp_sim.rendering.as_console import print_block, print_document  # noqa: PLC0415 - as above

    console = output()
    print_document(console, replay_document(found))
    print_properties(console, found.properties)
    _print_draws(found)
    for block in assumed(found):
        print_block(console, block)
    print_files(console, found.files)


def _print_draws(found: Replay) -> None:
    for line in _draws(found):
        say(output(), Text(line))


def _draws(found: Replay) -> Iterator[str]:
    """How often each property was decided in the draws, with the limits of its probability."""
    for often in found.draws[:1]:
        first = found.scenario.timing.seed
        yield f"\n{many(often.draws, 'draw')} (seeds {first} to {first + often.draws - 1}):"
    for often in found.draws:
        yield f"  {often.prop.title}: {_how_often(often)}"


def _how_often(often: HowOften) -> str:
    """`fails in 37 (first: seed 12); with 95 % confidence in 2.6 % to 5.1 % of all draws`."""
    if not often.asked:
        return "never asked"
    low, high = often.limits
    in_some = f" (the first has seed {often.first_seed})" if often.decided else ""
    asked = "" if often.asked == often.draws else f" of the {often.asked:,} that asked it"
    limits = f"{at_least(low)} to {at_most(high)}" if often.decided else f"at most {at_most(high)}"
    came = f"{'is reached' if often.prop.is_wish else 'fails'} in {f'{often.decided:,}' if often.decided else 'none'}"
    return f"{came}{asked}{in_some}; with 95 % confidence in {limits} of all draws"


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
