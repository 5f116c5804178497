"""A trace to question anew: walk its steps, ask its objects, or perform other choices from the start.

Plain on purpose, as it tests the finds of cleverer code; it keeps nothing from the search for a cause.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dstamp_sim.analyses.fields import Location
from dstamp_sim.analyses.plain_runs import releases
from dstamp_sim.core.automaton import Hold
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.op import Op
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.schedule import CRASH, Choice
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.shared_object import Outcome, may_do
from dstamp_sim.core.state_fields import ABSENT, Path, changed, fields_of, get, has_fields, put
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace

MOST_FOLLOWING = 20_000
"""How many states that can follow one of a trace's are looked at."""


@dataclass(frozen=True)
class Performance:
    """The states that some choices lead through, from the start, in a separate semantics."""

    semantics: Semantics
    choices: Sequence[Choice]
    states: Sequence[State]

    def pid(self, process: str) -> int:
        """A process's number."""
        return self.semantics.names.index(process)

    def can_move(self, process: str, number: int) -> bool:
        """Whether a process can move after so many choices."""
        return bool(self.semantics.outcomes(self.states[number], self.pid(process)))

    @property
    def over(self) -> bool:
        """Whether at the end all processes that must end have ended, or none can move."""
        last = self.states[-1]
        return self.semantics.ended(last) or not any(
            self.can_move(name, len(self.choices)) for name in self.semantics.names
        )

    def failures(self) -> dict[tuple[str, str | None], int]:
        """The failures (or reached wishes): the property and the process with the result, with the first such state."""
        judge = Judge(self.semantics, self.semantics.system.checked_properties)
        found: dict[tuple[str, str | None], int] = {}
        for number, index in judge.decides_along(self.states):
            prop = judge.properties[index]
            each = prop.kind is PropertyKind.EACH_RESULT
            for who in _whose(self.semantics, prop, self.states[number]) if each else (None,):
                found.setdefault((prop.name, who), number)
        return found

    def where(self, trace: Trace, number: int) -> int | None:
        """The place of a trace's step here: the same choice and op, after as many moves of its process; or None."""
        step = trace.steps[number]
        moves = sum(1 for earlier in trace.steps[:number] if earlier.process == step.process)
        places = [n for n, choice in enumerate(self.choices) if choice.process == step.process]
        if moves >= len(places) or self.choices[places[moves]] != step.choice:
            return None
        node = self.semantics.node(self.states[places[moves]], self.pid(step.process))
        same = step.op is None or (node is not None and node.op == step.op)
        return places[moves] if same else None


def perform(system: System, choices: Sequence[Choice], answered: tuple[int, Outcome] | None = None) -> Performance:
    """The performance of `choices`, perhaps with one told result. Raises ScheduleError if one is impossible."""
    semantics = Semantics(system, by_value=True)
    states = [semantics.initial()]
    for number, choice in enumerate(choices):
        move = semantics.move(states[-1], choice)
        if answered is not None and number == answered[0]:
            states.append(semantics.given(states[-1], move.pid, answered[1]))
        else:
            states.append(semantics.perform(states[-1], move))
    return Performance(semantics, choices, states)


