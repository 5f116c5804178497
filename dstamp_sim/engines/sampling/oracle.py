"""The arguments of strategies: the possible moves, their memory, and their random numbers.

Actors are the processes 0..n-1 and, if the system allows crashes, their deaths n..2n-1: a death is an event of its
own, competing with all others. The random numbers of a schedule depend on the seed and on its number only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dstamp_sim.engines.tables.compiled import compiled

LAST_ACTOR, LAST_SLOT, PREFIX, DEPTH, CURRENT, PREEMPTIONS, BOUND, PRUNED, LENGTH, AT = range(10)
"""What `Memory.numbers` holds: who moved last, on which object (the walker keeps these two), and notes."""


class Offer(NamedTuple):
    """By process: how many outcomes its op has now, whether it may die now, and the object that its op is on."""

    outcomes: Any
    may_die: Any
    slot: Any


class CountedGraph(NamedTuple):
    """A counted space (see `counting`): edges of state s are first[s]..first[s + 1]; empty if it is not needed."""

    first: Any
    actor: Any
    outcome: Any
    to: Any
    threshold: Any
    exact: Any
    bits: int


class Memory(NamedTuple):
    """The memory of strategies: the generator, priorities by actor, change points, a stack of choices, notes."""

    rng: Any
    priority: Any
    points: Any
    stack: Any
    options: Any
    forced: Any
    numbers: Any
    graph: CountedGraph


@compiled
def seed(rng: Any, seed_: Any, schedule: Any) -> None:
    """Sets the generator to the start of schedule number `schedule` of `seed_`."""
    rng[0] = np.uint64(seed_) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(schedule)
    rng[0] = draw(rng) ^ (np.uint64(schedule) << np.uint64(20))


@compiled
def draw(rng: Any) -> Any:
    """64 random bits: SplitMix64 (Steele, Lea and Flood 2014)."""
    rng[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = rng[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@compiled
def below(rng: Any, count: int) -> Any:
    """A number in 0..count-1, each exactly as likely as the others (Lemire's rejection, on 32 bits)."""
    wide = np.uint64(count)
    unfair = np.uint64(0x100000000) % wide
    while True:
        product = (draw(rng) >> np.uint64(32)) * wide
        if (product & np.uint64(0xFFFFFFFF)) >= unfair:
            return np.int64(product >> np.uint64(32))


@compiled
def fraction(rng: Any) -> float:
    """A number in [0, 1)."""
    return np.float64(draw(rng) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def highest(memory: Memory, offer: Offer) -> Any:
    """The actor of the highest priority that can move, with an outcome of its op, each as likely as the others."""
    n = offer.outcomes.shape[0]
    best = -1
    for actor in range(2 * n):
        can = offer.outcomes[actor] > 0 if actor < n else offer.may_die[actor - n] > 0
        if can and (best < 0 or memory.priority[actor] > memory.priority[best]):
            best = actor
    outcome = below(memory.rng, offer.outcomes[best]) if best < n and offer.outcomes[best] > 1 else 0
    return best, outcome
