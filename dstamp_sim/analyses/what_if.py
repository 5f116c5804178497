"""What else could have happened: the same system with one thing changed, performed again to the end.

This distinguishes a cause from a coincidence: a death, a step of the environment, an order of steps or an answer is a
cause if without it the failure is gone, and no other failure came.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from dstamp_sim.analyses.accesses import Accesses, Counterfactual
from dstamp_sim.analyses.changed_run import ChangedRun
from dstamp_sim.analyses.conflicts import locks
from dstamp_sim.analyses.looked_at import is_seen_otherwise
from dstamp_sim.core.errors import ModelError, ScheduleError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.op import Op
from dstamp_sim.core.properties import OF_WAITING, Property, PropertyKind
from dstamp_sim.core.schedule import CRASH, Choice
from dstamp_sim.core.semantics import Move, Semantics, State
from dstamp_sim.core.shared_object import Outcome
from dstamp_sim.core.state_fields import Path
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Step, Trace

MOST_QUESTIONS = 400
"""How many other answers are tried at most, the latest readings first."""
_MOST_STEPS = 300_000
"""How many steps all of them may perform in total, including those that bring a program to its place."""
_KEPT = 100_000
"""How many of them are reserved for reruns other than answers."""


class Decision(NamedTuple):
    """An outcome: a property that failed, whose result breaks it (None: no one's); or a wish that was reached."""

    property: str
    process: str | None
    wish: bool = False


@dataclass(frozen=True)
class Remedy:
    """An answer that mattered: if step `number` had found another value in `path`, or been blocked, all would be well.

    `path` is None if chance, not the object's state, decided between several outcomes: the choice is then the first in
    `choices` after the earlier steps. `outcome` is the answer that would have helped (None: being blocked). `choices`
    are all choices of the rerun.
    """

    number: int
    path: Path | None
    outcome: Outcome | None
    choices: tuple[Choice, ...]

    @property
    def blocked(self) -> bool:
        """Whether being blocked would have helped."""
        return self.outcome is None


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
    left: int = field(default=_MOST_STEPS)
    """How many steps may still be performed."""

    def __post_init__(self) -> None:
        self.semantics = Semantics(self.system, by_value=True)
        self._judge = Judge(self.semantics, [p for p in self.asked if p.kind is not PropertyKind.EACH_RESULT])
        self._each = [prop for prop in self.asked if prop.kind is PropertyKind.EACH_RESULT]
        self.states = [self.semantics.initial()]
        for choice in trace_choices(self.trace):
            state = self.states[-1]
            self.states.append(self.semantics.perform(state, self.semantics.move(state, choice)))
        self._since: dict[Decision, int] = {}
        decided = list(self._judge.decides_along(self.states))
        along = [(number, self._fact(index)) for number, index in decided]
        along += [(number, fact) for number, state in enumerate(self.states) for fact in self._results(state)]
        for number, fact in sorted(along, key=lambda found: found[0]):
            self._since.setdefault(fact, number - 1)

    @property
    def facts(self) -> tuple[Decision, ...]:
        """What went wrong in the trace, the first thing first."""
        return tuple(self._since)

    @property
    def tired(self) -> bool:
        """Whether no more may be performed."""
        self.gave_up = self.gave_up or self.left <= 0
        return self.left <= 0

    def since(self, fact: Decision) -> int:
        """The step (from 0) after which a fact of this trace held; -1 for the initial state."""
        return self._since[fact]

    def without(self, fact: Decision, numbers: Sequence[int]) -> tuple[Choice, ...] | None:
        """All choices with these steps left out, if `fact` is then gone.

        A dead process goes on at once, or after the others; another process stands still where it would perform a step.
        """
        steps = self.trace.steps
        for at_once in (True, False) if any(steps[n].choice.outcome == CRASH for n in numbers) else (False,):
            performance, stands = ChangedRun(self, min(numbers)), set[str]()
            for number in range(min(numbers), len(steps)):
                process = steps[number].process
                if number in numbers and steps[number].choice.outcome != CRASH:
                    stands.add(process)
                elif number in numbers and at_once:
                    performance.run_out(self.pid(process))
                elif number not in numbers and process not in stands:
                    performance.follow(steps[number])
            if choices := self._gone(fact, performance, (), stands):
                return choices
        return None

    def serially(self, fact: Decision, processes: Sequence[str]) -> tuple[Choice, ...] | None:
        """The choices up to `fact` where each process goes as far as it can before the next; None if it stays out."""
        performance = ChangedRun(self, 0)
        for process in processes:
            performance.run_out(self.pid(process))
        performance.finish(())
        return self.brings_about(fact, performance.choices)

    def in_order(self, fact: Decision, numbers: Sequence[int]) -> tuple[Choice, ...] | None:
        """All choices where these steps are performed in this order, then the rest, if `fact` is then gone.

        The rest is unchanged; or else each process goes on in turn. Steps of ended processes are skipped; None also if
        another step is impossible.
        """
        done = set(numbers)
        rest = [n for n in range(len(self.trace.steps)) if n not in done]
        for then in (rest, []):
            same = next((n for n, number in enumerate(numbers) if n != number), len(numbers))
            performance = ChangedRun(self, same)
            try:
                for number in numbers[same:]:
                    self._exactly(performance, number)
            except ScheduleError:
                return None
            except ModelError:  # an order in which the model raises
                return None
            if choices := self._gone(fact, performance, then):
                return choices
        return None

    def as_far_as_can_be(
        self, fact: Decision, numbers: Sequence[int], processes: Sequence[str]
    ) -> tuple[Choice, ...] | None:
        """All choices where the steps are performed in this order, then `processes` go on in turn, if `fact` is gone.

        A process that is blocked passes its turn, and one that has come elsewhere does what it does there.
        """
        same = next((n for n, number in enumerate(numbers) if n != number), len(numbers))
        performance = ChangedRun(self, same)
        try:
            for number in numbers[same:]:
                performance.follow(self.trace.steps[number])
            for process in processes:
                performance.run_out(self.pid(process))
            return self._gone(fact, performance, ())
        except ModelError:  # an order that the model does not bear
            return None

    def stands_at(self, process: str, number: int) -> list[Op]:
        """What a process waits for when all have gone as far as they can after so many steps: it first, or it last."""
        pid, found = self.pid(process), dict[Op, None]()
        for first in (True, False):
            performance = ChangedRun(self, number)
            if first:
                performance.run_out(pid)
            performance.finish(() if first else (process,))
            performance.finish(())
            node = self.semantics.node(performance.state, pid)
            found |= {} if node is None or node.op is None else {node.op: None}
        return list(found)

    def can_move(self, process: str, number: int) -> bool:
        """Whether a process can move just before step `number`."""
        return bool(self.semantics.outcomes(self.states[number], self.pid(process)))

    def after_end(self, fact: Decision, number: int, process: str) -> tuple[Choice, ...] | None:
        """All choices where who is to perform step `number` waits there till `process` has ended, if `fact` is gone.

        A daemon performs it then at once: where all others have ended, nothing else makes it.
        """
        held, pid = (self.trace.steps[number].process,), self.pid(process)
        performance = ChangedRun(self, number)
        for later in range(number + 1, len(self.trace.steps)):
            if self.trace.steps[later].process not in held:
                performance.follow(self.trace.steps[later])
        performance.finish(held)
        node = self.semantics.node(performance.state, pid)
        if node is None or not node.ended:
            return None
        if not set(held).isdisjoint(self.trace.daemons):
            try:
                self._exactly(performance, number)
            except ScheduleError:
                return None
        return self._gone(fact, performance, ())

    def in_turn(self, fact: Decision, processes: Sequence[str]) -> tuple[Choice, ...] | None:
        """All choices where each process goes as far as it can before the next, if `fact` is then gone."""
        performance = ChangedRun(self, 0)
        for process in processes:
            performance.run_out(self.pid(process))
        return self._gone(fact, performance, ())

    def remedies(self, fact: Decision) -> Iterator[Remedy]:
        """The answers that mattered for `fact`, latest first: one each, the innermost field's."""
        questions = 0
        for number in range(self.since(fact), -1, -1):
            for path, outcome in self._other_answers(number):
                questions += 1
                self.left -= number
                if questions > MOST_QUESTIONS or self.left <= _KEPT:
                    self.gave_up = True
                    return
                if (choices := self._answered(fact, number, outcome)) is not None:
                    yield Remedy(number, path, outcome, choices)
                    break

    def acts(self, number: int, outcome: Outcome | None, last: int) -> int | None:
        """The step, up to `last`, with which the process of step `number` acts on its result there.

        That is the first op that would have had other arguments with `outcome` as the answer; if the program would have
        gone elsewhere, the first from there on that changes something. None if there is none.
        """
        pid, process = self.pid(self.trace.steps[number].process), self.trace.steps[number].process
        automaton = self.semantics.automata[pid]
        at = None if outcome is None else automaton.advance(self.states[number].local[pid].node, outcome)
        for n in range(number + 1, last + 1):
            step = self.trace.steps[n]
            if step.process != process or step.op is None:
                continue
            other = None if at is None else automaton.nodes[at].op
            if at is not None and other == step.op:
                at = automaton.advance(at, _answer(step))
                continue
            alike = other is not None and (other.target, other.verb) == (step.op.target, step.op.verb)
            if alike or (self.accesses[n].writes and not locks(step)):
                return n
            at = None
        return None

    def idle(self, fact: Decision, number: int) -> bool:
        """Whether `fact` is gone where step `number` returns the same and changes nothing; a death is no such step."""
        step = self.trace.steps[number]
        if step.op is None:
            return False
        performance = ChangedRun(self, number)
        performance.answered(self.pid(step.process), replace(_answer(step), state=self.accesses.before(number)))
        return self._gone(fact, performance, range(number + 1, len(self.trace.steps))) is not None

    def is_told(self, fact: Decision, number: int) -> bool:
        """Whether step `number` found what the property of `fact` looks at in the result of its process."""
        process = self.trace.steps[number].process
        prop = next((prop for prop in self._each if prop.name == fact.property), None)
        for _, outcome in self._other_answers(number, fresh=True) if prop is not None and not self.tired else ():
            other = self._result_with(number, outcome) if outcome is not None else None
            if prop is not None and other is not None and is_seen_otherwise(prop, self.trace.results[process], other):
                return True
        return False

    def _result_with(self, number: int, outcome: Outcome) -> Any:
        """What the process of step `number` returns if it finds `outcome` there; None if it does not end."""
        pid = self.pid(self.trace.steps[number].process)
        performance = ChangedRun(self, number)
        try:
            performance.answered(pid, outcome)
            for step in self.trace.steps[number + 1 :]:
                performance.follow(step)
            performance.finish(())
        except ModelError:  # the program cannot handle such an answer
            return None
        return self.semantics.results(performance.state).get(self.trace.processes[pid])

    def brings_about(self, fact: Decision, choices: Sequence[Choice]) -> tuple[Choice, ...] | None:
        """The first of `choices`, as many as bring `fact` about; None if they do not, or one is impossible there."""
        states = [self.semantics.initial()]
        try:
            for choice in choices:
                states.append(self.semantics.perform(states[-1], self.semantics.move(states[-1], choice)))
        except ScheduleError:
            return None
        decided = [number for number, index in self._judge.decides_along(states) if self._fact(index) == fact]
        if decided:
            return tuple(choices[: min(decided)])
        return tuple(choices) if fact in self._results(states[-1]) else None

    def ops(self, choices: Sequence[Choice]) -> list[Op | None]:
        """The ops that these possible choices perform; None for a death."""
        state, found = self.semantics.initial(), list[Op | None]()
        for choice in choices:
            node = self.semantics.node(state, self.pid(choice.process))
            found.append(None if choice.outcome == CRASH or node is None else node.op)
            state = self.semantics.perform(state, Move(self.pid(choice.process), choice.outcome))
        return found

    def answers_otherwise(self, number: int, choices: Sequence[Choice]) -> bool:
        """Whether step `number` returns something else where these choices are performed."""
        step, state = self.trace.steps[number], self.semantics.initial()
        moves = sum(earlier.process == step.process for earlier in self.trace.steps[:number])
        for choice in choices:
            move = self.semantics.move(state, choice)
            if choice.process == step.process and not moves:
                return bool(self.semantics.outcomes(state, move.pid)[move.outcome].result != step.result)
            moves -= choice.process == step.process
            state = self.semantics.perform(state, move)
        return False

    def pid(self, process: str) -> int:
        """A process's number."""
        return self.trace.processes.index(process)

    def _exactly(self, performance: ChangedRun, number: int) -> None:
        """Step `number` as recorded; skipped if its process has ended. Raises ScheduleError if not possible."""
        choice = self.trace.steps[number].choice
        node = self.semantics.node(performance.state, self.pid(choice.process))
        if node is not None and not node.ended:
            performance.do(*self.semantics.move(performance.state, choice))

    def _answered(self, fact: Decision, number: int, outcome: Outcome | None) -> tuple[Choice, ...] | None:
        """All choices with another answer to step `number` (None: blocked there), if `fact` is then gone."""
        process = self.trace.steps[number].process
        performance = ChangedRun(self, number)
        try:
            if outcome is not None:
                performance.answered(self.pid(process), outcome)
            rest = range(number + (outcome is not None), len(self.trace.steps))
            return self._gone(
                fact, performance, rest, () if outcome else (process,), stuck=outcome is None, answered=True
            )
        except ModelError:  # the program cannot handle such an answer
            return None

    def _gone(
        self,
        fact: Decision,
        performance: ChangedRun,
        rest: Iterable[int],
        held: Collection[str] = (),
        *,
        stuck: bool = False,
        answered: bool = False,
    ) -> tuple[Choice, ...] | None:
        """All choices, the `rest` of the steps and an end added, if `fact` is then gone and no other came.

        A process in `held` stands still. There must be an end, unless a held process must reach it (`stuck`). Where
        the fact is that there was none, one is searched for, unless this is one of many `answered` questions.
        """
        for number in rest:
            if self.trace.steps[number].process not in held:
                performance.follow(self.trace.steps[number])
        search = fact.property in OF_WAITING and not answered
        ended = (search and performance.search(held)) or performance.finish(held)
        facts = set(self._judged(performance.seen))
        if stuck:  # a process that we hold up ourselves is neither in a deadlock nor in a trap
            facts = {known for known in facts if known.property not in OF_WAITING}
        clean = (ended or stuck) and fact not in facts and facts <= self._since.keys()
        return tuple(performance.choices) if clean else None

    def _other_answers(self, number: int, *, fresh: bool = False) -> Iterator[tuple[Path | None, Outcome | None]]:
        """Other results that step `number` could have had; None as an outcome: it would have been blocked.

        They are those of values that the trace shows; with `fresh`, also of one that nobody ever wrote.
        """
        step = self.trace.steps[number]
        if step.op is None or step.op.target is None:
            return
        state, pid = self.states[number], self.pid(step.process)
        possible = self.semantics.outcomes(state, pid)
        now = possible[step.choice.outcome]
        known: set[Outcome | None] = {now}
        for outcome in possible:
            if (outcome.result, outcome.label) != (now.result, now.label):
                known.add(outcome)
                yield None, outcome
        for variant in self.accesses.variants(number, fresh=fresh):
            now_is = self.accesses.before(number)
            answers: list[Outcome | None] = [_really(variant, outcome, now_is) for outcome in variant.outcomes]
            for other in answers or [None]:
                if other not in known and (other is None or other.result != now.result):
                    known.add(other)
                    yield variant.path, other

    def _judged(self, states: Sequence[State]) -> Iterator[Decision]:
        yield from (self._fact(index) for _, index in self._judge.decides_along(states))
        yield from self._results(states[-1])

    def _fact(self, index: int) -> Decision:
        prop = self._judge.properties[index]
        return Decision(prop.name, None, prop.is_wish)

    def _results(self, state: State) -> Iterator[Decision]:
        for pid, process in enumerate(self.semantics.processes):
            node = self.semantics.node(state, pid)
            if node is None or not node.ended:
                continue
            for prop in self._each:
                if prop.of in (None, process.name) and not self._judge.result_ok(prop, process.name, node.result):
                    yield Decision(prop.name, self.trace.processes[pid])


def trace_choices(trace: Trace) -> Sequence[Choice]:
    """The choices of a trace's steps, in order."""
    return [step.choice for step in trace.steps]


def _answer(step: Step) -> Outcome:
    """The result of a step, as its program sees it."""
    return Outcome(
        None,
        step.result,
        takes=step.taken.token if step.taken else None,
        drops=step.dropped[0].token if step.dropped else None,
    )


def _really(variant: Counterfactual, outcome: Outcome, now: Hashable) -> Outcome:
    """The variant's answer for the program; if the op only looks, the object stays as it really is."""
    if outcome.state == variant.state:
        return Outcome(now, outcome.result, outcome.label, outcome.takes, outcome.drops)
    return outcome