@dataclass(frozen=True)
class Record:
    """A trace and its system, to question anew."""

    system: System
    trace: Trace
    _following: dict[int, frozenset[State] | None] = field(default_factory=dict)

    @cached_property
    def performance(self) -> Performance:
        """The trace's choices, performed."""
        return perform(self.system, self.trace.schedule)

    @cached_property
    def failures(self) -> dict[tuple[str, str | None], int]:
        """The failures in the trace, with their first states."""
        return self.performance.failures()

    def following(self, number: int) -> frozenset[State] | None:
        """The state after so many steps and all that can follow it; None if these are more than `MOST_FOLLOWING`."""
        if number not in self._following:
            semantics, first = self.performance.semantics, self.performance.states[number]
            seen, waiting = {first}, [first]
            while waiting and len(seen) <= MOST_FOLLOWING:
                state = waiting.pop()
                after = {semantics.perform(state, move) for move in semantics.moves(state)} - seen
                seen |= after
                waiting.extend(after)
            self._following[number] = frozenset(seen) if not waiting else None
        return self._following[number]

    def comes_to(self, number: int, arrived: Callable[[State], bool], *, deaths: bool = True) -> bool | None:
        """Whether some behaviour after so many steps, perhaps without `deaths`, comes to a state that has `arrived`.

        Depth first, those who must end before daemons; None if `MOST_FOLLOWING` states do not say.
        """
        semantics, first = self.performance.semantics, self.performance.states[number]
        seen, waiting = {first}, [first]
        while waiting and len(seen) <= MOST_FOLLOWING:
            state = waiting.pop()
            if arrived(state):
                return True
            possible = (move for move in semantics.moves(state) if deaths or move.outcome != CRASH)
            moves = sorted(possible, key=lambda move: not semantics.processes[move.pid].daemon)
            after = [later for move in moves if (later := semantics.perform(state, move)) not in seen]
            seen.update(after)
            waiting.extend(after)
        return None if waiting else False

    @cached_property
    def releases(self) -> list[tuple[Hold, Op]]:
        """What was released with which op, in the trace and in plain runs of its system."""
        here = [(hold, step.op) for step in self.trace.steps if step.op is not None for hold in step.dropped]
        return list(dict.fromkeys([*here, *releases(self.system)]))

    def state(self, target: str, number: int) -> Any:
        """The state of an object just before step `number`."""
        changes = self._changes.get(target, [])
        before = bisect_left(changes, number, key=lambda change: change[0])
        return changes[before - 1][1] if before else self.trace.initial[target]

    def value(self, place: Location, number: int) -> Any:
        """The value of a field just before step `number`; None if there is no such field."""
        return fields_of(self.state(place.target, number)).get(place.path)

    def wrote(self, number: int, place: Location) -> bool:
        """Whether step `number` changed a field, or would have set it to the same value in any case."""
        for change in self.trace.steps[number].changes:
            if change.target == place.target and place.path in changed(change.before, change.after):
                return True
        return any(left != value for value, left in self._left_behind(number, place))

    def reads(self, number: int, place: Location) -> bool:
        """Whether step `number` would have done something else with another value in a field."""
        step = self.trace.steps[number]
        if step.op is None or step.op.target is None or step.touched != place.target:
            return False
        now = may_do(step.op, self.state(place.target, number))
        return any(_unlike(value, place.path, now, then) for value, then in self._asked(number, place))

    def writer(self, number: int, place: Location) -> int | None:
        """The last step before step `number` that wrote a field; None: it is as it was from the start."""
        return next((n for n in range(number - 1, -1, -1) if self.wrote(n, place)), None)

    def of(self, number: int) -> str:
        """The process that moved."""
        return self.trace.steps[number].process

    @cached_property
    def _changes(self) -> dict[str, list[tuple[int, Any]]]:
        found: dict[str, list[tuple[int, Any]]] = {}
        for number, step in enumerate(self.trace.steps):
            for change in step.changes:
                found.setdefault(change.target, []).append((number, change.after))
        return found

    def _left_behind(self, number: int, place: Location) -> Iterator[tuple[Any, Any]]:
        """Other values of a field with what step `number` would have left there, after the same result."""
        step = self.trace.steps[number]
        if step.op is not None:
            for value, outcomes in self._asked(number, place):
                mine = outcomes[step.choice.outcome : step.choice.outcome + 1]
                if mine and (mine[0].result, mine[0].label) == (step.result, step.label):
                    yield value, fields_of(mine[0].state).get(place.path, ABSENT)

    def _asked(self, number: int, place: Location) -> Iterator[tuple[Any, tuple[Outcome, ...]]]:
        """Other values of a field with what the op of step `number` may do then, unless the object raises."""
        step = self.trace.steps[number]
        if step.op is None or step.op.target is None or step.touched != place.target:
            return
        state = self.state(place.target, number)
        if place.path not in fields_of(state):
            return
        now = get(state, place.path)
        for value in self._values(place, step.op.args):
            if value != now and not (has_fields(value) and has_fields(now)):  # they are asked field by field
                try:
                    yield value, may_do(step.op, put(state, place.path, value))
                except Exception:  # a model's object may raise on a state of our making
                    continue

    def _values(self, place: Location, args: Sequence[Any]) -> list[Any]:
        """The values of a field anywhere in the trace, an op's arguments, and some values that nobody wrote."""
        private = place.target.partition("@")[0]
        states = [s for name, s in self.trace.initial.items() if name.partition("@")[0] == private]
        states += [c.after for s in self.trace.steps for c in s.changes if c.target.partition("@")[0] == private]
        seen = [get(state, place.path) for state in states if place.path in fields_of(state)]
        return list(dict.fromkeys([*seen, *args, *(fresh for value in seen[:1] for fresh in _fresh(value))]))


def _whose(semantics: Semantics, prop: Property, state: State) -> Iterator[str]:
    """The processes whose results break a property of each result."""
    for number, process in enumerate(semantics.processes):
        node = semantics.node(state, number)
        if node is not None and node.ended and prop.of in (None, process.name) and not prop.predicate(node.result):
            yield semantics.names[number]


def _unlike(value: Any, path: Path, now: Sequence[Outcome], then: Sequence[Outcome]) -> bool:
    """Whether an op does something else `then`, with `value` in a field, than `now`; leaving it there is the same."""
    return len(now) != len(then) or any(
        (a.result, a.label, a.takes, a.drops) != (b.result, b.label, b.takes, b.drops)
        or b.state not in (a.state, _with(a.state, path, value))
        for a, b in zip(now, then, strict=True)
    )


def _with(state: Any, path: Path, value: Any) -> Any:
    """The state with another value in a field; unchanged if it has no such field."""
    return put(state, path, value) if path in fields_of(state) else state


def _fresh(value: Any) -> tuple[Any, ...]:
    """Values of the same type that nobody writes."""
    match value:
        case bool():
            return True, False
        case int():
            return (value + 7_777_777,)
        case str():
            return (f"{value}\N{ZERO WIDTH JOINER}",)
    return ()
