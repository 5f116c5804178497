"""Every reachable state of a small system with its moves, for people to walk through, without any reduction."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from dstamp_sim.core.errors import UnboundedProgram
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property
from dstamp_sim.core.schedule import Choice
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.system import System

MOST_STATES = 5_000
"""How many states an atlas has at most by default."""

_HISTORY = 2_000
"""How many ops of one process are followed."""


@dataclass(frozen=True)
class Road:
    """A move by name, what it does in words, and the number of the state it leads to (None: not in the atlas)."""

    choice: Choice
    does: str
    target: int | None


@dataclass(frozen=True)
class Atlas:
    """States by number (0 is the initial one, then breadth first), the roads out of each, and what each decides.

    `decides[n]` holds the properties that state n violates, or the wishes that it reaches. `complete` is true
    if every reachable state is in it with all its roads. `semantics` reads the states.
    """

    semantics: Semantics
    states: tuple[State, ...]
    roads: tuple[tuple[Road, ...], ...]
    decides: tuple[tuple[Property, ...], ...]
    complete: bool


def chart(system: System, *, most_states: int = MOST_STATES) -> Atlas:
    """The atlas of `system`, breadth first up to `most_states`. Deterministic; cost is one perform a transition.

    Raises UsageError for `copies=ANY` and ModelError if the model breaks a rule.
    """
    semantics = Semantics(system, history_limit=_HISTORY, by_value=True)
    judge = Judge(semantics, system.checked_properties)
    numbers = {semantics.initial(): 0}
    queue, roads, left_out = deque(numbers), list[tuple[Road, ...]](), False
    while queue:
        state = queue.popleft()
        mine = []
        for choice, does, after in _moves(semantics, state):
            if after is not None and after not in numbers and len(numbers) < most_states:
                numbers[after] = len(numbers)
                queue.append(after)
            number = None if after is None else numbers.get(after)
            left_out = left_out or number is None
            mine.append(Road(choice, does, number))
        roads.append(tuple(mine))
    decided = tuple(tuple(judge.properties[n] for n in judge.decides(state)) for state in numbers)
    judge.check()
    return Atlas(semantics, tuple(numbers), tuple(roads), decided, not left_out)


def _moves(semantics: Semantics, state: State) -> Iterator[tuple[Choice, str, State | None]]:
    """Every move with what it does and where it leads; None if a loop without bound has run too long."""
    for move in semantics.moves(state):
        try:
            after = semantics.perform(state, move)
        except UnboundedProgram:
            yield semantics.choice(move), "goes on in a loop without bound", None
        else:
            yield semantics.choice(move), semantics.step(state, move, after).does(), after
