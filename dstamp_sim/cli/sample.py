"""`dstamp sample`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from dstamp_sim.cli.console import (
    AsJson,
    CrashesOption,
    MechanismOption,
    ModelArgument,
    Out,
    PlacementOption,
    PropertiesOption,
    SettingsOption,
    bar,
    output,
    print_explanation,
    print_files,
    print_json,
    say,
)
from dstamp_sim.core.errors import UsageError
from dstamp_sim.rendering.text import story

if TYPE_CHECKING:
    from dstamp_sim.core.verdict import Judgement
    from dstamp_sim.pipeline.sample import Sampling

ENDS_SHOWN = 8


def sample(
    model: ModelArgument,
    strategy: Annotated[
        str, typer.Option(metavar="NAME", help="random-walk, pct, pos, preemption-bounded or uniform.")
    ] = "random-walk",
    budget: Annotated[int, typer.Option(min=1, help="Schedules to walk.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="The seed of all draws.")] = 0,
    depth: Annotated[
        int | None, typer.Option(min=1, help="pct: ordering constraints that the bug needs (default: 3).")
    ] = None,
    preemptions: Annotated[
        int | None, typer.Option(min=0, help="preemption-bounded: the largest number (default: 2).")
    ] = None,
    most_steps: Annotated[int, typer.Option("--steps", min=1, help="Steps of one schedule, at most.")] = 2_000,
    settings: SettingsOption = None,
    mechanism: MechanismOption = None,
    placement: PlacementOption = None,
    properties: PropertiesOption = None,
    crashes: CrashesOption = None,
    out: Out = Path("out"),
    as_json: AsJson = False,
) -> None:
    """Draw schedules of a model: how many are bad, the first one made short, how rare what was not seen must be."""
    from dstamp_sim.pipeline.sample import Settings, sample_model  # noqa: PLC0415 - commands load what they need

    reference = f"{model}:{mechanism}" if mechanism else model
    chosen = Settings(
        strategy, seed, 3 if depth is None else depth, 2 if preemptions is None else preemptions, most_steps
    )
    chosen.kind()
    _refuse_ignored("--depth", depth, strategy, "pct")
    _refuse_ignored("--preemptions", preemptions, strategy, "preemption-bounded")
    with bar("schedules") as tell:
        found = sample_model(
            reference,
            settings=settings or [],
            placement=placement,
            properties=properties or [],
            crashes=crashes,
            budget=budget,
            strategy=chosen,
            out=out,
            progress=None if tell is None else lambda done: tell(done, budget),
        )
    if as_json:
        print_json(_json(found) | {"seed": seed})
    else:
        _print(f"{reference}, lock placement {found.placement}", found, seed)
    raise typer.Exit(found.verdict.exit_code)


def _refuse_ignored(option: str, value: int | None, strategy: str, of: str) -> None:
    if value is not None and strategy != of:
        raise UsageError(f"{option} {value} says nothing to {strategy}: it is for --strategy {of}")


def _print(heading: str, found: Sampling, seed: int) -> None:
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
            say(console, Text(f"the first such schedule, cut from {steps} steps to {len(judgement.trace.steps)}:"))
            say(console, Text("\n".join(story(judgement.trace, width=console.width))))
            print_explanation(console, found.explanations[judgement.prop.name])
    print_files(console, found.files)


def _share(found: Sampling, judgement: Judgement) -> str:
    name, drawn = judgement.prop.name, found.sample
    hits, limits = drawn.decided[name], found.chances.get(name)
    counted = f"{hits or 'none'} of {drawn.schedules:,} schedules"
    if limits is None:
        return counted
    if hits:
        return f"{counted}; with 95 % confidence {limits.low:.3%} to {limits.high:.3%} of all that this strategy draws"
    return f"{counted}; with 95 % confidence at most {limits.high:.3%} of all that this strategy draws"


def _walked(found: Sampling, seed: int) -> str:
    drawn = found.sample
    told = f"{drawn.schedules:,} schedules by {drawn.strategy}, seed {seed}, at most {drawn.longest:,} steps"
    if drawn.guarantee is not None:
        told += f"; a bug of the given depth is in each with probability {drawn.guarantee:.2g} or more"
    if drawn.cut:
        told += f"; {drawn.cut:,} were cut off there (--steps allows more)"
    return told + (f"; {drawn.stopped}" if drawn.stopped else "")


def _ends(found: Sampling) -> list[str]:
    ends = found.sample.ends
    lines = [f"{len(ends):,} distinct results:"]
    for end, count in ends[:ENDS_SHOWN]:
        lines.append(f"  {count:>9,}  " + ("; ".join(f"{k}: {v}" for k, v in _shown(end).items()) or "nobody ended"))
    if len(ends) > ENDS_SHOWN:
        lines.append(f"  and {len(ends) - ENDS_SHOWN:,} more (--json has all)")
    if found.unseen is not None:
        lines.append(f"the next schedule ends otherwise with probability {found.unseen:.3%} or less (95 % confidence)")
    return lines


def _shown(end: Any) -> dict[str, str]:
    from dstamp_sim.pipeline.files import result_text  # noqa: PLC0415 - commands load what they need

    return {name: result_text(result) for name, result in end.items()}


def _json(found: Sampling) -> dict[str, Any]:
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
                "story": None if j.trace is None else story(j.trace),
                "explanation": None if j.trace is None else found.explanations[j.prop.name].sentence,
            }
            for j in found.judgements
        ],
        "results": [{"schedules": count, "results": _shown(end)} for end, count in drawn.ends],
        "unseen_95": found.unseen,
        "placement": found.placement,
        "files": [str(file) for file in found.files],
    }
