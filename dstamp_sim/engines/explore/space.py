"""The explored part of a state space: rows, parents, visited set; grown by the kernel, one level after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.engines.explore.reduction import Future
from dstamp_sim.engines.parallel.threads import AHEAD, cores, in_order
from dstamp_sim.engines.tables import kernel
from dstamp_sim.engines.tables.tables import OutOfMemory, Tables

CHUNK = 1 << 17
"""How many states are expanded between two reports of progress."""

BATCH, LEAST = 1 << 12, 1 << 9
"""The most states of one call of the kernel, and the least where threads share them: waking a thread takes as long as
expanding some hundred states. Ctrl-C acts between two calls. Powers of 2."""

ROOM = 8
"""Distinct successors of a state for which a batch has room at first. A power of 2."""


class Desk(NamedTuple):
    """The workspace of one call of the kernel: room, successors found, missing entries, stuck states, and counts."""

    work: kernel.Work
    found: kernel.DistinctSuccessors
    misses: NDArray[np.int64]
    stuck: NDArray[np.int64]
    tallies: NDArray[np.int64]

    def cleared(self, most: int) -> Desk:
        """This desk for up to `most` successors, a power of 2: a table no larger than needed is cleared in no time."""
        self.tallies[:] = 0
        found = self.found
        return self._replace(found=found._replace(rows=found.rows[:most], table=found.table[: 2 * most]))


class Batch(NamedTuple):
    """States expanded: why no more, up to which state, and the number of successors on each desk."""

    why: int
    end: int
    size: int
    desk: Desk


class SpacePart(NamedTuple):
    """States that were found one after the other, with what was found stuck and was filled meanwhile.

    `rows` are packed for columns of so many `bits`; `fills` are entries of the tables, so many at a time.
    """

    rows: NDArray[np.uint64]
    bits: NDArray[np.int64]
    parents: NDArray[np.uint32]
    stuck: NDArray[np.int64]
    fills: NDArray[np.int64]
    fill_sizes: NDArray[np.int64]


class WholeSpace(NamedTuple):
    """An exhausted space as compiled code reads it, to look up the successors of its states."""

    rows: NDArray[np.uint64]
    slots: NDArray[np.int32]
    objects: int
    groups: NDArray[np.int64]
    layout: kernel.RowLayout
    steps: kernel.StepTables
    death: kernel.Deaths


Knowledge = tuple[kernel.StepTables, kernel.Deaths, kernel.Reduction]
"""What the kernel must know of the system."""


@dataclass
class Space:
    """The states found so far, in breadth-first order; `levels[d]` is where those of depth d begin (0: initial ones).

    `symmetry` keeps identical processes' columns sorted; `future` (if known) turns on partial-order reduction.
    `memory_bytes` bounds rows, parents, visited set and tables together. At `reduced` states some processes
    could wait. `fills` are the entries of the tables that were missing, in the order in which they were filled. All of
    this is the same on any number of cores, but for the numbers of what was missing.
    """

    tables: Tables
    symmetry: bool
    future: Future | None
    memory_bytes: int
    count: int = 0
    expanded: int = 0
    transitions: int = 0
    reduced: int = 0
    levels: list[int] = field(default_factory=lambda: [0, 1])
    stuck: list[int] = field(default_factory=list)
    fills: list[NDArray[np.int64]] = field(default_factory=list)

    def __post_init__(self) -> None:
        starts = self.tables.initial_rows()
        self.objects, self.processes = len(self.tables.objects), len(self.tables.class_of)
        self._bits = self._needed_bits()
        self._layout = packed(self._bits)
        room = 1 << max(len(starts), 1023).bit_length()
        self.rows: NDArray[np.uint64] = np.zeros((room, self._layout.words), np.uint64)
        self.parents = np.zeros(room, np.uint32)
        self.slots = np.full(2 * room, -1, np.int32)
        self._groups = self._columns_of_identical_processes()
        self._met = np.zeros(0, np.bool_)
        self._room = ROOM
        self._desks: list[Desk] = []
        self._add_initial(starts)

    @property
    def bytes_in_use(self) -> int:
        """Memory of rows, parents and visited set, and of the tables' entries."""
        return self._own_bytes + self.tables.bytes_in_use

    @property
    def _own_bytes(self) -> int:
        return self.rows.nbytes + self.parents.nbytes + self.slots.nbytes

    def expand(self, begin: int, end: int) -> int:
        """Expand states from `begin` on, at most a chunk and not beyond `end`; returns the first unexpanded one."""
        end, threads = min(end, begin + CHUNK), cores()
        while begin < end:
            self._widen()
            last = self._expand_batches(begin, end, threads)
            if last.why == kernel.MISSED:
                threads = 1  # more will be missing, and the work of other threads would be lost
                self._fill(last.desk.misses[: last.desk.tallies[1]].copy())
            elif last.why == kernel.FULL:
                self._room, self._desks = 2 * self._room, []
            begin = self.expanded = last.end
        return end

    def _expand_batches(self, begin: int, end: int, threads: int) -> Batch:
        """Expands batch after batch until one comes back early, or all are done; returns the last."""
        tables = self.tables.steps(), self.tables.deaths(), self._cut()
        self._make_room_for_entries()
        if end - begin < 2 * LEAST:
            threads = 1
        size = BATCH if threads == 1 else min(BATCH, max(LEAST, (end - begin) // (AHEAD * threads)))
        parts = [(at, min(at + size, end)) for at in range(begin, end, size)]
        tasks = [partial(self._find, *part, tables, shared=threads > 1) for part in parts]
        with closing(in_order(tasks, threads)) as batches:
            for batch in batches:
                self._take(batch)
                if batch.why != kernel.DONE:
                    break
        return batch

    def _find(self, begin: int, end: int, tables: Knowledge, *, shared: bool) -> Batch:
        """The successors of the states begin..end; where threads share the work, without most of those known."""
        known = self.count  # before the rows, of which there are then at least as many
        desk = self._free_desk()
        most = self._room << max(end - begin - 1, 31).bit_length()
        why, at, size = kernel.expand(
            self.rows,
            begin,
            end,
            self.objects,
            self._groups,
            self._layout.fields,
            *tables,
            *desk.cleared(most),
            self._met,
        )
        if shared:
            size = kernel.drop_known(self.rows, known, self.slots, desk.found, size)
        return Batch(why, at, size, desk)

    def _take(self, batch: Batch) -> None:
        """Numbers the new states among the successors, in the order of the batches."""
        desk, at = batch.desk, 0
        while at < batch.size:
            self.count, at = kernel.keep(self.rows, self.count, self.slots, self.parents, desk.found, at, batch.size)
            if at < batch.size:
                self._grow()
        self.transitions += int(desk.tallies[0])
        self.stuck.extend(desk.stuck[: desk.tallies[2]].tolist())
        self.reduced += int(desk.tallies[3])
        self._desks.append(desk)

    def part(self, begin: int, end: int, stuck: int, fills: int) -> SpacePart:
        """The states begin..end; of what is stuck, and of the fills, all from these numbers on."""
        fresh = self.fills[fills:]
        return SpacePart(
            self.rows[begin:end], np.array(self._bits, np.int64), self.parents[begin:end],
            np.array(self.stuck[stuck:], np.int64), np.concatenate([np.zeros((0, 3), np.int64), *fresh]),
            np.array([len(misses) for misses in fresh], np.int64),
        )  # fmt: skip

    def take_up(self, part: SpacePart) -> None:
        """Adds the states of a part to those of the parts before it. Raises OutOfMemory as a search does."""
        for misses in np.split(part.fills, np.cumsum(part.fill_sizes)[:-1]) if len(part.fill_sizes) else ():
            self.tables.deaths()
            self._fill(misses)
        self._widen()
        before, more = packed(part.bits.tolist()), len(part.rows)
        while self.count + more > len(self.rows):
            self._grow()
        fresh = np.zeros((more, self._layout.words), np.uint64)
        for column in range(len(self._bits)):
            self._layout.put(fresh, column, before.column(part.rows, column, 0, more))
        self.rows[self.count : self.count + more] = fresh
        self.parents[self.count : self.count + more] = part.parents
        self.count += more
        self.stuck.extend(part.stuck.tolist())

    @property
    def met(self) -> bytes:
        """Which entries of the tables were looked up so far, a bit each."""
        return np.packbits(self._met).tobytes()

    def goes_on(self, levels: Sequence[int], expanded: int, transitions: int, reduced: int, met: bytes) -> None:
        """Makes a search under way of all parts that were taken up."""
        self.levels, self.expanded, self.transitions, self.reduced = list(levels), expanded, transitions, reduced
        self.slots, self._met = self._hashed(len(self.slots)), np.unpackbits(np.frombuffer(met, np.uint8)).astype(bool)

    def _fill(self, misses: NDArray[np.int64]) -> None:
        self.tables.memory_bytes = self.memory_bytes - self._own_bytes
        self.tables.fill_all(misses)
        self.fills.append(misses)

    def close_level(self) -> None:
        """Makes a level of the states that were found since the last one."""
        self.levels.append(self.count)

    def whole(self) -> WholeSpace:
        """This space, when no state is left to expand."""
        steps, deaths = self.tables.steps(), self.tables.deaths()
        return WholeSpace(self.rows, self.slots, self.objects, self._groups, self._layout.fields, steps, deaths)

    def end_search(self) -> None:
        """Frees what only a further search would need; the states and their parents remain."""
        self.slots, self._desks = np.zeros(0, np.int32), []

    def column(self, column: int, begin: int, end: int) -> NDArray[np.int64]:
        """A column of the rows begin..end, as numbers."""
        return self._layout.column(self.rows, column, begin, end)

    def columns(self, columns: Sequence[int], begin: int, end: int) -> NDArray[np.int64]:
        """Some columns of the rows begin..end, as a matrix of numbers."""
        found = np.empty((end - begin, len(columns)), np.int64)
        for index, column in enumerate(columns):
            found[:, index] = self.column(column, begin, end)
        return found

    def stuck_locals(self) -> Iterator[NDArray[np.int64]]:
        """Process by process: its local state in each state in which nobody can move."""
        rows = self.rows[self.stuck]
        return (self._layout.column(rows, self.objects + p, 0, len(rows)) for p in range(self.processes))

    def path(self, state: int) -> list[NDArray[np.int64]]:
        """The rows from an initial state to `state`, as numbers."""
        numbers = [state]
        while numbers[-1] >= self.levels[1]:
            numbers.append(int(self.parents[numbers[-1]]))
        every = range(len(self._bits))
        return [self.columns(every, number, number + 1)[0] for number in reversed(numbers)]

    def used_entries(self) -> NDArray[np.bool_]:
        """Which entries of the tables of ops some state looks up."""
        tables, row = self.tables.steps(), np.empty(len(self._bits), np.int64)
        self._make_room_for_entries()
        used: NDArray[np.bool_] = (tables.entries >= 0) & self._met[tables.entries]
        kernel.mark_used(self.rows, self.expanded, self.count, self.objects, self._layout.fields, tables, row, used)
        return used

    def orbits(self) -> int:
        """How many states these stand for with copies told apart: the sum of the sizes of their orbits."""
        total = np.ones(self.count)
        for klass in self.tables.classes:
            last, run = self.column(self.objects + klass.pids[0], 0, self.count), np.ones(self.count)
            for k, pid in enumerate(klass.pids[1:], start=2):
                here = self.column(self.objects + pid, 0, self.count)
                run = np.where(here == last, run + 1, 1)
                total *= k / run
                last = here
        return round(float(total.sum()))

    def _make_room_for_entries(self) -> None:
        more = len(self.tables.first.data) - len(self._met)
        if more:
            self._met = np.append(self._met, np.zeros(more, np.bool_))

    def _grow(self) -> None:
        wider = 2 * len(self.rows)
        slots = len(self.slots) * (2 if wider > len(self.slots) // 2 else 1)
        needed = wider * (8 * self._layout.words + 4) + 4 * slots
        if needed + self.tables.bytes_in_use > self.memory_bytes:
            raise OutOfMemory
        self.rows, self.parents = _longer(self.rows, wider, self.count), _longer(self.parents, wider, self.count)
        if slots > len(self.slots):
            self.slots = self._hashed(slots)

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
            self.rows, self._desks = rows, []
            self.slots = self._hashed(len(self.slots))

    def _hashed(self, size: int) -> NDArray[np.int32]:
        """A visited set of so many slots with all rows."""
        slots = np.full(size, -1, np.int32)
        kernel.rehash(self.rows, self.count, slots)
        return slots

    def _add_initial(self, starts: NDArray[np.int64]) -> None:
        for begin, end in self._groups.tolist():
            starts[:, begin:end] = np.sort(starts[:, begin:end])
        for column, numbers in enumerate(starts.T):
            self._layout.put(self.rows, column, numbers)
        self.count = len(starts)
        self.levels = [0, self.count]
        self.slots = self._hashed(len(self.slots))

    def _columns_of_identical_processes(self) -> NDArray[np.int64]:
        own = self.objects + np.arange(self.processes, dtype=np.int64)
        groups = np.stack([own, own + 1], axis=1)
        for klass in self.tables.classes:
            for pid in klass.pids if self.symmetry else ():
                groups[pid] = self.objects + klass.pids[0], self.objects + klass.pids[-1] + 1
        return groups

    def _cut(self) -> kernel.Reduction:
        if self.future is None:
            none, bits = np.zeros(1, np.int8), np.zeros(1, np.int64)
            return kernel.Reduction(0, none, bits, bits, none)
        future = self.future
        return kernel.Reduction(1, future.reads, future.may_touch, future.may_write, future.never_alone)

    def _free_desk(self) -> Desk:
        try:
            return self._desks.pop()
        except IndexError:
            return self._new_desk()

    def _new_desk(self) -> Desk:
        n, numbers, words, most = self.processes, len(self._bits), self._layout.words, self._room * BATCH
        row, lost, sets = np.empty(numbers, np.int64), np.empty(numbers, np.int64), np.empty((2, n), np.int8)
        work = kernel.Work(row, lost, np.empty(n, np.int32), *sets)
        found = kernel.DistinctSuccessors(
            np.empty((most, words), np.uint64), np.empty(most, np.uint32), np.empty(most, np.uint64),
            np.empty(2 * most, np.int32), np.empty(most, np.int32),
        )  # fmt: skip
        return Desk(work, found, np.empty((4096, 3), np.int64), np.empty(BATCH, np.int64), np.zeros(4, np.int64))


@dataclass(frozen=True)
class Packing:
    """How rows are packed into words: how many words, and the fields of the columns."""

    words: int
    fields: kernel.RowLayout

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
    fields = kernel.RowLayout(np.array(words), np.array(shifts, np.uint64), np.array(masks, np.uint64))
    return Packing(word + 1, fields)


def _longer(array: NDArray[Any], length: int, used: int) -> NDArray[Any]:
    longer = np.empty((length, *array.shape[1:]), array.dtype)
    longer[:used] = array[:used]
    return longer
