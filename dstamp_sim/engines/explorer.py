"""Every interleaving, breadth first: the shortest bad one, or the proof that there is none. Exact, in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dstamp_sim.core.errors import UnboundedProgram
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.semantics import Move, Semantics, State
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.verdict import Coverage, Report, certify
from dstamp_sim.engines.replay import walk

DEFAULT_LIMIT = 2_000_000
"""States that an exploration remembers before it gives up; about 2 GB."""

HISTORY_LIMIT = 5_000
"""Ops of one process in an exploration; a program that performs more is taken for a loop without bound."""

Progress = Callable[[int, int, int], None]
"""Told, now and then: states, transitions, depth."""


@dataclass
class _Space:
    """The explored part of a space: each state with its depth and all its predecessors one level up."""

    depth_of: dict[State, int] = field(default_factory=dict)
    parents: dict[State, list[tuple[State, Move]]] = field(default_factory=dict)
    transitions: int = 0
    depth: int = 0
    found: dict[int, list[State]] = field(default_factory=dict)


def explore(
    system: System,
    *,
    properties: Sequence[str] = (),
    limit: int = DEFAULT_LIMIT,
    keep_going: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Judges the named properties (all, if none are named) over every reachable state of `system`.

    Stops at the end of the breadth-first level on which a property fails, so counterexamples are shortest and, among
    those, have the fewest context switches; with `keep_going` it visits the whole space and judges every property.
    A space larger than `limit` states, a loop without bound or Ctrl-C leave UNDETERMINED what was not decided.
    Deterministic. Memory is about 1 kB a state. Raises ModelError where the model breaks a rule.
    """
    semantics = Semantics(system, history_limit=HISTORY_LIMIT)
    judge = Judge(semantics, system.properties_named(properties))
    space = _Space()
    stopped = ""
    try:
        stopped = _fill(space, semantics, judge, limit=limit, keep_going=keep_going, progress=progress)
    except KeyboardInterrupt:
        stopped = "interrupted"
    except UnboundedProgram as unbounded:
        stopped = str(unbounded)
    coverage = _coverage(space, semantics, judge, stopped)
    return Report(
        tuple(
            certify(prop, coverage, _shortest(space, semantics, space.found.get(index, [])))
            for index, prop in enumerate(judge.properties)
        ),
        coverage,
    )


def _fill(
    space: _Space, semantics: Semantics, judge: Judge, *, limit: int, keep_going: bool, progress: Progress | None
) -> str:
    """Fill `space` level by level; gives why it stopped before the space was exhausted, or an empty text."""
    start = semantics.initial()
    space.depth_of[start], space.parents[start] = 0, []
    frontier = [start]
    while frontier:
        for state in frontier:
            for index in judge.decides(state):
                space.found.setdefault(index, []).append(state)
        if not keep_going and _decided(space, judge.properties):
            return "stopped at the first violation (--keep-going visits the whole space)"
        frontier = _next_level(space, semantics, frontier, limit, progress)
        if len(space.depth_of) > limit:
            return f"the limit of {limit:,} states was reached"
    return ""


def _decided(space: _Space, properties: Sequence[Property]) -> bool:
    """Whether a property failed, or every one asked for was reached."""
    found = [properties[index] for index in space.found]
    return any(not prop.is_wish for prop in found) or len(found) == len(properties)


def _next_level(
    space: _Space, semantics: Semantics, frontier: list[State], limit: int, progress: Progress | None
) -> list[State]:
    """The states first reached from `frontier`; stops early, with a partial level, once `limit` is passed."""
    below: list[State] = []
    level = space.depth + 1
    for state in frontier:
        for move in semantics.moves(state):
            after = semantics.perform(state, move)
            space.transitions += 1
            known = space.depth_of.setdefault(after, level)
            if known == level:
                if after not in space.parents:
                    space.parents[after] = []
                    below.append(after)
                space.parents[after].append((state, move))
        if progress is not None:
            progress(len(space.depth_of), space.transitions, level)
        if len(space.depth_of) > limit:
            break
    space.depth = level if below else space.depth
    return below


def _shortest(space: _Space, semantics: Semantics, targets: Sequence[State]) -> Trace | None:
    """Among the shortest ways to the nearest of `targets`, one with the fewest context switches; re-walked."""
    if not targets:
        return None
    nearest = min(space.depth_of[target] for target in targets)
    levels = [[target for target in targets if space.depth_of[target] == nearest]]
    for _ in range(nearest):
        above = {parent: None for state in levels[-1] for parent, _ in space.parents[state]}
        levels.append(list(above))
    moves = _fewest_switches(space, levels[::-1])
    trace, end = walk(semantics, Schedule(tuple(semantics.choice(move) for move in moves)))
    assert end in levels[0], "a counterexample must replay to the state that it was found for"
    return trace


class _Way(NamedTuple):
    """A way to a state: its context switches, who moved (ties go to those declared first), and its last move."""

    switches: int
    movers: tuple[int, ...]
    move: Move | None
    before: _Way | None


def _fewest_switches(space: _Space, levels: Sequence[Sequence[State]]) -> list[Move]:
    """The moves of a path through `levels` (first: the initial state) that changes process least often.

    Dynamic programming over (state, process that moved last).
    """
    ways: dict[State, dict[int, _Way]] = {levels[0][0]: {-1: _Way(0, (), None, None)}}
    for level in levels[1:]:
        for state in level:
            best = ways[state] = {}
            for parent, move in space.parents[state]:
                for last, way in ways[parent].items():
                    cost = way.switches + (last not in (move.pid, -1))
                    here = _Way(cost, (*way.movers, move.pid), move, way)
                    if move.pid not in best or here[:2] < best[move.pid][:2]:
                        best[move.pid] = here
    at: _Way | None = min((way for state in levels[-1] for way in ways[state].values()), key=lambda way: way[:2])
    moves: list[Move] = []
    while at is not None and at.move is not None:
        moves.append(at.move)
        at = at.before
    return moves[::-1]


def _coverage(space: _Space, semantics: Semantics, judge: Judge, stopped: str) -> Coverage:
    automata = list(dict.fromkeys(semantics.automata))
    entered = {name for automaton in automata for node in automaton.nodes for name in node.sections}
    never = {
        f"{node.op} ({node.place})": None
        for automaton in automata
        for node in automaton.nodes
        if not node.ended and not node.edges
    }
    lines = {place: None for automaton in automata for place in automaton.unreached()}
    passed = {(code.co_filename, line) for automaton in automata for code, line in automaton.performed}
    return Coverage(
        states=len(space.depth_of),
        transitions=space.transitions,
        depth=space.depth,
        exhausted=not stopped,
        stopped=stopped,
        exercised=dict(judge.exercised),
        sections_never_entered=tuple(name for name in semantics.system.sections if name not in entered),
        ops_never_performed=tuple(never),
        lines_never_passed=tuple(place for place in lines if (place.file, place.line) not in passed),
    )
