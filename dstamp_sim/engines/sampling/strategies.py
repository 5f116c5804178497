"""The strategies, and how compiled code calls the functions of each.

A strategy has its line in `STRATEGIES`, and a branch by its place there in the three functions below: compiled code
cannot look functions up in a table and be kept on disk.
"""

from __future__ import annotations

from typing import Any

from dstamp_sim.engines.sampling import pct, pos, preemption_bounded, random_walk, uniform
from dstamp_sim.engines.sampling.oracle import Memory, Offer
from dstamp_sim.engines.sampling.strategy import Strategy
from dstamp_sim.engines.tables.compiled import compiled

STRATEGIES: tuple[Strategy, ...] = (
    random_walk.STRATEGY,
    pct.STRATEGY,
    pos.STRATEGY,
    preemption_bounded.STRATEGY,
    uniform.STRATEGY,
)
"""Every strategy, in the order in which help lists them. Compiled code knows them by their places."""


@compiled
def begin(strategy: int, memory: Memory) -> None:
    """A new schedule begins."""
    if strategy == 1:
        pct.begin(memory)
    elif strategy == 2:
        pos.begin(memory)
    elif strategy == 3:
        preemption_bounded.begin(memory)
    elif strategy == 4:
        uniform.begin(memory)


@compiled
def choose(strategy: int, memory: Memory, step: int, offer: Offer) -> Any:
    """Which actor moves, and with which outcome."""
    if strategy == 1:
        return pct.choose(memory, step, offer)
    if strategy == 2:
        return pos.choose(memory, step, offer)
    if strategy == 3:
        return preemption_bounded.choose(memory, step, offer)
    if strategy == 4:
        return uniform.choose(memory, step, offer)
    return random_walk.choose(memory, step, offer)


@compiled
def done(strategy: int, memory: Memory) -> Any:
    """A schedule is complete; false when there is no further one."""
    if strategy == 3:
        return preemption_bounded.done(memory)
    if strategy == 4:
        return uniform.done(memory)
    return True
