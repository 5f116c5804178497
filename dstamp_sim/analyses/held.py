"""Which locks were held when, and why they did not keep a write out of a window."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from dstamp_sim.analyses.conflicts import act
from dstamp_sim.core.trace import Trace


@dataclass(frozen=True)
class Held:
    """One lock held by one process, from step `since` to step `until` (numbers from 0; None: to the trace's end)."""

    process: str
    lock: str
    token: Hashable
    since: int
    until: int | None

    def over(self, number: int) -> bool:
        """Whether it was held when step `number` was performed."""
        return self.since < number and (self.until is None or number < self.until)


def held_in(trace: Trace) -> tuple[Held, ...]:
    """Every hold of a lock in a trace, in order of taking."""
    done: list[Held] = []
    open_holds: list[Held] = []
    for number, step in enumerate(trace.steps):
        for dropped in step.dropped:
            mine = [h for h in open_holds if h.process == step.process and h.token == dropped.token]
            found = next((h for h in mine if h.lock.partition("@")[0] == dropped.target.name), None)
            if found is not None:
                open_holds.remove(found)
                done.append(Held(found.process, found.lock, found.token, found.since, number))
        if step.taken is not None and step.taken.target.is_lock:
            open_holds.append(Held(step.process, str(step.touched), step.taken.token, number, None))
    return tuple(sorted([*done, *open_holds], key=lambda hold: hold.since))


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
    holds = held_in(trace)
    split = _two_tokens(holds, moment)
    if split:
        return split
    of_write = [h for h in holds if h.process == other and h.over(window.write)]
    if of_write:
        hold = of_write[0]
        why = _why_without(trace, holds, mine, hold.lock, window, when)
        return f"{other} held {hold.lock}, which did not help: {why}"
    throughout = [
        h for h in holds if h.process == mine and h.over(window.write) and (h.until is None or h.until > window.write)
    ]
    if throughout:
        lock = throughout[0].lock
        if other in trace.daemons:
            return f"{mine} held {lock} all the while, but {other} asks for no lock"
        return f"{mine} held {lock} all the while, but {other}'s {act(trace.steps[window.write])} never asked for it"
    if other in trace.daemons:
        return f"No lock of the runs would have helped: {other} asks for none"
    ever = [h for h in holds if h.process in (mine, other) and h.since < window.closes]
    if not ever:
        return "No lock was held"
    lock = ever[0].lock
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
    holds = held_in(trace)
    throughout = [h for h in holds if h.process == mine and h.over(window.closes) and h.since < window.opens]
    if throughout:
        return Gap(other, throughout[0].lock, window.write, window.write)
    theirs = [h for h in holds if h.process == other and h.over(window.write)]
    begin = window.opens
    for hold in holds:
        if theirs and hold.process == mine and hold.lock == theirs[0].lock and hold.since < begin and hold.until:
            begin = max(begin, hold.until)
    return Gap(mine, theirs[0].lock if theirs else "", begin, window.closes)


def _why_without(
    trace: Trace, holds: Sequence[Held], mine: str, lock: str, window: Window, when: Callable[[int], str]
) -> str:
    """Why `mine`, whose window it is, was not kept safe by the lock that the writer held."""
    steps = trace.steps
    ends = list(dict.fromkeys([act(steps[window.opens]), act(steps[window.closes])]))
    own = [h for h in holds if h.process == mine and h.lock == lock and h.since < window.closes]
    if not own:
        others = [h.lock for h in holds if h.process == mine and h.over(window.closes)]
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
            if first.lock == second.lock and first.since < second.since and first.token != second.token:
                return (
                    f"{first.process} and {second.process} both held {first.lock}, but not the same one: "
                    f"{first.process} number {first.token}, {second.process} number {second.token}"
                )
    return ""
