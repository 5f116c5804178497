"""Deadlocks: who holds what and waits for whom, since when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dstamp_sim.analyses.held import locks_held
from dstamp_sim.core.holds import Held
from dstamp_sim.core.trace import Trace

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class Wait:
    """One process that cannot move: the op it waits to perform, the object that is on, and since which step.

    `holder` holds that object since step `held_since`; None where nobody does and the op waits for something else.
    """

    process: str
    op: str
    target: str
    since: int
    holder: Held | None


@dataclass(frozen=True)
class Deadlock:
    """What stands still at the end of a trace: the waits, those on the wait-for cycle first and in its order."""

    waits: tuple[Wait, ...]
    cycle: tuple[Wait, ...]

    def sentence(self, when: Callable[[int], str]) -> str:
        """Who holds and wants what, since when."""
        if self.cycle:
            return f"Each waits for the next: {'; '.join(_link_says(w, self.cycle, when) for w in self.cycle)}"
        return "; ".join(_wait_says(wait, when) for wait in self.waits) or "Nobody can move"

    def remedy(self) -> str:
        """What would rule such a cycle out."""
        if not self.cycle:
            return ""
        locks = sorted({wait.target for wait in self.cycle})
        return f"Right would have been one order for all, such as {' before '.join(locks)}"

    @property
    def proof(self) -> str:
        """The wait-for cycle by its processes, or why there is none."""
        if not self.cycle:
            return "No wait-for cycle: they wait for something that nobody can do any more."
        return f"Wait-for cycle: {' → '.join([*(wait.process for wait in self.cycle), self.cycle[0].process])}."


def deadlock_in(trace: Trace) -> Deadlock:
    """The waits at the end of a trace, and the wait-for cycle among them if there is one."""
    import networkx as nx  # noqa: PLC0415 - slow to import, and most explorations find nothing to explain

    holds = [hold for hold in locks_held(trace) if hold.until is None]
    waits = {name: _wait(trace, name, op, holds) for name, op in trace.waiting.items() if name not in trace.daemons}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from((name, w.holder.process) for name, w in waits.items() if w.holder is not None)
    try:
        cycle = tuple(waits[edge[0]] for edge in nx.find_cycle(graph))
    except nx.NetworkXNoCycle:
        cycle = ()
    return Deadlock((*cycle, *(wait for wait in waits.values() if wait not in cycle)), cycle)


def _wait(trace: Trace, process: str, op: str, holds: list[Held]) -> Wait:
    target = max((name for name in trace.initial if op.startswith(f"{name}.")), key=len, default=op)
    since = max((n for n, step in enumerate(trace.steps) if step.process == process), default=-1) + 1
    holder = next((hold for hold in holds if hold.name == target), None)
    return Wait(process, op, target, since, holder)


def _link_says(wait: Wait, cycle: tuple[Wait, ...], when: Callable[[int], str]) -> str:
    has = next(other.holder for other in cycle if other.holder is not None and other.holder.process == wait.process)
    return f"{wait.process} holds {has.name} (taken {when(has.since)}) and wants {wait.target}"


def _wait_says(wait: Wait, when: Callable[[int], str]) -> str:
    if wait.holder is None:
        return f"{wait.process} waits for {wait.op}, and nobody is left to make that possible"
    how = "its own lock" if wait.holder.process == wait.process else f"which {wait.holder.process} holds"
    return f"{wait.process} waits for {wait.target}, {how} (taken {when(wait.holder.since)})"
