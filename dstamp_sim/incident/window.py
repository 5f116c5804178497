"""Did the wrong write fall into a run's window? The sentence that says why a run came out as it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dstamp_sim.core.mechanism import Window
from dstamp_sim.core.trace import Step, Trace


@dataclass(frozen=True)
class Finding:
    """A run's window in a trace: the steps at its ends (None: not reached) and the writes that fell into it."""

    opened: Step | None
    closed: Step | None
    writes: tuple[Step, ...]


def look_into(trace: Trace, process: str, window: Window) -> Finding:
    """The window of `process` in `trace`, and the mechanism's writes inside it."""
    own = [(number, step) for number, step in enumerate(trace.steps) if step.process == process]
    opened = [(n, s) for n, s in own if window.opens in s.sections and s.op is not None and s.op.target is not None]
    closed = [(n, s) for n, s in own if window.closes in s.sections]
    if not opened or not closed:
        return Finding(opened[-1][1] if opened else None, None, ())
    first, last = opened[-1], closed[-1]
    # A write "by others" must lie strictly between; the process's own may be the window's very ends.
    begin, end = (first[0] + 1, last[0]) if window.by_others else (opened[0][0], last[0] + 1)
    writes = [
        step for step in trace.steps[begin:end] if window.wrote(step) and (step.process != process) == window.by_others
    ]
    return Finding(first[1], last[1], tuple(writes))


def reason(trace: Trace, process: str, window: Window, *, failure: str, when: Callable[[Step], str]) -> str:
    """One sentence on why `process` came out as it did under a mechanism.

    `failure` is the process's own word for the failure, empty when nothing failed; `when` writes an instant.
    """
    found = look_into(trace, process, window)
    if found.opened is None or found.closed is None:
        return f"it never came to {window.closing}" + (f": {failure}" if failure else "")
    between = f"{window.opening} ({when(found.opened)}) and {window.closing} ({when(found.closed)})"
    if not found.writes:
        return f"no {window.writer} falls between {between}" + (
            f"; it fails in another way: {failure}" if failure else ""
        )
    last = found.writes[-1]
    who = f"{last.process}'s" if window.by_others else "its own"
    falls = f"{who} {_act(last)} ({when(last)}) falls between {between}"
    if failure:
        return falls
    over = _overwrote(trace, last, found.closed)
    return f"{falls}, but {over.process}'s {_act(over)} ({when(over)}) overwrote it" if over else falls


def _overwrote(trace: Trace, write: Step, before: Step) -> Step | None:
    """The last step after `write` and before `before` that changed the same object."""
    begin, end = trace.steps.index(write) + 1, trace.steps.index(before)
    later = [step for step in trace.steps[begin:end] if any(c.target == write.touched for c in step.changes)]
    return later[-1] if later else None


def _act(step: Step) -> str:
    if step.label:
        return step.label
    return step.section or step.does()
