"""A system whose objects may fail only so many times: how the fewest failures behind an observation are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

from dstamp_sim.core.op import Op, Program
from dstamp_sim.core.semantics import Move, Semantics
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.system import Process, System
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.incident.possible.turns import MatchCount, Turns


class Left(NamedTuple):
    """An object's own state, and how many failures it has left."""

    state: Hashable
    failures: int


class Rationed(SharedObject):
    """An object that has outcomes with one of `labels` only so many times; otherwise it is `inner`."""

    def __init__(self, inner: SharedObject, labels: frozenset[str], most: int) -> None:
        super().__init__(inner.name, [Left(state, most) for state in inner.initials], private=inner.private)
        self.inner, self._labels = inner, labels

    def outcomes(self, state: Left, op: Op) -> tuple[Outcome, ...]:
        """Those of `inner`, without failures if none is left."""
        given = self.inner.outcomes(state.state, op.on(self.inner))
        return tuple(
            replace(outcome, state=Left(outcome.state, state.failures - (outcome.label in self._labels)))
            for outcome in given
            if state.failures or outcome.label not in self._labels
        )

    def on_death(self, state: Left, token: Hashable) -> Left:
        """That of `inner`."""
        return Left(self.inner.on_death(state.state, token), state.failures)

    def at_exit(self, token: Hashable) -> Op | None:
        """That of `inner`."""
        op = self.inner.at_exit(token)
        return op and op.on(self)


def failures(trace: Trace, labels: Collection[str]) -> Counter[str]:
    """How many steps of a trace have one of these labels, by object."""
    return Counter(str(step.touched) for step in trace.steps if step.label in labels)


def portions(system: System, most: int, *, in_each: int) -> Iterator[dict[str, int]]:
    """Every way to distribute `most` failures over the shared objects of `system`, by name.

    A private object has `in_each` in each process; objects that only count are left out.
    """
    shared = [item.name for item in system.objects if not item.private and not isinstance(item, (MatchCount, Turns))]
    private = {item.name: in_each for item in system.objects if item.private}
    for chosen in combinations_with_replacement(shared, most):
        yield private | {name: chosen.count(name) for name in shared}


def rationed(system: System, labels: Collection[str], portion: Mapping[str, int]) -> System:
    """`system` whose objects fail only as often as `portion` says, by name; the others are unchanged."""
    stand_ins = {
        id(item): Rationed(item, frozenset(labels), portion[item.name])
        for item in system.objects
        if item.name in portion
    }
    processes = [
        Process(
            process.name,
            partial(_rewired, process.program, stand_ins),
            *process.args,
            copies=process.copies,
            daemon=process.daemon,
            killable=process.killable,
        )
        for process in system.processes
    ]
    objects = [stand_ins.get(id(item), item) for item in system.objects]
    return replace(system, objects=objects, processes=processes, lanes=())


def unrationed(system: System, trace: Trace) -> Trace:
    """A trace of the rationed `system` as a trace of `system` itself: the same moves."""
    semantics = Semantics(system)
    state, steps = semantics.initial(), list[Step]()
    for wanted in trace.steps:
        pid = semantics.names.index(wanted.process)
        for outcome in range(len(semantics.outcomes(state, pid))):
            move = Move(pid, outcome)
            after = semantics.perform(state, move)
            step = semantics.step(state, move, after)
            if _same(step, wanted):
                break
        else:  # a death
            move = semantics.move(state, wanted.choice)
            after = semantics.perform(state, move)
            step = semantics.step(state, move, after)
        steps.append(step)
        state = after
    return semantics.trace(steps, state)


def _same(step: Step, wanted: Step) -> bool:
    changes = {(change.target, _own(change.after)) for change in wanted.changes}
    left_out = {change.target for change in wanted.changes if _own(change.before) == _own(change.after)}
    mine = {(change.target, change.after) for change in step.changes}
    outcome = (step.result, step.label) == (wanted.result, wanted.label) and wanted.op is not None
    return outcome and mine == {item for item in changes if item[0] not in left_out}


def _own(state: Any) -> Any:
    return state.state if isinstance(state, Left) else state


def _rewired(program: Any, stand_ins: Mapping[int, Rationed], *args: Any) -> Program[Any]:
    """The program with its ops on the stand-ins of its objects."""
    body, answer = program(*args), None
    while True:
        try:
            op = body.send(answer)
        except StopIteration as stop:
            return stop.value
        other = stand_ins.get(id(op.target))
        answer = yield op if other is None else op.on(other)
