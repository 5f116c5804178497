"""What each step of a trace reads and writes, field by field: by asking the objects, never by a list of verbs.

An op reads a field if, had the field another value, the op would have done something else: another result, another
change elsewhere, or nothing at all because it blocks. It writes a field that it changed, or that it would have set to
the same value whatever was there before. So `write(40)` over 40 writes, a failed compare-and-set does not, and a
counter's `add` does both.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dstamp_sim.analyses.fields import Location
from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome, may_do
from dstamp_sim.core.state_fields import ABSENT, Path, changed, fields_of, get, has_fields, put
from dstamp_sim.core.trace import Step, Trace

_MOST_VALUES = 8
"""How many values of a field are tried: the first in the trace. A bound on the work, so reads may be missed
where a field takes more values and only a later one would have made a difference."""


@dataclass(frozen=True)
class Counterfactual:
    """The effect of an op if one field had another value: `outcomes` (none: it would block)."""

    path: Path
    value: Any
    state: Any
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Access:
    """The fields that one step reads and writes."""

    reads: tuple[Location, ...]
    writes: tuple[Location, ...]


_NO_ACCESS = Access((), ())


class Accesses:
    """The accesses of a trace, by step number (from 0). Deterministic; one question per object, state and op.

    `before(n)` is the state of the object that step n touches, just before it.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._before = [_seen_by(step, state) for step, state in _with_states(trace)]
        self._domain = _domain(trace)
        self._known: dict[tuple[Hashable, ...], tuple[tuple[Path, ...], tuple[Path, ...]]] = {}

    def __getitem__(self, number: int) -> Access:
        step = self._trace.steps[number]
        if step.op is None or step.touched is None or step.op.target is None:
            return Access((), tuple(dict.fromkeys(_changed_by(step)))) if step.changes else _NO_ACCESS
        key = (step.touched, self._before[number], step.op, step.choice.outcome)
        if key not in self._known:
            self._known[key] = self._ask(number)
        reads, writes = self._known[key]
        name = step.touched
        return Access(tuple(Location(name, p) for p in reads), tuple(Location(name, p) for p in writes))

    def before(self, number: int) -> Any:
        """The state of the object that step `number` touches, just before it."""
        return self._before[number]

    def places(self, number: int) -> list[Location]:
        """Every field of the object that step `number` touches, just before it."""
        return [Location(str(self._trace.steps[number].touched), path) for path in fields_of(self._before[number])]

    def value(self, number: int, location: Location) -> Any:
        """What step `number` found in a field; None if there was no such field."""
        changes = self._trace.steps[number].changes  # a death touches no object, and changes what it held
        before = next((c.before for c in changes if c.target == location.target), self._before[number])
        return fields_of(before).get(location.path)

    def written(self, number: int, location: Location) -> Any:
        """What step `number` left in a field; None if it removed it."""
        return self._left(number, location).get(location.path)

    def changes(self, number: int, location: Location) -> bool:
        """Whether step `number` left another value in a field than it found there."""
        return bool(self.written(number, location) != self.value(number, location))

    def is_there(self, number: int, location: Location) -> bool:
        """Whether there is such a field after step `number`."""
        return location.path in self._left(number, location)

    def _left(self, number: int, location: Location) -> dict[Path, Any]:
        step = self._trace.steps[number]
        return fields_of(next((c.after for c in step.changes if c.target == location.target), self._before[number]))

    def variants(self, number: int, *, fresh: bool = False) -> Iterator[Counterfactual]:
        """What the op of step `number` would have done with other values in one field; innermost fields first.

        The values are those that the trace shows in that field; with `fresh`, also a value that nobody ever wrote.
        """
        step = self._trace.steps[number]
        if step.op is None or step.op.target is None or step.touched is None:
            return
        state = self._before[number]
        for path in sorted(fields_of(state), key=len, reverse=True):
            for value in self._others(step, state, path, fresh=fresh):
                other = put(state, path, value)
                outcomes = _outcomes(other, step.op)
                if outcomes is not None:
                    yield Counterfactual(path, value, other, outcomes)

    def _others(self, step: Step, state: Any, path: Path, *, fresh: bool) -> Iterator[Any]:
        now = get(state, path)
        assert step.op is not None
        seen = self._domain.get((str(step.touched), path), ())
        given = [arg for arg in step.op.args if any(type(arg) is type(value) for value in seen)]
        for value in dict.fromkeys([*seen, *given, *(_never_seen(now) if fresh else ())]):
            if value != now and not (has_fields(now) and has_fields(value)):  # the inner fields are tried one by one
                yield value

    def _ask(self, number: int) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        step = self._trace.steps[number]
        assert step.op is not None and step.op.target is not None
        state, k = self._before[number], step.choice.outcome
        now = _outcomes(state, step.op) or ()
        writes = dict.fromkeys(location.path for location in _changed_by(step) if location.target == step.touched)
        reads: dict[Path, None] = {}
        for variant in self.variants(number, fresh=True):
            if _tells_apart(variant, state, now):
                reads[variant.path] = None
            if k < len(variant.outcomes) and _overwrites(variant, k, now[k]):
                writes[variant.path] = None
        return tuple(sorted(reads, key=str)), tuple(sorted(writes, key=str))


