"""`dstamp sample`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import output, print_explanation, print_files, print_json, reference_of, say
from dstamp_sim.cli.matrix import ask_matrix, refuse_one_setting
from dstamp_sim.cli.options import whole
from dstamp_sim.cli.progress import bar
from dstamp_sim.core.numbers import many
from dstamp_sim.rendering.text import at_least, at_most

if TYPE_CHECKING:
    from dstamp_sim.core.verdict import Judgement
    from dstamp_sim.pipeline.sample import Sampling

ENDS_SHOWN = 8


def _print_strategies(asked: bool) -> None:
    if not asked:
        return
    from dstamp_sim.engines.sampling.strategies import STRATEGIES  # noqa: PLC0415 - commands load what they need

    for strategy in STRATEGIES:
        say(output(), Text(f"{strategy.name}: {strategy.help}"))
        for option in strategy.options:
            written = f"{strategy.name}:{option.name}={option.default}"
            say(output(), Text(f"  {written}  {option.help} ({option.default} unless set, at least {option.least})"))
    raise typer.Exit


def sample(
    model: options.ModelArgument,
    strategy: Annotated[
        str, typer.Option(metavar="NAME[:K=V]", help="How schedules are chosen, such as pct:depth=2; see --strategies.")
    ] = "random-walk",
    strategies: Annotated[  # noqa: ARG001 - its callback has done all
        bool,
        typer.Option("--strategies", callback=_print_strategies, is_eager=True, help="List the strategies and exit."),
    ] = False,
    budget: Annotated[int, typer.Option(parser=whole(1), help="How many schedules to draw.")] = 10_000,
    seed: Annotated[int, typer.Option(parser=whole(0), help="Seed of all draws.")] = 0,
    most_steps: Annotated[
        int, typer.Option("--steps", parser=whole(1), help="The most steps of one schedule.")
    ] = 2_000,
    settings: options.SettingsOption = None,
    mechanism: options.MechanismOption = None,
    placement: options.PlacementOption = None,
    properties: options.PropertiesOption = None,
    crashes: options.CrashesOption = None,
    on: options.OnOption = None,
    out: options.Out = Path("out"),
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Draw schedules of a model: how many are bad, the first bad one made short, and how rare an unseen one must be.

    Several values, `--set customers=1..6 --placement all`, make a matrix of the shares that fail, as in `explore`.
    """
    from dstamp_sim.matrix.axes import read_axes  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.pipeline.sample import SampleOptions, Settings, sample_model  # noqa: PLC0415 - as above
    from dstamp_sim.pipeline.subject import load_subject  # noqa: PLC0415 - as above

    asking = SampleOptions(budget, Settings.parse(strategy, seed=seed, most_steps=most_steps))
    reference = reference_of(model, mechanism)
    if (setting := read_axes(reference, settings or (), placement)) is not None:
        ask_matrix(reference, setting, properties or (), crashes, asking, on=on, out=out, as_json=as_json)
    refuse_one_setting(on)
    asked = load_subject(reference, settings, placement, properties, crashes)
    with bar("schedules") as tell:
        found = sample_model(asked, asking, out=out, progress=lambda done: tell(done, budget))
    if as_json:
        print_json(_json(found) | {"seed": seed})
    else:
        _print(asked.name, found, seed)
    raise typer.Exit(found.verdict.exit_code)


def _print(heading: str, found: Sampling, seed: int) -> None:
    from dstamp_sim.pipeline.explained import explained_story  # noqa: PLC0415 - commands load what they need

    console, drawn = output(), found.sample
    say(console, Text(heading))
    say(console, Text(found.verdict.value, style="bold"))
    for judgement in found.judgements:
        say(console, Text(f"  {judgement.verdict.value:<12} {judgement.prop.title} ({_share(found, judgement)})"))
    for line in (_walked(found, seed), *_ends(found)):
        say(console, Text(line))
    for judgement in found.judgements:
        if judgement.trace is not None:
            steps = len(drawn.first[judgement.prop.name])
            say(console, Text(f"\n{judgement.prop.title}", style="bold"))
            say(
                console,
                Text(f"the first such schedule, cut from {many(steps, 'step')} to {len(judgement.trace.steps)}:"),
            )
            why = found.explanations[judgement.prop.name]
            say(console, Text("\n".join(explained_story(judgement.trace, why, width=console.width))))
            print_explanation(console, why)
    print_files(console, found.files)


def _share(found: Sampling, judgement: Judgement) -> str:
    if judgement.prop.asks_ahead:
        return judgement.reason
    name, drawn = judgement.prop.name, found.sample
    hits, limits = drawn.decided[name], found.chances.get(name)
    counted = f"{f'{hits:,}' if hits else 'none'} of {many(drawn.schedules, 'schedule')}"
    if limits is None:
        return counted
    share = f"{at_least(limits.low)} to {at_most(limits.high)}" if hits else f"at most {at_most(limits.high)}"
    return f"{counted}; with 95 % confidence {share} of all that this strategy draws"


def _walked(found: Sampling, seed: int) -> str:
    drawn = found.sample
    summary = (
        f"{many(drawn.schedules, 'schedule')} by {drawn.strategy}, seed {seed}, at most {many(drawn.longest, 'step')}"
    )
    if drawn.guarantee is not None:
        summary += f"; a bug of the given depth is in each with probability {drawn.guarantee:.2g} or more"
    if drawn.cut:
        summary += f"; {drawn.cut:,} were cut off there (--steps allows more)"
    return summary + (f"; {drawn.stopped}" if drawn.stopped else "")


def _ends(found: Sampling) -> list[str]:
    ends = found.sample.ends
    lines = ["One result:" if len(ends) == 1 else f"{len(ends):,} distinct results:"]
    for end, count in ends[:ENDS_SHOWN]:
        lines.append(f"  {count:>9,}  " + ("; ".join(f"{k}: {v}" for k, v in _shown(end).items()) or "nobody ended"))
    if len(ends) > ENDS_SHOWN:
        lines.append(f"  and {len(ends) - ENDS_SHOWN:,} more (--json has all)")
    if found.unseen is not None:
        lines.append(
            f"the next schedule has another result with probability {at_most(found.unseen)} or less (95 % confidence)"
        )
    return lines


def _shown(end: Any) -> dict[str, str]:
    from dstamp_sim.pipeline.files import result_text  # noqa: PLC0415 - commands load what they need

    return {name: result_text(result) for name, result in end.items()}


def _json(found: Sampling) -> dict[str, Any]:
    from dstamp_sim.pipeline.explained import explained_story  # noqa: PLC0415 - commands load what they need

    drawn = found.sample
    return {
        "verdict": found.verdict.value,
        "strategy": drawn.strategy,
        "schedules": drawn.schedules,
        "stopped": drawn.stopped,
        "steps": drawn.steps,
        "longest": drawn.longest,
        "cut": drawn.cut,
        "guarantee": drawn.guarantee,
        "properties": [
            {
                "property": j.prop.name,
                "kind": j.prop.kind.value,
                "verdict": j.verdict.value,
                "schedules": drawn.decided[j.prop.name],
                "probability_95": found.chances.get(j.prop.name),
                "schedule": None if j.trace is None else str(j.trace.schedule),
                "story": None if j.trace is None else explained_story(j.trace, found.explanations[j.prop.name]),
                "explanation": None if j.trace is None else found.explanations[j.prop.name].sentence,
            }
            for j in found.judgements
        ],
        "results": [{"schedules": count, "results": _shown(end)} for end, count in drawn.ends],
        "unseen_95": found.unseen,
        "placement": found.placement,
        "files": [str(file) for file in found.files],
    }
