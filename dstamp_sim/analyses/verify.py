"""Whether a claim is true of a trace: asked of the steps, the objects and the semantics, never of what found it.

Everything here is plain and slow on purpose: a walk over the steps, one question to an object, or a whole schedule
performed from the start. Nothing is remembered from the search for a cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from dstamp_sim.analyses.accesses import Location, Path, fields_of, put
from dstamp_sim.analyses.claims import (
    Claim,
    Fails,
    Moved,
    Overwrote,
    Read,
    Speech,
    Trial,
    TriedAndSafe,
    When,
    Without,
)
from dstamp_sim.core.errors import ModelError, ScheduleError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Kind, Property
from dstamp_sim.core.schedule import Choice
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.shared_object import Outcome
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace

_ABSENT = object()


@dataclass(frozen=True)
class Performance:
    """The states that some choices lead through, from the start, in a semantics of their own."""

    semantics: Semantics
    states: Sequence[State]

    @property
    def over(self) -> bool:
        """Whether at the end all that must end have, or nobody can move."""
        last, everyone = self.states[-1], range(len(self.semantics.names))
        return self.semantics.ended(last) or not any(self.semantics.outcomes(last, n) for n in everyone)

    def failures(self) -> dict[tuple[str, str | None], int]:
        """What fails (or is reached): property and whose result, with the first state in which it does."""
        judge = Judge(self.semantics, self.semantics.system.checked_properties)
        found: dict[tuple[str, str | None], int] = {}
        for number, state in enumerate(self.states):
            for prop in (judge.properties[index] for index in judge.decides(state)):
                each = prop.kind is Kind.EACH_RESULT
                for who in _whose(self.semantics, prop, state) if each else (None,):
                    found.setdefault((prop.name, who), number)
        return found


def perform(system: System, choices: Sequence[Choice]) -> Performance:
    """What comes of `choices`. Raises ScheduleError where one is not possible."""
    semantics = Semantics(system)
    states = [semantics.initial()]
    for choice in choices:
        states.append(semantics.perform(states[-1], semantics.move(states[-1], choice)))
    return Performance(semantics, states)


@dataclass(frozen=True)
class Record:
    """A trace and the system that it is of, to be asked anew."""

    system: System
    trace: Trace

    def state(self, target: str, number: int) -> Any:
        """The state of an object just before step `number`."""
        for step in reversed(self.trace.steps[:number]):
            for change in step.changes:
                if change.target == target:
                    return change.after
        return self.trace.initial[target]

    def value(self, place: Location, number: int) -> Any:
        """What is in a field just before step `number`; None where there is no such field."""
        return fields_of(self.state(place.target, number)).get(place.path)

    def wrote(self, number: int, place: Location) -> bool:
        """Whether step `number` changed a field, or would have set it to the same whatever was there."""
        step = self.trace.steps[number]
        for change in step.changes:
            before, after = fields_of(change.before), fields_of(change.after)
            if change.target == place.target and before.get(place.path, _ABSENT) != after.get(place.path, _ABSENT):
                return True
        return any(left != value for value, left in self._left_behind(number, place))

    def reads(self, number: int, place: Location) -> bool:
        """Whether step `number` would have done something else had another value been in a field."""
        step = self.trace.steps[number]
        if step.op is None or step.op.target is None or step.touched != place.target:
            return False
        state = self.state(place.target, number)
        now = step.op.target.outcomes(state, step.op)
        return any(_unlike(value, place.path, now, then) for value, then in self._asked(number, place))

    def writer(self, number: int, place: Location) -> int | None:
        """The last step before step `number` that wrote a field; None: it is as it was from the start."""
        return next((n for n in range(number - 1, -1, -1) if self.wrote(n, place)), None)

    def _left_behind(self, number: int, place: Location) -> Iterator[tuple[Any, Any]]:
        """Other values of a field with what step `number` would have left there, had it been told the same."""
        step = self.trace.steps[number]
        if step.op is not None:
            for value, outcomes in self._asked(number, place):
                mine = outcomes[step.choice.outcome : step.choice.outcome + 1]
                if mine and (mine[0].result, mine[0].label) == (step.result, step.label):
                    yield value, fields_of(mine[0].state).get(place.path, _ABSENT)

    def _asked(self, number: int, place: Location) -> Iterator[tuple[Any, tuple[Outcome, ...]]]:
        """Other values of a field with what the op of step `number` may do then; those that the object bears."""
        step = self.trace.steps[number]
        if step.op is None or step.op.target is None or step.touched != place.target:
            return
        state = self.state(place.target, number)
        now = fields_of(state).get(place.path, _ABSENT)
        for value in self._values(place, step.op.args):
            if now is not _ABSENT and value != now:
                try:
                    yield value, tuple(step.op.target.outcomes(put(state, place.path, value), step.op))
                except Exception:  # a model's object, asked about a state of our making
                    continue

    def _values(self, place: Location, args: Sequence[Any]) -> list[Any]:
        """What a field holds anywhere in the trace, what an op was given, and some values that nobody wrote."""
        private = place.target.partition("@")[0]
        states = [s for name, s in self.trace.initial.items() if name.partition("@")[0] == private]
        states += [c.after for s in self.trace.steps for c in s.changes if c.target.partition("@")[0] == private]
        seen = [fields_of(state)[place.path] for state in states if place.path in fields_of(state)]
        return list(dict.fromkeys([*seen, *args, *(fresh for value in seen[:1] for fresh in _fresh(value))]))


class Narrator:
    """Says claims that are verified; `said` are those, `dropped` the others, each with what speaks against it."""

    def __init__(self, record: Record, when: When) -> None:
        self.record, self.speech = record, Speech(record.trace, when)
        self.said: list[Claim] = []
        self.dropped: list[tuple[Claim, str]] = []

    def true(self, claim: Claim) -> bool:
        """Whether a claim is verified; it is then said, or else dropped."""
        why_not = against(claim, self.record)
        self.said.extend([] if why_not else [claim])
        self.dropped.extend([(claim, why_not)] if why_not else [])
        return not why_not

    def tell(self, claims: Iterable[Claim], between: str = "; ") -> str:
        """The words of those claims that are true, one after the other."""
        return between.join(claim.words(self.speech) for claim in claims if self.true(claim))


@singledispatch
def against(claim: Claim, record: Record) -> str:
    """What speaks against a claim; empty where it is true."""
    raise NotImplementedError(f"nobody says how a {type(claim).__name__} is verified")


@against.register
def _fails(claim: Fails, record: Record) -> str:
    since = perform(record.system, record.trace.schedule).failures().get((claim.property, claim.process))
    if since is None:
        return f"{claim.property!r} does not fail"
    return "" if since == claim.step + 1 else f"{claim.property!r} fails with step {since}"


@against.register
def _read(claim: Read, record: Record) -> str:
    if not record.reads(claim.step, claim.place):
        return f"step {claim.step + 1} does the same whatever is in {claim.place}"
    if (found := record.value(claim.place, claim.step)) != claim.value:
        return f"step {claim.step + 1} found {found!r} in {claim.place}"
    return _not_by(record, claim.step, claim.place, claim.writer)


@against.register
def _overwrote(claim: Overwrote, record: Record) -> str:
    if not record.wrote(claim.step, claim.place):
        return f"step {claim.step + 1} does not write {claim.place}"
    if (found := record.value(claim.place, claim.step)) != claim.value:
        return f"step {claim.step + 1} wrote over {found!r} in {claim.place}"
    return _not_by(record, claim.step, claim.place, claim.over)


def _not_by(record: Record, number: int, place: Location, writer: int | None) -> str:
    """What speaks against that `writer` wrote last what a step found; empty where it did."""
    found = record.writer(number, place)
    by = "nobody" if found is None else f"step {found + 1}"
    return "" if found == writer else f"what step {number + 1} found in {place} was written by {by}"


@against.register
def _tried(claim: TriedAndSafe, record: Record) -> str:
    return next((no for trial in claim.trials if (no := _no_trial(record, claim.fails, trial))), "")


def _no_trial(record: Record, fails: Fails, trial: Trial) -> str:
    """What speaks against a trial: it is not the change that it says it is, not complete, or not safe."""
    try:
        performance = perform(record.system, trial.choices)
        here = performance.failures().keys()
    except (ScheduleError, ModelError) as error:
        return f"it cannot be performed: {error}"
    there = perform(record.system, record.trace.schedule).failures().keys()
    if (fails.property, fails.process) in here or here - there:
        return f"it ends with {sorted(name for name, _ in here)}"
    if not performance.over:
        return "it stops before the end"
    return _no_change(record.trace, trial)


def _no_change(trace: Trace, trial: Trial) -> str:
    """What speaks against that a trial changes what it says; steps are known by who performs its how-manieth one."""
    match trial.change:
        case Without(steps):
            left = [n for n in steps if _where(trace, n, trial.choices) is not None]
            return f"step {left[0] + 1} is not left out" if left else ""
        case Moved(step, other, later):
            mine, its = (_where(trace, n, trial.choices) for n in (step, other))
            if mine is None or its is None:
                return "one of the steps is not performed"
            if (step > other) == later or (mine > its) != later:
                return f"step {step + 1} does not come {'after' if later else 'before'} step {other + 1}"
            return ""


def _where(trace: Trace, number: int, choices: Sequence[Choice]) -> int | None:
    """Where among `choices` a step of the trace is performed: the same choice of its process, equally often moved."""
    step = trace.steps[number]
    moves = sum(1 for earlier in trace.steps[:number] if earlier.process == step.process)
    places = [n for n, choice in enumerate(choices) if choice.process == step.process]
    return places[moves] if moves < len(places) and choices[places[moves]] == step.choice else None


def _whose(semantics: Semantics, prop: Property, state: State) -> Iterator[str]:
    """The processes whose results break a property of each result."""
    for number, process in enumerate(semantics.processes):
        node = semantics.node(state, number)
        if node is not None and node.ended and prop.of in (None, process.name) and not prop.predicate(node.result):
            yield semantics.names[number]


def _unlike(value: Any, path: Path, now: Sequence[Outcome], then: Sequence[Outcome]) -> bool:
    """Whether an op does something else `then`, with `value` in a field, than `now`; to leave it there is the same."""
    return len(now) != len(then) or any(
        (a.result, a.label, a.takes, a.drops) != (b.result, b.label, b.takes, b.drops)
        or b.state not in (a.state, _with(a.state, path, value))
        for a, b in zip(now, then, strict=True)
    )


def _with(state: Any, path: Path, value: Any) -> Any:
    """The state with another value in a field; as it is where it has no such field."""
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
