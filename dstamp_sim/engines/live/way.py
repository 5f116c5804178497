"""A way into a fair component and a way round in it, as moves: the stem is shortest, the cycle greedily short."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

from dstamp_sim.engines.live.fair import Demands, Graph, matrix


class Way(NamedTuple):
    """The moves of a lasso, by their numbers in the graph."""

    stem: list[int]
    cycle: list[int]


def way(
    graph: Graph,
    entries: NDArray[np.bool_],
    within: NDArray[np.bool_],
    components: NDArray[np.int64],
    demands: Demands,
) -> Way | None:
    """A way from state 0 to one of `entries`, from there through states `within` into a component, and round in it.

    None where no component can be reached so. Deterministic.
    """
    states = len(entries)
    path = _nearest(_twice(graph, entries, within), 0, np.concatenate([np.zeros(states, np.bool_), components >= 0]))
    if path is None:
        return None
    stem = [state % states for state in path]
    del stem[next(n for n, state in enumerate(path) if state >= states)]  # the change of layers is no move
    inside = components == components[stem[-1]]
    return Way(_moves_along(graph, stem), _round(graph, inside, stem[-1], demands))


def _twice(graph: Graph, entries: NDArray[np.bool_], within: NDArray[np.bool_]) -> csr_matrix:
    """Two layers of the states: all moves in the first, those `within` in the second, and from entries down to it."""
    states = len(entries)
    inner = within[graph.source] & within[graph.target]
    down = np.flatnonzero(entries & within)
    source = np.concatenate([graph.source, graph.source[inner] + states, down])
    target = np.concatenate([graph.target, graph.target[inner] + states, down + states])
    return csr_matrix((np.ones(len(source), np.bool_), (source, target)), shape=(2 * states, 2 * states))


def _nearest(moves: csr_matrix, start: int, wanted: NDArray[np.bool_]) -> list[int] | None:
    """The states of a shortest path from `start` to the nearest wanted state; None where there is none."""
    order, before = breadth_first_order(moves, start, directed=True, return_predecessors=True)
    hits = np.flatnonzero(wanted[order])
    if not len(hits):
        return None
    path = [int(order[hits[0]])]
    while path[-1] != start:
        path.append(int(before[path[-1]]))
    return path[::-1]


def _round(graph: Graph, inside: NDArray[np.bool_], start: int, demands: Demands) -> list[int]:
    """The moves of a cycle through `start` that owes nobody anything; none where standing still does not either.

    Greedy: from demand to demand, the nearest first, and back.
    """
    inner = inside[graph.source] & inside[graph.target]
    moves = matrix(graph, inner)
    owed = _owed(graph, inside, demands)
    at, cycle = start, list[int]()
    while open_ones := [pid for pid in owed if not _paid(graph, pid, start, cycle, demands)]:
        wanted = np.zeros(len(inside), np.bool_)
        for pid in open_ones:
            wanted |= inside & ~graph.enabled[:, pid] if pid in demands.weak else False
            wanted[graph.source[inner & (graph.pid == pid)]] = True
        path = _nearest(moves, at, wanted)
        assert path is not None, "a fair component has what fairness asks for"
        cycle += _moves_along(graph, path)
        at = path[-1]
        if any(not _paid(graph, pid, start, cycle, demands) for pid in open_ones):
            here = np.flatnonzero(inner & (graph.source == at) & np.isin(graph.pid, open_ones))
            if len(here):
                cycle.append(int(here[0]))
                at = int(graph.target[here[0]])
    home = np.zeros(len(inside), np.bool_)
    home[start] = True
    back = _nearest(moves, at, home)
    assert back is not None, "a component leads back"
    return cycle + _moves_along(graph, back)


def _owed(graph: Graph, inside: NDArray[np.bool_], demands: Demands) -> list[int]:
    """The processes that must move, or be unable to, in each cycle; strong fairness owes nothing to who never can."""
    return [*demands.weak, *(pid for pid in demands.strong if graph.enabled[inside, pid].any())]


def _paid(graph: Graph, pid: int, start: int, cycle: list[int], demands: Demands) -> bool:
    """Whether a process moved on the way so far, or (weak fairness) once could not."""
    if any(graph.pid[move] == pid for move in cycle):
        return True
    met = [start, *(int(graph.target[move]) for move in cycle)]
    return pid in demands.weak and not graph.enabled[met, pid].all()


def _moves_along(graph: Graph, path: list[int]) -> list[int]:
    """A move for each step of a path; one of the process that moved before, if there is one."""
    moves = list[int]()
    for here, there in itertools.pairwise(path):
        first, last = np.searchsorted(graph.source, [here, here + 1])
        options = [n for n in range(first, last) if graph.target[n] == there]
        before = graph.pid[moves[-1]] if moves else -1
        moves.append(min(options, key=lambda n: (graph.pid[n] != before, n)))
    return moves
