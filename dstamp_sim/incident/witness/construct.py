"""A witness that is constructed: the order of steps that an abduction found, put on the cluster's clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dstamp_sim.core.scenario import Priors, Timing
from dstamp_sim.core.schedule import CRASH, Choice, Schedule
from dstamp_sim.core.semantics import Move, Semantics, State
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.engines.replay import replay, replay_to_end
from dstamp_sim.engines.timed.timed import ChanceDecision, rehearsed
from dstamp_sim.incident.likely.worlds import UNSEEN, parameters_of
from dstamp_sim.incident.possible.case import Case, LeastWitness
from dstamp_sim.incident.possible.least import PARTNER
from dstamp_sim.incident.possible.turns import MatchCount, Turns
from dstamp_sim.incident.possible.variant import Variant
from dstamp_sim.incident.witness.clock import Beliefs, Fitted, TimeConstraints
from dstamp_sim.incident.witness.placed import Placing

MOST_PLACED = 20
"""How many orders of steps, from worlds with placed partners, are put on the clock at most."""


@dataclass(frozen=True)
class Constructed:
    """A run on the clock in which everything came out as observed, with its system; `fitted` are its figures."""

    parameters: Mapping[str, Any]
    names: Mapping[str, str]
    system: System
    trace: Trace
    unseen: int
    fitted: Fitted


@dataclass(frozen=True)
class Construction:
    """The result of putting orders of steps on the clock: the best run, if any, the number of orders, and the conflict.

    `bites` are constraints that cannot all hold as the durations are assumed; none if the priors allow the best run.
    """

    made: Constructed | None
    orders: int
    bites: tuple[str, ...]


@dataclass(frozen=True)
class ClockedMechanism:
    """Where orders of steps are put on the clock: a mechanism under one reading, which needs `found`.

    `case` is what must come out, `timing` has the observed starts.
    """

    variant: Variant
    found: LeastWitness
    case: Case
    timing: Timing
    priors: Priors

    def construct(self) -> Construction:
        """The order with the fewest partners, and of these the most ordinary, that the timed engine performs.

        It tries the order of the abduction, and those of worlds with placed partners. If none of them fits, nothing is
        refuted; the conflict is then that of the first.
        """
        orders = list(self.orders())
        fits = [(fitted, order) for order in orders if (fitted := order.fitted()) is not None]
        for fitted, order in sorted(fits, key=lambda fit: _rank(*fit)):
            trace = self.performed(order, fitted)
            if trace is not None:
                unseen = len(order.runs) - len(self.case.runs)
                made = Constructed(*self._parameters(unseen), order.system, trace, unseen, fitted)
                return Construction(made, len(orders), order.conflict() if fitted.excluded else ())
        return Construction(None, len(orders), orders[0].conflict())

    def orders(self) -> Iterator[TimeConstraints]:
        """Orders of steps in which everything comes out as observed, with the clock's constraints on them."""
        choices = _plain(self.found.system, self._system(self.found.unseen), self.found.trace)
        yield self._order(self.found.unseen, choices, just_in_time=True)
        yield self._order(self.found.unseen, choices)
        if self.found.crashes:
            return
        whole = self._system(UNSEEN)
        evidence, spread, seed = self.variant.hypotheses.evidence, self.priors.spread, self.timing.seed
        placing = Placing(whole, self.case, evidence, self.timing, UNSEEN, spread, seed)
        for unseen, trace in placing.found(MOST_PLACED):
            called = dict(zip(whole.must_end, self._system(unseen).must_end, strict=False))
            yield self._order(unseen, [c._replace(process=called.get(c.process, c.process)) for c in trace.schedule])

    def performed(self, order: TimeConstraints, fitted: Fitted) -> Trace | None:
        """The timed engine's run of a solution; None if not everything comes out as observed."""
        timing = replace(self.timing, starts_s=dict(fitted.starts_s), deaths_s=dict(fitted.deaths_s))
        trace = rehearsed(order.system, timing, decisions(order, fitted))
        agrees = self.variant.hypotheses.evidence.agrees
        seen = all(agrees(trace.results.get(run.name), run.fields) for run in self.case.runs)
        return trace if seen else None

    def _order(self, unseen: int, choices: Sequence[Choice], *, just_in_time: bool = False) -> TimeConstraints:
        names = self._parameters(unseen)[1]
        system = self._system(unseen).with_names(names)
        trace = _completed(system, [c._replace(process=names.get(c.process, c.process)) for c in choices])
        if just_in_time:
            trace = replay(system, _just_in_time(trace))
        beliefs = Beliefs(self.timing.delays, self.priors.spread, self.priors.longest_run_s)
        return TimeConstraints(system, trace, self.timing.starts_s, list(names.values()), beliefs)

    def _system(self, unseen: int) -> System:
        system = self.variant.mechanism.factory(**self._parameters(unseen)[0])
        return system.with_crashes(self.found.crashes)

    def _parameters(self, unseen: int) -> tuple[dict[str, Any], dict[str, str]]:
        """The parameters of the plain system with so many partners, and the names that its runs have."""
        keys, known = self.variant.quantified(), len(self.case.runs)
        everyone = [{key: who[key] for key in keys} for who in self.found.candidate.everyone]
        settings = {**self.variant.settings, **self.variant.needs(self.case.runs)}
        parameters = parameters_of(settings, everyone[: known + unseen], max(0, known + unseen - len(everyone)))
        shown = [run.name for run in self.case.runs] + [f"{PARTNER}-{n + 1}" for n in range(unseen)]
        system = self.variant.mechanism.factory(**parameters)
        return parameters, dict(zip(system.must_end, shown, strict=False))  # runs first; a janitor keeps its name


