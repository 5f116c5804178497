"""The engines as an abduction asks them: one system, or one with any number of some processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import NO_DEADLOCK
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.system import ANY, System
from dstamp_sim.core.verdict import Report, Verdict
from dstamp_sim.engines.explore.explorer import explore, explore_tables, uninterrupted
from dstamp_sim.engines.explore.settings import HISTORY_LIMIT
from dstamp_sim.engines.prove.unbounded import prove
from dstamp_sim.engines.replay import replay
from dstamp_sim.engines.tables.closure import BUDGET, close
from dstamp_sim.engines.tables.tables import Tables
from dstamp_sim.engines.timed.sweep import Sweeper
from dstamp_sim.incident.possible.case import EngineAnswer, Engines, Possible
from dstamp_sim.incident.possible.turns import ALL_SEEN, MatchCount, watched

FEW_STATES, MOST_VISITED = 30_000, 1_000_000
"""How many states one question of an abduction may visit at first, and at most before it stays undetermined."""

MOST_OUTCOME_STATES = 20_000
"""States that the question whether an experiment can come out so may visit: a second or two."""

FEW_ENTRIES, MOST_ENTRIES = 20_000, 200_000
"""Table entries of the closure where it is asked about any number of processes: at first, and at most (seconds)."""

TRIALS = 20_000
"""Random runs that are tried before a large space is explored: they find most of what is possible."""

NOT_DECIDED = EngineAnswer(Possible.UNDETERMINED, "not decided within the bounds")

ANY_TIMES = Timing(any_delay=Distribution(Shape.EXPONENTIAL, (1.0,)), seed=1, horizon_s=1e9)
"""The clock of those random runs; its durations mean nothing."""


def engines() -> Engines:
    """The explorer, the prover and the closure."""
    return Engines(reach, attempt, reach_any, excluded, comes_out)


def attempt(system: System) -> EngineAnswer:
    """Whether all observed runs of `system` can come out as they were observed, as far as little work shows.

    A small space is explored; in a larger one random runs are tried, which find most of what is possible.
    """
    return _known_at_once(system) or _found_at_random(system) or NOT_DECIDED


def reach(system: System) -> EngineAnswer:
    """The same with full effort.

    If the space is not small, it first asks whether each run comes out so in any combination of what the processes can
    do; at last it explores every interleaving.
    """
    known = _known_at_once(system) or _found_at_random(system)
    if known is not None:
        return known
    tables = _closed(system)
    if tables is not None and not _can_match(tables):
        return EngineAnswer(Possible.IMPOSSIBLE, "in no combination of what the processes can do")
    return _reached(explore_tables(tables or _tables(system), limit=MOST_VISITED))


def _known_at_once(system: System) -> EngineAnswer | None:
    small = _reached(explore_tables(_tables(system), limit=FEW_STATES))
    return None if small.verdict is Possible.UNDETERMINED else small


def reach_any(system: System, names: Sequence[str]) -> EngineAnswer:
    """The same for any number of the processes called `names`; without those that share nothing with the others.

    What the closure finds does not depend on how many copies there are.
    """
    tables = _closed(system, names, MOST_ENTRIES)
    if tables is not None and not _can_match(tables):
        return EngineAnswer(Possible.IMPOSSIBLE, "in no combination of what any number of processes can do")
    near = set(names) if tables is None else _near(tables) & set(names)
    kept = [process for process in system.processes if process.name not in names or process.name in near]
    processes = [process.with_copies(ANY) if process.name in names else process for process in kept]
    changed = replace(system, processes=processes)
    return _reached(
        prove(changed, properties=[ALL_SEEN], states_beyond=0)
        if near
        else uninterrupted(explore(changed, properties=[ALL_SEEN]))
    )


def excluded(system: System, names: Sequence[str]) -> bool:
    """Whether all can come out as observed in no combination of what any number of processes can do; False: unknown."""
    tables = _closed(system, names, FEW_ENTRIES)
    return tables is not None and not _can_match(tables)


def comes_out(system: System) -> EngineAnswer:
    """Whether the experiment's runs can end so. Impossible only if they are known to end in every order."""
    answer = _reached(uninterrupted(explore(system, properties=[ALL_SEEN], limit=MOST_OUTCOME_STATES)))
    if answer.verdict is Possible.IMPOSSIBLE:
        ends = uninterrupted(explore(system, properties=[NO_DEADLOCK.name], limit=MOST_OUTCOME_STATES))
        return answer if ends.judgements[0].verdict is Verdict.HOLDS else NOT_DECIDED
    return answer


def _closed(system: System, any_number: Sequence[str] = (), budget: int = BUDGET) -> Tables | None:
    """The closed tables of a system: what each process may ever come to. None if that has no end."""
    tables = _tables(system)
    return None if close(tables, any_number=any_number, budget=budget) else tables


def _tables(system: System) -> Tables:
    """The tables of a system at its start, which are filled as a search goes."""
    semantics = Semantics(system, history_limit=HISTORY_LIMIT, by_value=True)
    tables = Tables(semantics, Judge(semantics, system.properties_named([ALL_SEEN])), merge=True)
    tables.initial_row()
    return tables


def _can_match(tables: Tables) -> bool:
    """Whether every observed process can reach the note that it came out so."""
    watched, noted = set(), set()
    for key in tables.keys:
        node = tables.node(key)
        if node is not None and node.op is not None and isinstance(node.op.target, MatchCount):
            watched.add(key.klass)
            if node.op.args[0]:
                noted.add(key.klass)
    return watched == noted


def _near(tables: Tables) -> set[str]:
    """The processes that touch an object which an observed one touches, or one that these touch, and so on."""
    touched: list[set[int]] = [set() for _ in tables.classes]
    observed: set[int] = set()
    for local, key in enumerate(tables.keys):
        if (slot := int(tables.target.data[local])) >= 0 and isinstance(tables.objects[slot], MatchCount):
            observed.add(key.klass)
        elif slot >= 0:
            touched[key.klass].add(slot)
    near = set(observed)
    while more := {i for i in range(len(touched)) if i not in near and any(touched[i] & touched[j] for j in near)}:
        near |= more
    return {tables.semantics.processes[tables.classes[index].pids[0]].name for index in near}


def _found_at_random(system: System) -> EngineAnswer | None:
    """A random run in which all came out as observed, performed again by `replay`."""
    sweeper = Sweeper(system)
    swept = sweeper.sweep(ANY_TIMES, TRIALS)
    observed = [swept.names.index(name) for name in watched(system)]
    hits = np.flatnonzero(np.isfinite(swept.ended_at_s[:, observed]).all(axis=1))
    if not len(hits):
        return None
    schedule = sweeper.schedule(ANY_TIMES, int(hits[0]), seed=ANY_TIMES.seed)
    return EngineAnswer(Possible.POSSIBLE, "found among random runs", replay(system, str(schedule)))


def _reached(report: Report) -> EngineAnswer:
    judged = report.judgement(ALL_SEEN)
    word = {Verdict.VIOLATED: Possible.POSSIBLE, Verdict.HOLDS: Possible.IMPOSSIBLE}
    return EngineAnswer(word.get(judged.verdict, Possible.UNDETERMINED), judged.reason, judged.trace)
