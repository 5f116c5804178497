"""The order in which a model's processes take locks, and the cycles in it: deadlocks that no run has to show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise, product
from typing import TYPE_CHECKING

from dstamp_sim.core.automaton import Node
from dstamp_sim.core.place import Place
from dstamp_sim.core.semantics import Semantics

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class NestedLocks:
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
    """The order in which a model's processes take locks, and the cycles in it: possible deadlocks."""

    orders: tuple[NestedLocks, ...]
    cycles: tuple[tuple[NestedLocks, ...], ...]

    def says(self) -> list[str]:
        """A sentence for every cycle."""
        return [f"lock order has a cycle: {'; '.join(map(str, cycle))}" for cycle in self.cycles]


def lock_order(semantics: Semantics) -> LockOrder:
    """The lock order of the automata of `semantics` so far, without any run.

    A cycle needs two processes, and no lock that all of them hold meanwhile: Havelund, "Using runtime analysis to guide
    model checking of Java programs" (2000). No cycle: no deadlock of locks; a cycle: maybe one.
    """
    import networkx as nx  # noqa: PLC0415 - slow to import, and few models have two locks

    found: dict[tuple[str, str, str, frozenset[str]], NestedLocks] = {}
    for name, automaton in zip(semantics.names, semantics.automata, strict=True):
        for node in automaton.nodes:
            for order in _orders(name, node):
                found.setdefault((order.process, order.first, order.then, order.beside), order)
    orders = tuple(found.values())
    graph: nx.DiGraph[str] = nx.DiGraph()
    for order in orders:
        graph.add_edge(order.first, order.then)
    cycles = [
        cycle for ring in nx.simple_cycles(graph, length_bound=_MOST_LOCKS) if (cycle := _dangerous(ring, orders))
    ]
    return LockOrder(orders, tuple(sorted(cycles, key=lambda cycle: [str(order) for order in cycle])))


_MOST_LOCKS = 6
"""How many locks a cycle of the lock order has at most; longer ones are not looked for."""


def _orders(process: str, before: Node) -> Iterator[NestedLocks]:
    op = before.op
    takes = any(answer.takes is not None for answer in before.edges)
    if not takes or op is None or op.target is None or not op.target.is_lock:
        return
    held = {hold.target.name for hold in before.holds if hold.target.is_lock and not hold.target.private}
    for first in sorted(held - {op.target.name}):
        yield NestedLocks(process, first, op.target.name, frozenset(held - {first}), before.place)


def _dangerous(ring: list[str], orders: tuple[NestedLocks, ...]) -> tuple[NestedLocks, ...]:
    """An order for every edge of a ring of locks, by two processes at least and without a common guard; or no order."""
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
"""How many ways round a ring are examined."""
