"""Loops without bound, found before a search: a plain schedule or two already shows most of them."""

from __future__ import annotations

from collections.abc import Sequence

from dstamp_sim.core.errors import UnboundedProgram
from dstamp_sim.core.semantics import Move, Semantics, State
from dstamp_sim.core.system import System


def endless_loop(system: System, history_limit: int) -> str:
    """The message of a program that performs more than `history_limit` ops in some plain schedule; empty if none does.

    In a plain schedule each process in turn goes as far as it can, daemons a step; each process comes first once, and
    of several outcomes the first happens. A message is a fact; an empty text is none: other schedules may loop.
    """
    semantics = Semantics(system, history_limit=history_limit)
    everybody = range(len(semantics.names))
    try:
        for first in everybody:
            _go_on(semantics, [first, *(pid for pid in everybody if pid != first)], history_limit)
    except UnboundedProgram as unbounded:
        return str(unbounded)
    return ""


def _go_on(semantics: Semantics, order: Sequence[int], rounds: int) -> None:
    """Let the processes move in `order`, round after round, until nobody that must end can move."""
    state = semantics.initial()
    for _ in range(rounds):
        before = state
        for pid in order:
            state = _as_far_as_it_can(semantics, state, pid)
        if semantics.ended(state) or state == before:
            return


def _as_far_as_it_can(semantics: Semantics, state: State, pid: int) -> State:
    while semantics.outcomes(state, pid):
        state = semantics.perform(state, Move(pid, 0))
        if semantics.processes[pid].daemon:
            break
    return state
