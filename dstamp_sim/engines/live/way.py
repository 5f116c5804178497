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
    """The moves of a lasso: who moves, and with which outcome."""

    stem: list[tuple[int, int]]
    cycle: list[tuple[int, int]]


def way(
    graph: Graph,
    calm: Graph,
    entries: NDArray[np.bool_],
    within: NDArray[np.bool_],
    components: NDArray[np.int64],
    demands: Demands,
) -> Way | None:
    """A way from state 0 to one of `entries`, from there through states `within` into a component, and round in it.

    From the entry on, the moves are those of the `calm` graph.

    None where no component can be reached so. Deterministic.
    """
    states = len(entries)
    path = _nearest(
        _twice(graph, calm, entries, within), 0, np.concatenate([np.zeros(states, np.bool_), components >= 0])
    )
    if path is None:
        return None
    there, waiting = [s for s in path if s < states], [s - states for s in path if s >= states]
    inside = components == components[waiting[-1]]
    stem = _made(graph, _moves_along(graph, there)) + _made(calm, _moves_along(calm, waiting))
    return Way(stem, _made(calm, _round(calm, inside, waiting[-1], demands)))


def _made(graph: Graph, moves: list[int]) -> list[tuple[int, int]]:
    return [(int(graph.pid[n]), int(graph.outcome[n])) for n in moves]


def _twice(graph: Graph, calm: Graph, entries: NDArray[np.bool_], within: NDArray[np.bool_]) -> csr_matrix:
    """Two layers of the states: all moves in the first, calm ones `within` in the second, from entries down to it."""
    states = len(entries)
    inner = within[calm.source] & within[calm.target]
    down = np.flatnonzero(entries & within)
    source = np.concatenate([graph.source, calm.source[inner] + states, down])
    target = np.concatenate([graph.target, calm.target[inner] + states, down + states])
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
    owed = np.flatnonzero((demands.weak | demands.strong)[inside].any(axis=0)).tolist()
    at, cycle = start, list[int]()

    def paid(pid: int) -> bool:
        return _paid(graph, pid, start, cycle, demands.weak, by_move=_must_move(inside, pid, demands))

    while open_ones := [pid for pid in owed if not paid(pid)]:
        wanted = np.zeros(len(inside), np.bool_)
        for pid in open_ones:
            wanted |= inside & ~demands.weak[:, pid] if not _must_move(inside, pid, demands) else False
            wanted[graph.source[inner & (graph.pid == pid)]] = True
        path = _nearest(moves, at, wanted)
        assert path is not None, "a fair component has what fairness asks for"
        cycle += _moves_along(graph, path)
        at = path[-1]
        if any(not paid(pid) for pid in open_ones):
            here = np.flatnonzero(inner & (graph.source == at) & np.isin(graph.pid, open_ones))
            if len(here):
                cycle.append(int(here[0]))
                at = int(graph.target[here[0]])
    home = np.zeros(len(inside), np.bool_)
    home[start] = True
    back = _nearest(moves, at, home)
    assert back is not None, "a component leads back"
    return cycle + _moves_along(graph, back)


def _must_move(inside: NDArray[np.bool_], pid: int, demands: Demands) -> bool:
    """Whether only a move of a process will do, as strong fairness somewhere owes it one."""
    return bool(demands.strong[inside, pid].any())


def _paid(graph: Graph, pid: int, start: int, cycle: list[int], weak: NDArray[np.bool_], *, by_move: bool) -> bool:
    """Whether a process moved on the way so far, or (weak fairness) was once owed nothing."""
    if any(graph.pid[move] == pid for move in cycle):
        return True
    met = [start, *(int(graph.target[move]) for move in cycle)]
    return not by_move and not weak[met, pid].all()


def _moves_along(graph: Graph, path: list[int]) -> list[int]:
    """A move for each step of a path; one of the process that moved before, if there is one."""
    moves = list[int]()
    for here, there in itertools.pairwise(path):
        first, last = np.searchsorted(graph.source, [here, here + 1])
        options = [n for n in range(first, last) if graph.target[n] == there]
        before = graph.pid[moves[-1]] if moves else -1
        moves.append(min(options, key=lambda n: (graph.pid[n] != before, n)))
    return moves
