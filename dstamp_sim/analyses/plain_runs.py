"""Plain runs of a system, one process after the other: what its programs do when they never have to wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dstamp_sim.core.automaton import Hold
from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.op import Op
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.shared_object import Outcome, may_do
from dstamp_sim.core.system import System

_MOST_MOVES = 300
"""How many moves of one process a plain run has at most."""


def releases(system: System) -> list[tuple[Hold, Op]]:
    """What was released with which op in plain runs, in which each process comes first once. Deterministic, bounded.

    Of several outcomes the first happens; no process dies; and a blocked process gets the result of another, earlier
    state of the object. So these are not runs of the system, and only ops are learnt from them.
    """
    semantics = Semantics(system)
    everybody = range(len(semantics.names))
    found: dict[tuple[Hold, Op], None] = {}
    for first in everybody:
        try:
            found.update(dict.fromkeys(_released(semantics, [first, *(pid for pid in everybody if pid != first)])))
        except ModelError:  # a program may fail after such a result
            continue
    return list(found)


def _released(semantics: Semantics, order: Sequence[int]) -> Iterator[tuple[Hold, Op]]:
    state, seen = semantics.initial(), [semantics.initial()]
    for pid in order:
        for _ in range(_MOST_MOVES):
            node = semantics.node(state, pid)
            outcome = _answer(semantics, seen, pid, node.op) if node is not None and node.op is not None else None
            if node is None or node.op is None or outcome is None:
                break
            if outcome.drops is not None and node.op.target is not None:
                yield Hold(node.op.target, outcome.drops), node.op
            state = semantics.given(state, pid, outcome)
            seen.append(state)


def _answer(semantics: Semantics, seen: Sequence[State], pid: int, op: Op) -> Outcome | None:
    """What an op returns in the latest state, or in the object's first state in which it is possible."""
    now = semantics.outcomes(seen[-1], pid)
    if now or op.target is None:
        return now[0] if now else None
    others = (may_do(op, semantics.state_of(state, pid, op.target)) for state in seen)
    return next((outcomes[0] for outcomes in others if outcomes), None)
