"""Loops without bound and states that grow without end, found after a brief search.

Two ways: a plain schedule or two already shows most loops; and on the paths to the newest states, a stretch that
changes nothing but the growing part is repeated. Both say "without bound" after `HISTORY_LIMIT` rounds, as an
exploration does.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from dstamp_sim.core.errors import ScheduleError, UnboundedProgram
from dstamp_sim.core.schedule import Choice, Schedule
from dstamp_sim.core.semantics import DEAD, Move, Semantics, State
from dstamp_sim.core.value import text
from dstamp_sim.engines.explore.retrace import schedule_along
from dstamp_sim.engines.explore.space import Space

LEAST_STATES = 3
"""How many states an object has before it may be a growing one."""

GROWING_ROUNDS = 5_000
"""Rounds of a stretch after which an object that had a new value in each of them is said to grow without bound."""

STRETCHES = 3
"""How many stretches of a path are repeated: the last ones."""


def endless(space: Space, history_limit: int) -> str:
    """What goes on without end in the system of a brief search, with its line; empty if nothing is known."""
    known = space.tables.semantics
    first = known.system.with_start({})
    semantics = Semantics(first, history_limit=history_limit, by_value=known.by_value)
    return endless_loop(semantics, history_limit) or endless_stretch(semantics, space, history_limit)


def endless_loop(semantics: Semantics, history_limit: int) -> str:
    """The message of a program that performs more than `history_limit` ops in some plain schedule; empty if none does.

    In a plain schedule each process in turn goes as far as it can, daemons a step; each process comes first once, and
    of several outcomes or initial states the first happens. A message is a fact; an empty text is not: other schedules
    may loop.
    """
    everybody = range(len(semantics.names))
    try:
        for first in everybody:
            _go_on(semantics, [first, *(pid for pid in everybody if pid != first)], history_limit)
    except UnboundedProgram as unbounded:
        return str(unbounded)
    return ""


def _go_on(semantics: Semantics, order: Sequence[int], rounds: int) -> None:
    """Moves the processes in `order`, round after round, until no process that must end can move."""
    state = semantics.initial()
    for _ in range(rounds):
        before = state
        for pid in order:
            state = _as_far_as_it_can(semantics, state, pid)
        if semantics.ended(state) or state == before:
            return


def _as_far_as_it_can(semantics: Semantics, state: State, pid: int) -> State:
    passed = {state}
    while semantics.outcomes(state, pid):
        state = semantics.perform(state, Move(pid, 0))
        if semantics.processes[pid].daemon or state in passed:
            break
        passed.add(state)
    return state


def endless_stretch(semantics: Semantics, space: Space, rounds: int) -> str:
    """The message about what grows if a stretch of a path in `space` is performed `rounds` times; empty if none does.

    The message names the program's line and its loop, or the object whose states are all new, and who makes them.
    """
    for path, slots in _paths(space):
        choices, states = _walked(semantics, path)
        for begin, end in _stretches(semantics, states, slots):
            growth = _repeated(semantics, states[begin], choices[begin:end], rounds)
            if growth:
                return growth
    return ""


def _paths(space: Space) -> Iterator[tuple[Schedule, frozenset[int]]]:
    """Schedules to the newest state of each object that has some, and to the last state; with what may grow there."""
    counts = {slot: len(states) for slot, states in enumerate(space.tables.states)}
    growing = sorted((slot for slot in counts if counts[slot] >= LEAST_STATES), key=lambda slot: -counts[slot])
    for slot in growing:
        newest = int(np.argmax(space.column(slot, 0, space.count)))
        yield schedule_along(space, space.path(newest), to_the_last_op=False), frozenset([slot])
    last = schedule_along(space, space.path(space.count - 1), to_the_last_op=False)
    yield from ((last, grows) for grows in dict.fromkeys([frozenset[int](), frozenset(growing)]))


def _walked(semantics: Semantics, schedule: Schedule) -> tuple[list[Choice], list[State]]:
    """The choices of a schedule and the states between them."""
    semantics = semantics.started(dict(schedule.start))
    choices, states = list(schedule), [semantics.initial()]
    for choice in choices:
        states.append(semantics.perform(states[-1], semantics.move(states[-1], choice)))
    return choices, states


def _stretches(semantics: Semantics, states: Sequence[State], grows: frozenset[int]) -> list[tuple[int, int]]:
    """The last stretches between two states that differ only in the growing objects and the histories."""
    met: dict[Hashable, list[int]] = {}
    for number, state in enumerate(states):
        met.setdefault(_alike(semantics, state, grows), []).append(number)
    return sorted((pair for numbers in met.values() for pair in pairwise(numbers)), key=lambda pair: -pair[1])[
        :STRETCHES
    ]


def _alike(semantics: Semantics, state: State, grows: frozenset[int]) -> Hashable:
    """A state without the parts that grow: values of growing objects, and the histories of programs."""
    nodes = [None if own.node == DEAD else semantics.node(state, pid) for pid, own in enumerate(state.local)]
    stands = tuple(node and (node.op, node.sections, node.holds, node.frames, node.returned) for node in nodes)
    shared = tuple(value for slot, value in enumerate(state.shared) if slot not in grows)
    return shared, stands, tuple(own.private for own in state.local), state.deaths


def _repeated(semantics: Semantics, state: State, stretch: Sequence[Choice], rounds: int) -> str:
    """What grows when a stretch is repeated; empty if it cannot be repeated, or returns to a state."""
    met = {state}
    values: list[dict[Hashable, None]] = [{} for _ in state.shared]
    try:
        for _ in range(rounds):
            for choice in stretch:
                state = semantics.perform(state, semantics.move(state, choice))
            if state in met:
                return ""
            met.add(state)
            for seen, value in zip(values, state.shared, strict=True):
                seen[value] = None
            if len(met) > GROWING_ROUNDS and max(map(len, values), default=0) >= GROWING_ROUNDS:
                break
        else:
            return ""
    except ScheduleError:
        return ""
    except UnboundedProgram as unbounded:
        return str(unbounded)
    slot = max(range(len(values)), key=lambda number: len(values[number]))
    return _growth(semantics, state, stretch, slot, list(values[slot]))


def _growth(
    semantics: Semantics, state: State, stretch: Sequence[Choice], slot: int, values: Sequence[Hashable]
) -> str:
    """The sentence that an object grows, with the line that makes it so."""
    place = ""
    for choice in stretch:
        move = semantics.move(state, choice)
        node, after = semantics.node(state, move.pid), semantics.perform(state, move)
        if node is not None and after.shared[slot] != state.shared[slot]:
            place = f"{node.place}: "
        state = after
    shown = ", ".join(text(value) for value in values[:3])
    return (
        f"{place}{semantics.shared[slot].name} grows without bound: it had {len(values):,} values in one run ({shown}, "
        "...). Let it stop at a bound, or begin again"
    )
