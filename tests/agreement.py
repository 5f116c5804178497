"""What a report and the oracle's findings must agree on, whatever reductions were on."""

from collections.abc import Iterator
from typing import Any

from dstamp_sim import Report, System, replay
from tests.oracle import Findings


def judged(
    system: System, report: Report, expected: Findings, *, replays: bool = True
) -> Iterator[tuple[str, Any, Any]]:
    """For each property: what was found, the report's word on it, the oracle's."""
    for judgement in report.judgements:
        name, trace = judgement.prop.name, judgement.trace
        if name not in expected.verdicts:
            continue
        yield f"{name}: verdict", judgement.verdict.name, expected.verdicts[name]
        if "not necessarily" not in judgement.reason:
            yield f"{name}: steps", None if trace is None else len(trace.steps), expected.shortest[name]
        if trace is not None and replays:
            yield f"{name}: replayed", replay(system, str(trace.schedule)), trace
