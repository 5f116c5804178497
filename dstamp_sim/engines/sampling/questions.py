"""Properties for compiled code: each distinct question is asked of the judge once, and its answer looked up afterwards.

A question is all that a predicate may look at: the states of the objects that it reads, and for `at_end` and
`reachable` who ended with what. Each-result properties are in the tables already, as bits by local state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.engines.tables import kernel
from dstamp_sim.engines.tables.compiled import compiled
from dstamp_sim.engines.tables.tables import ENDED, Grown, Tables

OPEN = 2
"""The answer to an open question. Otherwise 1 where the property is decided, 0 where not."""

_ALWAYS, _AT_END, _REACHABLE, _OTHER = range(4)
_ASKED_AS = {
    PropertyKind.ALWAYS: _ALWAYS,
    PropertyKind.AT_END: _AT_END,
    PropertyKind.SERIAL: _AT_END,
    PropertyKind.REACHABLE: _REACHABLE,
}

EVERY_OBJECT = EVERYBODY = -1
"""As changed objects, and as mover: any of them."""


class Asked(NamedTuple):
    """What compiled code needs: by property its kind, columns read and their bits; by local state its end.

    `done`: it no longer has to end; `rests`: it may stay there for ever. `forbidden`: the properties
    that are no wishes, as bits.
    """

    kind: Any
    reads: Any
    watches: Any
    violates: Any
    done: Any
    rests: Any
    result: Any
    deadlock: int
    forbidden: int
    rows: Any
    slots: Any
    answers: Any
    counts: Any
    question: Any


class Questions:
    """The properties of one run over one system's tables. Raises ModelError if a predicate raises it."""

    def __init__(self, tables: Tables, judge: Judge) -> None:
        self._tables, self._judge = tables, judge
        self._slot = {id(item): slot for slot, item in enumerate(tables.objects)}
        props = judge.properties
        width = max((len(prop.reads) for prop in props), default=0)
        self._kind = np.array([_ASKED_AS.get(prop.kind, _OTHER) for prop in props], np.int8)
        self._reads = np.full((len(props), width), -1, np.int32)
        for index, prop in enumerate(props):
            self._reads[index, : len(prop.reads)] = [self._slot[id(item)] for item in prop.reads]
        self._watches = np.array([_watched(row) for row in self._reads.tolist()], np.int64)
        self._deadlock = next((1 << i for i, prop in enumerate(props) if prop.kind is PropertyKind.NO_DEADLOCK), 0)
        self._forbidden = sum(1 << i for i, prop in enumerate(props) if not prop.is_wish)
        self._processes = len(tables.semantics.names)
        self._resize(1024, 1 + width + self._processes)
        self._counts = np.zeros(1, np.int64)
        self._done, self._rests, self._results = (Grown(dtype=np.bool_) for _ in range(3))
        self._answered = 0

    def asked(self) -> Asked:
        """The questions and answers so far, with room for more."""
        tables = self._tables
        if self._counts[0] > len(self._rows) // 2:
            old, count = self._rows, int(self._counts[0])
            answers = self._answers
            self._resize(2 * len(old), old.shape[1])
            self._rows[:count], self._answers[:count] = old[:count], answers[:count]
            kernel.rehash(self._rows, count, self._slots)
        self._look_at_new_locals()
        return Asked(
            self._kind,
            self._reads,
            self._watches,
            tables.violates.data,
            self._done.data,
            self._rests.data,
            self._results.data,
            self._deadlock,
            self._forbidden,
            self._rows,
            self._slots,
            self._answers,
            self._counts,
            np.zeros(self._rows.shape[1], np.int32),
        )

    def _look_at_new_locals(self) -> None:
        """What a local state is to the questions does not change, so it is found once."""
        tables = self._tables
        for local in range(self._done.size, len(tables.keys)):
            ended = tables.target.data[local] == ENDED
            self._done.append(tables.classes[tables.keys[local].klass].daemon or ended)
            self._rests.append(tables.rests(local))
            self._results.append(tables.has_result(local))

    def answer(self) -> None:
        """Ask the judge what is open."""
        for number in range(self._answered, int(self._counts[0])):
            row = self._rows[number].tolist()
            self._answers[number] = self._decided(self._judge.properties[row[0]], row[1:])
        self._answered = int(self._counts[0])

    def _decided(self, prop: Property, row: Sequence[int]) -> bool:
        states = self._tables.states
        seen = tuple(states[self._slot[id(item)]][n] for item, n in zip(prop.reads, row, strict=False))
        if prop.kind is PropertyKind.ALWAYS:
            return not self._judge.state_ok(prop, seen)
        names, ended = self._tables.semantics.names, row[-self._processes :]
        results = tuple((name, self._tables.result(n)) for name, n in zip(names, ended, strict=True) if n >= 0)
        return self._judge.results_ok(prop, results, seen) is prop.is_wish

    def _resize(self, rows: int, width: int) -> None:
        self._rows = np.zeros((rows, width), np.int32)
        self._slots = np.full(2 * rows, -1, np.int32)
        self._answers = np.full(rows, OPEN, np.int8)


def _watched(slots: Sequence[int]) -> int:
    """Bits of objects; every one where there are too many for bits."""
    return EVERY_OBJECT if any(slot > 61 for slot in slots) else sum(1 << slot for slot in set(slots) if slot >= 0)


@compiled
def all_are(row: Any, objects: int, which: Any) -> bool:
    """Whether the local state of every process is one of `which` (`Asked.done`: all that must end have ended)."""
    for column in range(objects, row.shape[0] - 1):
        if not which[row[column]]:
            return False
    return True


@compiled
def decided(row: Any, objects: int, changed: int, mover: int, asked: Asked) -> Any:
    """Which properties a state decides, as bits; -1 when a question is open (it is then noted).

    `changed`: the objects whose state is new (bits), `mover`: the process that moved, `EVERYBODY` at the beginning.
    What neither can have changed is not asked again. Deadlock is not asked here.
    """
    bits: Any = 0
    ended = mover == EVERYBODY
    if mover == EVERYBODY:
        for column in range(objects, row.shape[0] - 1):
            bits |= asked.violates[row[column]]
    else:
        local = row[objects + mover]
        bits = asked.violates[local]
        ended = asked.done[local] or asked.result[local]
    if changed == 0 and not ended:
        return bits
    for prop in range(asked.kind.shape[0]):
        kind = asked.kind[prop]
        news = changed == EVERY_OBJECT or (asked.watches[prop] & changed) != 0 or (kind != _ALWAYS and ended)
        if kind == _OTHER or not news or (kind == _AT_END and not all_are(row, objects, asked.done)):
            continue
        _put_question(row, objects, prop, asked)
        number, new = kernel.insert(asked.rows, asked.counts[0], asked.slots, asked.question)
        asked.counts[0] += new
        if asked.answers[number] == OPEN:
            return -1
        bits |= np.int64(asked.answers[number]) << prop
    return bits


@compiled
def _put_question(row: Any, objects: int, prop: int, asked: Asked) -> None:
    width = asked.reads.shape[1]
    asked.question[0] = prop
    for k in range(width):
        slot = asked.reads[prop, k]
        asked.question[1 + k] = row[slot] if slot >= 0 else -1
    for p in range(row.shape[0] - 1 - objects):
        local = row[objects + p]
        tells = asked.kind[prop] != _ALWAYS and asked.result[local]
        asked.question[1 + width + p] = local if tells else -1
