"""A behaviour that leaves a trace at some step, and goes on by itself: what `what_if` performs."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from dstamp_sim.core.schedule import CRASH, Choice
from dstamp_sim.core.semantics import Move, State
from dstamp_sim.core.shared_object import Outcome
from dstamp_sim.core.trace import Step

if TYPE_CHECKING:
    from dstamp_sim.analyses.what_if import WhatIf

_AFTERMATH = 2_000
"""How many steps a changed behaviour may take, beyond those of the trace, to come to its end."""
_AHEAD = 300
"""How many states are looked at for an end where one process after the other comes to none."""


class ChangedRun:
    """A behaviour that branches off from a trace: its state, and the choices and the states from there on."""

    def __init__(self, what_if: WhatIf, number: int) -> None:
        self.of = what_if
        self.semantics = what_if.semantics
        self.state = what_if.states[number]
        self.choices = [step.choice for step in what_if.trace.steps[:number]]
        self.seen = [self.state]

    def do(self, pid: int, outcome: int) -> None:
        """Perform a move that is possible."""
        self._went(pid, outcome, self.semantics.perform(self.state, Move(pid, outcome)))

    def answered(self, pid: int, outcome: Outcome) -> None:
        """A process's op returns `outcome`, whether or not its object allows that."""
        possible = self.semantics.outcomes(self.state, pid)
        number = possible.index(outcome) if outcome in possible else 0
        self._went(pid, number, self.semantics.given(self.state, pid, outcome))

    def follow(self, step: Step) -> None:
        """The recorded choice where it is still the same op, else the process's first outcome; nothing if blocked."""
        pid = self.of.pid(step.process)
        if step.choice.outcome == CRASH:
            if self.semantics.may_die(self.state, pid):
                self.do(pid, CRASH)
            return
        node, count = self.semantics.node(self.state, pid), len(self.semantics.outcomes(self.state, pid))
        if count:
            same = node is not None and node.op == step.op and step.choice.outcome < count
            self.do(pid, step.choice.outcome if same else 0)

    def run_out(self, pid: int) -> None:
        """A process goes on until it has ended or is blocked, or polls."""
        seen = {self.state}
        while len(seen) <= _AFTERMATH and self.semantics.outcomes(self.state, pid):
            self.do(pid, 0)
            if self.state in seen:
                return
            seen.add(self.state)

    def finish(self, held: Collection[str]) -> bool:
        """Moves every process but the `held` to its end in turn, daemons when no other can; whether it is the end.

        Who polls, and so comes back to a state, lets the others go first from there on.
        """
        turns, seen = self._turns(held), {self.state}
        for _ in range(_AFTERMATH):
            if self.semantics.ended(self.state):
                break
            pid = next((pid for pid in turns if self.semantics.outcomes(self.state, pid)), None)
            if pid is None:
                break
            self.do(pid, 0)
            if self.state in seen:
                turns.remove(pid)
                turns.append(pid)
            seen.add(self.state)
        return self.semantics.ended(self.state)

    def _turns(self, held: Collection[str]) -> list[int]:
        trace = self.of.trace
        free = (pid for pid, name in enumerate(trace.processes) if name not in held)
        return sorted(free, key=lambda pid: trace.processes[pid] in trace.daemons)

    def search(self, held: Collection[str]) -> bool:
        """Moves whoever it takes, but the `held`, until all who must end have ended; nobody if no such way is found."""
        seen, open_ends = {self.state}, list[tuple[State, tuple[Move, ...]]]([(self.state, ())])
        while open_ends and len(seen) <= _AHEAD:
            state, way = open_ends.pop()
            if self.semantics.ended(state):
                for move in way:
                    self.do(*move)
                return True
            for move in self._moves(state, held):
                later = self.semantics.perform(state, move)
                self.of.left -= 1
                if later not in seen:
                    seen.add(later)
                    open_ends.append((later, (*way, move)))
        return False

    def _moves(self, state: State, held: Collection[str]) -> list[Move]:
        """What can be done without a death, daemons first."""
        alive = (move for move in self.semantics.moves(state) if move.outcome != CRASH)
        free = [move for move in alive if self.of.trace.processes[move.pid] not in held]
        return sorted(free, key=lambda move: not self.semantics.processes[move.pid].daemon)

    def _went(self, pid: int, outcome: int, state: State) -> None:
        self.of.left -= 1
        self.state = state
        self.choices.append(Choice(self.of.trace.processes[pid], outcome))
        self.seen.append(state)
