"""A run on the SimPy clock: real durations decide who moves. Every timed trace is one of the explored behaviours."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import simpy

from dstamp_sim.core.draws import Draws
from dstamp_sim.core.errors import ModelError, UsageError, unknown
from dstamp_sim.core.op import Op
from dstamp_sim.core.scenario import Timing, picked
from dstamp_sim.core.schedule import CRASH
from dstamp_sim.core.semantics import Move, Semantics
from dstamp_sim.core.shared_object import Outcome
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Step, Trace

STANDSTILL_OPS = 100_000
"""How many ops at one instant count as a standstill of time (a daemon that neither waits nor takes time)."""


class ChanceDecision(NamedTuple):
    """The part of a step that chance decides: its outcome, its place, and the length of a delay.

    The place is the one among all steps of one instant; the lower goes first.
    """

    outcome: int
    place: int
    lasts_s: float = 0.0


def run_timed(system: System, timing: Timing, draws: Callable[[], float] | None = None) -> Trace:
    """One timed run; `replay(system, trace.schedule)` makes the same steps without times.

    Ops take no time, delays do; a blocked process tries again when the object changes, and gives up when its patience
    ends (if the object lets it go on at that very instant, what comes first decides). The initial state (of several),
    ties, wake orders, durations and outcomes come from one stream of draws in [0, 1), by default that of `timing.seed`:
    the same arguments return the same trace, and the same draws make the same schedule as `sweep`. It ends at the
    instant when the last process that must end has ended, when nothing can move (a deadlock: see `trace.waiting`), or
    at the horizon. Raises ScenarioError for a delay without distribution or outcomes without probability, UsageError
    for a start or a death of an unknown process.
    """
    allowed, drawn = max(system.crashes, len(timing.deaths_s)), draws or Draws(timing.seed)
    if system.start is None:
        several = system.several.values()
        system = system.with_start({item.name: int(drawn() * len(item.initials)) for item in several})
    return _Clock(system.with_crashes(allowed), timing, drawn).run()


def rehearsed(system: System, timing: Timing, decisions: Mapping[str, Sequence[ChanceDecision]]) -> Trace:
    """The same without chance: what a stream of draws would decide is read from `decisions`, by process, in turn.

    Durations and outcomes need not have a distribution then. A process without more decisions waits for ever where it
    waits for time, and takes first outcomes. All else follows the clock: who is blocked, what comes first.
    """
    allowed = max(system.crashes, len(timing.deaths_s))
    return _Rehearsed(system.with_crashes(allowed), timing, decisions).run()


class _Wake(simpy.Event):
    """An event that `after` schedules; among those of one instant the order is by `priority`, a draw."""

    def after(self, delay_s: float, priority: float) -> _Wake:
        """This event, to fire after `delay_s`."""
        self._ok, self._value = True, None
        self.env.schedule(self, priority=priority, delay=delay_s)  # type: ignore[arg-type]  # any number orders the heap
        return self


class _FirstOf(simpy.Event):
    """What happens with the first of some events, in its place."""

    def __init__(self, env: simpy.Environment, *events: simpy.Event) -> None:
        super().__init__(env)
        for event in events:
            assert event.callbacks is not None
            event.callbacks.append(self._happen)

    def _happen(self, _: simpy.Event) -> None:
        self._ok, self._value = True, None
        waiting, self.callbacks = self.callbacks or (), None  # type: ignore[assignment]  # as SimPy itself says it
        for callback in waiting:
            callback(self)


class _Clock:
    """One timed run under way."""

    def __init__(self, system: System, timing: Timing, draws: Callable[[], float]) -> None:
        self.semantics = Semantics(system)
        self.timing = timing
        self.env = simpy.Environment()
        self.draw = draws
        self.state = self.semantics.initial()
        self.steps: list[Step] = []
        self.waiters: defaultdict[str, list[tuple[int, _Wake]]] = defaultdict(list)
        self.lives: list[simpy.Process] = []
        self.left = sum(not process.daemon for process in self.semantics.processes)
        self.starts_s: dict[str, float] = {}
        self._instant = (0.0, 0)
        for given in (timing.starts_s, timing.late, timing.deaths_s):
            for name in given:
                if name not in self.semantics.names:
                    raise UsageError(unknown("process", name, self.semantics.names))

    def run(self) -> Trace:
        self.lives = [self.env.process(self._live(pid)) for pid in range(len(self.semantics.names))]
        for name, at_s in self.timing.deaths_s.items():
            self.env.process(self._kill(self.semantics.names.index(name), at_s))
        while self.env.peek() < self.timing.horizon_s and (self.left or self.env.peek() == self.env.now):
            self.env.step()
        self.semantics.check()
        trace = self.semantics.trace(self.steps, self.state)
        return replace(trace, starts_s=self.starts_s)

    def _start_s(self, pid: int) -> float:
        name = self.semantics.names[pid]
        late_s = self._lasts_s(pid, self.timing.late[name]) if name in self.timing.late else 0.0
        self.starts_s[name] = self.timing.starts_s.get(name, 0.0) + late_s
        return self.starts_s[name]

    def _live(self, pid: int) -> Generator[simpy.Event, Any, None]:
        """One process from its start to its end or death, then `left` is called; a daemon that dies starts anew."""
        start: simpy.Event | None = self._wake(self._start_s(pid), self._place(pid))
        while True:
            try:
                if start is not None:
                    start = yield start  # it may die before it starts
                yield from self._perform_ops(pid)
            except simpy.Interrupt:
                if self.semantics.processes[pid].daemon:
                    continue
            self.left -= not self.semantics.processes[pid].daemon
            return

    def _perform_ops(self, pid: int) -> Generator[simpy.Event, Any, None]:
        while (node := self.semantics.node(self.state, pid)) is not None and node.op is not None:
            if (lasting := self.semantics.lasting(self.state, pid)) is not None:
                yield from self._wait(pid, node.op, self._wake(self._lasts_s(pid, lasting), self._place(pid)))
            while not (outcomes := self.semantics.outcomes(self.state, pid)):
                yield self._change_of(node.op, pid)
            self._move(Move(pid, self._drawn(pid, outcomes, node.op)))

    def _wait(self, pid: int, op: Op, ends: _Wake) -> Generator[simpy.Event, Any, None]:
        """Waits until a delay or a patience ends, or until the op need not wait."""
        while not ends.processed and self.semantics.lasting(self.state, pid) is not None:
            if op.target is None:
                yield ends
                continue
            changed = self._change_of(op, pid)
            yield _FirstOf(self.env, ends, changed)
            if not changed.triggered:
                self.waiters[op.target.name].remove((pid, changed))

    def _kill(self, pid: int, at_s: float) -> Generator[simpy.Event, Any, None]:
        yield self._wake(at_s, self._place(pid))
        if self.semantics.may_die(self.state, pid):
            self._move(Move(pid, CRASH))
            self.lives[pid].interrupt()

    def _move(self, move: Move) -> None:
        self._note_progress(move)
        after = self.semantics.perform(self.state, move)
        step = self.semantics.step(self.state, move, after, self.env.now)
        self.state = after
        self.steps.append(step)
        for change in step.changes:
            for pid, waiter in self.waiters.pop(change.target, ()):
                waiter.after(0.0, self._place(pid))

    def _note_progress(self, move: Move) -> None:
        at, count = self._instant
        self._instant = (self.env.now, count + 1 if at == self.env.now else 1)
        if self._instant[1] > STANDSTILL_OPS:
            node = self.semantics.node(self.state, move.pid)
            place = node.place if node else "?"
            raise ModelError(f"{place}: {STANDSTILL_OPS:,} ops at one instant: a loop that neither blocks nor delays")

    def _wake(self, delay_s: float, place: float) -> _Wake:
        return _Wake(self.env).after(delay_s, place)

    def _change_of(self, op: Op, pid: int) -> _Wake:
        """An event at the next change of the object that `op` waits for."""
        assert op.target is not None
        changed = _Wake(self.env)
        self.waiters[op.target.name].append((pid, changed))
        return changed

    def _place(self, pid: int) -> float:
        """A random place in its instant for what a process does next."""
        return self.draw()

    def _lasts_s(self, pid: int, delay: str) -> float:
        return self.timing.delay(delay).sample(self.draw())

    def _drawn(self, pid: int, outcomes: Sequence[Outcome], op: Op) -> int:
        if len(outcomes) == 1:
            return 0
        return picked(self.timing.weights([outcome.label for outcome in outcomes], op), self.draw())


class _Rehearsed(_Clock):
    """A timed run in which cues stand for the draws."""

    def __init__(self, system: System, timing: Timing, decisions: Mapping[str, Sequence[ChanceDecision]]) -> None:
        super().__init__(system, timing, float)
        self.decisions = [decisions.get(name, ()) for name in self.semantics.names]
        self.made = [0] * len(self.decisions)

    def _move(self, move: Move) -> None:
        self.made[move.pid] += 1
        super()._move(move)

    def _decision(self, pid: int) -> ChanceDecision:
        made, decisions = self.made[pid], self.decisions[pid]
        return decisions[made] if made < len(decisions) else ChanceDecision(0, 0, math.inf)

    def _place(self, pid: int) -> float:
        return self._decision(pid).place

    def _lasts_s(self, pid: int, delay: str) -> float:
        return self._decision(pid).lasts_s

    def _drawn(self, pid: int, outcomes: Sequence[Outcome], op: Op) -> int:
        return min(self._decision(pid).outcome, len(outcomes) - 1)
