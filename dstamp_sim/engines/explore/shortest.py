"""The shortest trace to a state that decides a property, and among those one with the fewest context switches.

Plain and exact: for spaces small enough to keep every shortest way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.semantics import Move, Semantics, State


def shortest_schedule(semantics: Semantics, decides: Callable[[State], bool], limit: int) -> Schedule | None:
    """The schedule to the nearest state that `decides`, fewest switches first; None when `limit` states do not suffice.

    Breadth-first over the whole level of the nearest such state, then dynamic programming over the shortest ways to it.
    Ties go to the processes declared first. Deterministic.
    """
    depth_of: dict[State, int] = dict.fromkeys(semantics.initials(), 0)
    parents: dict[State, list[tuple[State, Move]]] = {start: [] for start in depth_of}
    levels = [list(depth_of)]
    while levels[-1]:
        targets = [state for state in levels[-1] if decides(state)]
        if targets:
            return semantics.schedule(*_fewest_switches(parents, _ancestors(parents, targets, len(levels))))
        if len(depth_of) > limit:
            return None
        levels.append(_next_level(semantics, levels[-1], len(levels), depth_of, parents))
    return None


def traps_of(semantics: Semantics, limit: int) -> frozenset[State]:
    """All states from which no end can be reached; none where there are more than `limit` states in all."""
    before: dict[State, list[State]] = {start: [] for start in semantics.initials()}
    waiting = list(before)
    while waiting and len(before) <= limit:
        state = waiting.pop()
        for move in semantics.moves(state):
            after = semantics.perform(state, move)
            if after not in before:
                before[after] = []
                waiting.append(after)
            before[after].append(state)
    if waiting:
        return frozenset()
    ending = {state for state in before if semantics.ended(state)}
    waiting = list(ending)
    while waiting:
        earlier = set(before[waiting.pop()]) - ending
        ending |= earlier
        waiting.extend(earlier)
    return frozenset(before.keys() - ending)


def _next_level(
    semantics: Semantics,
    frontier: Sequence[State],
    depth: int,
    depth_of: dict[State, int],
    parents: dict[State, list[tuple[State, Move]]],
) -> list[State]:
    """The states first reached from `frontier`, with all their parents there."""
    below: list[State] = []
    for state in frontier:
        for move in semantics.moves(state):
            after = semantics.perform(state, move)
            if depth_of.setdefault(after, depth) == depth:
                if after not in parents:
                    parents[after] = []
                    below.append(after)
                parents[after].append((state, move))
    return below


def _ancestors(
    parents: dict[State, list[tuple[State, Move]]], targets: list[State], depth: int
) -> list[Sequence[State]]:
    """The states on shortest ways to `targets`, level by level from the initial one."""
    levels: list[Sequence[State]] = [targets]
    for _ in range(depth - 1):
        levels.append(list(dict.fromkeys(parent for state in levels[-1] for parent, _ in parents[state])))
    return levels[::-1]


class _Way(NamedTuple):
    """A way to a state: its context switches, who moved (ties go to those declared first), its last move, its start."""

    switches: int
    movers: tuple[int, ...]
    move: Move | None
    before: _Way | None
    start: State


def _fewest_switches(
    parents: dict[State, list[tuple[State, Move]]], levels: Sequence[Sequence[State]]
) -> tuple[State, list[Move]]:
    """The path through `levels` (first: initial states) that changes process least often: its start, and its moves.

    Dynamic programming over (state, process that moved last).
    """
    ways: dict[State, dict[int, _Way]] = {start: {-1: _Way(0, (), None, None, start)} for start in levels[0]}
    for level in levels[1:]:
        for state in level:
            best = ways[state] = {}
            for parent, move in parents[state]:
                for last, way in ways[parent].items():
                    cost = way.switches + (last not in (move.pid, -1))
                    here = _Way(cost, (*way.movers, move.pid), move, way, way.start)
                    if move.pid not in best or here[:2] < best[move.pid][:2]:
                        best[move.pid] = here
    best_way = min((way for state in levels[-1] for way in ways[state].values()), key=lambda way: way[:2])
    at: _Way | None = best_way
    moves: list[Move] = []
    while at is not None and at.move is not None:
        moves.append(at.move)
        at = at.before
    return best_way.start, moves[::-1]
