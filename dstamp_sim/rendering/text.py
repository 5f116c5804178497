"""Traces and reports as plain text: who did what on the left, the changes on the right."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import ROUND_DOWN, ROUND_UP, Context
from textwrap import shorten

from dstamp_sim.core.escaping import harmless
from dstamp_sim.core.numbers import many
from dstamp_sim.core.state_fields import innermost, path_text
from dstamp_sim.core.trace import Change, Step, Trace
from dstamp_sim.core.value import text
from dstamp_sim.core.verdict import Coverage, Judgement, Report

_NAMES = 32
"""The width of the widest name with which the others are aligned."""


def at_most(share: float) -> str:
    """A share as a percentage of two figures, rounded up: an upper limit."""
    return _percent(share, ROUND_UP)


def at_least(share: float) -> str:
    """A share as a percentage of two figures, rounded down: a lower limit."""
    return _percent(share, ROUND_DOWN)


def _percent(share: float, rounding: str) -> str:
    rounded = Context(prec=2, rounding=rounding).create_decimal(repr(100 * share))
    return f"{rounded.normalize():f} %"


def story(trace: Trace, *, width: int = 150, nones: Collection[int] = ()) -> list[str]:
    """A trace in two columns: the process with its op, and the changes. One line a step.

    A process is named if it takes over, and its section where that changes. The result None is written where it
    means something: if another step of the kind had another result, and for the steps in `nones`.
    """
    wide = min(max((len(step.process) for step in trace.steps), default=0), _NAMES)
    left = [
        _doing(step, before, wide, say_none=number in trace.telling_nones or number in nones)
        for number, (step, before) in enumerate(zip(trace.steps, [None, *trace.steps], strict=False))
    ]
    number = len(str(len(left)))
    room = min(max((len(line) for line in left), default=0), width * 6 // 10)
    lines = [
        f"{index:>{number}}  {shortened(line, room):<{room}}  {_change(step, width - room - number - 4)}".rstrip()
        for index, (line, step) in enumerate(zip(left, trace.steps, strict=True), start=1)
    ]
    whole = (lines if trace.loop is None else _going_round(lines, trace.loop)) + _ends(trace)
    return [*map(harmless, whole)]


def _going_round(lines: list[str], loop: int) -> list[str]:
    """The lines with those of the cycle in brackets."""
    if loop == len(lines):
        return [*lines, "and nobody moves any more"]
    return [*lines[:loop], "(", *lines[loop:], f")* and so on for ever, from step {loop + 1}"]


def shortened(line: str, room: int) -> str:
    """`line` cut to `room` characters, with a mark if it was cut."""
    return line if len(line) <= room else line[: max(room - 1, 0)] + "…"


def _doing(step: Step, before: Step | None, wide: int, *, say_none: bool) -> str:
    goes_on = before is not None and before.process == step.process
    who = "" if goes_on else step.process
    same = goes_on and before is not None and before.sections == step.sections
    where = "" if same or not step.sections else f"{'/'.join(step.sections)}: "
    return f"{who:<{wide}}  {where or '  '}{step.does(say_none=say_none)}"


def _change(step: Step, room: int) -> str:
    ends = [f"{step.process} ends: {text(step.returned)}"] if step.ended else []
    line = "; ".join(ends + [change_text(change) for change in step.changes])
    return f"| {shortened(line, room - 2)}" if line else ""


def change_text(change: Change) -> str:
    """The changes of an object, field by field if its state has fields: `checkout: head = 'a', tree = 'a'`."""
    fields = [(path_text(path), text(now)) for path, _, now in innermost(change.before, change.after)]
    if [path for path, _ in fields] == [""]:
        return f"{change.target} = {fields[0][1]}"
    return f"{change.target}: " + ", ".join(f"{path} = {now}" for path, now in fields)


def _ends(trace: Trace) -> list[str]:
    waiting = [f"{name} waits for {op}" for name, op in trace.waiting.items()]
    if trace.loop is not None and trace.loop < len(trace.steps):
        return []  # who waits at the end of a round may be able to move within it
    return [f"in the end {', '.join(waiting)}"] if waiting else []


def summary(report: Report) -> list[str]:
    """A report's verdict, property by property, with its bounds and the parts that were never exercised."""
    judged = [f"  {_judgement(one, report)}" for one in report.judgements]
    return [*map(harmless, [report.verdict.value, *judged, *_coverage(report.coverage)])]


def _judgement(judgement: Judgement, report: Report) -> str:
    prop = judgement.prop
    said_below = judgement.reason == report.coverage.stopped and not report.coverage.any_number
    why = "" if said_below else f" ({judgement.reason})"
    return f"{judgement.verdict.value:<13}{prop.title}{why}"


def _coverage(coverage: Coverage) -> list[str]:
    if coverage.any_number:
        return [f"{many(coverage.states, 'minimal state')} examined backwards, {many(coverage.transitions, 'move')}"]
    extent = "the whole space" if coverage.exhausted else f"part of the space ({coverage.stopped})"
    moved = many(coverage.transitions, "transition")
    lines = [f"{many(coverage.states, 'state')}, {moved}, depth {coverage.depth}: {extent}"]
    lines += [f"  {reduction}" for reduction in coverage.reductions]
    if coverage.exhausted:
        lines += _never("section never entered", coverage.sections_never_entered)
        lines += _never("op waited for and never performed", coverage.ops_never_performed)
        lines += _never("yield never reached", [f"{p} {shorten(p.source, 80)}" for p in coverage.lines_never_passed])
    return lines


def _never(what: str, items: Sequence[str]) -> list[str]:
    return [f"{what}: {item}" for item in items]