def _with_states(trace: Trace) -> Iterator[tuple[Step, Mapping[str, Any]]]:
    """Every step with the states before it; the mapping changes during the iteration."""
    state = dict(trace.initial)
    for step in trace.steps:
        yield step, state
        state.update({change.target: change.after for change in step.changes})


def _seen_by(step: Step, state: Mapping[str, Any]) -> Any:
    return None if step.touched is None else state[step.touched]


def _domain(trace: Trace) -> dict[tuple[str, Path], tuple[Any, ...]]:
    """The values that each field takes in the trace; copies of a private object share theirs."""
    targets = {step.touched: step.op.target.name for step in trace.steps if step.op and step.op.target and step.touched}
    seen: dict[tuple[str, Path], dict[Any, None]] = {}
    for name, state in _all_states(trace):
        for path in fields_of(state):
            values = seen.setdefault((targets.get(name, name), path), {})
            if len(values) < _MOST_VALUES:
                values[get(state, path)] = None
    return {(n, path): tuple(values) for (kind, path), values in seen.items() for n in targets if targets[n] == kind}


def _all_states(trace: Trace) -> Iterator[tuple[str, Any]]:
    yield from trace.initial.items()
    for step in trace.steps:
        yield from ((change.target, change.after) for change in step.changes)


def _changed_by(step: Step) -> Iterator[Location]:
    for change in step.changes:
        yield from (Location(change.target, path) for path in changed(change.before, change.after))


def _never_seen(value: Any) -> Iterator[Any]:
    """A value of the same type that no model writes; none for types without a known one."""
    match value:
        case bool():
            yield not value
        case int():
            yield value + 1_000_003
        case str():
            yield f"{value}\N{WORD JOINER}"


def _outcomes(state: Any, op: Op) -> tuple[Outcome, ...] | None:
    """What `op` may do; None if the object cannot be in such a state (no field varies alone there)."""
    try:
        return may_do(op, state)
    except Exception:  # a model's object may raise on a state of our making
        return None


def _tells_apart(variant: Counterfactual, state: Any, now: tuple[Outcome, ...]) -> bool:
    """Whether the op does something else than `now`, apart from the varied field, which stays as it is."""
    if len(now) != len(variant.outcomes):
        return True
    return any(_differs(variant, state, mine, other) for mine, other in zip(now, variant.outcomes, strict=True))


def _differs(variant: Counterfactual, state: Any, mine: Outcome, other: Outcome) -> bool:
    if (mine.result, mine.label, mine.takes, mine.drops) != (other.result, other.label, other.takes, other.drops):
        return True
    before, varied = fields_of(state), fields_of(variant.state)
    after, after_varied = fields_of(mine.state), fields_of(other.state)
    for path in dict.fromkeys([*after, *after_varied]):
        there, here = after_varied.get(path, ABSENT), after.get(path, ABSENT)
        if there == here:
            continue
        if path[: len(variant.path)] != variant.path:
            return True
        if here != before.get(path, ABSENT) or there != varied.get(path, ABSENT):
            return True
    return False


def _overwrites(variant: Counterfactual, k: int, now: Outcome) -> bool:
    """Whether the op, doing what it does now, leaves the varied field with a value that is not the varied one."""
    after = fields_of(variant.outcomes[k].state)
    as_now = (variant.outcomes[k].result, variant.outcomes[k].label) == (now.result, now.label)
    return as_now and any(
        after.get(path, ABSENT) != value
        for path, value in fields_of(variant.state).items()
        if path[: len(variant.path)] == variant.path
    )
