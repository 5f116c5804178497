"""Traps of an explored space: the states from which no end can be reached any more, found backwards from the ends.

A state has an end if all who must end have ended or died there, or if one of its successors has an end; whatever has
none is a trap. Of a whole space this is exact, and what the space leaves out does not change whether there is a trap:

- *Symmetry and merging*: states with one future have an end or none together. A merged local step is possible until it
  is performed, has one outcome, and nobody sees it: so a way to an end goes on after it, too.
- *Stubborn sets* (Valmari, "Stop It, and Be Stubborn!", 2017, on always may-terminating systems). Ends are closed: no
  move leads out of them. (1) Where each state of the reduced space has an end, so has each state of the whole one. Let
  a state of the reduced space lead to s by the moves w. If w has a move of the stubborn set, the first such move can
  come first, and w is one move shorter from there. If not, take the first move of the shortest way to an end in the
  reduced space: it is possible after w, too, and the end is one move nearer from there. So w gets shorter, or the end
  nearer, until w is empty or the end is reached, which w does not leave. (2) A state of the reduced space that has an
  end in the whole one has one in the reduced one. Nobody dies on the way there, as no state is reduced in which
  somebody may still die. If the way has a move of the stubborn set, the first such move can come first, and the rest of
  the way is one move shorter. If not, take any move of the set: it can come first, and the same way leads to an end
  from there (who makes it is a daemon, as who must end and can move has not ended, and moves on the way). It is of a
  local state to which its process never comes back, as are all moves of stubborn sets, so it happens finitely often.
  Neither part looks at visible moves, nor at cycles of states.

Where no program can come back to a local state (`acyclic`), every behaviour is finite and ends where nobody moves: in
an end or a deadlock. Without a deadlock there is then no trap, and nothing is looked for. That holds whoever is a
daemon: one that begins anew is a cycle of its local states.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.engines.explore.reduction import on_a_cycle
from dstamp_sim.engines.explore.space import CHUNK, Space
from dstamp_sim.engines.explore.successors import bench_for, number_put, put_death, put_step
from dstamp_sim.engines.tables import kernel
from dstamp_sim.engines.tables.compiled import compiled
from dstamp_sim.engines.tables.tables import ENDED, OutOfMemory, Tables


def first_trap(space: Space) -> int | None:
    """The first trap of an exhausted space, one of the nearest to the start; None where there is none.

    Costs a byte a state, and a pass over the states that are still open each time that the shortest ways to an end turn
    from later to earlier states or back; one or two passes are usual. Raises OutOfMemory past the space's limit.
    """
    if not _deadlocked(space) and acyclic(space.tables):
        return None
    if space.bytes_in_use + space.count > space.memory_bytes:
        raise OutOfMemory
    ending = ends_of(space)
    down = True
    while _spread(space, ending, down=down):
        down = not down
    traps = np.flatnonzero(~ending)
    return int(traps[0]) if len(traps) else None


def acyclic(tables: Tables) -> bool:
    """Whether no process can come back to a local state, by all entries that are known."""
    return not on_a_cycle(tables).any()


def _deadlocked(space: Space) -> bool:
    """Whether there is a state in which nobody can move though somebody must still end."""
    done = done_locals(space.tables)
    return not all(done[local].all() for local in space.stuck_locals())


def ends_of(space: Space) -> NDArray[np.bool_]:
    """By state: whether all who must end have ended or died."""
    done = done_locals(space.tables)
    ending = np.empty(space.count, np.bool_)
    for begin in range(0, space.count, CHUNK):
        end = min(begin + CHUNK, space.count)
        columns = space.columns(range(space.objects, space.objects + space.processes), begin, end)
        ending[begin:end] = done[columns].all(axis=1)
    return ending


def done_locals(tables: Tables) -> NDArray[np.bool_]:
    """By local state: whether its process has ended or died, or need not end."""
    daemon = np.array([klass.daemon for klass in tables.classes], np.bool_)
    of = np.array([key.klass for key in tables.keys], np.int64)
    ended: NDArray[np.bool_] = tables.target.data[: len(tables.keys)] == ENDED
    return ended | daemon[of]


def _spread(space: Space, ending: NDArray[np.bool_], *, down: bool) -> bool:
    """One pass over the states without a known end, from the last one `down` or from the first one up.

    Marks those with a successor that has an end; returns whether there were any.
    """
    whole, order, found = space.whole(), _must_end_first(space), 0
    bench = bench_for(space)
    begins = range(0, space.count, CHUNK)
    for begin in reversed(begins) if down else begins:
        found += _mark(begin, min(begin + CHUNK, space.count), down, ending, order, whole, bench)
    return found > 0


def _must_end_first(space: Space) -> NDArray[np.int64]:
    """The processes, those that must end first: their moves mostly lead nearer to an end."""
    tables = space.tables
    daemon = [tables.classes[tables.class_of[pid]].daemon for pid in range(space.processes)]
    return np.array(sorted(range(space.processes), key=daemon.__getitem__), np.int64)


@compiled
def _mark(begin: Any, end: Any, down: Any, ending: Any, order: Any, space: Any, bench: Any) -> Any:
    """Marks those of the states begin..end of which a successor has an end; returns how many these are."""
    found = 0
    for number in range(end - begin):
        at = end - 1 - number if down else begin + number
        if not ending[at]:
            kernel.unpack(space.rows, at, space.layout, bench.row)
            if _steps_to_end(at, ending, order, space, bench) or _dies_to_end(at, ending, space, bench):
                ending[at] = True
                found += 1
    return found


@compiled
def _steps_to_end(at: Any, ending: Any, order: Any, space: Any, bench: Any) -> Any:
    """Whether a step leads from state `at`, which is unpacked, to one that has an end.

    A successor that is not in the space (stubborn sets leave some out) is passed over.
    """
    steps, row = space.steps, bench.row
    for i in range(order.shape[0]):
        here = row[space.objects + order[i]]
        slot = steps.target[here]
        if slot == kernel.ENDED:
            continue
        entry = steps.entries[steps.base[here] + (row[slot] if slot >= 0 else 0)]
        for k in range(steps.first[entry], steps.first[entry + 1]):
            put_step(at, order[i], slot, k, space, bench)
            if _has_end(ending, space, bench):
                return True
    return False


@compiled
def _dies_to_end(at: Any, ending: Any, space: Any, bench: Any) -> Any:
    """Whether a death leads from state `at`, which is unpacked, to one that has an end."""
    row = bench.row
    if row[row.shape[0] - 1] >= space.death.allowed:
        return False
    for p in range(space.groups.shape[0]):
        if kernel.mortal(row[space.objects + p], p, space.steps, space.death):
            put_death(at, p, space, bench)
            if _has_end(ending, space, bench):
                return True
    return False


@compiled
def _has_end(ending: Any, space: Any, bench: Any) -> Any:
    after = number_put(space, bench)
    return after >= 0 and ending[after]
