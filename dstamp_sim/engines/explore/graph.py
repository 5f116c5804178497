"""The moves of an exhausted space, one by one: who leads from which state to which, with which outcome."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dstamp_sim.core.schedule import CRASH
from dstamp_sim.engines.explore.space import CHUNK, Space
from dstamp_sim.engines.explore.successors import bench_for, number_put, put_death, put_step
from dstamp_sim.engines.live.fair import Graph
from dstamp_sim.engines.tables import kernel
from dstamp_sim.engines.tables.compiled import compiled
from dstamp_sim.engines.tables.tables import OutOfMemory

BYTES = 128
"""The memory that a move, or a state, takes at most while cycles are looked for."""


class _Moves(NamedTuple):
    """The moves found so far, and how many."""

    source: Any
    target: Any
    pid: Any
    outcome: Any
    enabled: Any
    count: Any


def graph_of(space: Space) -> Graph:
    """All moves of an exhausted space without reductions, in the order of its states.

    Deaths are moves, but nobody is enabled by being mortal. Raises OutOfMemory past the space's limit.
    """
    assert not space.symmetry and space.future is None and not space.tables.merge
    needed = BYTES * (space.transitions + space.count) + space.count * space.processes
    if space.bytes_in_use + needed > space.memory_bytes:
        raise OutOfMemory
    most = space.transitions
    source, target, pid, outcome = np.zeros((4, most), np.int32)
    enabled = np.zeros((space.count, space.processes), np.bool_)
    moves = _Moves(source, target, pid, outcome, enabled, np.zeros(1, np.int64))
    bench = bench_for(space)
    for begin in range(0, space.count, CHUNK):
        _moves_from(begin, min(begin + CHUNK, space.count), space.whole(), bench, moves)
    assert moves.count[0] == most, f"{moves.count[0]} moves of {most}"
    return Graph(source, target, pid, outcome, enabled)


@compiled
def _moves_from(begin: Any, end: Any, space: Any, bench: Any, moves: Any) -> Any:
    """Appends the moves of the states begin..end."""
    for at in range(begin, end):
        kernel.unpack(space.rows, at, space.layout, bench.row)
        _steps(at, space, bench, moves)
        _deaths(at, space, bench, moves)


@compiled
def _steps(at: Any, space: Any, bench: Any, moves: Any) -> Any:
    """Appends the steps of state `at`, which is unpacked."""
    steps, row = space.steps, bench.row
    for p in range(space.groups.shape[0]):
        here = row[space.objects + p]
        slot = steps.target[here]
        if slot == kernel.ENDED:
            continue
        entry = steps.entries[steps.base[here] + (row[slot] if slot >= 0 else 0)]
        for k in range(steps.first[entry], steps.first[entry + 1]):
            put_step(at, p, slot, k, space, bench)
            _append(at, p, k - steps.first[entry], number_put(space, bench), moves)
            moves.enabled[at, p] = True


@compiled
def _deaths(at: Any, space: Any, bench: Any, moves: Any) -> Any:
    """Appends the deaths that may happen in state `at`, which is unpacked."""
    row = bench.row
    if row[row.shape[0] - 1] >= space.death.allowed:
        return
    for p in range(space.groups.shape[0]):
        if kernel.mortal(row[space.objects + p], p, space.steps, space.death):
            put_death(at, p, space, bench)
            _append(at, p, CRASH, number_put(space, bench), moves)


@compiled
def _append(at: Any, p: Any, outcome: Any, after: Any, moves: Any) -> Any:
    number = moves.count[0]
    moves.source[number] = at
    moves.target[number] = after
    moves.pid[number] = p
    moves.outcome[number] = outcome
    moves.count[0] = number + 1
