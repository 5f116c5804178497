"""The timed semantics, compiled: many runs on the clock over tables of small integers (see `timed` for the rules)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.extending import register_jitable

from dstamp_sim.core.draws import GOLDEN
from dstamp_sim.core.scenario import duration_of, normal_quantile
from dstamp_sim.engines.tables import ENDED

DONE, MISSING, STANDSTILL = 0, 1, 2
"""How a batch came back: finished; an entry of the tables is not filled; time stands still."""

_GOLDEN, _ONE, _TWO = np.uint64(GOLDEN), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_NEVER = np.inf

register_jitable(normal_quantile)
_duration = njit(cache=True)(duration_of)


@njit(cache=True)
def _mixed(value):  # type: ignore[no-untyped-def]
    value = (value ^ (value >> _30)) * _ONE
    value = (value ^ (value >> _27)) * _TWO
    return value ^ (value >> _31)


@njit(cache=True)
def _draw(state):  # type: ignore[no-untyped-def]
    """The next draw of the stream whose state is `state[0]`: `Draws`, compiled."""
    state[0] = state[0] + _GOLDEN
    return np.float64(_mixed(state[0]) >> _11) * 2.0**-53


@njit(cache=True)
def _pick(label, begin, count, given, draw):  # type: ignore[no-untyped-def]
    """Which of `count` outcomes a draw gives: `Timing.weights` and `picked`, compiled."""
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


@njit(cache=True)
def _next(when, priority):  # type: ignore[no-untyped-def]
    """Who wakes next: the earliest, among equals by priority; -1 when nobody will."""
    best = -1
    for pid in range(len(when)):
        if when[pid] < _NEVER and (
            best < 0 or when[pid] < when[best] or (when[pid] == when[best] and priority[pid] < priority[best])
        ):
            best = pid
    return best


@njit(cache=True)
def _wake_waiters(slot, waits_on, since, when, priority, now, stream):  # type: ignore[no-untyped-def]
    """Everybody who waits for this object tries again at this instant, in an order that is drawn."""
    while True:
        first = -1
        for pid in range(len(waits_on)):
            if waits_on[pid] == slot and (first < 0 or since[pid] < since[first]):
                first = pid
        if first < 0:
            return
        waits_on[first] = -1
        when[first], priority[first] = now, _draw(stream)


@njit(cache=True, nogil=True)
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
    label_of,
    starts,
    shapes,
    figures,
    given,
    seed,
    horizon,
    standstill,
    ends,
    ended_at,
    moves,
):
    """Runs from `begin` on; gives (how it ended, at which run, and the missing entry's local state and object state).

    `ends[r]` becomes each process's local state at the end, `ended_at[r]` when it ended (inf: not). `moves`, where it
    has room, is filled with (process, outcome) of the last run.
    """
    count = starts.shape[1]
    objects = len(row) - count - 1
    stream = np.zeros(1, np.uint64)
    when, priority = np.empty(count), np.empty(count)
    waits_on, since, asleep = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.bool_)
    for run in range(begin, starts.shape[0]):
        state, local = row[:objects].copy(), row[objects : objects + count].copy()
        stream[0] = _mixed(_mixed(np.uint64(seed)) + _GOLDEN * np.uint64(run))
        left, now, ops, waits, made = 0, 0.0, 0, 0, 0
        for pid in range(count):
            when[pid], priority[pid] = starts[run, pid], _draw(stream)
            waits_on[pid], asleep[pid] = -1, False
            ended_at[run, pid] = _NEVER
            left += must_end[pid]
        while True:
            pid = _next(when, priority)
            if pid < 0 or when[pid] >= horizon or (left == 0 and when[pid] > now):
                break
            ops = 0 if when[pid] > now else ops
            now, when[pid] = when[pid], _NEVER
            while True:
                here = local[pid]
                on = target[here]
                if on == ENDED:
                    ended_at[run, pid] = now
                    left -= must_end[pid]
                    break
                delay = delay_of[here]
                if delay >= 0 and not asleep[pid]:
                    lasts = _duration(shapes[delay], figures[run, delay, 0], figures[run, delay, 1], _draw(stream))
                    when[pid], priority[pid], asleep[pid] = now + lasts, _draw(stream), True
                    break
                asleep[pid] = False
                about = state[on] if on >= 0 else 0
                entry = entries[base[here] + about]
                if entry < 0:
                    return MISSING, run, here, about
                successor, several = first_of[entry], first_of[entry + 1] - first_of[entry]
                if several == 0:
                    waits_on[pid], since[pid] = on, waits
                    waits += 1
                    break
                chosen = 0
                if several > 1:
                    chosen = _pick(label_of, successor, several, given[run], _draw(stream))
                local[pid] = next_local[successor + chosen]
                if made < len(moves):
                    moves[made, 0], moves[made, 1] = pid, chosen
                    made += 1
                ops += 1
                if ops > standstill:
                    return STANDSTILL, run, here, about
                if on >= 0 and next_state[successor + chosen] != about:
                    state[on] = next_state[successor + chosen]
                    _wake_waiters(on, waits_on, since, when, priority, now, stream)
        for pid in range(count):
            ends[run, pid] = local[pid]
    return DONE, starts.shape[0], 0, 0
