"""How an exploration or a proof is printed: as text with the stories of its traces, or as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from dstamp_sim.cli.console import output, print_explanation, print_files, print_json, say
from dstamp_sim.core.verdict import Judgement
from dstamp_sim.rendering.text import story, summary

if TYPE_CHECKING:
    from dstamp_sim.analyses.explain import Explanation
    from dstamp_sim.pipeline.explore import Exploration


def print_report(heading: str, found: Exploration, *, as_json: bool) -> None:
    """Print the verdicts, the coverage, every story with its explanation, and the files written."""
    if as_json:
        print_json(_report_json(found) | {"placement": found.placement, "files": [str(f) for f in found.files]})
        return
    console = output()
    say(console, Text(heading))
    for line in summary(found.report):
        say(console, Text(line))
    for judgement in found.report.judgements:
        if judgement.trace is not None:
            say(console, Text(f"\n{judgement.prop.kind.value}: {judgement.prop.name}", style="bold"))
            say(console, Text("\n".join(story(judgement.trace, width=console.width))))
            print_explanation(console, found.explanations[judgement.prop.name])
    print_files(console, found.files)


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
        "copies": judgement.copies and dict(judgement.copies),
        "schedule": None if trace is None else str(trace.schedule),
        "story": None if trace is None else story(trace),
        "explanation": None if why is None else why.sentence,
        "cycle": None if why is None else why.proof,
    }
