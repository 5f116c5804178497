"""A run on real parts: one OS process per model process, and the same `Trace` as from any other engine.

`play` holds the processes at a barrier between ops, so that a chooser (a schedule, say) decides who moves; every
result, every block and every state that can be seen is compared with the model, op by op. `free_run.run_freely` lets
them go.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from dstamp_sim.conformance.workers import BLOCKED, Worker
from dstamp_sim.core.automaton import Node
from dstamp_sim.core.errors import Disagreement, ScheduleError
from dstamp_sim.core.op import GAVE_UP, Op
from dstamp_sim.core.schedule import CRASH, Choice, Schedule
from dstamp_sim.core.semantics import Move, Semantics, State
from dstamp_sim.core.shared_object import Outcome, SharedObject, gives_up
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.core.value import text

REACTION_S = 5.0
"""How long a real part may take to show the model's state: an orchestrator reacts in its time."""


class Part(Protocol):
    """The real counterpart of one shared object."""

    def real_args(self, process: str, op: Op, hint: str) -> tuple[Any, ...] | None:
        """The op's arguments for the hand that performs it; None if it is known to block.

        `hint` is the label of the wanted outcome, if the real thing can be steered (a task that fails).
        """

    def model_result(self, worker_pid: int, op: Op, raw: Any, outcomes: Sequence[Outcome]) -> Hashable:
        """A raw result in the model's terms; `outcomes` are the ones that the model allows (none in a free run)."""

    def died(self, worker_pid: int) -> None:
        """A worker died or ended, and the kernel has closed what it had open."""

    def look(self, process: str) -> Hashable:
        """The visible part of the real state."""

    def seen(self, state: Any) -> Hashable:
        """The part of the model's state that `look` can see."""


class Bench(Protocol):
    """Real parts, ready for one run: the counterpart of each object by its name, and a source of workers."""

    @property
    def parts(self) -> Mapping[str, Any]:
        """A `Part` for every object of the system."""

    def hire(self, name: str) -> Worker:
        """A fresh worker for a model process."""


@dataclass
class Tally:
    """The comparisons, by kind of object: sequences, ops with their results in both worlds, and disagreements."""

    runs: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    disagreements: Counter[str] = field(default_factory=Counter)

    def count(self, op: Op | None, gave: str) -> None:
        """Counts an op (None: a death) that had an outcome."""
        if op is not None and op.target is not None:
            self.outcomes[type(op.target).__name__, op.verb, gave] += 1


Chooser = Callable[[Semantics, State], Move | None]
"""Who moves next, and towards which outcome (a hint: reality decides); None to end."""


def follow(schedule: Schedule | Iterable[Choice] | str) -> Chooser:
    """The chooser that follows a schedule. It raises ScheduleError at the step that does not fit."""
    choices = iter(Schedule.parse(schedule) if isinstance(schedule, str) else schedule)

    def choose(semantics: Semantics, state: State) -> Move | None:
        choice = next(choices, None)
        return None if choice is None else semantics.move(state, choice)

    return choose


def play(system: System, bench: Bench, choose: Chooser, *, tally: Tally | None = None, strict: bool = False) -> Trace:
    """The trace of the real parts, with real times in seconds; each op compared with the model.

    If the model allows several outcomes, the real one is taken; with `strict`, only the chosen one is accepted.
    Raises Disagreement naming the step and the op if the real parts do what the model does not allow: another
    result, another state, blocking or not blocking.
    """
    return _Barrier(system, bench, tally or Tally(), strict).run(choose)


