"""Asks properties about whole levels of a space at once: numpy finds the distinct questions, the judge answers them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.engines.explore.space import Space

ASKED_AT_ONCE = 1 << 18
"""How many states are judged at a time."""


FEW = 1 << 20
"""The number of combinations up to which a table of first occurrences is cheaper than sorting."""


class CopiesDistinguished(Exception):  # not an error: the space must be explored without symmetry
    """A property looks at the names of copies, so states that differ by a permutation of them are not the same."""


class LevelJudge:
    """The properties of one exploration over one space; counts how often each was exercised."""

    def __init__(self, space: Space, judge: Judge) -> None:
        self.exercised: Counter[str] = Counter()
        self._space, self._judge = space, judge
        tables = space.tables
        self._slot = {id(item): slot for slot, item in enumerate(tables.objects)}
        self._names = tables.semantics.names
        self._ask: dict[PropertyKind, Callable[[int, Property, int, int], int | None]] = {
            PropertyKind.ALWAYS: self._always,
            PropertyKind.EACH_RESULT: self._each_result,
            PropertyKind.AT_END: self._at_end,
            PropertyKind.SERIAL: self._at_end,
            PropertyKind.REACHABLE: self._reachable,
            PropertyKind.NO_DEADLOCK: self._deadlock,
        }
        self._has_result = np.zeros(0, np.bool_)
        self._is_done = np.zeros(0, np.bool_)
        self._rests = np.zeros(0, np.bool_)

    def decided(self, begin: int, end: int, *, deadlock: bool) -> dict[int, int]:
        """The properties that a state in begin..end decides: index, and the first such state.

        With `deadlock` only freedom from deadlock is asked, of states that are expanded; without, all others but what
        asks ahead, which is asked of the whole space (`traps`).

        Raises ToldApart when symmetry is on and a property told copies apart.
        """
        self._describe_locals()
        found: dict[int, int] = {}
        for index, prop in enumerate(self._judge.properties):
            if prop.asks_ahead or (prop.kind is PropertyKind.NO_DEADLOCK) is not deadlock:
                continue
            for at in range(begin, end, ASKED_AT_ONCE):
                state = self._ask[prop.kind](index, prop, at, min(at + ASKED_AT_ONCE, end))
                if state is not None:
                    found.setdefault(index, state)
        if self._space.symmetry and self._judge.tell_apart:
            raise CopiesDistinguished(", ".join(sorted(self._judge.tell_apart)))
        return found

    def _describe_locals(self) -> None:
        """By local state: whether its process ended with a result, no longer needs to end, and may stay there."""
        tables, known = self._space.tables, len(self._has_result)
        fresh = range(known, len(tables.keys))
        results = np.array([tables.has_result(local) for local in fresh], np.bool_)
        done = np.array(
            [tables.classes[tables.keys[n].klass].daemon or tables.target.data[n] == -2 for n in fresh], bool
        )
        self._has_result = np.concatenate([self._has_result, results])
        self._is_done = np.concatenate([self._is_done, done])
        self._rests = np.concatenate([self._rests, np.array([tables.rests(local) for local in fresh], np.bool_)])

    def _locals(self, begin: int, end: int) -> NDArray[Any]:
        first = self._space.objects
        return self._space.columns(range(first, first + self._space.processes), begin, end)

    def _always(self, index: int, prop: Property, begin: int, end: int) -> int | None:
        self.exercised[prop.name] += end - begin
        seen = self._space.columns([self._slot[id(item)] for item in prop.reads], begin, end)
        return self._first(seen, begin, lambda numbers: not self._judge.state_ok(prop, self._states(prop, numbers)))

    def _each_result(self, index: int, prop: Property, begin: int, end: int) -> int | None:
        if not self.exercised[prop.name]:
            asked = self._has_result & self._of(prop)
            self.exercised[prop.name] += int(asked[self._locals(begin, end)].sum())
        bad = (self._space.tables.violates.data[: len(self._has_result)] >> index) & 1
        if not bad.any():
            return None
        rows = np.flatnonzero(bad.astype(np.bool_)[self._locals(begin, end)].any(axis=1))
        return begin + int(rows[0]) if len(rows) else None

    def _of(self, prop: Property) -> NDArray[np.bool_]:
        tables = self._space.tables
        names = [tables.semantics.processes[klass.pids[0]].name for klass in tables.classes]
        asked = np.array([prop.of in (None, name) for name in names], np.bool_)
        return asked[[key.klass for key in tables.keys[: len(self._has_result)]]]

    def _at_end(self, index: int, prop: Property, begin: int, end: int) -> int | None:
        ended = np.flatnonzero(self._is_done[self._locals(begin, end)].all(axis=1)) + begin
        self.exercised[prop.name] += len(ended)
        return self._first_of(prop, ended, wanted=False)

    def _reachable(self, index: int, prop: Property, begin: int, end: int) -> int | None:
        self.exercised[prop.name] += end - begin
        return self._first_of(prop, np.arange(begin, end), wanted=True)

    def _deadlock(self, index: int, prop: Property, begin: int, end: int) -> int | None:
        self.exercised[prop.name] += end - begin
        for state in self._space.stuck[bisect_left(self._space.stuck, begin) :]:
            if state < end and not self._rests[self._locals(state, state + 1)].all():
                return state
        return None

    def _first_of(self, prop: Property, states: NDArray[Any], *, wanted: bool) -> int | None:
        """The first of `states` where the property's predicate on results (and what it reads) returns `wanted`."""
        if not len(states):
            return None
        begin, end = int(states[0]), int(states[-1]) + 1
        local = self._locals(begin, end)[states - begin]
        local[~self._has_result[local]] = -1
        seen = self._space.columns([self._slot[id(item)] for item in prop.reads], begin, end)[states - begin]
        questions = np.concatenate([local, seen], axis=1)

        def answer(numbers: NDArray[Any]) -> bool:
            ended = numbers[: self._space.processes].tolist()
            tables = self._space.tables
            results = tuple((name, tables.result(n)) for name, n in zip(self._names, ended, strict=True) if n >= 0)
            seen = self._states(prop, numbers[self._space.processes :])
            return self._judge.results_ok(prop, results, seen) is wanted

        first = self._first(questions, 0, answer)
        return None if first is None else int(states[first])

    def _first(self, questions: NDArray[Any], begin: int, decides: Callable[[NDArray[Any]], bool]) -> int | None:
        """The first row of `questions` that decides; each distinct row is asked once."""
        hits = [at for at in _firsts(questions) if decides(questions[at])]
        return begin + min(hits) if hits else None

    def _states(self, prop: Property, numbers: NDArray[Any]) -> tuple[Any, ...]:
        states = self._space.tables.states
        return tuple(states[self._slot[id(i)]][n] for i, n in zip(prop.reads, numbers.tolist(), strict=True))


def _firsts(rows: NDArray[np.int64]) -> list[int]:
    """The first occurrence of each distinct row of numbers from -1 on."""
    sizes = [int(size) for size in rows.max(axis=0, initial=-1) + 2]
    if prod(sizes) > FEW:
        return [int(at) for at in np.unique(rows, axis=0, return_index=True)[1]]
    keys = np.ravel_multi_index(tuple(rows.T + 1), tuple(sizes)) if sizes else np.zeros(len(rows), np.int64)
    first = np.full(prod(sizes), -1)
    first[keys[::-1]] = np.arange(len(rows))[::-1]
    return [int(at) for at in first[first >= 0]]
