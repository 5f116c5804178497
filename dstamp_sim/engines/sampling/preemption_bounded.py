"""Every schedule with at most so many preemptions, one after the other (context bounding; Musuvathi and Qadeer 2007).

A preemption takes the turn from a process that could go on; a switch at a block or an end, and a death, cost none.
Depth first over the choices of a schedule, without remembering states. A bound that cut schedules off proves nothing.
"""

from __future__ import annotations

from typing import Any

from dstamp_sim.engines.sampling.oracle import BOUND, CURRENT, DEPTH, PREEMPTIONS, PREFIX, PRUNED, Memory, Offer
from dstamp_sim.engines.sampling.strategy import Option, Options, Strategy
from dstamp_sim.engines.tables.compiled import compiled


@compiled
def begin(memory: Memory) -> None:
    """Nobody has moved yet."""
    memory.numbers[CURRENT], memory.numbers[PREEMPTIONS], memory.numbers[DEPTH] = -1, 0, 0


@compiled
def choose(memory: Memory, step: int, offer: Offer) -> Any:
    """The choice on the stack, or the first of a new one: the process that moved last, then the others, then deaths."""
    n = offer.outcomes.shape[0]
    current = memory.numbers[CURRENT]
    stays = offer.outcomes[current] if current >= 0 else 0
    others, deaths = 0, 0
    for process in range(n):
        others += offer.outcomes[process] if process != current else 0
        deaths += offer.may_die[process]
    if stays > 0 and memory.numbers[PREEMPTIONS] >= memory.numbers[BOUND]:
        memory.numbers[PRUNED] |= others > 0
        others = 0
    if step >= memory.numbers[PREFIX]:
        memory.stack[step] = 0
        memory.options[step] = stays + others + deaths
    memory.numbers[DEPTH] = step + 1
    left = memory.stack[step]
    if left < stays:
        return current, left
    left -= stays
    if left < others:
        memory.numbers[PREEMPTIONS] += stays > 0
        for process in range(n):
            if process != current:
                if left < offer.outcomes[process]:
                    memory.numbers[CURRENT] = process
                    return process, left
                left -= offer.outcomes[process]
    left -= others
    for process in range(n):
        if left < offer.may_die[process]:
            return n + process, 0
        left -= offer.may_die[process]
    return -1, 0


@compiled
def done(memory: Memory) -> Any:
    """Go on to the next choice of the deepest place that has one; false when none has."""
    depth = memory.numbers[DEPTH]
    while depth > 0 and memory.stack[depth - 1] + 1 >= memory.options[depth - 1]:
        depth -= 1
    if depth > 0:
        memory.stack[depth - 1] += 1
    memory.numbers[PREFIX] = depth
    return depth > 0


def _with_bound(memory: Memory, options: Options) -> Memory:
    memory.numbers[BOUND] = options["preemptions"]
    return memory


def _all_tried(memory: Memory, options: Options) -> str:
    tried = f"every schedule with at most {options['preemptions']} preemptions was tried"
    cut = memory.numbers[PRUNED]
    return f"{tried}; those with more were not" if cut else "every schedule was tried (explore can prove)"


STRATEGY = Strategy(
    "preemption-bounded",
    "every schedule with at most so many preemptions, one after the other",
    choose,
    begin=begin,
    done=done,
    options=(Option("preemptions", 2, 0, "the largest number of preemptions"),),
    set_up=_with_bound,
    independent=False,
    all_tried=_all_tried,
)
