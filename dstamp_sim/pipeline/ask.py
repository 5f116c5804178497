"""The engines as an abduction asks them: one system, or one with any number of some processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dstamp_sim.analyses.case import Engines, Possible, Reached
from dstamp_sim.analyses.turns import ALL_SEEN, Tally, replace_copies, watched
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.system import ANY, System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.verdict import Report, Verdict
from dstamp_sim.engines.explorer import HISTORY_LIMIT, explore
from dstamp_sim.engines.outlook import Outlook
from dstamp_sim.engines.reduction import close
from dstamp_sim.engines.replay import replay
from dstamp_sim.engines.sweep import Sweeper
from dstamp_sim.engines.tables import Tables
from dstamp_sim.engines.unbounded import prove

FEW_STATES, MOST_STATES = 3_000, 60_000
"""States that one question of an abduction may visit at first, and at most before it is left undetermined."""

TRIALS = 20_000
"""Random runs that are tried before a large space is explored: what is possible is mostly found by them."""

ANY_TIMES = Timing(any_delay=Distribution(Shape.EXPONENTIAL, (1.0,)), seed=1, horizon_s=1e9)
"""The clock of those random runs: no durations are meant."""


def engines() -> Engines:
    """The explorer and the prover."""
    return Engines(reach, reach_any)


def reach(system: System) -> Reached:
    """Whether all observed runs of `system` can come out as they were observed.

    A small space is explored at once. For a larger one it is asked whether in any combination of what the processes
    can do each of them comes out so; then random runs are tried, then every interleaving.
    """
    small = _reached(explore(system, properties=[ALL_SEEN], limit=FEW_STATES))
    if small.verdict is not Possible.UNDETERMINED:
        return small
    tables = _closed(system)
    if tables is not None and not _can_match(tables):
        return Reached(Possible.IMPOSSIBLE, "in no combination of what the processes can do")
    trace = _tried(system)
    if trace is not None:
        return Reached(Possible.POSSIBLE, "found among random runs", trace)
    if tables is None:  # what the larger search would have to know is not to be had
        return small
    return _reached(explore(system, properties=[ALL_SEEN], limit=MOST_STATES))


def reach_any(system: System, names: Sequence[str]) -> Reached:
    """The same for any number of the processes called `names`; those that share nothing with the others are left out.

    The tables that `_closed` completes do not depend on how many copies there are.
    """
    tables = _closed(system)
    if tables is not None and not _can_match(tables):
        return Reached(Possible.IMPOSSIBLE, "in no combination of what any number of processes can do")
    if tables is None and _never_matches(system):
        return Reached(Possible.IMPOSSIBLE, "in nothing that any number of processes may come to")
    near = set(names) if tables is None else _near(tables) & set(names)
    kept = [process for process in system.processes if process.name not in names or process.name in near]
    processes = [replace_copies(process, ANY) if process.name in names else process for process in kept]
    changed = replace(system, processes=processes)
    return _reached(prove(changed, properties=[ALL_SEEN]) if near else explore(changed, properties=[ALL_SEEN]))


def _closed(system: System) -> Tables | None:
    """The complete tables of a system: every process meets every state of its objects. None where that has no end."""
    semantics = Semantics(system, history_limit=HISTORY_LIMIT)
    tables = Tables(semantics, Judge(semantics, ()), merge=True)
    tables.initial_row()
    return None if close(tables) else tables


def _can_match(tables: Tables) -> bool:
    """Whether every process that was observed can come to the note that it came out so."""
    watched, noted = set(), set()
    for key in tables.keys:
        node = tables.node(key)
        if node is not None and node.op is not None and isinstance(node.op.target, Tally):
            watched.add(key.klass)
            if node.op.args[0]:
                noted.add(key.klass)
    return watched == noted


def _never_matches(system: System) -> bool:
    """Whether some observed process can never come to the note that it came out so, as far as the outlook goes."""
    outlook = Outlook(Semantics(system, history_limit=HISTORY_LIMIT))
    if not outlook.spread():
        return False
    watched, noted = set(), set()
    for klass, local in outlook.places:
        op = outlook.node((klass, local)).op
        if op is not None and isinstance(op.target, Tally):
            watched.add(klass)
            if op.args[0]:
                noted.add(klass)
    return watched != noted


def _near(tables: Tables) -> set[str]:
    """The processes that touch an object which an observed one touches, or one that these touch, and so on."""
    touched: list[set[int]] = [set() for _ in tables.classes]
    observed: set[int] = set()
    for local, key in enumerate(tables.keys):
        if (slot := int(tables.target.data[local])) >= 0 and isinstance(tables.objects[slot], Tally):
            observed.add(key.klass)
        elif slot >= 0:
            touched[key.klass].add(slot)
    near = set(observed)
    while more := {i for i in range(len(touched)) if i not in near and any(touched[i] & touched[j] for j in near)}:
        near |= more
    return {tables.semantics.processes[tables.classes[index].pids[0]].name for index in near}


def _tried(system: System) -> Trace | None:
    """A random run in which all came out as observed, performed again by `replay`."""
    sweeper = Sweeper(system)
    swept = sweeper.sweep(ANY_TIMES, TRIALS)
    observed = [swept.names.index(name) for name in watched(system)]
    hits = np.flatnonzero(np.isfinite(swept.ended_at_s[:, observed]).all(axis=1))
    if not len(hits):
        return None
    schedule = sweeper.schedule(ANY_TIMES, int(hits[0]), seed=ANY_TIMES.seed)
    return replay(system, str(schedule))


def _reached(report: Report) -> Reached:
    judged = report.judgement(ALL_SEEN)
    word = {Verdict.VIOLATED: Possible.POSSIBLE, Verdict.HOLDS: Possible.IMPOSSIBLE}
    return Reached(word.get(judged.verdict, Possible.UNDETERMINED), judged.reason, judged.trace)
