"""Who held what in a trace, and until when: from what its steps took and released, and from the objects.

A hold lapses when somebody else makes it worthless: a lease that runs out, a lock that is broken. The object knows: a
release would have changed something right after the taking, and changes nothing any more. Where no way to release it is
known, a hold that kept everybody out has lapsed when another process got something in spite of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from dstamp_sim.core.automaton import Hold
from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import SharedObject, may_do

if TYPE_CHECKING:
    from dstamp_sim.core.trace import Step, Trace


class Parting(Enum):
    """How a hold ended."""

    LET_GO = "let go"
    LAPSED = "lapsed"
    DIED = "died"
    RESTARTED = "restarted"


@dataclass(frozen=True, slots=True)
class Held:
    """What one process held, from the step that took it to the step that ended it (numbers from 0).

    `name` is the object's, as traces call it; `keeps_out`: right after, nobody could take it again with the same op.
    `until` and `parting` are None if it was held to the trace's end, even by a process that had ended.
    """

    process: str
    name: str
    hold: Hold
    since: int
    keeps_out: bool
    until: int | None = None
    parting: Parting | None = None

    @property
    def is_lock(self) -> bool:
        """Whether it is a lock, and may be called one."""
        return self.hold.target.is_lock

    def over(self, number: int) -> bool:
        """Whether it was held when step `number` was performed."""
        return self.since < number and (self.until is None or number < self.until)


def held_in(trace: Trace) -> tuple[Held, ...]:
    """Every hold of a trace in order of taking; a hold that lapsed and was restored by its holder counts twice."""
    return tuple(sorted(_Ledger(trace).closed, key=lambda held: held.since))


_LetGo = Callable[[Any], list[Any]]
"""The states of an object after a hold of it is released in a given state; none if that is impossible."""


@dataclass
class _Entry:
    """A hold that is not released, taken with op `take`; `open_since`: since when others can take it again."""

    held: Held
    take: Op
    let_go: _LetGo | None
    lapsed: bool = False
    open_since: int | None = None


class _Ledger:
    def __init__(self, trace: Trace) -> None:
        self._ops = _ops_that_let_go(trace)
        self._states: dict[str, Any] = dict(trace.initial)
        self._open: list[_Entry] = []
        self.closed: list[Held] = []
        for number, step in enumerate(trace.steps):
            self._states.update({change.target: change.after for change in step.changes})
            self._let_go(number, step)
            self._lapse(number, step)
            self._take(number, step)
            if step.restarted:
                self._part([e for e in self._open if e.held.process == step.process], number, Parting.RESTARTED)
        self.closed += [entry.held for entry in self._open if not entry.lapsed]

    def _let_go(self, number: int, step: Step) -> None:
        for hold in step.dropped:
            alike = (e for e in reversed(self._open) if (e.held.process, e.held.hold) == (step.process, hold))
            gone = next(alike, None)
            if gone is not None:
                self._part([gone], number, Parting.DIED if step.op is None else Parting.LET_GO)

    def _part(self, entries: list[_Entry], number: int, parting: Parting) -> None:
        for entry in entries:
            self._open.remove(entry)
            self._close(entry, number, parting)

    def _close(self, entry: _Entry, number: int, parting: Parting) -> None:
        if not entry.lapsed and entry.held.since < number:
            self.closed.append(replace(entry.held, until=number, parting=parting))

    def _take(self, number: int, step: Step) -> None:
        if step.taken is None or step.op is None or step.touched is None:
            return
        state = self._states[step.touched]
        ways = self._ways_to_let_go(step.process, step.taken)
        let_go = next((way for way in ways if any(after != state for after in way(state))), None)
        held = Held(step.process, step.touched, step.taken, number, not _would_take(step.op, state))
        self._open.append(_Entry(held, step.op, let_go))

    def _ways_to_let_go(self, process: str, hold: Hold) -> Iterator[_LetGo]:
        """The ops that may release it: first the one that this process used, then the others."""
        target, token = hold
        mine = [op for who, let_go, op in self._ops.get(id(target), ()) if (who, let_go) == (process, hold)]
        at_exit = target.at_exit(token)
        others = [_with_token(op, let_go.token, token) for _, let_go, op in self._ops.get(id(target), ())]
        release = [target.op("release", token)] if target.is_lock else []
        for op in [*mine, *([] if at_exit is None else [at_exit]), *others, *release]:
            yield partial(_states_after, op)
        yield partial(_state_after_death, target, token)

    def _lapse(self, number: int, step: Step) -> None:
        """Notes which holds this step makes worthless, and which it restores."""
        names = {change.target for change in step.changes} | ({step.touched} if step.taken else set())
        for entry in self._open:
            if entry.held.name not in names:
                continue
            since = self._lapsed_since(entry, number, step)
            if since is not None:
                self._close(entry, since, Parting.LAPSED)
                entry.lapsed = True
            elif entry.lapsed and entry.let_go is not None and step.process == entry.held.process:
                entry.held, entry.lapsed = replace(entry.held, since=number), False

    def _lapsed_since(self, entry: _Entry, number: int, step: Step) -> int | None:
        """The step since which a hold is worthless, as far as is known after step `number`; None if it stands."""
        state, held = self._states[entry.held.name], entry.held
        if entry.let_go is not None:
            after = entry.let_go(state)
            return number if after and all(one == state for one in after) else None
        if step.taken is not None and step.taken.token != held.hold.token:
            return (number if entry.open_since is None else entry.open_since) if held.keeps_out else None
        could = _would_take(entry.take, state)
        entry.open_since = (number if entry.open_since is None else entry.open_since) if could else None
        return None


def _ops_that_let_go(trace: Trace) -> Mapping[int, list[tuple[str, Hold, Op]]]:
    """By object: who released what with which op, once each."""
    found: dict[int, dict[tuple[str, Hold, Op], None]] = {}
    for step in trace.steps:
        for hold in step.dropped if step.op is not None else ():
            assert step.op is not None
            found.setdefault(id(hold.target), {})[step.process, hold, step.op] = None
    return {target: list(ops) for target, ops in found.items()}


def _with_token(op: Op, token: Hashable, other: Hashable) -> Op:
    return Op(op.target, op.verb, tuple(other if arg == token else arg for arg in op.args))


def _would_take(op: Op, state: Any) -> bool:
    assert op.target is not None
    try:
        return any(outcome.takes is not None for outcome in may_do(op, state))
    except Exception:  # a model's object may raise on a question that no process asked
        return False


def _states_after(op: Op, state: Any) -> list[Any]:
    try:
        return [outcome.state for outcome in may_do(op, state)]
    except Exception:  # as above
        return []


def _state_after_death(target: SharedObject, token: Hashable, state: Any) -> list[Any]:
    try:
        return [target.on_death(state, token)]
    except Exception:  # as above
        return []
