"""POS, partial-order sampling (Yuan, Yang, Gu, CAV 2018).

Every pending event has a random priority, the highest that can move moves; then the mover's next event and all pending
events that race with the one performed get new priorities. Deviations: events race when they are on the same object,
though both may only read; a process's death races with all of its steps, and all events with a death.
"""

from __future__ import annotations

from typing import Any

from dstamp_sim.engines.sampling.oracle import LAST_ACTOR, LAST_SLOT, Memory, Offer, fraction, highest
from dstamp_sim.engines.sampling.strategy import Strategy
from dstamp_sim.engines.tables.compiled import compiled


@compiled
def begin(memory: Memory) -> None:
    """Draw a priority for every first event."""
    for actor in range(memory.priority.shape[0]):
        memory.priority[actor] = fraction(memory.rng)


@compiled
def choose(memory: Memory, step: int, offer: Offer) -> Any:
    """The highest priority, after new priorities for the events that follow or raced with the last one."""
    n = offer.outcomes.shape[0]
    last, slot = memory.numbers[LAST_ACTOR], memory.numbers[LAST_SLOT]
    for process in range(n if step > 0 else 0):
        if last >= n or last == process or (slot >= 0 and offer.slot[process] == slot):
            memory.priority[process] = fraction(memory.rng)
            memory.priority[n + process] = fraction(memory.rng)
    return highest(memory, offer)


STRATEGY = Strategy("pos", "random priorities, drawn anew for steps that race with the last one", choose, begin=begin)
