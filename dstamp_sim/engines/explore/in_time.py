"""Properties in time, judged over an exhausted space: a fair lasso that breaks one, or the proof that there is none.

No reduction is proved for fair cycles here, so the space has none: a merged or postponed step may be the very move that
fairness owes, and copies that are sorted have no names to be fair to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.judge import Judge, changed_its_mind
from dstamp_sim.core.lasso import lasso_of
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.semantics import Move, Semantics
from dstamp_sim.core.system import Fairness
from dstamp_sim.core.verdict import Coverage, Judgement, certify
from dstamp_sim.engines.explore.graph import graph_of
from dstamp_sim.engines.explore.space import Space
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
    judgements = tuple(_judged(space, graph, judge, prop, coverage) for prop in properties)
    judge.check()
    return judgements


def _judged(space: Space, graph: Graph, judge: Judge, prop: Property, coverage: Coverage) -> Judgement:
    if space.levels[1] > 1:
        several = ", ".join(space.tables.semantics.system.several)
        why = f"{several} may begin in several states, and what comes in time is judged from one (system.with_start)"
        return certify(prop, replace(coverage, exhausted=False, stopped=why), None)
    within = ~true_in(space, judge, prop.goal)
    begins = np.ones(space.count, np.bool_) if prop.start is None else true_in(space, judge, prop.start)
    coverage = replace(coverage, exercised={**coverage.exercised, prop.name: int(begins.sum())})
    entries = within & begins
    if prop.kind is PropertyKind.EVENTUALLY:
        entries[1:] = False
    demands = demands_of(space.tables.semantics)
    found = way(graph, entries, within, fair_components(graph, within, demands), demands)
    if found is None:
        return certify(prop, coverage, None)
    moves = [Move(int(graph.pid[n]), int(graph.outcome[n])) for n in (*found.stem, *found.cycle)]
    choices = tuple(space.tables.semantics.choice(move) for move in moves)
    return _witnessed(
        space.tables.semantics, prop, coverage, Schedule(choices, len(found.stem), space.tables.semantics.start)
    )


def _witnessed(semantics: Semantics, prop: Property, coverage: Coverage, schedule: Schedule) -> Judgement:
    """The judgement with a lasso that was performed again, and breaks the property by the semantics alone."""
    anew = Semantics(semantics.system, by_value=True)
    judge = Judge(anew, ())
    if lasso_of(anew, schedule).broken_since(judge, prop) is None:
        raise changed_its_mind(prop, "differently when the lasso that breaks it was performed again")
    trace, _ = replay_to_end(anew, schedule)
    return replace(certify(prop, coverage, trace), minimal=False)


def demands_of(semantics: Semantics) -> Demands:
    """To which processes which fairness is owed."""
    fair = [process.fair for process in semantics.processes]
    return Demands(
        weak=[pid for pid, what in enumerate(fair) if what is Fairness.WEAK],
        strong=[pid for pid, what in enumerate(fair) if what is Fairness.STRONG],
    )


def true_in(space: Space, judge: Judge, part: Property) -> NDArray[np.bool_]:
    """By state: whether a property of one state is true there; each distinct question is asked once."""
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
