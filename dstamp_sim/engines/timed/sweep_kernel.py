"""The timed semantics, compiled: many runs on the clock over tables of small integers (see `timed` for the rules)."""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from dstamp_sim.core.draws import GOLDEN
from dstamp_sim.core.scenario import duration_of, normal_quantile
from dstamp_sim.engines.tables.compiled import compiled_with_arrays
from dstamp_sim.engines.tables.tables import ENDED

DONE, MISSED, STANDSTILL = 0, 1, 2
"""How a batch returned: finished; an entry of the tables is not filled; time stands still."""

_GOLDEN, _ONE, _TWO = np.uint64(GOLDEN), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_NEVER = np.inf

# Untyped below (no-untyped-def): Numba infers the types of what it compiles.
register_jitable(normal_quantile)
_duration = compiled_with_arrays(duration_of)


@compiled_with_arrays
def _mixed(value):  # type: ignore[no-untyped-def]
    value = (value ^ (value >> _30)) * _ONE
    value = (value ^ (value >> _27)) * _TWO
    return value ^ (value >> _31)


@compiled_with_arrays
def _draw(stream, of):  # type: ignore[no-untyped-def]
    """The next draw of the stream whose state is `stream[of]`: `Draws`, compiled."""
    stream[of] = stream[of] + _GOLDEN
    return np.float64(_mixed(stream[of]) >> _11) * 2.0**-53


@compiled_with_arrays
def _pick(label, begin, count, given, draw):  # type: ignore[no-untyped-def]
    """Which of `count` outcomes a draw picks: `Timing.weights` and `picked`, compiled."""
    named, others = 0.0, 0
    for k in range(begin, begin + count):
        if not np.isnan(given[label[k]]):
            named += given[label[k]]
        else:
            others += 1
    left = max(1.0 - named, 0.0)
    share = left / others if others > 0 else 0.0
    mark = draw * (named + share * others)
    for k in range(begin, begin + count):
        mark -= share if np.isnan(given[label[k]]) else given[label[k]]
        if mark < 0.0:
            return k - begin
    return count - 1


@compiled_with_arrays
def _sooner(one, other, when, priority):  # type: ignore[no-untyped-def]
    """Whether process `one` wakes before `other`: the earlier, among equals by priority, then by number."""
    if when[one] != when[other]:
        return when[one] < when[other]
    if priority[one] != priority[other]:
        return priority[one] < priority[other]
    return one < other


