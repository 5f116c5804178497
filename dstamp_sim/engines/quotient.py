"""Local states and object states that nobody can tell apart, made one: the coarsest bisimulation of complete tables.

Histories that differ only in what the program forgot (`created` or `updated`) have the same future; so have object
states that differ in a field that nobody reads. Two local states are the same when, in every state of the object they
touch, their outcomes lead to the same; two states of an object are the same when, for every local state that touches
it, they do. Taken together, component by component, that is a bisimulation of the global rows, which keeps verdicts,
deadlocks and the lengths of ways.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from dstamp_sim.core.properties import Kind
from dstamp_sim.engines.tables import LOCAL, Grown, Tables


@dataclass
class _Partition:
    """The class of every local state and of every object's states; refined until it is stable."""

    tables: Tables
    local: list[int]
    state: list[list[int]]
    touching: list[list[int]] = field(default_factory=list)
    losing: list[list[int]] = field(default_factory=list)
    moves: dict[tuple[int, int], list[tuple[int, int]]] = field(default_factory=dict)

    def refined(self) -> _Partition:
        """One round: what has the same class and the same signature keeps a common class."""
        local = _numbered([self._local_signature(number) for number in range(len(self.local))])
        state = [
            _numbered([self._state_signature(slot, number) for number in range(len(states))])
            for slot, states in enumerate(self.state)
        ]
        return _Partition(self.tables, local, state, self.touching, self.losing, self.moves)

    def size(self) -> int:
        """The number of classes; a round that does not raise it was the last."""
        return len(set(self.local)) + sum(len(set(states)) for states in self.state)

    def _local_signature(self, number: int) -> Hashable:
        t = self.tables
        slot = int(t.target.data[number])
        known = range(len(t.states[slot])) if slot >= 0 else range(int(slot == LOCAL))
        death = self.local[t.death(number)]
        return self.local[number], death, tuple(self._successors(number, state) for state in known)

    def _state_signature(self, slot: int, state: int) -> Hashable:
        moves = tuple(self._successors(local, state) for local in self.touching[slot])
        losing = self.losing[slot] if self.tables.semantics.system.crashes else ()
        deaths = tuple(self.state[slot][self.tables.after_loss(hold, state)] for hold in losing)
        return self.state[slot][state], moves, deaths

    def _successors(self, local: int, state: int) -> tuple[tuple[int, int], ...]:
        slot = int(self.tables.target.data[local])
        pairs = self.moves.get((local, state))
        if pairs is None:
            pairs = self.moves[local, state] = self.tables.successors(local, state)
        return tuple((self.local[onward], self.state[slot][after] if slot >= 0 else 0) for onward, after in pairs)


ROUNDS = 200
"""Rounds of refinement after which the classes are given up: very long programs take one a step."""


def quotient(tables: Tables) -> Tables:
    """The tables of the classes of `tables`, which must be complete; the same tables when that takes too long."""
    partition = _coarsest(tables)
    if partition is None:
        return tables
    small = copy.copy(tables)
    members = _first_members(partition.local)
    small.keys = [tables.keys[number] for number in members]
    small.number_of = {key: partition.local[number] for key, number in tables.number_of.items()}
    firsts = [_first_members(states) for states in partition.state]
    small.states = [[tables.states[slot][n] for n in first] for slot, first in enumerate(firsts)]
    small.state_numbers = [
        {state: partition.state[slot][n] for state, n in numbers.items()}
        for slot, numbers in enumerate(tables.state_numbers)
    ]
    small.dead = [partition.local[number] for number in tables.dead]
    _copy_steps(tables, small, partition, members, firsts)
    _copy_holds(tables, small, partition, members, firsts)
    return small


def _coarsest(tables: Tables) -> _Partition | None:
    sees_results = any(prop.kind in (Kind.AT_END, Kind.REACHABLE) for prop in tables.judge.properties)
    watched = {id(item) for prop in tables.judge.properties for item in prop.reads}
    slots = range(len(tables.objects))
    partition = _Partition(
        tables,
        _numbered([_visible(tables, number, sees_results=sees_results) for number in range(len(tables.keys))]),
        [_distinct_or_not(len(tables.states[slot]), id(tables.objects[slot]) in watched) for slot in slots],
        [[n for n in range(len(tables.keys)) if tables.target.data[n] == slot] for slot in slots],
        [[h for h in range(tables.hold_object.size) if tables.hold_object.data[h] == slot] for slot in slots],
    )
    for _ in range(ROUNDS):
        finer = partition.refined()
        if finer.size() == partition.size():
            return partition
        partition = finer
    return None


def _distinct_or_not(count: int, distinct: bool) -> list[int]:
    return list(range(count)) if distinct else [0] * count


def _visible(tables: Tables, number: int, *, sees_results: bool) -> Hashable:
    """What can be seen of a local state without a step: its place in the system, its result, what it holds."""
    begin = int(tables.hold_first.data[number])
    holds = tuple(range(begin, begin + int(tables.hold_count.data[number])))
    has_result = tables.has_result(number)
    return (
        tables.keys[number].klass,
        int(tables.target.data[number]),
        int(tables.before.data[number]),
        tables.steps_to_end(number) if tables.target.data[number] == LOCAL else 0,
        has_result,
        tables.result(number) if has_result and sees_results else None,
        int(tables.violates.data[number]),
        tuple(tables.hold_key(hold) for hold in holds),
        number in tables.dead,
    )


def _numbered(signatures: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(signature, len(numbers)) for signature in signatures]


def _first_members(classes: Sequence[int]) -> list[int]:
    """By class, its first member; classes are numbered in that order."""
    firsts: dict[int, int] = {}
    for number, klass in enumerate(classes):
        firsts.setdefault(klass, number)
    return [firsts[klass] for klass in range(len(firsts))]


def _copy_steps(
    tables: Tables, small: Tables, partition: _Partition, members: Sequence[int], firsts: Sequence[Sequence[int]]
) -> None:
    small.target, small.base, small.before, small.violates = Grown(), Grown(), Grown(), Grown.of_bits()
    small.entries, small.first, small.next_local, small.next_state = Grown.unknown(), Grown(), Grown(), Grown()
    small.first.append(0)
    for number in members:
        slot = int(tables.target.data[number])
        states = firsts[slot] if slot >= 0 else [0] * int(slot == LOCAL)
        small.target.append(slot)
        small.before.append(int(tables.before.data[number]))
        small.violates.append(int(tables.violates.data[number]))
        small.base.append(small.entries.size)
        for state in states:
            for onward, after in tables.successors(number, state):
                small.next_local.append(partition.local[onward])
                small.next_state.append(partition.state[slot][after] if slot >= 0 else 0)
            small.entries.append(small.first.size - 1)
            small.first.append(small.next_local.size)


def _copy_holds(
    tables: Tables, small: Tables, partition: _Partition, members: Sequence[int], firsts: Sequence[Sequence[int]]
) -> None:
    small.hold_first, small.hold_count = Grown(), Grown()
    small.hold_object, small.hold_base, small.hold_entries = Grown(), Grown(), Grown.unknown()
    for number in members:
        begin, count = int(tables.hold_first.data[number]), int(tables.hold_count.data[number])
        small.hold_first.append(small.hold_object.size)
        small.hold_count.append(count)
        for hold in range(begin, begin + count):
            slot = int(tables.hold_object.data[hold])
            small.hold_object.append(slot)
            small.hold_base.append(small.hold_entries.size)
            crashes = tables.semantics.system.crashes > 0
            for state in firsts[slot] if crashes else ():
                small.hold_entries.append(partition.state[slot][tables.after_loss(hold, state)])
