"""PCT, probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010).

Every actor has a priority, the highest that can move moves. Initial priorities are a random permutation above d; at d-1
change points, drawn independently from the k steps of a schedule, the actor that just moved falls to priority i of the
i-th point. Since the points are not sorted, a later one may fall below an earlier one or above it: without that (one
tool sorts them) no worker ever yields back, and A-B-A with two workers cannot be found.

A bug of depth d is found by one schedule with probability at least 1/(n k^(d-1)), n actors, k steps at most.
Deviations: deaths are actors; among several outcomes of an op each is equally likely, so the bound is for bugs that
need no particular outcome; k is the longest of some random walks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dstamp_sim.engines.sampling.oracle import LAST_ACTOR, LENGTH, Memory, Offer, below, highest
from dstamp_sim.engines.sampling.strategy import Option, Options, Strategy
from dstamp_sim.engines.tables.compiled import compiled


@compiled
def begin(memory: Memory) -> None:
    """Draw initial priorities and change points."""
    actors, changes = memory.priority.shape[0], memory.points.shape[0]
    for actor in range(actors):
        memory.priority[actor] = changes + 1 + actor
    for actor in range(actors - 1, 0, -1):
        other = below(memory.rng, actor + 1)
        memory.priority[actor], memory.priority[other] = memory.priority[other], memory.priority[actor]
    for change in range(changes):
        memory.points[change] = 1 + below(memory.rng, memory.numbers[LENGTH])


@compiled
def choose(memory: Memory, step: int, offer: Offer) -> Any:
    """The highest priority; at a change point the actor that just moved is lowered first."""
    for change in range(memory.points.shape[0]):
        if memory.points[change] == step and step > 0:
            memory.priority[memory.numbers[LAST_ACTOR]] = change + 1
    return highest(memory, offer)


def bound(actors: int, length: int, depth: int) -> float:
    """The least probability with which one schedule finds any one bug of this depth."""
    return 1.0 / (actors * float(length) ** (depth - 1))


def _room_for_changes(memory: Memory, options: Options) -> Memory:
    return memory._replace(points=np.zeros(options["depth"] - 1, np.int64))


STRATEGY = Strategy(
    "pct",
    "random priorities with a few change points: finds any bug of a given depth with a known probability",
    choose,
    begin=begin,
    options=(Option("depth", 3, 1, "ordering constraints that the bug needs"),),
    set_up=_room_for_changes,
    needs_length=True,
    guarantee=lambda actors, length, options: bound(actors, length, options["depth"]),
)
