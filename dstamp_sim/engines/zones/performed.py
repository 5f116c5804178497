"""A way through zones, at definite times: the earliest, performed by the timed engine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property
from dstamp_sim.core.scenario import Timing
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.trace import Trace
from dstamp_sim.engines.timed.timed import ChanceDecision, rehearsed
from dstamp_sim.engines.zones.bursts import Burst, Bursts
from dstamp_sim.engines.zones.ticks import TickBounds

BurstWay = Sequence[tuple[int, Burst]]


class AtLeast(NamedTuple):
    """One instant is at least so long after another one; a strict bound is longer than that. `why` says which delay."""

    earlier: int
    later: int
    ticks: int
    strict: bool
    why: str = ""


class TimedWay(NamedTuple):
    """A way with its instants: whole numbers, of which `per_s` make a second. The decisions make the clock go it."""

    starts: dict[str, int]
    decisions: dict[str, list[ChanceDecision]]
    per_s: int


def performed(bursts: Bursts, way: BurstWay, prop: Property) -> Trace:
    """The trace of a way up to the state that decides `prop`, as the timed engine performs it: as early as may be.

    The engine counts in whole ticks, so nothing is rounded; the times of the trace are seconds.
    """
    timed, begins = put_on_the_clock(bursts, way), bursts.pauses[way[0][0]].state
    system = bursts.semantics.system.with_start(bursts.semantics.start_of(begins))
    trace = rehearsed(system, Timing(starts_s=timed.starts, horizon_s=math.inf), timed.decisions)
    semantics = Semantics(system, by_value=True)
    judge, state = Judge(semantics, [prop]), semantics.initial()
    steps = []
    for step in trace.steps:
        assert step.time_s is not None
        steps.append(replace(step, time_s=step.time_s / timed.per_s))
        state = semantics.perform(state, semantics.move(state, step.choice))
        if any(True for _ in judge.decides(state)):
            break
    moves = [semantics.choice(move) for _, burst in way for move in burst.moves]
    assert [step.choice for step in steps] == moves[: len(steps)], "the timed engine went another way"
    assert any(True for _ in judge.decides(state)), f"the way does not decide {prop.name!r}"
    starts_s = {name: at / timed.per_s for name, at in timed.starts.items()}
    return replace(semantics.trace(steps, state), starts_s=starts_s)


def bounds_of(bursts: Bursts, way: BurstWay) -> list[AtLeast]:
    """The bounds between the instants of a way; with other figures for the same delays, the same with these figures."""
    return _Since(bursts, way).bounds


def put_on_the_clock(bursts: Bursts, way: BurstWay) -> TimedWay:
    """The earliest instants of a way, with the start and the chance decisions of every process."""
    since = _Since(bursts, way)
    fine = len(way) + 2 if any(bound.strict for bound in since.bounds) else 1
    at = _earliest(since.bounds, len(way) + 1, fine)
    names = bursts.semantics.names
    decisions: dict[str, list[ChanceDecision]] = {name: [] for name in names}
    starts: dict[str, int] = {}
    place = 0
    for number, (_, burst) in enumerate(way, start=1):
        starts.setdefault(names[burst.pid], at[number])
        lasts = at[number] - at[since.began[number]]
        for move in burst.moves:
            decisions[names[burst.pid]].append(ChanceDecision(move.outcome, place, lasts))
            place, lasts = place + 1, 0
    for pid, name in enumerate(names):
        lasts = max(at[-1] - at[since.last[pid]], since.least[pid] * fine)
        decisions[name].append(ChanceDecision(0, place, lasts))
        starts.setdefault(name, lasts)
    return TimedWay(starts, decisions, bursts.clockwork.per_s * fine)


class _Since:
    """The bounds between the instants of a way: 0 is the beginning, n that of burst n.

    `began[n]` is the instant since which the process of burst n has waited; `last` the one since which each process
    waits at the end of the way, and `least` how long its delay lasts at least.
    """

    def __init__(self, bursts: Bursts, way: BurstWay) -> None:
        self.last = [0] * len(bursts.semantics.names)
        self.began = [0]
        self.bounds: list[AtLeast] = []
        for number, (pause, burst) in enumerate(way, start=1):
            self.bounds += self._of(number, bursts, pause, burst.pid)
            self.began.append(self.last[burst.pid])
            self.last[burst.pid] = number
        end = bursts.pauses[way[-1][1].to]
        pending = [bursts.pending(end, pid) or TickBounds(0, 0) for pid in range(len(self.last))]
        self.least = [interval.low + interval.open_low for interval in pending]

    def _of(self, number: int, bursts: Bursts, before: int, mover: int) -> Iterator[AtLeast]:
        pause = bursts.pauses[before]
        yield AtLeast(number - 1, number, 0, strict=False)
        if bursts.is_still(pause):
            yield AtLeast(number, number - 1, 0, strict=False)
        for pid, since in enumerate(self.last):
            interval = bursts.pending(pause, pid)
            if interval is None:
                continue
            at_least, at_most = bursts.said(pause, pid, interval)
            yield AtLeast(number, since, -interval.high, interval.open_high, at_most)
            if pid == mover:
                yield AtLeast(since, number, interval.low, interval.open_low, at_least)


def _earliest(bounds: Sequence[AtLeast], count: int, fine: int) -> list[int]:
    """The earliest solution in ticks of which `fine` make one: a strict bound is one of these longer."""
    at = [0] * count
    for _ in range(count + 1):
        before = list(at)
        for bound in bounds:
            at[bound.later] = max(at[bound.later], at[bound.earlier] + bound.ticks * fine + bound.strict)
        if at == before:
            break
    assert at == before and at[0] == 0, "a way through zones that no times allow"
    return at
