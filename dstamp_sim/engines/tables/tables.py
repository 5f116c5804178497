"""A system as tables of small integers: what each process may do in each state of the object that it is about to touch.

A process's local state is its automaton node with its private objects' states, numbered as they are met; so are the
states of each shared object. A global state is then a short row of numbers, and a step is two look-ups. Entries are
asked of the semantics' objects and automata once, on demand.

With `merge`, steps that no other process can see (delays, ops on private objects) cost no states: a process that comes
to stand before such steps counts as having performed them when its next visible op is performed (as SPIN's statement
merging does). `before[l]` counts them, so that schedules can be spelt out again; where ways of different lengths lead
to one place, they lead to different local states. Local steps that go round in a circle are not merged.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.automaton import Automaton, Node
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import PropertyKind
from dstamp_sim.core.semantics import DEAD, Local, Semantics, State
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.engines.tables import kernel

LOCAL, ENDED = -1, kernel.ENDED
"""Instead of the object of a local state's next op: it has ended; its op is a local one."""

UNFILLED = -1
"""An entry that is not filled yet."""


_MOST_BYTES = 1 << 33
"""What the rows of entries may take where nobody says otherwise."""


class OutOfMemory(MemoryError):
    """The next growth would pass the memory limit."""


class LocalKey(NamedTuple):
    """The meaning of a local state's number: its class, and the process's part of a state."""

    klass: int
    local: Local


@dataclass(frozen=True)
class ProcessClass:
    """Processes that run the same automaton in the same way, by number, in order."""

    automaton: Automaton
    daemon: bool
    killable: bool
    pids: tuple[int, ...]


class Grown:
    """A numpy array that doubles when it is full; `data[:size]` is in use."""

    def __init__(self, fill: int = 0, dtype: Any = np.int32) -> None:
        self.data = np.full(64, fill, dtype)
        self.size = 0
        self._fill = fill

    @staticmethod
    def unknown() -> Grown:
        """Entries that are not filled yet."""
        return Grown(fill=UNFILLED)

    @staticmethod
    def of_bits() -> Grown:
        """An array of numbers wide enough for a bit per property."""
        return Grown(dtype=np.int64)

    def extend(self, count: int) -> int:
        """Makes room for `count` more, filled; returns its start."""
        begin, self.size = self.size, self.size + count
        if self.size > len(self.data):
            wider = np.full(max(2 * len(self.data), self.size), self._fill, self.data.dtype)
            wider[:begin] = self.data[:begin]
            self.data = wider
        return begin

    def bytes_to_extend(self, count: int) -> int:
        """The memory that it takes while it makes room for `count` more."""
        room, needed = len(self.data), self.size + count
        return self.data.itemsize * (room if needed <= room else room + max(2 * room, needed))

    def append(self, value: int) -> None:
        """Appends a value."""
        at = self.extend(1)
        self.data[at] = value


