"""Uniform over complete interleavings: each is exactly as likely as every other.

In a state from which C interleavings lead on, a move after which c do is taken with probability c/C. The counts are big
integers (`counting`); compiled code compares a draw of `bits` bits with c/C cut off after as many. Where a draw falls
into the one cell that a boundary divides, it gives up, and `resolve` decides by further draws, in integers: so the
probabilities are exact, not rounded.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from dstamp_sim.engines.sampling.oracle import AT, DEPTH, Memory, Offer, draw
from dstamp_sim.engines.sampling.strategy import Strategy
from dstamp_sim.engines.tables.compiled import compiled

FREE, OPEN = -1, -2
"""The forced move of a step: none; or open, as the draw (kept in `numbers[DEPTH]`) fell on a boundary."""


@compiled
def begin(memory: Memory) -> None:
    """At the initial state."""
    memory.numbers[AT] = 0


@compiled
def cell(memory: Memory) -> Any:
    """The next draw, as a number of `bits` bits."""
    return draw(memory.rng) >> np.uint64(64 - memory.graph.bits)


@compiled
def choose(memory: Memory, step: int, offer: Offer) -> Any:
    """The edge whose share of all completions the draw falls into."""
    graph = memory.graph
    begin, end = graph.first[memory.numbers[AT]], graph.first[memory.numbers[AT] + 1]
    edge = begin
    if end - begin > 1:
        drawn = cell(memory)
        while edge < end - 1 and drawn >= graph.threshold[edge]:
            if drawn == graph.threshold[edge] and not graph.exact[edge]:
                if memory.forced[step] < 0:
                    memory.forced[step], memory.numbers[DEPTH] = OPEN, np.int64(drawn)
                    return np.int64(-1), np.int64(0)
                edge = memory.forced[step]
                break
            edge += 1
    memory.numbers[AT] = graph.to[edge]
    return np.int64(graph.actor[edge]), np.int64(graph.outcome[edge])


@compiled
def done(memory: Memory) -> bool:
    """Forgets the forced moves: they do not hold for the next schedule."""
    for step in range(memory.forced.shape[0]):
        memory.forced[step] = FREE
    return True


def thresholds(shares: Sequence[int], bits: int) -> tuple[list[int], list[bool]]:
    """The end of the part of each of `shares` in all draws of `bits` bits, cut off; and whether nothing was cut."""
    total, before = sum(shares), 0
    ends, exact = [], []
    for share in shares:
        before += share
        end, left = divmod(before << bits, total)
        ends.append(end)
        exact.append(left == 0)
    return ends, exact


def resolve(shares: Sequence[int], drawn: int, bits: int, generator: random.Random) -> int:
    """Which of `shares` a draw of `bits` bits falls into, by a further draw: each exactly as likely as its share."""
    total = sum(shares)
    point, before = drawn * total + generator.randrange(total), 0
    for index, share in enumerate(shares):
        before += share
        if point < before << bits:
            return index
    raise AssertionError("a draw lies below the end of the last share")


STRATEGY = Strategy(
    "uniform",
    "every complete interleaving is exactly as likely as every other; they are counted first",
    choose,
    begin=begin,
    done=done,
    counts=True,
)