@compiled_with_arrays
def _push(heap, size, pid, when, priority):  # type: ignore[no-untyped-def]
    """Process `pid` sleeps until `when[pid]`: the heap of sleepers has the soonest first. Returns its size."""
    at = size
    while at > 0 and _sooner(pid, heap[(at - 1) // 2], when, priority):
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = pid
    return size + 1


@compiled_with_arrays
def _pop(heap, size, when, priority):  # type: ignore[no-untyped-def]
    """The heap without its first process. Returns its size."""
    size -= 1
    last, at = heap[size], 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and _sooner(heap[child + 1], heap[child], when, priority):
            child += 1
        if not _sooner(heap[child], last, when, priority):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = last
    return size


@compiled_with_arrays
def _note_near(near, run, pid, on, now, changes, touched, by, last, before):  # type: ignore[no-untyped-def]
    """Process `pid` touches object `on`, and `changes` it or not: how near in time that is to the others.

    `touched` is when each process last touched each object; `last` when an object was last changed, by process `by`,
    and `before` when last by another than that one.
    """
    near[run, pid] = min(near[run, pid], now - (last[on] if by[on] != pid else before[on]))
    touched[on, pid] = now
    if changes:
        for other in range(near.shape[1]):
            if other != pid:
                near[run, other] = min(near[run, other], now - touched[on, other])
        if by[on] != pid:
            before[on], by[on] = last[on], pid
        last[on] = now


@compiled_with_arrays
def _remove(heap, size, gone, when, priority):  # type: ignore[no-untyped-def]
    """The heap without process `gone`. Returns its size."""
    left = 0
    for at in range(size):
        if heap[at] != gone:
            left = _push(heap, left, heap[at], when, priority)
    return left


@compiled_with_arrays
def _leave(on, gone, first_waiter, last_waiter, next_waiter):  # type: ignore[no-untyped-def]
    """Process `gone` waits for object `on` no more, if it did."""
    before, at = -1, first_waiter[on]
    while at >= 0 and at != gone:
        before, at = at, next_waiter[at]
    if at < 0:
        return
    if before < 0:
        first_waiter[on] = next_waiter[gone]
    else:
        next_waiter[before] = next_waiter[gone]
    if last_waiter[on] == gone:
        last_waiter[on] = before


@compiled_with_arrays
def sweep_batch(  # type: ignore[no-untyped-def]
    begin,
    row,
    must_end,
    target,
    base,
    entries,
    first_of,
    next_local,
    next_state,
    delay_of,
    patience_of,
    label_of,
    gives_up,
    starts,
    late,
    shapes,
    figures,
    given,
    seed,
    seeds,
    horizon,
    standstill,
    ends,
    ended_at,
    moves,
    waited,
    busy,
    near,
):
    """Runs from `begin` on; returns (how it ended, at which run, and the missing entry's local state and object state).

    `ends[r]` becomes each process's local state at the end, `ended_at[r]` when it ended (inf: not), `waited[r]` how
    long it was blocked, `busy[r]` how long each object was not in its initial state; `near[r]`, where it has room, how
    near in time each process came to another's change of an object that it touches. `moves`, where it has room, is
    filled with (process, outcome) of the last run. All processes of a run draw from one stream, made of `seed`, or each
    from a stream of its own, where `seeds[r]` has one for each.
    """
    count = starts.shape[1]
    objects = len(row) - count - 1
    apart = len(seeds) > 0
    stream = np.zeros(count if apart else 1, np.uint64)
    when, priority = np.empty(count), np.empty(count)
    # When the patience of who waits ends, with its place in that instant; -1 for who is not patient.
    deadline, due = np.empty(count), np.empty(count)
    heap, asleep, blocked = np.empty(count, np.int64), np.empty(count, np.bool_), np.empty(count)
    # Who waits for an object, first come first: a list from first_waiter[o] on along next_waiter.
    next_waiter, first_waiter, last_waiter = (
        np.empty(count, np.int64),
        np.empty(objects, np.int64),
        np.empty(objects, np.int64),
    )
    changed = np.empty(objects)
    touched, by, last, before = np.empty((objects, count)), np.empty(objects, np.int64), changed.copy(), changed.copy()
    for run in range(begin, starts.shape[0]):
        state, local = row[:objects].copy(), row[objects : objects + count].copy()
        if apart:
            for pid in range(count):
                stream[pid] = _mixed(_mixed(seeds[run, pid]))
        else:
            stream[0] = _mixed(_mixed(np.uint64(seed)) + _GOLDEN * np.uint64(run))
        left, now, ops, sleepers, made = 0, 0.0, 0, 0, 0
        first_waiter[:], last_waiter[:], changed[:] = -1, -1, 0.0
        waited[run], busy[run] = 0.0, 0.0
        if len(near):
            near[run], touched[:], by[:], last[:], before[:] = _NEVER, -_NEVER, -1, -_NEVER, -_NEVER
        for pid in range(count):
            when[pid] = starts[run, pid]
            if late[pid] >= 0:
                which, share = late[pid], _draw(stream, pid * apart)
                when[pid] += _duration(shapes[which], figures[run, which, 0], figures[run, which, 1], share)
            priority[pid] = _draw(stream, pid * apart)
            asleep[pid], blocked[pid], deadline[pid] = False, _NEVER, -1.0
            ended_at[run, pid] = _NEVER
            left += must_end[pid]
            if when[pid] < _NEVER:
                sleepers = _push(heap, sleepers, pid, when, priority)
        while sleepers > 0:
            pid = heap[0]
            if when[pid] >= horizon or (left == 0 and when[pid] > now):
                break
            sleepers = _pop(heap, sleepers, when, priority)
            ops = 0 if when[pid] > now else ops
            now = when[pid]
            while True:
                here = local[pid]
                on = target[here]
                if on == ENDED:
                    ended_at[run, pid] = now
                    left -= must_end[pid]
                    break
                delay = delay_of[here]
                if delay >= 0 and not asleep[pid]:
                    share = _draw(stream, pid * apart)
                    lasts = _duration(shapes[delay], figures[run, delay, 0], figures[run, delay, 1], share)
                    when[pid], priority[pid], asleep[pid] = now + lasts, _draw(stream, pid * apart), True
                    if when[pid] < _NEVER:
                        sleepers = _push(heap, sleepers, pid, when, priority)
                    break
                asleep[pid] = False
                about = state[on] if on >= 0 else 0
                entry = entries[base[here] + about]
                if entry < 0:
                    return MISSED, run, here, about
                successor, several = first_of[entry], first_of[entry + 1] - first_of[entry]
                patient = several == 1 and gives_up[successor] == 1
                if patient and deadline[pid] < 0.0:
                    which, share = patience_of[here], _draw(stream, pid * apart)
                    lasts = _duration(shapes[which], figures[run, which, 0], figures[run, which, 1], share)
                    deadline[pid], due[pid] = now + lasts, _draw(stream, pid * apart)
                elif patient and when[pid] == deadline[pid] and priority[pid] == due[pid]:
                    patient = False
                if patient and deadline[pid] < _NEVER:
                    when[pid], priority[pid] = deadline[pid], due[pid]
                    sleepers = _push(heap, sleepers, pid, when, priority)
                if several == 0 or patient:
                    if on >= 0:  # a private object that blocks its process does so for ever
                        if first_waiter[on] < 0:
                            first_waiter[on] = pid
                        else:
                            next_waiter[last_waiter[on]] = pid
                        last_waiter[on], next_waiter[pid] = pid, -1
                    blocked[pid] = min(blocked[pid], now)
                    break
                if deadline[pid] >= 0.0:
                    if on >= 0:
                        _leave(on, pid, first_waiter, last_waiter, next_waiter)
                    deadline[pid] = -1.0
                if blocked[pid] < _NEVER:
                    waited[run, pid] += now - blocked[pid]
                    blocked[pid] = _NEVER
                chosen = 0
                if several > 1:
                    chosen = _pick(label_of, successor, several, given[run], _draw(stream, pid * apart))
                local[pid] = next_local[successor + chosen]
                if made < len(moves):
                    moves[made, 0], moves[made, 1] = pid, chosen
                    made += 1
                ops += 1
                if ops > standstill:
                    return STANDSTILL, run, here, about
                if on >= 0 and len(near):
                    changes = next_state[successor + chosen] != about
                    _note_near(near, run, pid, on, now, changes, touched, by, last, before)
                if on >= 0 and next_state[successor + chosen] != about:
                    if about != row[on]:
                        busy[run, on] += now - changed[on]
                    state[on], changed[on] = next_state[successor + chosen], now
                    waiter = first_waiter[on]
                    first_waiter[on] = -1
                    while waiter >= 0:
                        place = _draw(stream, waiter * apart)
                        if 0.0 <= deadline[waiter] < _NEVER:
                            sleepers = _remove(heap, sleepers, waiter, when, priority)
                        if deadline[waiter] == now and due[waiter] < place:
                            place = due[waiter]
                        when[waiter], priority[waiter] = now, place
                        sleepers = _push(heap, sleepers, waiter, when, priority)
                        waiter = next_waiter[waiter]
        for pid in range(count):
            ends[run, pid] = local[pid]
            if blocked[pid] < _NEVER:
                waited[run, pid] += now - blocked[pid]
        for slot in range(objects):
            if state[slot] != row[slot]:
                busy[run, slot] += now - changed[slot]
    return DONE, starts.shape[0], 0, 0
