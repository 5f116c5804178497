"""`dstamp explore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from dstamp_sim.cli.console import (
    AsJson,
    Out,
    PlacementOption,
    output,
    print_explanation,
    print_files,
    print_json,
    progress,
    say,
)
from dstamp_sim.core.verdict import Judgement
from dstamp_sim.engines.explorer import DEFAULT_LIMIT, DEFAULT_MEMORY_MB, Reductions
from dstamp_sim.rendering.text import story, summary

if TYPE_CHECKING:
    from dstamp_sim.analyses.explain import Explanation
    from dstamp_sim.pipeline.explore import Exploration


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
    from dstamp_sim.pipeline.explore import explore_model  # noqa: PLC0415 - commands load what they need

    reference = f"{model}:{mechanism}" if mechanism else model
    with progress() as tell:
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
            progress=tell,
        )
    if as_json:
        print_json(_report_json(found) | {"placement": found.placement, "files": [str(f) for f in found.files]})
    else:
        console = output()
        say(console, Text(f"{reference}, lock placement {found.placement}"))
        for line in summary(found.report):
            say(console, Text(line))
        for judgement in found.report.judgements:
            if judgement.trace is not None:
                say(console, Text(f"\n{judgement.prop.kind.value}: {judgement.prop.name}", style="bold"))
                say(console, Text("\n".join(story(judgement.trace, width=console.width))))
                print_explanation(console, found.explanations[judgement.prop.name])
        print_files(console, found.files)
    raise typer.Exit(found.report.verdict.exit_code)


def _report_json(found: Exploration) -> dict[str, Any]:
    report = found.report
    coverage = vars(report.coverage) | {"lines_never_passed": [str(p) for p in report.coverage.lines_never_passed]}
    return {
        "verdict": report.verdict.value,
        "properties": [_judgement_json(j, found.explanations.get(j.prop.name)) for j in report.judgements],
        "coverage": coverage,
    }


def _judgement_json(judgement: Judgement, why: Explanation | None) -> dict[str, Any]:
    trace = judgement.trace
    return {
        "property": judgement.prop.name,
        "kind": judgement.prop.kind.value,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
        "schedule": None if trace is None else str(trace.schedule),
        "story": None if trace is None else story(trace),
        "explanation": None if why is None else why.sentence,
        "cycle": None if why is None else why.proof,
    }
