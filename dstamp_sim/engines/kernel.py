"""The compiled inner loop: breadth-first expansion of rows of small integers, with an exact visited set.

A row has one column per shared object, one per process, and one for the deaths so far. The visited set is an
open-addressing table of row numbers; rows are compared in full, never by fingerprint alone. Rows are 8, 16 or 32 bits
wide, as the tables need. With 4 bytes of parent and 4 bytes a slot at a load of 1/3 to 2/3, a state of 8 runs of the
cc-ci model takes 11 + 4 + 6..12 bytes at 8 bits, and 22 + 4 + 6..12 at 16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numba import njit

DONE, MISSED, FULL = 0, 1, 2
"""Why an expansion came back: the range is done, entries are missing, or there is no room for another state."""

OF_OP, OF_HOLD = 0, 1
"""What a missing entry is of: an op, or the death of a holder."""

ENDED = -2

F = TypeVar("F", bound=Callable[..., Any])

compiled: Callable[[F], F] = njit(cache=True, nogil=True, _nrt=False)  # type: ignore[call-overload]  # not in its stub
"""For functions that make no arrays: without reference counts on every array of every argument, which made the
samplers 11 times slower. (`_nrt` is numba's own flag for this; a function that does make an array fails to compile.)"""


class Steps(NamedTuple):
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
    objects), whether its step is visible; by process, whether it is a daemon. Off when `on` is 0.
    """  # noqa: D205 - one sentence

    on: int
    reads: Any
    may_touch: Any
    may_write: Any
    visible: Any
    daemon: Any


class Work(NamedTuple):
    """Room to work in: the row being made, by process the outcomes of its op, and three sets of processes."""

    row: Any
    enabled: Any
    chosen: Any
    trial: Any


@compiled
def _hash(row: Any) -> Any:
    mixed = np.uint64(0x9E3779B97F4A7C15)
    for column in range(row.shape[0]):
        mixed = (mixed ^ np.uint64(row[column])) * np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(32)
    return mixed


@compiled
def insert(rows: Any, count: int, slots: Any, row: Any) -> Any:
    """The number of `row` among `rows`, and whether it is new (it is then appended; there must be room)."""
    mask = np.uint64(slots.shape[0] - 1)
    width = row.shape[0]
    at = _hash(row) & mask
    while slots[at] >= 0:
        known = slots[at]
        same = True
        for column in range(width):
            if rows[known, column] != row[column]:
                same = False
                break
        if same:
            return known, False
        at = (at + np.uint64(1)) & mask
    slots[at] = count
    for column in range(width):
        rows[count, column] = row[column]
    return count, True


@njit(cache=True, nogil=True)
def rehash(rows: Any, count: int, slots: Any) -> None:
    """Fill an empty `slots` with the first `count` rows."""
    mask = np.uint64(slots.shape[0] - 1)
    for number in range(count):
        at = _hash(rows[number]) & mask
        while slots[at] >= 0:
            at = (at + np.uint64(1)) & mask
        slots[at] = number


@njit(cache=True, nogil=True)
def _sort(row: Any, begin: int, end: int) -> None:
    """Insertion sort of the columns of identical processes: the canonical form."""
    for i in range(begin + 1, end):
        value = row[i]
        j = i - 1
        while j >= begin and row[j] > value:
            row[j + 1] = row[j]
            j -= 1
        row[j + 1] = value


@njit(cache=True, nogil=True)
def _close(row, objects, start, best, steps, cut, work):  # type: ignore[no-untyped-def]
    """Close the set {start} in `work.trial`; gives its number of movers, or `best` when it is not better or refused.

    Closed: whoever may still conflict with the op of a member is a member; a member that is blocked brings in whoever
    may still write what it waits for. A set with a daemon's move (cycles consist of daemons' moves alone, so every
    cycle keeps a fully expanded state) or with a visible move is refused.
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
                if size >= best or cut.daemon[p] or cut.visible[here]:
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


