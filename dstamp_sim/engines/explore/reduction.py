"""What each process may still touch: the knowledge that stubborn sets need, from closed tables (`closure.close`).

No behaviour meets a missing entry, so what a local state may touch from there on is a fact about all real behaviours.
Where the closure did not end, there is no such knowledge, and no reduction that needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.engines.tables.tables import Tables

MOST_OBJECTS = 62
"""How many objects fit into the bits of one word."""


@dataclass(frozen=True)
class Future:
    """By local state: whether its op only reads, which objects it and its successors may touch and may write (bits),
    and whether its step must not be taken alone: a property sees it, or it may be taken again and again.
    """  # noqa: D205 - one sentence

    reads: NDArray[np.int8]
    may_touch: NDArray[np.int64]
    may_write: NDArray[np.int64]
    never_alone: NDArray[np.int8]


def future_of(tables: Tables, properties: Sequence[Property]) -> Future:
    """The future of every local state in closed tables with at most `MOST_OBJECTS` objects."""
    reads = _reads(tables)
    own = np.array([0 if slot < 0 else 1 << int(slot) for slot in tables.target.data[: len(tables.keys)]], np.int64)
    may_touch, may_write = _spread(tables, own), _spread(tables, np.where(reads == 1, 0, own))
    never_alone = _visible(tables, properties, reads, own) | on_a_cycle(tables)
    return Future(reads, may_touch, may_write, never_alone)


def _successors(tables: Tables, local: int) -> list[int]:
    """The local states that may come next."""
    onward = [after for state in tables.met(local) for after, _ in tables.successors(local, state)]
    return list(dict.fromkeys(onward))


def _reads(tables: Tables) -> NDArray[np.int8]:
    """Which local states have an op that leaves its object unchanged, in every state and with every outcome."""
    reads = np.zeros(len(tables.keys), np.int8)
    for local in range(len(tables.keys)):
        if tables.target.data[local] >= 0:
            reads[local] = all(after == s for s in tables.met(local) for _, after in tables.successors(local, s))
    return reads


def _spread(tables: Tables, own: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each local state's own bits together with those of all local states that may come after it."""
    after = [_successors(tables, local) for local in range(len(tables.keys))]
    spread = own.copy()
    changed = True
    while changed:
        changed = False
        for local in range(len(after) - 1, -1, -1):
            bits = spread[local]
            for onward in after[local]:
                bits |= spread[onward]
            if bits != spread[local]:
                spread[local], changed = bits, True
    return spread


def on_a_cycle(tables: Tables) -> NDArray[np.int8]:
    """Which local states their process may come back to.

    In a cycle of global states, all moves are of such local states. Where none of them is taken alone, every cycle has
    states from which everybody moves, and nobody is put off for ever.
    """
    after = [_successors(tables, local) for local in range(len(tables.keys))]
    before: list[list[int]] = [[] for _ in after]
    for local, onward in enumerate(after):
        for successor in onward:
            before[successor].append(local)
    return _without_ends(_without_ends(np.ones(len(after), np.int8), after, before), before, after)


def _without_ends(left: NDArray[np.int8], after: list[list[int]], before: list[list[int]]) -> NDArray[np.int8]:
    """What remains where, time and again, whatever has nothing `after` it is taken away."""
    left = left.copy()
    open_ends = np.array([sum(int(left[n]) for n in onward) for onward in after], np.int64)
    waiting = [local for local in range(len(after)) if left[local] and not open_ends[local]]
    while waiting:
        local = waiting.pop()
        left[local] = 0
        for earlier in before[local]:
            open_ends[earlier] -= 1
            if left[earlier] and not open_ends[earlier]:
                waiting.append(earlier)
    return left


def _visible(
    tables: Tables, properties: Sequence[Property], reads: NDArray[np.int8], own: NDArray[np.int64]
) -> NDArray[np.int8]:
    """Which steps a property may see: writes to what it reads, and ends where it asks about results before the end.

    The results of processes that have ended never change, so each-result and at-end properties on results alone see
    every order of the ends that they can tell apart; at-end properties that read objects see the daemons' writes.
    """
    slots = {id(item): slot for slot, item in enumerate(tables.objects)}
    watched = 0
    for prop in properties:
        for item in prop.reads:
            watched |= 1 << slots[id(item)]
    sees_ends = any(prop.kind is PropertyKind.REACHABLE for prop in properties)
    visible = ((own & watched) != 0) & (reads == 0)
    for local in range(len(tables.keys)):
        if sees_ends and any(tables.has_result(onward) for onward in _successors(tables, local)):
            visible[local] = True
    seen: NDArray[np.int8] = visible.astype(np.int8)
    return seen
