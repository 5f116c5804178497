"""What each process may come to: an over-approximation of all behaviours, found process by process.

An object that just one process touches has, for that process, the state that the process left it in; of every other
object a process may meet every state that anybody can put it into, in any order. A state that is not found in this way
is unreachable, and a missing entry is never asked for. (Thread-modular reasoning, with the objects of one thread kept
exact: Flanagan and Qadeer, "Thread-modular model checking", 2003.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from dstamp_sim.core.errors import ModelError
from dstamp_sim.engines.tables.tables import ENDED, LOCAL, Tables

BUDGET = 100_000
"""How many table entries and places of processes end the attempt (about two seconds)."""

ENDLESS_STATES = 1_000
"""How many states of one object count as endless (a counter, a list that only grows)."""

SHARED = -1
"""The state of an object that others touch too, among the objects that one process owns."""

Standpoint = tuple[int, tuple[int, ...]]
"""A local state, and by object the state in which its only process left it."""


def close(tables: Tables, *, any_number: Collection[str] = (), budget: int = BUDGET) -> str:
    """Fills every entry that any behaviour may need; returns why that was impossible, or an empty text.

    Tables that were closed are filled no further: they raise AssertionError if an entry is missing after all.

    The processes called `any_number` may have more copies than in the tables' system. The programs may meet
    combinations that no schedule produces, so an exception there is not the model's error: it only ends the attempt.
    """
    shared = {slot for slot in range(len(tables.objects)) if len(tables.start_numbers(slot)) > 1}
    try:
        while True:
            spread = _Spread(tables, any_number, frozenset(shared), budget)
            if endless := spread.to_its_end():
                return f"the closure was not complete within {endless}"
            if not spread.contested:
                tables.closed = True
                return ""
            shared |= spread.contested
    except ModelError as error:
        return f"the programs cannot meet every state of their objects ({error})"


@dataclass
class _Waiters:
    """The processes in one local state: what each owns, and where the op on a shared object may lead."""

    owns: dict[tuple[int, ...], None] = field(default_factory=dict)
    onward: dict[int, None] = field(default_factory=dict)


class _Spread:
    """One attempt: objects that are not `shared` are assumed to belong to their first toucher.

    `contested` are those that did not. Later attempts, which share more, need its entries too.
    """

    def __init__(self, tables: Tables, any_number: Collection[str], shared: frozenset[int], budget: int) -> None:
        self.tables, self.budget = tables, budget
        names = tables.semantics.processes
        self._single = [len(k.pids) == 1 and names[k.pids[0]].name not in any_number for k in tables.classes]
        self.shared, self.contested = shared, set[int]()
        self._owner: dict[int, int] = {}
        self._places: dict[Standpoint, None] = {}
        self._new: deque[Standpoint] = deque()
        # By shared object: its possible states, the processes before an op on it, and the tokens that the dead may have
        # held.
        self._states: list[dict[int, None]] = [{} for _ in tables.objects]
        self._met: deque[tuple[int, int]] = deque()
        self._waiting: list[dict[int, _Waiters]] = [{} for _ in tables.objects]
        self._held: list[dict[int, None]] = [{} for _ in tables.objects]

    def to_its_end(self) -> str:
        """Finds every place; returns the bound that was passed, or an empty text."""
        starts = [self.tables.start_numbers(slot) for slot in range(len(self.tables.objects))]
        own = tuple(SHARED if slot in self.shared else numbers[0] for slot, numbers in enumerate(starts))
        for slot in self.shared:
            for number in starts[slot]:
                self._meet(slot, number)
        for local in self.tables.local_starts():
            self._come(local, own)
        while self._new or self._met:
            if self._met:
                self._met_by_all(*self._met.popleft())
            else:
                self._stand(*self._new.popleft())
            if self._size() > self.budget:
                return f"{self.budget:,} table entries"
            if any(len(states) > ENDLESS_STATES for states in self.tables.states):
                largest = max(range(len(self.tables.states)), key=lambda slot: len(self.tables.states[slot]))
                return f"{ENDLESS_STATES:,} states of {self.tables.objects[largest].name}"
        return ""

    def _size(self) -> int:
        t = self.tables
        return t.first.size + t.hold_object.size + sum(map(len, t.states)) + max(len(t.keys), len(self._places))

    def _come(self, local: int, own: tuple[int, ...]) -> None:
        if (local, own) not in self._places:
            self._places[local, own] = None
            self._new.append((local, own))

    def _stand(self, local: int, own: tuple[int, ...]) -> None:
        """Follows what may happen to a process at a new place."""
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
            waiting[local] = _Waiters()
            for state in list(self._states[slot]):
                self._perform(local, slot, state)
        waiting[local].owns[own] = None
        for onward in list(waiting[local].onward):
            self._come(onward, own)

    def _owns(self, klass: int, slot: int) -> bool:
        """Whether only the single process of this class touches an object, as far as is known."""
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
        """Notes a possible state of a shared object; if it is new, every process will meet it."""
        if state not in self._states[slot]:
            self._states[slot][state] = None
            self._met.append((slot, state))

    def _met_by_all(self, slot: int, state: int) -> None:
        for hold in list(self._held[slot]):
            self._meet(slot, self.tables.after_loss(hold, state))
        for local in list(self._waiting[slot]):
            self._perform(local, slot, state)

    def _die(self, local: int, own: tuple[int, ...]) -> None:
        """The process dies: its own objects are as its death leaves them; a shared object may be left in any state."""
        t = self.tables
        for hold in t.holds_of(local):
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
