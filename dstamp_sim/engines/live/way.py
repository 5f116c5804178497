"""A way into a fair component and a way round in it, as moves: the shortest lasso of all, as far as the effort goes.

The first one found goes by a shortest stem to the nearest component and round in it greedily. A shorter one is looked
for breadth first from each state in which a cycle may begin, in states that also say what fairness still owes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

from dstamp_sim.engines.live.fair import Demands, Graph
from dstamp_sim.engines.live.rounds import Rounds

EFFORT_MOVES = 100_000
"""How many moves the search for a shorter lasso tries before it keeps the best one (up to half a second)."""


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

    From the entry on, the moves are those of the `calm` graph. No other way is shorter, unless the effort ran out.

    None where no component can be reached so. Deterministic.
    """
    states = len(entries)
    depth, before = _depths(_twice(graph, calm, entries, within))
    begins = {s: depth[s + states] for s in np.flatnonzero(components >= 0).tolist() if s + states in depth}
    if not begins:
        return None
    start, cycle = _shortest(begins, Rounds(calm, components, demands))
    stem = _path(before, start + states)
    there, waiting = [s for s in stem if s < states], [s - states for s in stem if s >= states]
    return Way(_made(graph, _moves_along(graph, there)) + _made(calm, _moves_along(calm, waiting)), _made(calm, cycle))


def _shortest(begins: dict[int, int], rounds: Rounds) -> tuple[int, list[int]]:
    """Where a cycle begins, and its moves, so that both are the shortest; the best found where the effort runs out.

    `begins` says how deep each state lies in which a cycle may begin.
    """
    start, cycle = _greedy(begins, rounds)
    rounds.effort = EFFORT_MOVES
    levels, running = sorted(begins, key=begins.__getitem__), list[tuple[int, Iterator[list[int] | None]]]()
    for length in range(begins[levels[0]], begins[start] + len(cycle)):
        while len(running) < len(levels) and begins[levels[len(running)]] <= length:
            running.append((levels[len(running)], rounds.by_length(levels[len(running)])))
        for here, cycles in running:
            if (found := next(cycles, None)) is not None:
                return here, found
    return start, cycle


def _greedy(begins: dict[int, int], rounds: Rounds) -> tuple[int, list[int]]:
    """The best of some greedy cycles: the first begins nearest, the others where the way and the debts are few."""
    start = min(begins, key=begins.__getitem__)
    cycle = rounds.greedy(start)
    assert cycle is not None, "a fair component has what fairness asks for, and leads back"
    rounds.effort = EFFORT_MOVES
    for here in sorted(begins, key=lambda s: begins[s] + rounds.debts(s)):
        if begins[here] < begins[start] + len(cycle) and (found := rounds.greedy(here)) is not None:
            start, cycle = min((start, cycle), (here, found), key=lambda one: begins[one[0]] + len(one[1]))
    return start, cycle


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


def _depths(moves: csr_matrix) -> tuple[dict[int, int], NDArray[np.int32]]:
    """How far the states are that can be reached from state 0, and before each the one on a shortest path to it."""
    order, before = breadth_first_order(moves, 0, directed=True, return_predecessors=True)
    depth = {0: 0}
    for state, earlier in zip(order[1:].tolist(), before[order[1:]].tolist(), strict=True):
        depth[state] = depth[earlier] + 1
    return depth, before


def _path(before: NDArray[np.int32], last: int) -> list[int]:
    """The states from state 0 to the last one, each found from the one before."""
    path = [last]
    while path[-1] != 0:
        path.append(int(before[path[-1]]))
    return path[::-1]


def _moves_along(graph: Graph, path: list[int]) -> list[int]:
    """A move for each step of a path; one of the process that moved before, if there is one."""
    moves = list[int]()
    for here, there in itertools.pairwise(path):
        first, last = np.searchsorted(graph.source, [here, here + 1])
        options = [n for n in range(first, last) if graph.target[n] == there]
        before = graph.pid[moves[-1]] if moves else -1
        moves.append(min(options, key=lambda n: (graph.pid[n] != before, n)))
    return moves
