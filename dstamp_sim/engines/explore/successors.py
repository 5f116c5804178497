"""The successors of a state of an exhausted space, made one by one on a bench: by a step, and by a death."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dstamp_sim.engines.explore.space import Space
from dstamp_sim.engines.tables import kernel
from dstamp_sim.engines.tables.compiled import compiled


class Workbench(NamedTuple):
    """The workspace: a row, its objects after a death, a packed successor; `lose` needs the rest."""

    row: Any
    lost: Any
    held: Any
    misses: Any
    tallies: Any


def bench_for(space: Space) -> Workbench:
    """A bench for the states of a space."""
    row = np.empty(space.objects + space.processes + 1, np.int64)
    held, misses = np.zeros((1, space.rows.shape[1]), np.uint64), np.empty((0, 3), np.int64)
    return Workbench(row, np.empty_like(row), held, misses, np.zeros(2, np.int64))


@compiled
def put_step(at: Any, p: Any, slot: Any, k: Any, space: Any, bench: Any) -> Any:
    """Puts the successor of state `at`, which is unpacked, by outcome k of the tables, a step of process p."""
    steps, row, held = space.steps, bench.row, bench.held
    kernel.begin(space.rows, at, held, 0)
    if slot >= 0:
        kernel.put_column(held, 0, space.layout, row, slot, steps.next_state[k])
    first, last = space.groups[p, 0], space.groups[p, 1]
    kernel.put_sorted(held, 0, space.layout, row, space.objects + p, steps.next_local[k], first, last)


@compiled
def put_death(at: Any, p: Any, space: Any, bench: Any) -> Any:
    """Puts the successor of state `at`, which is unpacked, by the death of process p, which may die there."""
    death, row, lost, held = space.death, bench.row, bench.lost, bench.held
    here, deaths = row[space.objects + p], row.shape[0] - 1
    for column in range(row.shape[0]):
        lost[column] = row[column]
    kernel.lose(lost, here, death, bench.misses, bench.tallies)
    kernel.begin(space.rows, at, held, 0)
    for slot in range(space.objects):
        kernel.put_column(held, 0, space.layout, row, slot, lost[slot])
    kernel.put_column(held, 0, space.layout, row, deaths, row[deaths] + 1)
    first, last = space.groups[p, 0], space.groups[p, 1]
    kernel.put_sorted(held, 0, space.layout, row, space.objects + p, death.death_of[here], first, last)


@compiled
def number_put(space: Any, bench: Any) -> Any:
    """The number of the successor that was put; -1 if the space does not have it."""
    return kernel.number_of(space.rows, space.slots, bench.held[0])
