"""A schedule near one that is no longer possible: the same ops by the same processes, with steps added or left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property
from dstamp_sim.core.schedule import CRASH, Choice, Schedule
from dstamp_sim.core.semantics import Move, Semantics
from dstamp_sim.core.system import System

MOST_PUT_IN = 6
"""How many steps of one process may be inserted before its next op."""

MOST_AFTER = 5_000
"""How many steps bring the remaining processes to their ends."""


@dataclass(frozen=True)
class Wanted:
    """A step to perform again: the choice, and the op with its result, as a trace writes it."""

    choice: Choice
    does: str


def nearby(system: System, prop: Property, steps: Sequence[Wanted]) -> Schedule | None:
    """A schedule near `steps` after which a state decides `prop`; None if this attempt finds none, which is no proof.

    Each process is brought to the op that it performed, if that is at most `MOST_PUT_IN` steps away; else it performs
    its present op instead, or nothing if it cannot move. Then all go on to their ends. Names that the system does not
    have stand for the ones that `steps` do not have, in their order. Deterministic; what it returns replays strictly.
    """
    walk = _Walk(Semantics(system), prop)
    names = _renamed(walk.semantics.names, steps)
    decided = walk.decided() or any(
        walk.perform(walk.towards(names[wanted.choice.process], wanted))
        for wanted in steps
        if wanted.choice.process in names
    )
    return Schedule(tuple(walk.performed), start=walk.semantics.start) if decided or walk.to_the_end() else None


def _renamed(names: Sequence[str], steps: Sequence[Wanted]) -> Mapping[str, int]:
    """By name in `steps`: the number of the process that it stands for."""
    asked = dict.fromkeys(wanted.choice.process for wanted in steps)
    free = [name for name in names if name not in asked]
    stand_in = dict(zip([name for name in asked if name not in names], free, strict=False))
    return {name: names.index(stand_in.get(name, name)) for name in asked if stand_in.get(name, name) in names}


@dataclass
class _Walk:
    """Where a schedule has led so far, and whether some state on the way decided the property."""

    semantics: Semantics
    prop: Property
    performed: list[Choice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = self.semantics.initial()
        self._judge = Judge(self.semantics, [self.prop])

    def decided(self) -> bool:
        """Whether the present state decides the property."""
        return any(True for _ in self._judge.decides(self.state))

    def perform(self, moves: Sequence[Move]) -> bool:
        """Performs the moves until a state decides; returns whether one did."""
        for move in moves:
            self.performed.append(self.semantics.choice(move))
            self.state = self.semantics.perform(self.state, move)
            if self.decided():
                return True
        return False

    def towards(self, pid: int, wanted: Wanted) -> Sequence[Move]:
        """The moves by which a process reaches the wanted op, or its substitute."""
        if wanted.choice.outcome == CRASH:
            return [Move(pid, CRASH)] if self.semantics.may_die(self.state, pid) else []
        moves = list(self._alone(pid, wanted.choice.outcome))
        does = [does for does, _ in moves]
        if wanted.does in does:
            return [move for _, move in moves[: does.index(wanted.does) + 1]]
        op = _op_of(wanted.does)
        near = next((number for number, known in enumerate(does) if _op_of(known) == op), 0)
        return [move for _, move in moves[: near + 1]]

    def _alone(self, pid: int, outcome: int) -> Iterator[tuple[str, Move]]:
        """The next moves of one process, each with what it does, while nobody else moves."""
        state = self.state
        for _ in range(MOST_PUT_IN + 1):
            possible = len(self.semantics.outcomes(state, pid))
            if not possible:
                return
            move = Move(pid, min(outcome, possible - 1))
            after = self.semantics.perform(state, move)
            yield self.semantics.step(state, move, after).does(), move
            state = after

    def to_the_end(self) -> bool:
        """Moves any process that can move, first come first served, until none can; returns whether a state decided."""
        for _ in range(MOST_AFTER):
            move = next(self._possible(), None)
            if move is None:
                return False
            if self.perform([move]):
                return True
        return False

    def _possible(self) -> Iterator[Move]:
        """The first moves of those who must end, then those of daemons."""
        processes = self.semantics.processes
        for pid in sorted(range(len(processes)), key=lambda pid: processes[pid].daemon):
            if self.semantics.outcomes(self.state, pid):
                yield Move(pid, 0)


def _op_of(does: str) -> str:
    """The op in what a step does, without its result and label."""
    return does.partition(" -> ")[0].partition(" [")[0]