@njit(cache=True, nogil=True)
def _stubborn(row, objects, movers, steps, cut, work):  # type: ignore[no-untyped-def]
    """The smallest closed set of processes found, in `work.chosen`; False when only all movers together will do.

    Stubborn sets after Valmari (1989), with processes as the unit: the persistent sets of Godefroid (1996).
    """
    best = movers
    for start in range(work.enabled.shape[0]):
        if work.enabled[start] > 0:
            size = _close(row, objects, start, best, steps, cut, work)
            if size < best:
                best = size
                work.chosen[:] = work.trial
                if best == 1:
                    break
    return best < movers


@compiled
def note(misses: Any, tallies: Any, what: int, which: int, state: int) -> None:
    """Note a missing entry, as long as there is room for notes."""
    if tallies[1] < misses.shape[0]:
        misses[tallies[1], 0], misses[tallies[1], 1], misses[tallies[1], 2] = what, which, state
        tallies[1] += 1


@njit(cache=True, nogil=True)
def _look_up_moves(row, objects, steps, work, misses, tallies):  # type: ignore[no-untyped-def]
    """Fill `work.enabled`; gives the entries missing, the successors in all, and the processes that can move."""
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


@njit(cache=True, nogil=True)
def _mortal(here, p, steps, death):  # type: ignore[no-untyped-def]
    return death.killable[p] and steps.target[here] != ENDED


@njit(cache=True, nogil=True)
def _keep(rows, count, slots, parents, at, group, work):  # type: ignore[no-untyped-def]
    """Keep the row in `work` as a successor of state `at`, in canonical form; gives the number of states."""
    _sort(work.row, group[0], group[1])
    number, new = insert(rows, count, slots, work.row)
    if new:
        parents[number] = at
    return count + new


@njit(cache=True, nogil=True)
def expand(  # type: ignore[no-untyped-def]
    rows, count, slots, parents, begin, end, objects, groups, steps, death, cut, work, misses, stuck, tallies
):
    """Expand the states begin..end; gives why it came back, the first state not expanded, and the number of states.

    `groups[p]` is the range of columns of the processes identical to p (empty where symmetry is off). Counts in
    `tallies`: transitions, misses noted, stuck states noted, states where only a stubborn set moved.
    """
    deaths = rows.shape[1] - 1
    usable = min(rows.shape[0], slots.shape[0] * 2 // 3)
    for at in range(begin, end):
        here_row = rows[at]
        missing, most, movers = _look_up_moves(here_row, objects, steps, work, misses, tallies)
        mortals = here_row[deaths] < death.allowed
        if mortals:
            for p in range(work.enabled.shape[0]):
                work.row[:] = here_row
                if _mortal(here_row[objects + p], p, steps, death):
                    most += 1
                    missing += not lose(work.row, here_row[objects + p], death, misses, tallies)
        if missing > 0:
            return MISSED, at, count
        if count + most > usable:
            return FULL, at, count
        if movers == 0:
            stuck[tallies[2]] = at
            tallies[2] += 1
        reduced = cut.on and movers > 1 and not mortals and _stubborn(here_row, objects, movers, steps, cut, work)
        tallies[3] += reduced
        for p in range(work.enabled.shape[0]):
            if work.enabled[p] == 0 or (reduced and work.chosen[p] == 0):
                continue
            here = here_row[objects + p]
            slot = steps.target[here]
            entry = steps.entries[steps.base[here] + (here_row[slot] if slot >= 0 else 0)]
            for k in range(steps.first[entry], steps.first[entry + 1]):
                work.row[:] = here_row
                if slot >= 0:
                    work.row[slot] = steps.next_state[k]
                work.row[objects + p] = steps.next_local[k]
                tallies[0] += 1
                count = _keep(rows, count, slots, parents, at, groups[p], work)
        if mortals:
            for p in range(work.enabled.shape[0]):
                here = here_row[objects + p]
                if _mortal(here, p, steps, death):
                    work.row[:] = here_row
                    lose(work.row, here, death, misses, tallies)
                    work.row[objects + p] = death.death_of[here]
                    work.row[deaths] += 1
                    tallies[0] += 1
                    count = _keep(rows, count, slots, parents, at, groups[p], work)
    return DONE, end, count