class Tables:
    """The tables of one system, growing on demand. Deterministic: numbers follow the order of first use."""

    def __init__(self, semantics: Semantics, judge: Judge, *, merge: bool) -> None:
        self.semantics = semantics
        self.judge = judge
        self.merge = merge
        self.classes = classes_of(semantics)
        self.class_of = {pid: c for c, klass in enumerate(self.classes) for pid in klass.pids}
        self.objects = semantics.shared
        self._slot = {id(item): slot for slot, item in enumerate(self.objects)}
        self.states: list[list[Hashable]] = [[] for _ in self.objects]
        self.state_numbers: list[dict[Hashable, int]] = [{} for _ in self.objects]
        self.room = np.full(max(len(self.objects), 1), 8, np.int32)
        self.keys: list[LocalKey] = []
        self.number_of: dict[tuple[LocalKey, int], int] = {}
        self.arrived: dict[LocalKey, int] = {}
        self.closed = False
        self.memory_bytes = _MOST_BYTES
        # By local state: the object of its next op, the start of its row of entries, the local steps before its
        # op, which each-result properties its result violates (bits), and where its holds begin.
        self.target, self.base, self.before = Grown(), Grown(), Grown()
        self.violates = Grown.of_bits()
        self.entries = Grown.unknown()
        # By entry: successors as (next local state, next object state) pairs from `first[e]` to `first[e + 1]`.
        self.first, self.next_local, self.next_state = Grown(), Grown(), Grown()
        self.first.append(0)
        # Holds of a local state, from hold_first[l] to hold_first[l] + hold_count[l]: object, and row of next states.
        self.hold_first, self.hold_count = Grown(), Grown()
        self.hold_object, self.hold_base = Grown(), Grown()
        self.hold_entries = Grown.unknown()
        self._hold_tokens: list[tuple[SharedObject, Hashable]] = []
        self.dead = [self.number(c, Local(DEAD, semantics.fresh.private)) for c in range(len(self.classes))]

    def initial_row(self) -> list[int]:
        """The initial state: object states, then one local state per process, then the deaths.

        Raises UsageError where there are several.
        """
        initial = self.semantics.initial()
        objects = [self.state_number(slot, state) for slot, state in enumerate(initial.shared)]
        return [*objects, *self.local_starts(), 0]

    def initial_rows(self) -> NDArray[np.int64]:
        """The distinct rows of all initial states, in the order of `Semantics.initials`."""
        numbers = [self.start_numbers(slot) for slot in range(len(self.objects))]
        local = self.local_starts()
        return np.array([(*shared, *local, 0) for shared in product(*numbers)], np.int64)

    def start_numbers(self, slot: int) -> list[int]:
        """The numbers of the states that an object may begin in."""
        return list(dict.fromkeys(self.state_number(slot, s) for s in self.semantics.begins_in(self.objects[slot])))

    def local_starts(self) -> list[int]:
        """By process: the number of its local state at the start."""
        return [self.arrive(self.class_of[pid], self.semantics.fresh) for pid in range(len(self.class_of))]

    def start_of(self, row: Sequence[int]) -> State:
        """An initial state that has this row."""
        shared = []
        for slot, item in enumerate(self.objects):
            states = self.semantics.begins_in(item)
            shared.append(next(state for state in states if self.state_number(slot, state) == row[slot]))
        return State(tuple(shared), (self.semantics.fresh,) * len(self.class_of), 0)

    def state_number(self, slot: int, state: Hashable) -> int:
        """The number of an object's state; a new one may widen every row of entries on that object (OutOfMemory)."""
        numbers = self.state_numbers[slot]
        if state not in numbers:
            if len(self.states[slot]) == self.room[slot]:
                self._widen(slot)
            numbers[state] = len(self.states[slot])
            self.states[slot].append(state)
        return numbers[state]

    def arrive(self, klass: int, local: Local) -> int:
        """The number of the local state in which a process stands after coming to `local`, local steps merged."""
        key = LocalKey(klass, local)
        known = self.arrived.get(key)
        if known is not None:
            return known
        end, steps = self._chain(key)
        if self._ends(end):
            end, steps = key, 0  # a chain that ends the process stays a separate step
        number = self.arrived[key] = self.number(klass, end.local, steps)
        return number

    def _chain(self, key: LocalKey) -> tuple[LocalKey, int]:
        """Where the merged local steps from `key` on lead, and how many they are; none where they go round there."""
        passed = {key: 0}
        while self.merge and (onward := self._merged_step(key)) is not None:
            if onward in passed:
                return onward, passed[onward]
            passed[onward] = len(passed)
            key = onward
        return key, passed[key]

    def number(self, klass: int, local: Local, before: int = 0) -> int:
        """The number of a local state at which a process stands after so many merged local steps."""
        key = LocalKey(klass, local)
        known = self.number_of.get((key, before))
        return self._add(key, before) if known is None else known

    def fill(self, local: int, state: int) -> None:
        """Fill the entry of a local state for a state of the object that it is about to touch.

        Closed tables are complete: no behaviour meets a missing entry, so a request for one is a fault of ours, and
        raises AssertionError.
        """
        if self.closed:
            raise AssertionError(
                f"closed tables lack an entry that a behaviour meets: {self.keys[local]} in state {state}"
            )
        key, slot = self.keys[local], int(self.target.data[local])
        if slot == ENDED:
            successors: list[tuple[int, int]] = []
        elif slot == LOCAL:
            successors = self._local_successors(key)
        else:
            node = self.node(key)
            assert node is not None
            outcomes = self.semantics.look_up(self.objects[slot], self.states[slot][state], node)
            successors = [(self._after(key, outcome), self.state_number(slot, outcome.state)) for outcome in outcomes]
        for next_local, next_state in successors:
            self.next_local.append(next_local)
            self.next_state.append(next_state)
        self.first.append(self.next_local.size)
        self.entries.data[self.base.data[local] + state] = self.first.size - 2

    def fill_hold(self, hold: int, state: int) -> None:
        """Fills what the death of a process does to an object that it holds, in one of the object's states."""
        if self.closed:
            raise AssertionError(f"closed tables lack the entry of a death: {self.hold_key(hold)} in state {state}")
        target, token = self._hold_tokens[hold]
        slot = self._slot[id(target)]
        after = self.state_number(slot, self.semantics.bereaved(target, self.states[slot][state], token))
        self.hold_entries.data[self.hold_base.data[hold] + state] = after

    def fill_all(self, misses: NDArray[Any]) -> None:
        """Fill the entries that compiled code noted as missing, as (of an op or a hold, which, state)."""
        for what, which, state in sorted(set(map(tuple, misses.tolist()))):  # np.unique takes longer for so few
            (self.fill if what == kernel.OF_OP else self.fill_hold)(which, state)

    def steps(self) -> kernel.StepTables:
        """The tables of ops, as compiled code reads them until they grow again."""
        arrays = (self.target, self.base, self.entries, self.first, self.next_local, self.next_state)
        return kernel.StepTables(*(array.data for array in arrays))

    def deaths(self) -> kernel.Deaths:
        """The tables of deaths, as compiled code reads them until they grow again."""
        allowed, processes = self.semantics.system.crashes, len(self.semantics.names)
        death_of = np.zeros(1, np.int32)
        if allowed:
            ends: list[int] = []
            while len(ends) < len(self.keys):
                ends.append(self.death(len(ends)))
            death_of = np.array(ends, np.int32)
        killable = np.array([self.classes[self.class_of[pid]].killable for pid in range(processes)], np.bool_)
        holds = (self.hold_first, self.hold_count, self.hold_object, self.hold_base, self.hold_entries)
        return kernel.Deaths(allowed, killable, death_of, *(array.data for array in holds))

    def holds_of(self, local: int) -> range:
        """The numbers of what is held in a local state: their objects are in `hold_object`."""
        begin = int(self.hold_first.data[local])
        return range(begin, begin + int(self.hold_count.data[local]))

    def met(self, local: int) -> list[int]:
        """The states of the object that a local state is about to touch for which it has an entry (a local op: 0)."""
        slot, begin = int(self.target.data[local]), int(self.base.data[local])
        known = len(self.states[slot]) if slot >= 0 else int(slot == LOCAL)
        found: list[int] = np.flatnonzero(self.entries.data[begin : begin + known] >= 0).tolist()
        return found

    def successors(self, local: int, state: int) -> list[tuple[int, int]]:
        """The (next local state, next object state) pairs of an entry, by outcome; filled if it was not."""
        if self.entries.data[self.base.data[local] + state] < 0:
            self.fill(local, state)
        entry = int(self.entries.data[self.base.data[local] + state])
        begin, end = int(self.first.data[entry]), int(self.first.data[entry + 1])
        return list(
            zip(self.next_local.data[begin:end].tolist(), self.next_state.data[begin:end].tolist(), strict=True)
        )

    def after_loss(self, hold: int, state: int) -> int:
        """The state of a held object after its holder died; filled if it was not."""
        if self.hold_entries.data[self.hold_base.data[hold] + state] < 0:
            self.fill_hold(hold, state)
        return int(self.hold_entries.data[self.hold_base.data[hold] + state])

    def lost_in(self, hold: int) -> list[int]:
        """The states of a held object for which the entry of its holder's death is filled."""
        slot, begin = int(self.hold_object.data[hold]), int(self.hold_base.data[hold])
        known = self.hold_entries.data[begin : begin + len(self.states[slot])]
        found: list[int] = np.flatnonzero(known >= 0).tolist()
        return found

    def hold_key(self, hold: int) -> tuple[str, Hashable]:
        """The object's name and the token of a hold."""
        target, token = self._hold_tokens[hold]
        return target.name, token

    def steps_to_end(self, local: int) -> int:
        """How many steps the local op of this state stands for: a merged chain that ends the process, or one."""
        end, steps = self._chain(self.keys[local])
        return steps if steps and self._ends(end) else 1

    def result(self, local: int) -> Any:
        """The result of an ended local state."""
        node = self.node(self.keys[local])
        assert node is not None
        return node.result

    def has_result(self, local: int) -> bool:
        """Whether a local state is that of a process that has ended (and not died)."""
        node = self.node(self.keys[local])
        return node is not None and node.ended

    def rests(self, local: int) -> bool:
        """Whether a process may stay in a local state for ever (`Semantics.rests`)."""
        key = self.keys[local]
        return self.semantics.rests(self.classes[key.klass].pids[0], key.local.node)

    def death(self, local: int) -> int:
        """The local state of a process that dies in `local`: dead, or for a daemon its start."""
        klass = self.keys[local].klass
        if not self.classes[klass].daemon:
            return self.dead[klass]
        return self.arrive(klass, self.semantics.fresh)

    def _add(self, key: LocalKey, before: int) -> int:
        number = self.number_of[key, before] = len(self.keys)
        self.keys.append(key)
        node = self.node(key)
        slot = self.touches(node)
        self.target.append(slot)
        self.before.append(before)
        self.base.append(self.entries.extend(int(self.room[slot]) if slot >= 0 else 1))
        self.violates.append(self._violations(key, node))
        self._add_holds(node)
        return number

    def _add_holds(self, node: Node | None) -> None:
        shared = (
            [] if node is None or node.ended else [hold for hold in reversed(node.holds) if not hold.target.private]
        )
        self.hold_first.append(self.hold_object.size)
        self.hold_count.append(len(shared))
        for hold in shared:
            slot = self._slot[id(hold.target)]
            self.hold_object.append(slot)
            self.hold_base.append(self.hold_entries.extend(int(self.room[slot])))
            self._hold_tokens.append((hold.target, hold.token))

    @property
    def bytes_in_use(self) -> int:
        """What the rows of entries take: a number for each local state and each state of the object that it touches."""
        return self.entries.data.nbytes + self.hold_entries.data.nbytes

    def _widen(self, slot: int) -> None:
        """Double the room for this object's states, and move the rows of entries that depend on it.

        Raises OutOfMemory, and changes nothing, where all rows would take more than `memory_bytes`.
        """
        old = int(self.room[slot])
        touching = np.flatnonzero(self.target.data[: self.target.size] == slot)
        holding = np.flatnonzero(self.hold_object.data[: self.hold_object.size] == slot)
        needed = self.entries.bytes_to_extend(2 * old * len(touching))
        if needed + self.hold_entries.bytes_to_extend(2 * old * len(holding)) > self.memory_bytes:
            raise OutOfMemory
        self.room[slot] = 2 * old
        _move(self.entries, self.base, touching, old)
        _move(self.hold_entries, self.hold_base, holding, old)

    def node(self, key: LocalKey) -> Node | None:
        """Where the program of a local state stands; None when its process died."""
        return None if key.local.node == DEAD else self.classes[key.klass].automaton.nodes[key.local.node]

    def touches(self, node: Node | None) -> int:
        """The object that the op of a node is on, `LOCAL` or `ENDED`."""
        if node is None or node.op is None:
            return ENDED
        target = node.op.target
        return LOCAL if target is None or target.private else self._slot[id(target)]

    def _ends(self, key: LocalKey) -> bool:
        node = self.node(key)
        return node is None or node.ended

    def _merged_step(self, key: LocalKey) -> LocalKey | None:
        """Where the next local step of `key` leads, if there is just one; None otherwise."""
        node = self.node(key)
        if node is None or self.touches(node) != LOCAL:
            return None
        outcomes = self.local_outcomes(key, node)
        return self.moved(key, outcomes[0]) if len(outcomes) == 1 else None

    def local_outcomes(self, key: LocalKey, node: Node) -> tuple[Outcome, ...]:
        """What the local op of a process may do."""
        target = node.op.target if node.op else None
        if target is None:
            return (Outcome(None),)
        return self.semantics.look_up(target, key.local.private[self.semantics.private.index(target)], node)

    def _local_successors(self, key: LocalKey) -> list[tuple[int, int]]:
        """Where a local op leads: to the end of the merged chain that it begins, or one step on per outcome."""
        end, steps = self._chain(key)
        if steps and self._ends(end):
            return [(self._settle(end), 0)]
        node = self.node(key)
        assert node is not None
        return [(self._after(key, outcome), 0) for outcome in self.local_outcomes(key, node)]

    def _after(self, key: LocalKey, outcome: Outcome) -> int:
        return self._settle(self.moved(key, outcome))

    def _settle(self, key: LocalKey) -> int:
        """The number of the local state of `key`; a daemon that has ended is at its start."""
        klass = self.classes[key.klass]
        if klass.daemon and self._ends(key):
            return self.arrive(key.klass, self.semantics.fresh)
        return self.arrive(key.klass, key.local)

    def moved(self, key: LocalKey, outcome: Outcome) -> LocalKey:
        """Where an outcome takes a process, before local steps are merged or a daemon restarts."""
        node = self.node(key)
        assert node is not None
        private = key.local.private
        target = node.op.target if node.op else None
        if target is not None and target.private:
            slot = self.semantics.private.index(target)
            private = (*private[:slot], outcome.state, *private[slot + 1 :])
        return LocalKey(key.klass, Local(self.classes[key.klass].automaton.advance(key.local.node, outcome), private))

    def _violations(self, key: LocalKey, node: Node | None) -> int:
        """Which of the each-result properties the result of an ended process violates, as bits."""
        if node is None or not node.ended:
            return 0
        process = self.semantics.processes[self.classes[key.klass].pids[0]]
        bits = 0
        for index, prop in enumerate(self.judge.properties):
            asked = prop.kind is PropertyKind.EACH_RESULT and prop.of in (None, process.name)
            if asked and not self.judge.result_ok(prop, process.name, node.result):
                bits |= 1 << index
        return bits


def _move(entries: Grown, base: Grown, rows: NDArray[np.int64], old: int) -> None:
    """Moves rows of `old` entries to where each has twice the room; `base` says where they begin."""
    there = entries.extend(2 * old * len(rows))
    for row, begin in zip(rows.tolist(), base.data[rows].tolist(), strict=True):
        entries.data[there : there + old] = entries.data[begin : begin + old]
        base.data[row] = there
        there += 2 * old


def classes_of(semantics: Semantics) -> tuple[ProcessClass, ...]:
    """The processes of a system by what they share when interchangeable, in order of first member."""
    groups: dict[tuple[int, bool, bool, str], list[int]] = {}
    for pid, process in enumerate(semantics.processes):
        key = (id(semantics.automata[pid]), process.daemon, process.killable, process.name)
        groups.setdefault(key, []).append(pid)
    return tuple(
        ProcessClass(semantics.automata[pids[0]], daemon, killable, tuple(pids))
        for (_, daemon, killable, _), pids in groups.items()
    )
