"""What each process may still touch: the knowledge that stubborn sets need, from an over-approximation of the tables.

The closure lets every process meet every state that any process can put an object into, in any order. What a local state
may touch from there on is then a fact about all real behaviours. Where the closure does not end within its budget, there
is no knowledge, and no reduction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.properties import Kind, Property
from dstamp_sim.engines.tables import LOCAL, Tables

BUDGET = 60_000
"""Entries that the closure may fill before it gives up (about a second)."""

MOST_OBJECTS = 62
"""Objects that fit into the bits of one word."""


@dataclass(frozen=True)
class Future:
    """By local state: whether its op only reads, the objects that it and its successors may touch and may write (bits),
    and whether its step is visible to a property. `why_not` says why there is no such knowledge (arrays are then empty).
    """  # noqa: D205 - one sentence

    reads: NDArray[np.int8]
    may_touch: NDArray[np.int64]
    may_write: NDArray[np.int64]
    visible: NDArray[np.int8]
    why_not: str = ""


def future_of(tables: Tables, properties: Sequence[Property]) -> Future:
    """The future of every local state; fills the tables as a side effect. Cost is at most `BUDGET` entries."""
    if len(tables.objects) > MOST_OBJECTS:
        return _unknown(f"more than {MOST_OBJECTS} shared objects")
    if not _close(tables):
        return _unknown(f"what the processes may still do was not known within {BUDGET:,} table entries")
    reads = _reads(tables)
    own = np.array([0 if slot < 0 else 1 << int(slot) for slot in tables.target.data[: len(tables.keys)]], np.int64)
    may_touch, may_write = _spread(tables, own), _spread(tables, np.where(reads == 1, 0, own))
    return Future(reads, may_touch, may_write, _visible(tables, properties, reads, own))


def _unknown(why: str) -> Future:
    return Future(np.zeros(0, np.int8), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int8), why)


def _close(tables: Tables) -> bool:
    """Fill every entry for every known state of its object until nothing new appears; False when over budget."""
    filled: list[int] = []
    while True:
        grown = False
        for local in range(len(tables.keys)):
            if local == len(filled):
                filled.append(0)
            slot = int(tables.target.data[local])
            known = len(tables.states[slot]) if slot >= 0 else int(slot == LOCAL)
            for state in range(filled[local], known):
                if tables.entries.data[tables.base.data[local] + state] < 0:
                    tables.fill(local, state)
                grown = True
                if tables.first.size > BUDGET:
                    return False
            filled[local] = known
        if not grown and len(filled) == len(tables.keys):
            return True


def _successors(tables: Tables, local: int) -> list[int]:
    slot, begin = int(tables.target.data[local]), int(tables.base.data[local])
    known = len(tables.states[slot]) if slot >= 0 else int(slot == LOCAL)
    found: list[int] = []
    for entry in tables.entries.data[begin : begin + known]:
        if entry >= 0:
            found.extend(tables.next_local.data[tables.first.data[entry] : tables.first.data[entry + 1]].tolist())
    return list(dict.fromkeys(found))


def _reads(tables: Tables) -> NDArray[np.int8]:
    """Which local states' ops leave their object as it is, in every state and with every outcome."""
    reads = np.zeros(len(tables.keys), np.int8)
    for local in range(len(tables.keys)):
        slot, begin = int(tables.target.data[local]), int(tables.base.data[local])
        if slot < 0:
            continue
        entries = [int(e) for e in tables.entries.data[begin : begin + len(tables.states[slot])]]
        reads[local] = all(
            (tables.next_state.data[tables.first.data[e] : tables.first.data[e + 1]] == state).all()
            for state, e in enumerate(entries)
        )
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
    sees_ends = any(prop.kind is Kind.REACHABLE for prop in properties)
    visible = ((own & watched) != 0) & (reads == 0)
    for local in range(len(tables.keys)):
        if sees_ends and any(tables.has_result(onward) for onward in _successors(tables, local)):
            visible[local] = True
    return visible.astype(np.int8)
