"""The explored part of a state space: rows, parents, visited set; grown by the kernel, one level after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.engines import kernel
from dstamp_sim.engines.reduction import Future
from dstamp_sim.engines.tables import Tables

CHUNK = 1 << 15
"""States expanded before the kernel comes back to let progress be told and Ctrl-C be heard."""

_WIDTHS = (np.uint8, np.uint16, np.int32)


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
        self.rows: NDArray[Any] = np.zeros((1024, len(start)), self._width())
        self.parents = np.zeros(1024, np.uint32)
        self.slots = np.full(2048, -1, np.int32)
        self.tallies = np.zeros(4, np.int64)
        self._groups = self._columns_of_identical_processes()
        self._misses = np.zeros((4096, 3), np.int64)
        first = np.array(start, self.rows.dtype)
        for begin, end in {tuple(group) for group in self._groups.tolist()}:
            first[begin:end] = np.sort(first[begin:end])
        self.count = 1
        kernel.insert(self.rows, 0, self.slots, first)

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
                self.tables.steps(), self.tables.deaths(), self._cut(), self._work(), self._misses, stuck, self.tallies,
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

    def path(self, state: int) -> list[NDArray[Any]]:
        """The rows from the initial state to `state`."""
        numbers = [state]
        while numbers[-1] != 0:
            numbers.append(int(self.parents[numbers[-1]]))
        return [self.rows[number] for number in reversed(numbers)]

    def orbits(self) -> int:
        """How many states these stand for, copies told apart: the sum of the sizes of their orbits."""
        total = np.ones(self.count)
        for klass in self.tables.classes:
            columns = self.rows[: self.count, self.objects + klass.pids[0] : self.objects + klass.pids[-1] + 1]
            run = np.ones(self.count)
            for k in range(1, columns.shape[1]):
                run = np.where(columns[:, k] == columns[:, k - 1], run + 1, 1)
                total *= (k + 1) / run
        return round(float(total.sum()))

    def _grow(self) -> None:
        wider = 2 * len(self.rows)
        slots = len(self.slots) * (2 if wider > len(self.slots) * 2 // 3 else 1)
        needed = wider * (self.rows.itemsize * self.rows.shape[1] + 4) + 4 * slots
        if needed > self.memory_bytes:
            raise OutOfMemory
        self.rows = np.resize(self.rows, (wider, self.rows.shape[1]))
        self.parents = np.resize(self.parents, wider)
        if slots > len(self.slots):
            self.slots = np.full(slots, -1, np.int32)
            kernel.rehash(self.rows, self.count, self.slots)

    def _width(self) -> Any:
        largest = max([len(self.tables.keys), *(len(states) for states in self.tables.states)], default=0)
        return next(width for width in _WIDTHS if largest <= np.iinfo(width).max)

    def _widen(self) -> None:
        """Wider rows where the tables have outgrown them."""
        width = self._width()
        if width != self.rows.dtype:
            self.rows = self.rows.astype(width)
            self.slots = np.full(len(self.slots), -1, np.int32)
            kernel.rehash(self.rows, self.count, self.slots)

    def _columns_of_identical_processes(self) -> NDArray[np.int64]:
        groups = np.zeros((self.processes, 2), np.int64)
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

    def _work(self) -> kernel.Work:
        n = self.processes
        row = np.zeros(self.rows.shape[1], self.rows.dtype)
        return kernel.Work(row, np.zeros(n, np.int32), np.zeros(n, np.int8), np.zeros(n, np.int8))
