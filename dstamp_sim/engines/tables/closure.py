"""What each process may come to: an over-approximation of all behaviours, found process by process.

An object that just one process touches has, for that process, the state that the process left it in; of every other
object a process may meet every state that anybody can put it into, in any order. What is not found so is unreachable,
and what a table has no entry for is never asked. (Thread-modular reasoning, with what one thread owns kept exact:
Flanagan and Qadeer, "Thread-modular model checking", 2003.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from dstamp_sim.core.errors import ModelError
from dstamp_sim.engines.tables.tables import ENDED, LOCAL, Tables

BUDGET = 100_000
"""Table entries and places of processes after which the closure is given up (about two seconds)."""

MOST_STATES = 1_000
"""States of one object after which it is taken to have no end of them (a counter, a list that only grows)."""

SHARED = -1
"""As the state of an object in what one process owns: others touch it, too."""

Standpoint = tuple[int, tuple[int, ...]]
"""A local state, and by object the state in which its one process left it."""


def close(tables: Tables, *, any_number: Collection[str] = (), budget: int = BUDGET) -> str:
    """Fill every entry that any behaviour may need; gives why that was not possible, or an empty text.

    Tables that were closed are filled no further: they raise AssertionError where an entry is missing after all.

    Of the processes called `any_number` there may be more than the tables' system has. The programs may meet
    combinations that no schedule gives, so what they raise there is no error of the model: it only ends the attempt.
    """
    shared: set[int] = set()
    try:
        while True:
            spread = _Spread(tables, any_number, frozenset(shared), budget)
            if endless := spread.to_its_end():
                return f"what the processes may still do was not known within {endless}"
            if not spread.contested:
                tables.closed = True
                return ""
            shared |= spread.contested
    except ModelError as error:
        return f"the programs cannot meet every state of their objects ({error})"


@dataclass
class _Waiting:
    """Those in one local state: what each owns, and where the op on a shared object may bring them."""

    owns: dict[tuple[int, ...], None] = field(default_factory=dict)
    onward: dict[int, None] = field(default_factory=dict)


class _Spread:
    """One attempt: objects that are not `shared` are taken to be their first toucher's, `contested` are those that
    were not. What it fills is needed in every later attempt, too, where more is shared.
    """  # noqa: D205 - one sentence

    def __init__(self, tables: Tables, any_number: Collection[str], shared: frozenset[int], budget: int) -> None:
        self.tables, self.budget = tables, budget
        names = tables.semantics.processes
        self._single = [len(k.pids) == 1 and names[k.pids[0]].name not in any_number for k in tables.classes]
        self.shared, self.contested = shared, set[int]()
        self._owner: dict[int, int] = {}
        self._places: dict[Standpoint, None] = {}
        self._new: deque[Standpoint] = deque()
        # Of shared objects: the states they may have, who stands before an op on them, and what the dead may have held.
        self._states: list[dict[int, None]] = [{} for _ in tables.objects]
        self._met: deque[tuple[int, int]] = deque()
        self._waiting: list[dict[int, _Waiting]] = [{} for _ in tables.objects]
        self._held: list[dict[int, None]] = [{} for _ in tables.objects]

    def to_its_end(self) -> str:
        """Find every place; gives the bound within which there was no end to them, or an empty text."""
        objects, start = len(self.tables.objects), self.tables.initial_row()
        own = tuple(SHARED if slot in self.shared else start[slot] for slot in range(objects))
        for slot in self.shared:
            self._meet(slot, start[slot])
        for local in start[objects:-1]:
            self._come(local, own)
        while self._new or self._met:
            if self._met:
                self._met_by_all(*self._met.popleft())
            else:
                self._stand(*self._new.popleft())
            if self._size() > self.budget:
                return f"{self.budget:,} table entries"
            if any(len(states) > MOST_STATES for states in self.tables.states):
                largest = max(range(len(self.tables.states)), key=lambda slot: len(self.tables.states[slot]))
                return f"{MOST_STATES:,} states of {self.tables.objects[largest].name}"
        return ""

    def _size(self) -> int:
        t = self.tables
        return t.first.size + t.hold_object.size + sum(map(len, t.states)) + max(len(t.keys), len(self._places))

    def _come(self, local: int, own: tuple[int, ...]) -> None:
        if (local, own) not in self._places:
            self._places[local, own] = None
            self._new.append((local, own))

    def _stand(self, local: int, own: tuple[int, ...]) -> None:
        """What may happen to a process at a place that is new."""
        t = self.tables
        klass, slot = t.keys[local].klass, int(t.target.data[local])
        if t.semantics.system.crashes and t.classes[klass].killable:
            self._die(local, own)
        if slot == ENDED:
            return
        if slot == LOCAL or self._owns(klass, slot):
            for onward, after in t.successors(local, own[slot] if slot != LOCAL else 0):
                self._come(onward, own if slot == LOCAL else _with(own, slot, after))
            return
        waiting = self._waiting[slot]
        if local not in waiting:
            waiting[local] = _Waiting()
            for state in list(self._states[slot]):
                self._perform(local, slot, state)
        waiting[local].owns[own] = None
        for onward in list(waiting[local].onward):
            self._come(onward, own)

    def _owns(self, klass: int, slot: int) -> bool:
        """Whether an object is touched by the one process of this class alone, as far as is known."""
        if slot in self.shared:
            return False
        if self._owner.setdefault(slot, klass) != klass or not self._single[klass]:
            self.contested.add(slot)
        return True

    def _perform(self, local: int, slot: int, state: int) -> None:
        """The op before which a process stands, on a shared object in one of its states."""
        waiting = self._waiting[slot][local]
        for onward, after in self.tables.successors(local, state):
            self._meet(slot, after)
            if onward not in waiting.onward:
                waiting.onward[onward] = None
                for own in waiting.owns:
                    self._come(onward, own)

    def _meet(self, slot: int, state: int) -> None:
        """A state that a shared object may have; if it is new, it will be met by everybody."""
        if state not in self._states[slot]:
            self._states[slot][state] = None
            self._met.append((slot, state))

    def _met_by_all(self, slot: int, state: int) -> None:
        for hold in list(self._held[slot]):
            self._meet(slot, self.tables.after_loss(hold, state))
        for local in list(self._waiting[slot]):
            self._perform(local, slot, state)

    def _die(self, local: int, own: tuple[int, ...]) -> None:
        """The process dies: what it owns is as its death leaves it; of what is shared, any state may be left so."""
        t = self.tables
        begin = int(t.hold_first.data[local])
        for hold in range(begin, begin + int(t.hold_count.data[local])):
            slot = int(t.hold_object.data[hold])
            if self._owns(t.keys[local].klass, slot):
                own = _with(own, slot, t.after_loss(hold, own[slot]))
            elif hold not in self._held[slot]:
                self._held[slot][hold] = None
                for state in list(self._states[slot]):
                    self._meet(slot, t.after_loss(hold, state))
        self._come(t.death(local), own)


def _with(own: tuple[int, ...], slot: int, state: int) -> tuple[int, ...]:
    return (*own[:slot], state, *own[slot + 1 :])
