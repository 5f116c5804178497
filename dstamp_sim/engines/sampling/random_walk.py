"""The uniform random walk: at each step every possible move (outcomes and deaths are moves) is equally likely.

Not uniform over interleavings: one with few alternatives on its way is more likely. See `uniform` for that.
"""

from __future__ import annotations

from typing import Any

from dstamp_sim.engines.sampling.oracle import Memory, Offer, below
from dstamp_sim.engines.sampling.strategy import Strategy
from dstamp_sim.engines.tables.compiled import compiled


@compiled
def choose(memory: Memory, step: int, offer: Offer) -> Any:
    """One of the possible moves."""
    n = offer.outcomes.shape[0]
    moves = 0
    for process in range(n):
        moves += offer.outcomes[process] + offer.may_die[process]
    left = below(memory.rng, moves)
    for process in range(n):
        if left < offer.outcomes[process]:
            return process, left
        left -= offer.outcomes[process]
        if left < offer.may_die[process]:
            return n + process, 0
        left -= offer.may_die[process]
    return -1, 0


STRATEGY = Strategy("random-walk", "at each step every possible move is equally likely", choose)
