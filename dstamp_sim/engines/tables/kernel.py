"""The compiled inner loop: breadth-first expansion of packed rows of small integers, with an exact visited set.

A row has one column per shared object, one per process, and one for the deaths so far, each in as many bits as its
numbers need, packed into words of 64 bits. Successors are made by adding differences to words. The visited set is an
open-addressing table of row numbers; rows are compared in full, never by fingerprint alone.

States are expanded batch by batch, in three parts. `expand` finds the distinct successors of a batch: states that lead
to one state are mostly neighbours, and a table of a batch's own successors lies in near memory. `drop_known` drops
known states; neither changes anything that others read, so threads may run them for several batches at a time. `keep`
numbers new states, batch after batch in order, so that numbers and parents are those of one thread.

Looking a successor up costs two reads of far memory: its slot, and the row whose number is there. Each of the two is
made for a whole batch before any is waited for: the processor then has several under way at a time.

With 8 bytes a word, 4 of parent and 4 a slot at a load of 1/4 to 1/2, a state of 8 runs of the cc-ci model (52 bits)
takes 8 + 4 + 8..16 bytes, and up to twice the first two where the arrays have just doubled.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dstamp_sim.engines.tables.compiled import compiled

DONE, MISSED, FULL = 0, 1, 2
"""Why an expansion came back: the range is done, entries are missing, or there is no room for more successors."""

OF_OP, OF_HOLD = 0, 1
"""What a missing entry belongs to: an op, or the death of a holder."""

ENDED = -2


class StepTables(NamedTuple):
    """The tables of ops, as `tables.Tables` describes them."""

    target: Any
    base: Any
    entries: Any
    first: Any
    next_local: Any
    next_state: Any


class Deaths(NamedTuple):
    """The tables of deaths: holds by local state, what losing them does, and where the dead stand."""

    allowed: int
    killable: Any
    death_of: Any
    hold_first: Any
    hold_count: Any
    hold_object: Any
    hold_base: Any
    hold_entries: Any


class Reduction(NamedTuple):
    """What partial-order reduction needs: by local state, whether its op only reads, what it may still touch (bits of
    objects), whether its step must not be taken without the others'. Off when `on` is 0.
    """  # noqa: D205 - one sentence

    on: int
    reads: Any
    may_touch: Any
    may_write: Any
    never_alone: Any


class RowLayout(NamedTuple):
    """Where the columns of a row lie: the word of each, and its place and mask there."""

    word: Any
    shift: Any
    mask: Any


class Work(NamedTuple):
    """Room to work in: a row unpacked, and its objects after a death; by process the outcomes of its op, and two sets
    of processes.
    """  # noqa: D205 - one sentence

    row: Any
    lost: Any
    enabled: Any
    chosen: Any
    trial: Any


class DistinctSuccessors(NamedTuple):
    """Successors found, no two the same, with the numbers of their parents and their hashes; a table of them by hash,
    which is -1 where it is empty; for each, the number that is in its slot of the visited set.
    """  # noqa: D205 - one sentence

    rows: Any
    parents: Any
    hashes: Any
    table: Any
    numbers: Any


@compiled
def _hash(row: Any) -> Any:
    mixed = np.uint64(0x9E3779B97F4A7C15)
    for column in range(row.shape[0]):
        mixed = (mixed ^ np.uint64(row[column])) * np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xC4CEB9FE1A85EC53)
    return mixed ^ (mixed >> np.uint64(33))


@compiled
def _same(row: Any, other: Any) -> Any:
    for column in range(row.shape[0]):  # noqa: SIM110 - the compiler knows no all()
        if row[column] != other[column]:
            return False
    return True


@compiled
def insert(rows: Any, count: int, slots: Any, row: Any) -> Any:
    """The number of `row` among `rows`, and whether it is new (it is then appended; there must be room)."""
    mask = np.uint64(slots.shape[0] - 1)
    at = _hash(row) & mask
    while slots[at] >= 0 and not _same(rows[slots[at]], row):
        at = (at + np.uint64(1)) & mask
    if slots[at] >= 0:
        return slots[at], False
    slots[at] = count
    for column in range(row.shape[0]):
        rows[count, column] = row[column]
    return count, True


@compiled
def number_of(rows: Any, slots: Any, row: Any) -> Any:
    """The number of `row` among the rows in `slots`; -1 if it is none of them."""
    mask = np.uint64(slots.shape[0] - 1)
    at = _hash(row) & mask
    while slots[at] >= 0 and not _same(rows[slots[at]], row):
        at = (at + np.uint64(1)) & mask
    return slots[at]


@compiled
def _look_up(rows: Any, known: Any, slots: Any, found: Any, begin: Any, end: Any) -> None:
    """For the successors begin..end, the number of each if it is that of one of the first `known` rows.

    It is -1 for those that are not among them, and for those whose slot another row has. Rows and slots may be added
    meanwhile: a slot is empty or has its number for good, and rows below `known` were there before.
    """
    mask = np.uint64(slots.shape[0] - 1)
    for i in range(begin, end):
        found.numbers[i] = slots[found.hashes[i] & mask]
    for i in range(begin, end):
        if not 0 <= found.numbers[i] < known or not _same(rows[found.numbers[i]], found.rows[i]):
            found.numbers[i] = -1


@compiled
def drop_known(rows: Any, known: Any, slots: Any, found: Any, size: Any) -> Any:
    """Drop those of the first `size` successors that are easily seen to be among the first `known` rows.

    Returns how many are left. A thread may do so while another one keeps earlier successors.
    """
    _look_up(rows, known, slots, found, 0, size)
    left = 0
    for i in range(size):
        if found.numbers[i] < 0:
            found.parents[left], found.hashes[left] = found.parents[i], found.hashes[i]
            for word in range(rows.shape[1]):
                found.rows[left, word] = found.rows[i, word]
            left += 1
    return left


@compiled
def keep(rows: Any, count: Any, slots: Any, parents: Any, found: Any, begin: Any, end: Any) -> Any:
    """Number the new ones among the successors begin..end, in their order, as long as there is room.

    Returns the number of states, and the first successor without room (`end` if there is none).
    """
    mask, usable = np.uint64(slots.shape[0] - 1), min(rows.shape[0], slots.shape[0] // 2)
    _look_up(rows, count, slots, found, begin, end)
    for i in range(begin, end):
        if found.numbers[i] >= 0:
            continue
        at = found.hashes[i] & mask
        while slots[at] >= 0 and not _same(rows[slots[at]], found.rows[i]):
            at = (at + np.uint64(1)) & mask
        if slots[at] >= 0:
            continue
        if count == usable:
            return count, i
        parents[count] = found.parents[i]
        for word in range(rows.shape[1]):
            rows[count, word] = found.rows[i, word]
        slots[at] = count
        count += 1
    return count, end


@compiled
def _is_new(found: Any, i: Any) -> Any:
    """Whether successor i is none of those found before it; it is then entered in their table."""
    mask = np.uint64(found.table.shape[0] - 1)
    found.hashes[i] = _hash(found.rows[i])
    at = (found.hashes[i] >> np.uint64(32)) & mask
    while found.table[at] >= 0:
        if _same(found.rows[found.table[at]], found.rows[i]):
            return False
        at = (at + np.uint64(1)) & mask
    found.table[at] = i
    return True


@compiled
def rehash(rows: Any, count: int, slots: Any) -> None:
    """Fill an empty `slots` with the first `count` rows."""
    mask = np.uint64(slots.shape[0] - 1)
    for number in range(count):
        at = _hash(rows[number]) & mask
        while slots[at] >= 0:
            at = (at + np.uint64(1)) & mask
        slots[at] = number


@compiled
def unpack(rows: Any, number: Any, layout: Any, row: Any) -> Any:
    """Write the numbers of a packed row into `row`."""
    for column in range(row.shape[0]):
        row[column] = np.int64((rows[number, layout.word[column]] >> layout.shift[column]) & layout.mask[column])


@compiled
def put_column(held: Any, i: Any, layout: Any, row: Any, column: Any, value: Any) -> Any:
    """Write `value` into a column of successor i, which has the number of `row` there."""
    held[i, layout.word[column]] += np.uint64(value - row[column]) << layout.shift[column]


@compiled
def put_sorted(held: Any, i: Any, layout: Any, row: Any, column: Any, value: Any, begin: Any, end: Any) -> Any:
    """As `put_column`, for a column of the identical processes begin..end, which are sorted and stay so."""
    while column > begin and row[column - 1] > value:
        put_column(held, i, layout, row, column, row[column - 1])
        column -= 1
    while column < end - 1 and row[column + 1] < value:
        put_column(held, i, layout, row, column, row[column + 1])
        column += 1
    put_column(held, i, layout, row, column, value)


@compiled
def mark_used(rows: Any, begin: Any, end: Any, objects: Any, layout: Any, steps: Any, row: Any, used: Any) -> Any:
    """Set `used` for every entry of the tables of ops that one of the states begin..end looks up."""
    for number in range(begin, end):
        unpack(rows, number, layout, row)
        for column in range(objects, row.shape[0] - 1):
            slot = steps.target[row[column]]
            if slot != ENDED:
                used[steps.base[row[column]] + (row[slot] if slot >= 0 else 0)] = True


@compiled
def _close(row: Any, objects: Any, start: Any, best: Any, steps: Any, cut: Any, work: Any) -> Any:
    """Closes the set {start} in `work.trial`; returns its number of movers, or `best` when it is not better or refused.

    Closed: every process that may still conflict with the op of a member is a member; a blocked member brings in every
    process that may still write what it waits for. A set is refused with a visible move, and with the move of a local
    state to which its process may come back (cycles consist of such moves alone, so every cycle keeps a fully expanded
    state).
    """
    n = work.trial.shape[0]
    for q in range(n):
        work.trial[q] = q == start
    size, grew = 0, True
    while grew:
        grew = False
        for p in range(n):
            if work.trial[p] != 1:
                continue
            work.trial[p] = 2
            here = row[objects + p]
            if work.enabled[p] > 0:
                size += 1
                if size >= best or cut.never_alone[here]:
                    return best
            slot = steps.target[here]
            if slot < 0:
                continue
            passive = work.enabled[p] == 0 or cut.reads[here]
            for q in range(n):
                there = row[objects + q]
                touched = cut.may_write[there] if passive else cut.may_touch[there]
                if work.trial[q] == 0 and (touched >> slot) & 1:
                    work.trial[q] = 1
                    grew = True
    return size


@compiled
def _stubborn(row: Any, objects: Any, movers: Any, steps: Any, cut: Any, work: Any) -> Any:
    """The smallest closed set of processes found, in `work.chosen`; False when only all movers together suffice.

    Stubborn sets after Valmari (1989), with processes as the unit: the persistent sets of Godefroid (1996).
    """
    best = movers
    for start in range(work.enabled.shape[0]):
        if work.enabled[start] > 0:
            size = _close(row, objects, start, best, steps, cut, work)
            if size < best:
                best = size
                for p in range(work.trial.shape[0]):
                    work.chosen[p] = work.trial[p]
                if best == 1:
                    break
    return best < movers


@compiled
def note(misses: Any, tallies: Any, what: int, which: int, state: int) -> None:
    """Note a missing entry, as long as there is room for notes."""
    if tallies[1] < misses.shape[0]:
        misses[tallies[1], 0], misses[tallies[1], 1], misses[tallies[1], 2] = what, which, state
        tallies[1] += 1


@compiled
def _look_up_moves(row: Any, objects: Any, steps: Any, work: Any, met: Any, misses: Any, tallies: Any) -> Any:
    """Fills `work.enabled`; returns the missing entries, the successors in all, and the processes that can move."""
    missing, most, movers = 0, 0, 0
    for p in range(work.enabled.shape[0]):
        here = row[objects + p]
        slot = steps.target[here]
        work.enabled[p] = 0
        if slot == ENDED:
            continue
        state = row[slot] if slot >= 0 else 0
        entry = steps.entries[steps.base[here] + state]
        if entry < 0:
            note(misses, tallies, OF_OP, here, state)
            missing += 1
            continue
        met[entry] = True
        work.enabled[p] = steps.first[entry + 1] - steps.first[entry]
        most += work.enabled[p]
        movers += work.enabled[p] > 0
    return missing, most, movers


@compiled
def lose(row: Any, here: int, death: Deaths, misses: Any, tallies: Any) -> bool:
    """Change the objects in `row` as the death of a process in local state `here` does; False when entries miss."""
    for hold in range(death.hold_first[here], death.hold_first[here] + death.hold_count[here]):
        slot = death.hold_object[hold]
        after = death.hold_entries[death.hold_base[hold] + row[slot]]
        if after < 0:
            note(misses, tallies, OF_HOLD, hold, row[slot])
            return False
        row[slot] = after
    return True


@compiled
def lost(row: Any, here: Any, death: Any, work: Any, misses: Any, tallies: Any) -> Any:
    """Put into `work.lost` what `row` is after the death of a process in `here`; False when entries miss."""
    for column in range(row.shape[0]):
        work.lost[column] = row[column]
    return lose(work.lost, here, death, misses, tallies)


@compiled
def mortal(here: Any, p: Any, steps: Any, death: Any) -> Any:
    """Whether process p may die in local state `here`, as long as some death is allowed."""
    return death.killable[p] and steps.target[here] != ENDED


@compiled
def begin(rows: Any, at: Any, held: Any, i: Any) -> Any:
    """Begin row i of `held`, a successor of state `at`, as that state."""
    for word in range(rows.shape[1]):
        held[i, word] = rows[at, word]


@compiled
def _begin(rows: Any, at: Any, found: Any, i: Any) -> Any:
    """As `begin`, and note its parent."""
    found.parents[i] = at
    begin(rows, at, found.rows, i)


@compiled
def expand(
    rows: Any,
    begin: Any,
    end: Any,
    objects: Any,
    groups: Any,
    layout: Any,
    steps: Any,
    death: Any,
    cut: Any,
    work: Any,
    found: Any,
    misses: Any,
    stuck: Any,
    tallies: Any,
    met: Any,
) -> Any:
    """Put the successors of the states begin..end into `found`, each once.

    Returns why it came back, the first state that is not expanded, and the number of successors. `groups[p]` is the
    range of columns of the processes identical to p (of p alone where symmetry is off). Counts in `tallies`:
    transitions, misses noted, stuck states noted, states where only a stubborn set moved. `met` is set for each entry
    looked up.
    """
    row, processes, deaths = work.row, work.enabled.shape[0], work.row.shape[0] - 1
    why, size, at = DONE, 0, begin
    found.table[:] = -1
    while at < end:
        unpack(rows, at, layout, row)
        missing, most, movers = _look_up_moves(row, objects, steps, work, met, misses, tallies)
        mortals = row[deaths] < death.allowed
        if mortals:
            for p in range(processes):
                if mortal(row[objects + p], p, steps, death):
                    most += 1
                    missing += not lost(row, row[objects + p], death, work, misses, tallies)
        if missing > 0:
            why = MISSED
            break
        if size + most > found.rows.shape[0]:
            why = FULL
            break
        if movers == 0:
            stuck[tallies[2]] = at
            tallies[2] += 1
        reduced = cut.on and movers > 1 and not mortals and _stubborn(row, objects, movers, steps, cut, work)
        tallies[3] += reduced
        for p in range(processes):
            if work.enabled[p] == 0 or (reduced and work.chosen[p] == 0):
                continue
            here = row[objects + p]
            slot = steps.target[here]
            entry = steps.entries[steps.base[here] + (row[slot] if slot >= 0 else 0)]
            tallies[0] += steps.first[entry + 1] - steps.first[entry]
            for k in range(steps.first[entry], steps.first[entry + 1]):
                _begin(rows, at, found, size)
                if slot >= 0:
                    put_column(found.rows, size, layout, row, slot, steps.next_state[k])
                put_sorted(found.rows, size, layout, row, objects + p, steps.next_local[k], groups[p, 0], groups[p, 1])
                size += _is_new(found, size)
        if mortals:
            for p in range(processes):
                here = row[objects + p]
                if mortal(here, p, steps, death):
                    tallies[0] += 1
                    lost(row, here, death, work, misses, tallies)
                    _begin(rows, at, found, size)
                    for slot in range(objects):
                        put_column(found.rows, size, layout, row, slot, work.lost[slot])
                    put_column(found.rows, size, layout, row, deaths, row[deaths] + 1)
                    put_sorted(
                        found.rows, size, layout, row, objects + p, death.death_of[here], groups[p, 0], groups[p, 1]
                    )
                    size += _is_new(found, size)
        at += 1
    return why, at, size
