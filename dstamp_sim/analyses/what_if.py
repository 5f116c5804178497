"""What would have happened otherwise: the same system, one reading or the order of two steps changed, performed again.

That is how a cause is told from a coincidence here: a reading mattered if with another answer the violation is gone,
and an order is called right only if it was performed and the violation was gone.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dstamp_sim.analyses.accesses import Accesses, Path, Variant
from dstamp_sim.core.errors import ModelError, ScheduleError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.op import Op
from dstamp_sim.core.properties import Kind, Property
from dstamp_sim.core.schedule import CRASH, Choice
from dstamp_sim.core.semantics import Move, Semantics, State
from dstamp_sim.core.shared_object import Outcome
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace

MOST_QUESTIONS = 400
"""How many other answers are tried at most, the latest readings first."""
_MOST_STEPS = 300_000
"""How many steps all of them may perform together, those included that bring a program to where it stands."""
_AFTERMATH = 2_000
"""How many steps a changed behaviour may take, beyond those of the trace, to come to its end."""


class Fact(NamedTuple):
    """What came out: a property that failed, whose result breaks it (None: no one's); or a wish that was reached."""

    property: str
    process: str | None
    wish: bool = False


@dataclass(frozen=True)
class Remedy:
    """A reading that mattered: had step `number` found another value in `path`, or been blocked, all would be well.

    `path` is None where not the object's state but chance decided between several outcomes; `told` is the result that
    would have helped (None too where being blocked would), `label` that outcome's.
    """

    number: int
    path: Path | None
    blocked: bool
    told: object
    label: str = ""


@dataclass
class WhatIf:
    """A trace of a system whose steps can be performed otherwise. Deterministic; all work is bounded.

    Raises ScheduleError when the trace is not one of the system.
    """

    system: System
    trace: Trace
    accesses: Accesses
    asked: Sequence[Property]
    gave_up: bool = False
    """Whether the effort ran out before every other answer was tried: an earlier cause may be missed."""
    _left: int = field(default=_MOST_STEPS)

    def __post_init__(self) -> None:
        self._semantics = Semantics(self.system)
        self._judge = Judge(self._semantics, [p for p in self.asked if p.kind is not Kind.EACH_RESULT])
        self._each = [prop for prop in self.asked if prop.kind is Kind.EACH_RESULT]
        self.states = [self._semantics.initial()]
        for choice in trace_choices(self.trace):
            state = self.states[-1]
            self.states.append(self._semantics.perform(state, self._semantics.move(state, choice)))
        self._since: dict[Fact, int] = {}
        for number, state in enumerate(self.states):
            for fact in self._judged([state]):
                self._since.setdefault(fact, number - 1)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What came out wrong in the trace, first things first."""
        return tuple(self._since)

    def since(self, fact: Fact) -> int:
        """The step (from 0) after which a fact of this trace was one; -1 for the initial state."""
        return self._since[fact]

    def remedies(self, fact: Fact) -> Iterator[Remedy]:
        """The readings that mattered for `fact`, latest first: one answer each, the innermost field's."""
        questions = 0
        for number in range(self.since(fact), -1, -1):
            for path, outcome in self._other_answers(number):
                questions += 1
                self._left -= number
                if questions > MOST_QUESTIONS or self._left <= 0:
                    self.gave_up = True
                    return
                if self._helps(fact, number, outcome):
                    yield Remedy(
                        number,
                        path,
                        outcome is None,
                        outcome.result if outcome else None,
                        outcome.label if outcome else "",
                    )
                    break

    def is_gone(self, fact: Fact, choices: Sequence[Choice]) -> bool:
        """Whether `choices`, performed and then gone on with to the end, come out without `fact` or a new one.

        Choices of a process that has ended by then are passed over. False also where another is not possible.
        """
        same = next((n for n, (a, b) in enumerate(zip(choices, trace_choices(self.trace), strict=False)) if a != b), 0)
        state, seen = self.states[same], list[State]()
        try:
            for choice in choices[same:]:
                seen.append(state)
                node = self._semantics.node(state, self._pid(choice.process))
                if node is not None and not node.ended:
                    state = self._semantics.perform(state, self._semantics.move(state, choice))
        except (ScheduleError, ModelError):  # an order that is not possible, or that the model does not bear
            return False
        return self._clean(fact, [*seen, *self._finish(state, frozenset())])

    def comes_about(self, fact: Fact, choices: Sequence[Choice]) -> bool:
        """Whether `choices` alone bring `fact` about; False also where one of them is not possible where it stands."""
        states = [self._semantics.initial()]
        try:
            for choice in choices:
                states.append(self._semantics.perform(states[-1], self._semantics.move(states[-1], choice)))
        except ScheduleError:
            return False
        return fact in self._judged(states)

    def _other_answers(self, number: int) -> Iterator[tuple[Path | None, Outcome | None]]:
        """Other things that step `number` could have been told; None as an outcome: it would have been blocked."""
        step = self.trace.steps[number]
        if step.op is None or step.op.target is None:
            return
        state, pid = self.states[number], self._pid(step.process)
        possible = self._semantics.outcomes(state, pid)
        now = possible[step.choice.outcome]
        known: set[Outcome | None] = {now}
        for outcome in possible:
            if (outcome.result, outcome.label) != (now.result, now.label):
                known.add(outcome)
                yield None, outcome
        for variant in self.accesses.variants(number):
            now_is = self.accesses.before(number)
            told: list[Outcome | None] = [_told(variant, outcome, now_is) for outcome in variant.outcomes]
            for other in told or [None]:
                if other not in known and (other is None or other.result != now.result):
                    known.add(other)
                    yield variant.path, other

    def _helps(self, fact: Fact, number: int, outcome: Outcome | None) -> bool:
        process = self.trace.steps[number].process
        # What came before is as it was, and `fact` was not yet one.
        state, seen, stuck = self.states[number], list[State](), frozenset[str]()
        try:
            if outcome is None:
                stuck = frozenset({process})
            else:
                state = self._semantics.given(state, self._pid(process), outcome)
            for step in self.trace.steps[number + (outcome is not None) :]:
                seen.append(state)
                if step.process not in stuck:
                    state = self._follow(state, step.choice, step.op)
            seen.extend(self._finish(state, stuck))
            return self._clean(fact, seen, stuck=bool(stuck))
        except ModelError:  # the program cannot make sense of such an answer
            return False

    def _follow(self, state: State, choice: Choice, op: Op | None) -> State:
        """The recorded choice where it is still the same op, else the process's first outcome; nothing if blocked."""
        self._left -= 1
        pid = self._pid(choice.process)
        if choice.outcome == CRASH:
            return self._semantics.perform(state, Move(pid, CRASH)) if self._semantics.may_die(state, pid) else state
        count = len(self._semantics.outcomes(state, pid))
        if not count:
            return state
        node = self._semantics.node(state, pid)
        same = node is not None and node.op == op and choice.outcome < count
        return self._semantics.perform(state, Move(pid, choice.outcome if same else 0))

    def _finish(self, state: State, stuck: frozenset[str]) -> Iterator[State]:
        """The states from `state` on while every process in turn goes on to its end; daemons move when no other can."""
        yield state
        for _ in range(_AFTERMATH):
            if self._semantics.ended(state):
                return
            pid = self._next(state, stuck)
            if pid is None:
                return
            self._left -= 1
            state = self._semantics.perform(state, Move(pid, 0))
            yield state

    def _next(self, state: State, stuck: frozenset[str]) -> int | None:
        can = [
            pid for pid, name in enumerate(self.trace.processes)
            if name not in stuck and self._semantics.outcomes(state, pid)
        ]  # fmt: skip
        return min(can, key=lambda pid: (self.trace.processes[pid] in self.trace.daemons, pid), default=None)

    def _clean(self, fact: Fact, states: Sequence[State], *, stuck: bool = False) -> bool:
        facts = set(self._judged(states))
        if stuck:  # a process that we held up ourselves is no deadlock
            facts = {known for known in facts if known.property != "no deadlock"}
        return fact not in facts and facts <= self._since.keys()

    def _judged(self, states: Sequence[State]) -> Iterator[Fact]:
        for state in states:
            for index in self._judge.decides(state):
                prop = self._judge.properties[index]
                yield Fact(prop.name, None, prop.is_wish)
        yield from self._results(states[-1])

    def _results(self, state: State) -> Iterator[Fact]:
        for pid, process in enumerate(self._semantics.processes):
            node = self._semantics.node(state, pid)
            if node is None or not node.ended:
                continue
            for prop in self._each:
                if prop.of in (None, process.name) and not self._judge.result_ok(prop, process.name, node.result):
                    yield Fact(prop.name, self.trace.processes[pid])

    def _pid(self, process: str) -> int:
        return self.trace.processes.index(process)


def trace_choices(trace: Trace) -> Sequence[Choice]:
    """The choices of a trace's steps, in order."""
    return [step.choice for step in trace.steps]


def _told(variant: Variant, outcome: Outcome, now: Hashable) -> Outcome:
    """The variant's answer given to the program; where the op only looks, the object stays as it really is."""
    if outcome.state == variant.state:
        return Outcome(now, outcome.result, outcome.label, outcome.takes, outcome.drops)
    return outcome
