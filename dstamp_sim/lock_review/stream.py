"""Whether a run may wait for ever while others keep coming, and what it costs to serve in the order of asking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dstamp_sim.core.properties import NO_LIVELOCK, NOBODY_STARVES
from dstamp_sim.core.system import ANY, OTHERS, Process, System
from dstamp_sim.core.verdict import Judgement, Verdict
from dstamp_sim.engines.explore.explorer import explore, uninterrupted
from dstamp_sim.lock_review.compare import Patience, Price, Wait
from dstamp_sim.objects.locks import LockScope

OTHER_RUNS = 2
"""How many others come again and again: with two, one may always hold what a third waits for."""

MOST_STREAM_STATES = 100_000
"""How many states are visited for the question; it is asked without reductions."""


@dataclass(frozen=True)
class ServiceOrder:
    """A placement whose locks serve in the order of asking (`fifo`), or whoever asks at the right moment."""

    shape: str
    fifo: bool
    wait: Wait
    price: Price | None


def stream_of(system: System) -> System:
    """The system with one run of each process of any number, and others of it that begin anew when they end."""
    return replace(system, processes=tuple(one for process in system.processes for one in _with_others(process)))


def _with_others(process: Process) -> Iterator[Process]:
    if process.copies is not ANY:
        yield process
        return
    yield process.with_copies(1)
    fair = {**dict(process.fair_ops), OTHERS: process.fair}
    program, args = process.program, process.args
    yield Process(f"other {process.name}", program, *args, copies=OTHER_RUNS, daemon=True, killable=False, fair=fair)


def waits_of(system: System) -> Wait:
    """Whether a run may starve or go on for ever in the system, whose numbers of copies are known."""
    asked = [prop for prop in (NOBODY_STARVES, NO_LIVELOCK) if prop is NOBODY_STARVES or system.must_end]
    names = [prop.name for prop in asked]
    report = uninterrupted(explore(system.with_live(), properties=names, limit=MOST_STREAM_STATES))
    judged = [one for one in report.judgements if not _no_wait(one)]
    failing = next((one for one in judged if one.verdict is Verdict.VIOLATED), None)
    if failing is not None and failing.trace is not None:
        trace = failing.trace
        return Wait(Patience.STARVES, "", failing.prop.name, str(trace.schedule), len(trace.steps))
    open_one = next((one for one in judged if one.verdict is Verdict.UNDETERMINED), None)
    return Wait(Patience.COMES) if open_one is None else Wait(Patience.UNDECIDED, open_one.reason)


def _no_wait(judgement: Judgement) -> bool:
    """Whether no lock ever makes anybody wait: nobody can starve then."""
    return judgement.prop is NOBODY_STARVES and judgement.reason.startswith("vacuous")


def in_other_order(system: System) -> System | None:
    """The system whose flocks are FIFO where they barged, and the other way; None with locks of other kinds."""
    scopes = [scope for scope in system.locks if isinstance(scope, LockScope)]
    if len(scopes) < len(system.locks):
        return None
    return replace(system, locks=tuple(LockScope(one.name, one.of, not one.fifo) for one in scopes))
