"""Which locks were held when, and why they did not keep a write out of a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dstamp_sim.analyses.conflicts import act
from dstamp_sim.core.holds import Held
from dstamp_sim.core.trace import Trace


def locks_held(trace: Trace) -> tuple[Held, ...]:
    """Every hold of a lock in a trace, in order of taking."""
    return tuple(held for held in trace.holds() if held.is_lock)


@dataclass(frozen=True)
class Window:
    """What should have stayed undisturbed, from step `opens` to step `closes` of a process, and the `write` inside."""

    opens: int
    write: int
    closes: int


def why_not_kept_out(trace: Trace, window: Window, moment: int, when: Callable[[int], str]) -> str:
    """A sentence on the locks around a window: who held which, and why that did not keep the write out of it.

    `moment` is the step after which things had gone wrong.
    """
    mine, other = trace.steps[window.opens].process, trace.steps[window.write].process
    holds = locks_held(trace)
    split = _two_tokens(holds, moment)
    if split:
        return split
    of_write = [h for h in holds if h.process == other and h.over(window.write)]
    if of_write:
        hold = of_write[0]
        why = _why_without(trace, holds, mine, hold.name, window, when)
        return f"{other} held {hold.name}, which did not help: {why}"
    throughout = [
        h for h in holds if h.process == mine and h.over(window.write) and (h.until is None or h.until > window.write)
    ]
    if throughout:
        lock = throughout[0].name
        if other in trace.daemons:
            return f"{mine} held {lock} all the while, but {other} asks for no lock"
        return f"{mine} held {lock} all the while, but {other}'s {act(trace.steps[window.write])} never asked for it"
    if other in trace.daemons:
        return f"No lock of the runs would have helped: {other} asks for none"
    ever = [h for h in holds if h.process in (mine, other) and h.since < window.closes]
    if not ever:
        return "No lock was held"
    lock = ever[0].name
    return f"Neither {mine}'s window nor {other}'s {act(trace.steps[window.write])} was under {lock}"


@dataclass(frozen=True)
class Gap:
    """Where a lock was missing: whose steps from `first` to `last` were not under `lock` ("": there was none)."""

    process: str
    lock: str
    first: int
    last: int


def gap_around(trace: Trace, window: Window) -> Gap | None:
    """Where the lock that would have kept the write out of a window was missing; None if the writer is a daemon."""
    mine, other = trace.steps[window.opens].process, trace.steps[window.write].process
    if other in trace.daemons:
        return None
    holds = locks_held(trace)
    throughout = [h for h in holds if h.process == mine and h.over(window.closes) and h.since < window.opens]
    if throughout:
        return Gap(other, throughout[0].name, window.write, window.write)
    theirs = [h for h in holds if h.process == other and h.over(window.write)]
    begin = window.opens
    for hold in holds:
        if theirs and hold.process == mine and hold.name == theirs[0].name and hold.since < begin and hold.until:
            begin = max(begin, hold.until)
    return Gap(mine, theirs[0].name if theirs else "", begin, window.closes)


def _why_without(
    trace: Trace, holds: Sequence[Held], mine: str, lock: str, window: Window, when: Callable[[int], str]
) -> str:
    """Why `mine`, whose window it is, was not kept safe by the lock that the writer held."""
    steps = trace.steps
    ends = list(dict.fromkeys([act(steps[window.opens]), act(steps[window.closes])]))
    own = [h for h in holds if h.process == mine and h.name == lock and h.since < window.closes]
    if not own:
        others = [h.name for h in holds if h.process == mine and h.over(window.closes)]
        had = f", and holds {others[0]}, which is another" if others else ""
        return f"{mine}'s {' and '.join(ends)} never asked for it{had}"
    last = own[-1]
    if last.until is not None and last.until <= window.opens:
        return f"{mine} had let go of it {when(last.until)}, and its {' and '.join(ends)} never asked for it"
    if last.until is not None and last.until < window.write:
        return f"{mine} let go of it {when(last.until)}, between its {' and its '.join(ends)}"
    return f"{mine} took it only {when(last.since)}"


def _two_tokens(holds: Sequence[Held], moment: int) -> str:
    """Where two hold the same lock at once, as a lock file that was unlinked allows: who holds which of it."""
    now = [h for h in holds if h.over(moment)]
    for first in now:
        for second in now:
            if first.name == second.name and first.since < second.since and first.hold.token != second.hold.token:
                return (
                    f"{first.process} and {second.process} both held {first.name}, but not the same one: "
                    f"{first.process} number {first.hold.token}, {second.process} number {second.hold.token}"
                )
    return ""