class _Barrier:
    """A run whose processes are held between ops."""

    def __init__(self, system: System, bench: Bench, tally: Tally, strict: bool) -> None:
        self.semantics = Semantics(system)
        self.bench = bench
        self.tally = tally
        self.strict = strict
        self.state = self.semantics.initial()
        self.workers = [bench.hire(name) for name in self.semantics.names]
        self.steps: list[Step] = []
        self.begun = time.monotonic()

    def run(self, choose: Chooser) -> Trace:
        kinds = {type(item).__name__ for item in (*self.semantics.shared, *self.semantics.private)}
        self.tally.runs.update(kinds)
        try:
            self._follow(choose)
        except Disagreement:
            self.tally.disagreements.update(kinds)
            raise
        trace = self.semantics.trace(self.steps, self.state)
        return replace(trace, starts_s=dict.fromkeys(self.semantics.names, 0.0))

    def _follow(self, choose: Chooser) -> None:
        self._probe_blocked()
        while True:
            try:
                move = choose(self.semantics, self.state)
            except ScheduleError as error:
                raise ScheduleError(f"step {len(self.steps) + 1}: {error}") from error
            if move is None:
                return
            self._step(self._die(move) if move.outcome == CRASH else self._perform(move))
            self._probe_blocked()

    def _step(self, move: Move) -> None:
        after = self.semantics.perform(self.state, move)
        step = self.semantics.step(self.state, move, after, time.monotonic() - self.begun)
        self.tally.count(step.op, step.label or text(step.result))
        self.state = after
        self.steps.append(step)

    def _die(self, move: Move) -> Move:
        self.workers[move.pid].kill()
        for part in self.bench.parts.values():
            part.died(self.workers[move.pid].pid)
        after = self.semantics.perform(self.state, move)
        name = self.semantics.names[move.pid]
        for target in (*self.semantics.shared, *self.semantics.private):
            if target.private:
                continue  # gone with its process
            part = self._part(target)
            slot = self.semantics.shared.index(target)
            what = f"step {len(self.steps) + 1}: the death of {name}, for {target.name!r},"
            self._compare_state(what, part, name, [after.shared[slot]])
        if self.semantics.processes[move.pid].daemon:
            self.workers[move.pid] = self.bench.hire(name)
        return move

    def _perform(self, move: Move) -> Move:
        node = self.semantics.node(self.state, move.pid)
        assert node is not None and node.op is not None
        outcomes = self.semantics.outcomes(self.state, move.pid)
        if node.op.target is None:
            return move
        result = self._ask(move.pid, node.op, outcomes, outcomes[move.outcome].label)
        what = self._about(node, move.pid)
        if result == BLOCKED and gives_up(outcomes):  # it was asked not to wait: the real one was left as it was
            result = GAVE_UP
        if result == BLOCKED:
            raise Disagreement(f"{what} blocks, but in the model it returns {_gives(outcomes)}")
        possible = [k for k, outcome in enumerate(outcomes) if _same(outcome.result, result)]
        if not possible:
            raise Disagreement(f"{what} returned {text(result)}, but in the model it returns {_gives(outcomes)}")
        part, name = self._part(node.op.target), self.semantics.names[move.pid]
        found = possible[self._compare_state(what, part, name, [outcomes[k].state for k in possible])]
        if self.strict and found != move.outcome:
            raise Disagreement(
                f"{what} should have been [{outcomes[move.outcome].label}], and was [{outcomes[found].label}]: "
                "the model allows both, but this trace has the other one"
            )
        return Move(move.pid, found)

    def _compare_state(self, what: str, part: Part, process: str, states: Sequence[Any]) -> int:
        """The state that the real one is, after it had time to react. Raises Disagreement if it is none."""
        expected = [part.seen(state) for state in states]
        until = time.monotonic() + REACTION_S
        while (real := part.look(process)) not in expected:
            if time.monotonic() > until:
                allowed = " or ".join(text(state) for state in expected)
                raise Disagreement(f"{what} left {text(real)}, but in the model {allowed}")
            time.sleep(0.005)
        return expected.index(real)

    def _ask(self, pid: int, op: Op, outcomes: Sequence[Outcome], hint: str) -> Hashable:
        assert op.target is not None
        part, worker = self._part(op.target), self.workers[pid]
        args = part.real_args(self.semantics.names[pid], op, hint)
        if args is None:
            return BLOCKED
        try:
            raw = worker.ask(op.target.name, op.verb, args, wait=False)
        except RuntimeError as error:
            raise Disagreement(f"step {len(self.steps) + 1}: {op} failed: {error}") from error
        return BLOCKED if raw == BLOCKED else part.model_result(worker.pid, op, raw, outcomes)

    def _part(self, target: SharedObject) -> Part:
        part: Part = self.bench.parts[target.name]
        return part

    def _probe_blocked(self) -> None:
        """Checks that an op that blocks in the model blocks in reality: it is tried, and must not get through."""
        for pid in range(len(self.workers)):
            node = self.semantics.node(self.state, pid)
            if node is None or node.op is None or self.semantics.outcomes(self.state, pid):
                continue
            if self._ask(pid, node.op, (), "") != BLOCKED:
                raise Disagreement(f"{self._about(node, pid)} went through, but in the model it blocks")
            self.tally.count(node.op, "blocked")

    def _about(self, node: Node, pid: int) -> str:
        return f"step {len(self.steps) + 1}: {self.semantics.names[pid]}'s {node.op}"


def _gives(outcomes: Sequence[Outcome]) -> str:
    return " or ".join(text(outcome.result) for outcome in outcomes)


def _same(expected: Hashable, real: Hashable) -> bool:
    return expected == real and text(expected) == text(real)