def _rank(fitted: Fitted, order: TimeConstraints) -> tuple[bool, int, float, float]:
    return fitted.excluded, len(order.runs), fitted.middle, abs(fitted.deviations)


def _plain(played: System, system: System, trace: Trace) -> list[Choice]:
    """The choices of a trace of observed roles as those of the plain system: without turns and tallies."""
    called = dict(zip(played.must_end, system.must_end, strict=True))
    kept = (step for step in trace.steps if step.op is None or not isinstance(step.op.target, MatchCount | Turns))
    return [step.choice._replace(process=called.get(step.process, step.process)) for step in kept]


def _just_in_time(trace: Trace) -> Schedule:
    """The same trace with invisible steps moved just before visible ones: no process comes early."""
    held: dict[str, list[Choice]] = {}
    choices: list[Choice] = []
    for step in trace.steps:
        unseen = step.op is not None and (step.op.target is None or step.op.target.private)
        waiting = held.setdefault(step.process, [])
        waiting.append(step.choice)
        if not unseen:
            choices += waiting
            waiting.clear()
    return Schedule((*choices, *(choice for waiting in held.values() for choice in waiting)))


def _completed(system: System, choices: Sequence[Choice]) -> Trace:
    """The trace of these choices continued until every process that must end has ended, one after the other."""
    semantics = Semantics(system)
    _, state = replay_to_end(semantics, choices)
    more: list[Choice] = []
    while (move := _next(semantics, state)) is not None:
        more.append(semantics.choice(move))
        state = semantics.perform(state, move)
    return replay(system, Schedule((*choices, *more)))


def _next(semantics: Semantics, state: State) -> Move | None:
    """The next step: first one that takes no time; then, while a process must end, a delay, daemons last."""
    able = [pid for pid in range(len(semantics.names)) if semantics.outcomes(state, pid)]
    able.sort(key=lambda pid: (_waits(semantics, state, pid), semantics.processes[pid].daemon))
    if not able or (_waits(semantics, state, able[0]) and semantics.ended(state)):
        return None
    return Move(able[0], 0)


def _waits(semantics: Semantics, state: State, pid: int) -> bool:
    node = semantics.node(state, pid)
    return node is not None and node.op is not None and node.op.is_delay


def decisions(order: TimeConstraints, fitted: Fitted) -> dict[str, list[ChanceDecision]]:
    """The chance decisions with which the timed engine makes the order's steps."""
    left = {name: iter(lasts) for name, lasts in fitted.durations_s.items()}
    given: dict[str, list[ChanceDecision]] = {name: [] for name in left}
    state = order.semantics.initial()
    for place, step in enumerate(order.trace.steps):
        move = order.semantics.move(state, step.choice)
        waits = _waits(order.semantics, state, move.pid)
        lasts = next(left[step.process]) if waits else 0.0
        given[step.process].append(ChanceDecision(0 if move.outcome == CRASH else move.outcome, place, lasts))
        state = order.semantics.perform(state, move)
    for name, rest in left.items():
        given[name] += [ChanceDecision(0, len(order.trace.steps), lasts) for lasts in rest]
    return given
