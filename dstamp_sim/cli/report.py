"""Prints an exploration or a proof: as text with the stories of its traces, or as one JSON document."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

from rich.text import Text

from dstamp_sim.cli.console import output, print_explanation, print_files, print_json, say
from dstamp_sim.core.verdict import Judgement
from dstamp_sim.rendering.text import summary

if TYPE_CHECKING:
    from dstamp_sim.analyses.explain import Explanation
    from dstamp_sim.engines.zones.within import Occurrence
    from dstamp_sim.pipeline.explore import Exploration


def print_report(heading: str, found: Exploration, *, as_json: bool) -> None:
    """Print the verdicts, the coverage, every story with its explanation, and the files written."""
    if as_json:
        print_json(
            _report_json(found)
            | {"placement": found.placement, "files": [str(file) for file in found.files]}
            | {kind: [*lines] for kind, lines in found.findings.items()}
        )
        return
    console = output()
    say(console, Text(heading))
    for line in summary(found.report):
        say(console, Text(line))
    for line in _counted(found):
        say(console, Text(line))
    for judgement in found.report.judgements:
        if judgement.trace is not None:
            say(console, Text(f"\n{judgement.prop.title}", style="bold"))
            why = found.explanations[judgement.prop.name]
            say(console, Text("\n".join(_story(judgement, why, console.width))))
            print_explanation(console, why)
    for line in chain(*found.findings.values()):
        say(console, Text(line))
    print_files(console, found.files)


def _story(judgement: Judgement, why: Explanation, width: int = 150) -> list[str]:
    from dstamp_sim.pipeline.explained import explained_story  # noqa: PLC0415 - where nothing is told, nothing is loaded

    assert judgement.trace is not None
    return explained_story(judgement.trace, why, width=width)


def _counted(found: Exploration) -> list[str]:
    """How many interleavings there are, and how many decide each property, or why not; empty if none was asked."""
    total = found.interleavings
    if total is None:
        return [f"interleavings not counted: {found.not_counted}"] if found.not_counted else []
    lines = [f"{total:,} complete interleavings, every step counted:"]
    for name, count in found.deciding.items():
        rare = "none" if count == 0 else f"{count:,}, {one_in(total, count)}"
        wish = found.report.judgement(name).prop.is_wish
        lines.append(f"  {'reach' if wish else 'violate'} {name}: {rare}")
    return lines


def one_in(total: int, count: int) -> str:
    """How rare `count` of `total` is, as an exact fraction if it is short."""
    fraction = Fraction(count, total)
    if fraction.numerator == 1:
        return f"1 interleaving in {fraction.denominator:,}"
    short = f" = {fraction}" if fraction.denominator < 10**6 else ""
    return f"1 interleaving in {float(1 / fraction):,.4g}{short}"


def _report_json(found: Exploration) -> dict[str, Any]:
    report = found.report
    coverage = vars(report.coverage) | {"lines_never_passed": [str(p) for p in report.coverage.lines_never_passed]}
    return {
        "verdict": report.verdict.value,
        "properties": [
            _judgement_json(j, found.explanations.get(j.prop.name)) | _when_json(found.when.get(j.prop.name))
            for j in report.judgements
        ],
        "coverage": coverage,
        "interleavings": found.interleavings,
        "deciding": dict(found.deciding),
        "not_counted": found.not_counted,
    }


def _when_json(when: Occurrence | None) -> dict[str, Any]:
    return {} if when is None else vars(when) | {"possibility": when.possibility.value}


def _judgement_json(judgement: Judgement, why: Explanation | None) -> dict[str, Any]:
    trace = judgement.trace
    return {
        "property": judgement.prop.name,
        "kind": judgement.prop.kind.value,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
        "copies": judgement.copies and dict(judgement.copies),
        "schedule": None if trace is None else str(trace.schedule),
        "story": None if trace is None or why is None else _story(judgement, why),
        "explanation": None if why is None else why.sentence,
        "cycle": None if why is None else why.proof,
    }
