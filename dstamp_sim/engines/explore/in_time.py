"""Properties in time, judged over an exhausted space: a fair lasso that breaks one, or the proof that there is none.

No reduction is proved for fair cycles here, so the space has none: a merged or postponed step may be the very move that
fairness owes, and copies that are sorted have no names to be fair to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.errors import ModelError, unknown
from dstamp_sim.core.judge import Judge, changed_its_mind
from dstamp_sim.core.lasso import lasso_of
from dstamp_sim.core.op import Op
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.semantics import Move, Semantics
from dstamp_sim.core.system import Fairness
from dstamp_sim.core.verdict import Coverage, Judgement, certify
from dstamp_sim.engines.explore.graph import graph_of
from dstamp_sim.engines.explore.space import Space
from dstamp_sim.engines.explore.traps import ends_of
from dstamp_sim.engines.live.fair import Demands, Graph, fair_components
from dstamp_sim.engines.live.way import way
from dstamp_sim.engines.replay import replay_to_end


def judged_in_time(space: Space, properties: Sequence[Property], coverage: Coverage) -> tuple[Judgement, ...]:
    """A judgement of each property over a space that is exhausted, without reductions.

    The lasso of a violation has been performed again and judged by the semantics alone (`core.lasso`). Raises
    OutOfMemory past the space's limit, ModelError if a predicate breaks a rule.
    """
    graph, semantics = graph_of(space), space.tables.semantics
    judge = Judge(semantics, ())
    demands = demands_of(space, graph)
    judgements = tuple(_judged(space, graph, demands, judge, prop, coverage) for prop in properties)
    judge.check()
    return judgements


def _judged(
    space: Space, graph: Graph, demands: Demands, judge: Judge, prop: Property, coverage: Coverage
) -> Judgement:
    if space.levels[1] > 1:
        several = ", ".join(space.tables.semantics.system.several)
        why = f"{several} may begin in several states, and what comes in time is judged from one (system.with_start)"
        return certify(prop, replace(coverage, exhausted=False, stopped=why), None)
    waits = _waits(space, graph, judge, prop)
    coverage = replace(coverage, exercised={**coverage.exercised, prop.name: sum(int(one.asked) for one in waits)})
    ways = (way(graph, *one[:3], fair_components(one.calm, one.within, demands), demands) for one in waits)
    found = min((one for one in ways if one is not None), key=lambda one: len(one.stem + one.cycle), default=None)
    if found is None:
        return certify(prop, coverage, None)
    choices = tuple(space.tables.semantics.choice(Move(*move)) for move in (*found.stem, *found.cycle))
    return _witnessed(
        space.tables.semantics, prop, coverage, Schedule(choices, len(found.stem), space.tables.semantics.start)
    )


class _Wait(NamedTuple):
    """A wait that may be in vain: it begins in `entries`, and goes on through states `within` by `calm` moves.

    `asked` counts the states in which it is due, even if what is waited for comes there.
    """

    calm: Graph
    entries: NDArray[np.bool_]
    within: NDArray[np.bool_]
    asked: int


def _waits(space: Space, graph: Graph, judge: Judge, prop: Property) -> list[_Wait]:
    """Each wait that a property forbids to be in vain: that of each process for a lock, or the one for its goal."""
    if prop.kind is PropertyKind.NOBODY_STARVES:
        return list(_waits_for_locks(space, graph))
    if prop.kind is PropertyKind.NO_LIVELOCK and not space.tables.semantics.system.must_end:
        return []
    within = ~true_in(space, judge, prop.goal)
    begins = np.ones(space.count, np.bool_) if prop.start is None else true_in(space, judge, prop.start)
    entries = within & begins
    if prop.owed_once:
        entries[1:] = False
    return [_Wait(graph, entries, within, int(begins.sum()))]


def _waits_for_locks(space: Space, graph: Graph) -> Iterator[_Wait]:
    """By process: from where a lock blocks it, as long as it does not move."""
    ops = _ops(space)
    locks = np.array([op is not None and op.asks_lock for op in ops], np.bool_)
    for pid in range(space.processes):
        within = locks[space.columns([space.objects + pid], 0, space.count)[:, 0]]
        entries = within & ~graph.enabled[:, pid]
        if entries.any():
            yield _Wait(graph.without(pid), entries, within, int(entries.sum()))


def _witnessed(semantics: Semantics, prop: Property, coverage: Coverage, schedule: Schedule) -> Judgement:
    """The judgement with a lasso that was performed again, and breaks the property by the semantics alone."""
    anew = Semantics(semantics.system, by_value=True)
    judge = Judge(anew, ())
    if lasso_of(anew, schedule).broken_since(judge, prop) is None:
        raise changed_its_mind(prop, "differently when the lasso that breaks it was performed again")
    trace, _ = replay_to_end(anew, schedule)
    return replace(certify(prop, coverage, trace), minimal=False)


def demands_of(space: Space, graph: Graph) -> Demands:
    """By state and process, whether it can make a move that fairness owes it.

    Raises ModelError where fairness names an op that its process never performs.
    """
    fair = np.stack([_fairness(space, pid) for pid in range(space.processes)], axis=1)
    weak, strong = (graph.enabled & (fair == _HOW.index(how)) for how in (Fairness.WEAK, Fairness.STRONG))
    return Demands(weak, strong)


_HOW = tuple(Fairness)


def _fairness(space: Space, pid: int) -> NDArray[np.int8]:
    """By state, which fairness is owed to the next move of a process, by its number in `_HOW`."""
    process, ops = space.tables.semantics.processes[pid], _ops(space)
    own = {
        op.name
        for op, key in zip(ops, space.tables.keys, strict=True)
        if op and key.klass == space.tables.class_of[pid]
    }
    for name, _ in process.fair_ops:
        if name not in own:
            raise ModelError(
                f"process {process.name!r}: fair= names an op that it never performs: {unknown('op', name, own)}"
            )
    by_local = np.array([_HOW.index(process.fairness(op) if op else process.fair) for op in ops], np.int8)
    found: NDArray[np.int8] = by_local[space.columns([space.objects + pid], 0, space.count)[:, 0]]
    return found


def _ops(space: Space) -> list[Op | None]:
    """By local state, the op that comes next; None where there is none."""
    return [node.op if (node := space.tables.node(key)) else None for key in space.tables.keys]


def true_in(space: Space, judge: Judge, part: Property) -> NDArray[np.bool_]:
    """By state: whether a property of one state is true there; each distinct question is asked once."""
    if part.kind is PropertyKind.NO_LIVELOCK:
        return ends_of(space)
    tables = space.tables
    slots = [next(n for n, known in enumerate(tables.objects) if known is item) for item in part.reads]
    seen = space.columns(slots, 0, space.count)
    local = np.empty((space.count, 0), np.int64)
    if part.kind is PropertyKind.REACHABLE:
        local = space.columns(range(space.objects, space.objects + space.processes), 0, space.count)
        has_result = np.array([tables.has_result(number) for number in range(len(tables.keys))], np.bool_)
        local[~has_result[local]] = -1
    questions, which = np.unique(np.concatenate([local, seen], axis=1), axis=0, return_inverse=True)

    def answer(question: NDArray[Any]) -> bool:
        ended, numbers = question[: local.shape[1]].tolist(), question[local.shape[1] :].tolist()
        states = tuple(tables.states[slot][number] for slot, number in zip(slots, numbers, strict=True))
        if part.kind is PropertyKind.ALWAYS:
            return judge.state_ok(part, states)
        named = zip(tables.semantics.names, ended, strict=True)
        return judge.results_ok(part, tuple((name, tables.result(n)) for name, n in named if n >= 0), states)

    answers = np.array([answer(question) for question in questions], np.bool_)
    found: NDArray[np.bool_] = answers[which.reshape(-1)]
    return found
