"""Local states and object states that nobody can tell apart, merged: the coarsest bisimulation of closed tables.

Histories that differ only in what the program forgot (`created` or `updated`) have the same future; so have object
states that differ in a field that nobody reads. Two local states are the same when they meet the same states of the
object they touch, and in each their outcomes lead to the same; two states of an object are the same when the same local
states meet them, with outcomes that lead to the same. Taken together, component by component, that is a bisimulation
of the global rows, which keeps verdicts, deadlocks and the lengths of ways.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dstamp_sim.core.properties import PropertyKind
from dstamp_sim.engines.tables.tables import LOCAL, UNFILLED, Grown, Tables


@dataclass
class _Partition:
    """The class of every local state and of every object's states; refined until it is stable.

    `met` are, by local state, the states of its object for which there is an entry; `touching` are, by object and
    state, the local states with one; `losing` are its states after a holder's death, by token.
    """

    tables: Tables
    local: list[int]
    state: list[list[int]]
    met: list[list[int]]
    touching: list[dict[int, list[int]]]
    losing: list[dict[int, dict[Hashable, int]]]
    moves: dict[tuple[int, int], list[tuple[int, int]]] = field(default_factory=dict)

    def refined(self) -> _Partition:
        """One round: members of one class with the same signature stay together."""
        local = _numbered([self._local_signature(number) for number in range(len(self.local))])
        state = [
            _numbered([self._state_signature(slot, number) for number in range(len(states))])
            for slot, states in enumerate(self.state)
        ]
        return replace(self, local=local, state=state)

    def size(self) -> int:
        """The number of classes; a round that does not raise it was the last."""
        return len(set(self.local)) + sum(len(set(states)) for states in self.state)

    def _local_signature(self, number: int) -> Hashable:
        death = self.local[self.tables.death(number)]
        met = self.met[number]
        return self.local[number], death, tuple((state, self._successors(number, state)) for state in met)

    def _state_signature(self, slot: int, state: int) -> Hashable:
        moves = tuple((local, self._successors(local, state)) for local in self.touching[slot].get(state, ()))
        deaths = frozenset((held, self.state[slot][after]) for held, after in self.losing[slot].get(state, {}).items())
        return self.state[slot][state], moves, deaths

    def _successors(self, local: int, state: int) -> tuple[tuple[int, int], ...]:
        slot = int(self.tables.target.data[local])
        pairs = self.moves.get((local, state))
        if pairs is None:
            pairs = self.moves[local, state] = self.tables.successors(local, state)
        return tuple((self.local[onward], self.state[slot][after] if slot >= 0 else 0) for onward, after in pairs)


ROUNDS = 200
"""How many rounds of refinement end the attempt: very long programs take one per step."""


def quotient(tables: Tables) -> Tables:
    """The tables of the classes of `tables`, which must be closed; the same tables when that takes too long."""
    partition = _coarsest(tables)
    if partition is None:
        return tables
    small = copy.copy(tables)
    members = _first_members(partition.local)
    small.keys = [tables.keys[number] for number in members]
    small.number_of = {key: partition.local[number] for key, number in tables.number_of.items()}
    small.arrived = {key: partition.local[number] for key, number in tables.arrived.items()}
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
    of_results = (PropertyKind.AT_END, PropertyKind.SERIAL, PropertyKind.REACHABLE)
    sees_results = any(prop.kind in of_results for prop in tables.judge.properties)
    watched = {id(item) for prop in tables.judge.properties for item in prop.reads}
    slots = range(len(tables.objects))
    met = [tables.met(number) for number in range(len(tables.keys))]
    partition = _Partition(
        tables,
        _numbered([_visible(tables, number, sees_results=sees_results) for number in range(len(tables.keys))]),
        [_distinct_or_not(len(tables.states[slot]), id(tables.objects[slot]) in watched) for slot in slots],
        met,
        [_touching(tables, met, slot) for slot in slots],
        [_losing(tables, slot) for slot in slots],
    )
    for _ in range(ROUNDS):
        finer = partition.refined()
        if finer.size() == partition.size():
            return partition
        partition = finer
    return None


def _touching(tables: Tables, met: Sequence[Sequence[int]], slot: int) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for number in np.flatnonzero(tables.target.data[: len(tables.keys)] == slot).tolist():
        for state in met[number]:
            found.setdefault(state, []).append(number)
    return found


def _losing(tables: Tables, slot: int) -> dict[int, dict[Hashable, int]]:
    found: dict[int, dict[Hashable, int]] = {}
    for hold in np.flatnonzero(tables.hold_object.data[: tables.hold_object.size] == slot).tolist():
        for state in tables.lost_in(hold):
            found.setdefault(state, {})[tables.hold_key(hold)] = tables.after_loss(hold, state)
    return found


def _distinct_or_not(count: int, distinct: bool) -> list[int]:
    return list(range(count)) if distinct else [0] * count


def _visible(tables: Tables, number: int, *, sees_results: bool) -> Hashable:
    """What can be seen of a local state without a step: its place in the system, its result, what it holds."""
    has_result = tables.has_result(number)
    return (
        tables.keys[number].klass,
        int(tables.target.data[number]),
        int(tables.before.data[number]),
        tables.steps_to_end(number) if tables.target.data[number] == LOCAL else 0,
        has_result,
        tables.result(number) if has_result and sees_results else None,
        int(tables.violates.data[number]),
        tuple(tables.hold_key(hold) for hold in tables.holds_of(number)),
        number in tables.dead,
        tables.rests(number),
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
        met = set(partition.met[number])
        for state in states:
            if state not in met:
                small.entries.append(UNFILLED)
                continue
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
        holds = tables.holds_of(number)
        small.hold_first.append(small.hold_object.size)
        small.hold_count.append(len(holds))
        for hold in holds:
            slot = int(tables.hold_object.data[hold])
            small.hold_object.append(slot)
            small.hold_base.append(small.hold_entries.size)
            for state in firsts[slot]:
                after = partition.losing[slot].get(state, {}).get(tables.hold_key(hold))
                small.hold_entries.append(UNFILLED if after is None else partition.state[slot][after])
