"""Deadlocks: who holds what and waits for whom since when; and the cycles that a model's lock order allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise, product
from typing import TYPE_CHECKING

from dstamp_sim.analyses.held import Held, held_in
from dstamp_sim.core.automaton import Node, Place
from dstamp_sim.core.semantics import Semantics
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

    holds = [hold for hold in held_in(trace) if hold.until is None]
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
    holder = next((hold for hold in holds if hold.lock == target), None)
    return Wait(process, op, target, since, holder)


def _link_says(wait: Wait, cycle: tuple[Wait, ...], when: Callable[[int], str]) -> str:
    has = next(other.holder for other in cycle if other.holder is not None and other.holder.process == wait.process)
    return f"{wait.process} holds {has.lock} (taken {when(has.since)}) and wants {wait.target}"


def _wait_says(wait: Wait, when: Callable[[int], str]) -> str:
    if wait.holder is None:
        return f"{wait.process} waits for {wait.op}, and nobody is left to make that possible"
    how = "its own lock" if wait.holder.process == wait.process else f"which {wait.holder.process} holds"
    return f"{wait.process} waits for {wait.target}, {how} (taken {when(wait.holder.since)})"


@dataclass(frozen=True)
class Order:
    """One process takes lock `then` while it holds `first` (and `beside`), at a line of its program."""

    process: str
    first: str
    then: str
    beside: frozenset[str]
    place: Place

    def __str__(self) -> str:
        return f"{self.process} takes {self.then} while it holds {self.first} ({self.place.source})"


@dataclass(frozen=True)
class LockOrder:
    """The order in which a model's processes take locks, and the cycles in it: deadlocks that may be, in some run."""

    orders: tuple[Order, ...]
    cycles: tuple[tuple[Order, ...], ...]

    def says(self) -> list[str]:
        """A sentence for every cycle."""
        return [f"lock order has a cycle: {'; '.join(map(str, cycle))}" for cycle in self.cycles]


def lock_order(semantics: Semantics) -> LockOrder:
    """The lock order of all that the automata of `semantics` have been through so far, without any run of them.

    A cycle needs two processes, and no lock that all of them hold meanwhile: Havelund, "Using runtime analysis to guide
    model checking of Java programs" (2000). No cycle: no deadlock of locks; a cycle: maybe one.
    """
    import networkx as nx  # noqa: PLC0415 - slow to import, and few models have two locks

    found: dict[tuple[str, str, str, frozenset[str]], Order] = {}
    for name, automaton in zip(semantics.names, semantics.automata, strict=True):
        for node in automaton.nodes:
            for order in _orders(name, automaton.nodes[node.parent], node) if node.parent >= 0 else ():
                found.setdefault((order.process, order.first, order.then, order.beside), order)
    orders = tuple(found.values())
    graph: nx.DiGraph[str] = nx.DiGraph()
    for order in orders:
        graph.add_edge(order.first, order.then)
    cycles = [cycle for ring in nx.simple_cycles(graph, length_bound=_LONGEST) if (cycle := _dangerous(ring, orders))]
    return LockOrder(orders, tuple(sorted(cycles, key=lambda cycle: [str(order) for order in cycle])))


_LONGEST = 6
"""How many locks a cycle of the lock order has at most; longer ones are not looked for."""


def _orders(process: str, before: Node, node: Node) -> Iterator[Order]:
    op = before.op
    if node.answer is None or node.answer.takes is None or op is None or op.target is None or not op.target.is_lock:
        return
    held = {hold.target.name for hold in before.holds if hold.target.is_lock and not hold.target.private}
    for first in sorted(held - {op.target.name}):
        yield Order(process, first, op.target.name, frozenset(held - {first}), before.place)


def _dangerous(ring: list[str], orders: tuple[Order, ...]) -> tuple[Order, ...]:
    """An order for every edge of a ring of locks, by two processes at least and without a common guard; or none."""
    start = ring.index(min(ring))
    turned = [*ring[start:], *ring[:start]]
    choices = [[o for o in orders if (o.first, o.then) == edge] for edge in pairwise([*turned, turned[0]])]
    for picked in islice(product(*choices), _MOST_PICKS):
        several = len({order.process for order in picked}) == len(picked)
        guarded = frozenset.intersection(*(order.beside for order in picked)) - set(ring)
        if several and not guarded:
            return picked
    return ()


_MOST_PICKS = 10_000
"""How many ways to go round a ring are looked at."""
