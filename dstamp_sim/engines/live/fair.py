"""Where a graph of states can be gone round for ever, fairly: its components, cut until fairness is kept in them.

Weak fairness asks that each process moves, or cannot, somewhere in a component: generalised Büchi, one pass. Strong
fairness asks that who can move somewhere, moves (Streett): where it does not, the states in which it can are cut out,
and what is left is looked at again (Emerson and Lei, "Modalities for Model Checking", 1987).

At each state a behaviour may also stand still for ever, which is fair where fairness owes nobody a move there; so a
state alone is a component, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components


class Graph(NamedTuple):
    """Moves, ordered by `source`: from state to state, who moves, and which outcome; by state and process, who can."""

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    pid: NDArray[np.int32]
    outcome: NDArray[np.int32]
    enabled: NDArray[np.bool_]

    def without(self, pid: int) -> Graph:
        """The graph in which a process makes no move, though it can as before."""
        kept = self.pid != pid
        return Graph(self.source[kept], self.target[kept], self.pid[kept], self.outcome[kept], self.enabled)


class Demands(NamedTuple):
    """By state and process: who can make a move that weak fairness owes, and who one that strong fairness does."""

    weak: NDArray[np.bool_]
    strong: NDArray[np.bool_]


def fair_components(graph: Graph, within: NDArray[np.bool_], demands: Demands) -> NDArray[np.int64]:
    """By state, the number of a component that can be gone round fairly through states `within`; -1 where none is.

    Linear in the graph for weak fairness; with strong fairness, once more for each cut.
    """
    found, left, number = np.full(len(within), -1), within.copy(), 0
    while left.any():
        count, labels, inner = _components(graph, left)
        hopeless = _put_off(graph, left, labels, inner, count, demands.weak)
        starved, cut = _starved(graph, left, labels, inner, count, demands.strong)
        fair = left & ~(hopeless | starved)[labels]
        found[fair] = labels[fair] + number
        number += count
        left &= (starved & ~hopeless)[labels] & ~cut
    return found


def _components(graph: Graph, left: NDArray[np.bool_]) -> tuple[int, NDArray[np.int32], NDArray[np.bool_]]:
    """The strongly connected components of the states that are left: how many, by state, and the moves inside them."""
    inner = left[graph.source] & left[graph.target]
    count, labels = connected_components(_matrix(graph, inner), directed=True, connection="strong")
    inner &= labels[graph.source] == labels[graph.target]
    return int(count), labels, inner


def _matrix(graph: Graph, kept: NDArray[np.bool_]) -> csr_matrix:
    """The `kept` moves, as a matrix from state to state."""
    source, target = graph.source[kept], graph.target[kept]
    size = len(graph.enabled)
    return csr_matrix((np.ones(len(source), np.bool_), (source, target)), shape=(size, size))


def _put_off(
    graph: Graph,
    left: NDArray[np.bool_],
    labels: NDArray[np.int32],
    inner: NDArray[np.bool_],
    count: int,
    weak: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """By component: whether some process is always owed a move there and never makes one."""
    hopeless = np.zeros(count, np.bool_)
    for pid in np.flatnonzero(weak.any(axis=0)).tolist():
        hopeless |= ~_some(count, labels[left & ~weak[:, pid]]) & ~_moves(graph, labels, inner, count, pid)
    return hopeless


def _starved(
    graph: Graph,
    left: NDArray[np.bool_],
    labels: NDArray[np.int32],
    inner: NDArray[np.bool_],
    count: int,
    strong: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """By component, whether some process is sometimes owed a move there and never makes one; and those states."""
    starved, cut = np.zeros(count, np.bool_), np.zeros(len(labels), np.bool_)
    for pid in np.flatnonzero(strong.any(axis=0)).tolist():
        can = strong[:, pid]
        here = _some(count, labels[left & can]) & ~_moves(graph, labels, inner, count, pid)
        starved |= here
        cut |= can & here[labels]
    return starved, cut


def _moves(
    graph: Graph, labels: NDArray[np.int32], inner: NDArray[np.bool_], count: int, pid: int
) -> NDArray[np.bool_]:
    """By component: whether a process moves inside it."""
    return _some(count, labels[graph.source[inner & (graph.pid == pid)]])


def _some(count: int, labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    some = np.zeros(count, np.bool_)
    some[labels] = True
    return some
