"""The least size of any schedule that decides a property: every schedule is weighed, cleverly only in the order."""

import heapq
from itertools import count

from dstamp_sim import System
from dstamp_sim.analyses.minimise import ScheduleSize
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property
from dstamp_sim.core.schedule import CRASH
from dstamp_sim.core.semantics import Semantics


def least_size(system: System, prop: Property) -> ScheduleSize | None:
    """(processes, crashes, switches, steps) of the best schedule to a state that decides; None when none does.

    Dijkstra over (state, who moved so far, who moved last): the four figures only grow along a schedule.
    """
    semantics = Semantics(system)
    judge = Judge(semantics, [prop])
    start = semantics.initial()
    numbers = count()
    waiting = [(ScheduleSize(0, 0, 0, 0), next(numbers), start, frozenset[int](), None)]
    done = set()
    while waiting:
        cost, _, state, involved, last = heapq.heappop(waiting)
        if (state, involved, last) in done:
            continue
        done.add((state, involved, last))
        if any(True for _ in judge.decides(state)):
            return cost
        for move in semantics.moves(state):
            onward = ScheduleSize(
                cost.processes + (move.pid not in involved),
                cost.crashes + (move.outcome == CRASH),
                cost.switches + (last not in (None, move.pid)),
                cost.steps + 1,
            )
            after = semantics.perform(state, move)
            heapq.heappush(waiting, (onward, next(numbers), after, involved | {move.pid}, move.pid))
    return None
