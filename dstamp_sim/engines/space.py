"""The explored part of a state space: rows, parents, visited set; grown by the kernel, one level after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.engines import kernel
from dstamp_sim.engines.reduction import Future
from dstamp_sim.engines.tables import Tables

CHUNK = 1 << 15
"""States expanded before the kernel comes back to let progress be told and Ctrl-C be heard."""

WAITING = 1 << 11
"""Successors that are looked up together."""


class OutOfMemory(Exception):  # no error: the space is simply larger than allowed
    """The next growth would pass the memory limit."""


@dataclass
class Space:
    """The states found so far, in breadth-first order; `levels[d]` is where those of depth d begin.

    `symmetry` keeps identical processes' columns sorted; `future` (if known) turns on partial-order reduction.
    `memory_bytes` bounds rows, parents and visited set together.
    """

    tables: Tables
    symmetry: bool
    future: Future | None
    memory_bytes: int
    count: int = 0
    levels: list[int] = field(default_factory=lambda: [0, 1])
    stuck: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        start = self.tables.initial_row()
        self.objects, self.processes = len(self.tables.objects), len(start) - len(self.tables.objects) - 1
        self._bits = self._needed_bits()
        self._layout = packed(self._bits)
        self.rows: NDArray[np.uint64] = np.zeros((1024, self._layout.words), np.uint64)
        self.parents = np.zeros(1024, np.uint32)
        self.slots = np.full(2048, -1, np.int32)
        self.tallies = np.zeros(4, np.int64)
        self._groups = self._columns_of_identical_processes()
        self._misses = np.zeros((4096, 3), np.int64)
        self._buffers = self._make_buffers()
        self._add_initial(start)

    @property
    def transitions(self) -> int:
        """Transitions performed so far."""
        return int(self.tallies[0])

    @property
    def bytes_in_use(self) -> int:
        """Memory of rows, parents and visited set."""
        return self.rows.nbytes + self.parents.nbytes + self.slots.nbytes

    def expand(self, begin: int, end: int) -> int:
        """Expand states from `begin` on, at most a chunk and not beyond `end`; gives the first not expanded."""
        end = min(end, begin + CHUNK)
        stuck = np.zeros(end - begin + 1, np.int64)
        while True:
            self._widen()
            self.tallies[1] = self.tallies[2] = 0
            why, begin, self.count = kernel.expand(
                self.rows, self.count, self.slots, self.parents, begin, end, self.objects, self._groups,
                self._layout.fields, self.tables.steps(), self.tables.deaths(), self._cut(), self._work(),
                self._misses, stuck, self.tallies,
            )  # fmt: skip
            self.stuck.extend(stuck[: self.tallies[2]].tolist())
            if why == kernel.DONE:
                return int(begin)
            if why == kernel.FULL:
                self._grow()
            else:
                self.tables.fill_all(self._misses[: self.tallies[1]])

    def close_level(self) -> None:
        """The states found since the last level make the next one."""
        self.levels.append(self.count)

    def column(self, column: int, begin: int, end: int) -> NDArray[np.int64]:
        """A column of the rows begin..end, as numbers."""
        return self._layout.column(self.rows, column, begin, end)

    def columns(self, columns: Sequence[int], begin: int, end: int) -> NDArray[np.int64]:
        """Some columns of the rows begin..end, as a matrix of numbers."""
        found = np.empty((end - begin, len(columns)), np.int64)
        for index, column in enumerate(columns):
            found[:, index] = self.column(column, begin, end)
        return found

    def path(self, state: int) -> list[NDArray[np.int64]]:
        """The rows from the initial state to `state`, as numbers."""
        numbers = [state]
        while numbers[-1] != 0:
            numbers.append(int(self.parents[numbers[-1]]))
        every = range(len(self._bits))
        return [self.columns(every, number, number + 1)[0] for number in reversed(numbers)]

    def used_entries(self) -> NDArray[np.bool_]:
        """Which entries of the tables of ops some state looks up."""
        used = np.zeros(len(self.tables.entries.data), np.bool_)
        row = np.zeros(len(self._bits), np.int64)
        kernel.mark_used(self.rows, self.count, self.objects, self._layout.fields, self.tables.steps(), row, used)
        return used

    def orbits(self) -> int:
        """How many states these stand for, copies told apart: the sum of the sizes of their orbits."""
        total = np.ones(self.count)
        for klass in self.tables.classes:
            last, run = self.column(self.objects + klass.pids[0], 0, self.count), np.ones(self.count)
            for k, pid in enumerate(klass.pids[1:], start=2):
                here = self.column(self.objects + pid, 0, self.count)
                run = np.where(here == last, run + 1, 1)
                total *= k / run
                last = here
        return round(float(total.sum()))

    def _grow(self) -> None:
        wider = 2 * len(self.rows)
        slots = len(self.slots) * (2 if wider > len(self.slots) // 2 else 1)
        needed = wider * (8 * self._layout.words + 4) + 4 * slots
        if needed > self.memory_bytes:
            raise OutOfMemory
        self.rows, self.parents = _longer(self.rows, wider, self.count), _longer(self.parents, wider, self.count)
        if slots > len(self.slots):
            self.slots = np.full(slots, -1, np.int32)
            kernel.rehash(self.rows, self.count, self.slots)

    def _needed_bits(self) -> list[int]:
        """By column, the bits that its numbers need."""
        t = self.tables
        local = max(len(t.keys) - 1, 0).bit_length()
        shared = [max(len(states) - 1, 0).bit_length() for states in t.states]
        return [*shared, *[local] * self.processes, t.semantics.system.crashes.bit_length()]

    def _widen(self) -> None:
        """Rows with more bits where the tables have outgrown them."""
        needed = self._needed_bits()
        if any(now < then for now, then in zip(self._bits, needed, strict=True)):
            self._bits, before = needed, self._layout
            self._layout = packed(needed)
            rows = np.zeros((len(self.rows), self._layout.words), np.uint64)
            for column in range(len(needed)):
                self._layout.put(rows, column, before.column(self.rows, column, 0, self.count))
            self.rows = rows
            self.slots = np.full(len(self.slots), -1, np.int32)
            kernel.rehash(self.rows, self.count, self.slots)
            self._buffers = self._make_buffers()

    def _add_initial(self, start: Sequence[int]) -> None:
        row = np.array(start, np.int64)
        for begin, end in self._groups.tolist():
            row[begin:end] = np.sort(row[begin:end])
        first = np.zeros((1, self._layout.words), np.uint64)
        for column, number in enumerate(row):
            self._layout.put(first, column, np.array([number]))
        work = self._work()
        work.held[0] = first[0]
        self.count = int(kernel.keep(self.rows, 0, self.slots, self.parents, work, 1))

    def _columns_of_identical_processes(self) -> NDArray[np.int64]:
        own = self.objects + np.arange(self.processes, dtype=np.int64)
        groups = np.stack([own, own + 1], axis=1)
        for klass in self.tables.classes:
            for pid in klass.pids if self.symmetry else ():
                groups[pid] = self.objects + klass.pids[0], self.objects + klass.pids[-1] + 1
        return groups

    def _cut(self) -> kernel.Reduction:
        future, t = self.future, self.tables
        daemon = np.array([t.classes[t.class_of[pid]].daemon for pid in range(self.processes)], np.bool_)
        if future is None:
            none, bits = np.zeros(1, np.int8), np.zeros(1, np.int64)
            return kernel.Reduction(0, none, bits, bits, none, daemon)
        return kernel.Reduction(1, future.reads, future.may_touch, future.may_write, future.visible, daemon)

    def _make_buffers(self) -> tuple[NDArray[Any], ...]:
        """Room for the successors that wait: at least for all those of one state."""
        first = self.tables.first
        outcomes = int(np.diff(first.data[: first.size]).max(initial=0))
        room = max(WAITING, self.processes * (outcomes + 1))
        held = np.zeros((room, self._layout.words), np.uint64)
        return held, np.zeros(room, np.uint32), np.zeros(room, np.int64), np.zeros(room, np.int64)

    def _work(self) -> kernel.Work:
        n, numbers = self.processes, len(self._bits)
        row, lost = np.zeros(numbers, np.int64), np.zeros(numbers, np.int64)
        sets = np.zeros(n, np.int32), np.zeros(n, np.int8), np.zeros(n, np.int8)
        return kernel.Work(row, lost, *sets, *self._buffers)


@dataclass(frozen=True)
class Packing:
    """How rows are packed into words: how many words, and the fields of the columns."""

    words: int
    fields: kernel.Layout

    def column(self, rows: NDArray[np.uint64], column: int, begin: int, end: int) -> NDArray[np.int64]:
        """A column of the rows begin..end, as numbers."""
        word, shift, mask = (part[column] for part in self.fields)
        numbers: NDArray[np.uint64] = (rows[begin:end, word] >> shift) & mask
        return numbers.astype(np.int64)

    def put(self, rows: NDArray[np.uint64], column: int, numbers: NDArray[np.int64]) -> None:
        """Write numbers into a column of the first rows, which must be 0 there."""
        word, shift, _ = (part[column] for part in self.fields)
        rows[: len(numbers), word] |= numbers.astype(np.uint64) << shift


def packed(bits: Sequence[int]) -> Packing:
    """The packing of columns of so many bits, in order; none lies across the border of two words."""
    words, shifts, word, used = list[int](), list[int](), 0, 0
    for width in bits:
        if used + width > 64:
            word, used = word + 1, 0
        words.append(word)
        shifts.append(used)
        used += width
    masks = [(1 << width) - 1 for width in bits]
    fields = kernel.Layout(np.array(words), np.array(shifts, np.uint64), np.array(masks, np.uint64))
    return Packing(word + 1, fields)


def _longer(array: NDArray[Any], length: int, used: int) -> NDArray[Any]:
    longer = np.empty((length, *array.shape[1:]), array.dtype)
    longer[:used] = array[:used]
    return longer
