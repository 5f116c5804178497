"""A stored value with versions, that may be read stale."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.typed import expect, is_number
from dstamp_sim.core.value import same


class Version(NamedTuple):
    """A value (None: deleted) and its number, from 0 on."""

    value: Any
    number: int


class Stored(NamedTuple):
    """The state of a store: its newest version, the highest fencing token that it has seen, and what may be read stale.

    `older` are the versions before, the newest first.
    """

    value: Any
    number: int = 0
    fence: int = 0
    older: tuple[Version, ...] = ()

    @property
    def newest(self) -> Version:
        """The value with its number."""
        return Version(self.value, self.number)


class Store(SharedObject):
    """One key of a store: every change makes the next version. An object of a bucket, an entry of etcd, a row.

    `get` returns any of the last `stale` + 1 versions (a replica that lags, a cache), with `strong=True` the newest.
    Later reads may be older than earlier ones. Numbers count up, so a loop without end has states without end: where
    versions do not matter and reads are never stale, take a `Register`.
    """

    def __init__(self, name: str, initial: Hashable = None, *, stale: int = 0) -> None:
        expect(is_number(stale) and stale >= 0, f"Store {name!r}", "stale", stale, "a number from 0 on")
        super().__init__(name, Stored(initial))
        self.stale = stale

    def get(self, *, strong: bool = False) -> Op:
        """Returns a `Version`: the newest, or one of those before it that may be read stale."""
        return self.op("get", strong)

    def put(self, value: Hashable) -> Op:
        """Makes the next version; returns its number."""
        return self.op("put", value)

    def put_if(self, number: int, value: Hashable) -> Op:
        """Makes the next version if the newest is `number`; returns whether it was."""
        return self.op("put_if", number, value)

    def put_fenced(self, token: int, value: Hashable) -> Op:
        """Makes the next version unless a higher fencing token was seen before; returns whether it did."""
        return self.op("put_fenced", token, value)

    def compare_and_set(self, expected: Hashable, value: Hashable) -> Op:
        """Makes the next version if the newest value is `expected`; returns whether it was."""
        return self.op("compare_and_set", expected, value)

    def compare_and_delete(self, expected: Hashable) -> Op:
        """Deletes the value (it is None then) if it is `expected`; returns whether it was."""
        return self.op("compare_and_set", expected, None)

    def outcomes(self, state: Stored, op: Op) -> tuple[Outcome, ...]:
        """Deterministic but for a stale `get`; nothing blocks."""
        match op.verb, op.args:
            case "get", (bool(strong),):
                old = () if strong else state.older
                return (Outcome(state, state.newest), *(Outcome(state, version, "stale") for version in old))
            case "put", (value,):
                return (Outcome(self._with(state, value), state.number + 1),)
            case "put_if", (int(number), value):
                return (self._if(state, number == state.number, value),)
            case "put_fenced", (int(token), value):
                fence = max(token, state.fence)
                return (self._if(state._replace(fence=fence), token == fence, value),)
            case "compare_and_set", (expected, value):
                return (self._if(state, same(expected, state.value), value),)
        raise self.unknown_verb(op)

    def _if(self, state: Stored, right: bool, value: Hashable) -> Outcome:
        return Outcome(self._with(state, value) if right else state, right)

    def _with(self, state: Stored, value: Hashable) -> Stored:
        older = (state.newest, *state.older)[: self.stale]
        return Stored(value, state.number + 1, state.fence, older)
