"""What a lasso shows, a behaviour that comes back to a state and goes round from there: by the semantics alone.

Plain on purpose: whatever a search finds is judged here once more, step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from dstamp_sim.core.errors import ScheduleError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.system import Fairness


@dataclass(frozen=True)
class Lasso:
    """The states of a behaviour, with who moved between them; from state `loop` on it goes round for ever."""

    semantics: Semantics
    states: Sequence[State]
    movers: Sequence[int]
    loop: int

    @property
    def cycle(self) -> Sequence[State]:
        """The states that come again and again: one, if nobody moves any more."""
        return self.states[self.loop : -1] or self.states[-1:]

    def possible(self, pid: int) -> list[bool]:
        """By state of the cycle: whether a process could move there."""
        return [bool(self.semantics.outcomes(state, pid)) for state in self.cycle]

    def put_off(self) -> Iterator[int]:
        """The processes to which the cycle is unfair: a move that is owed to them is never made."""
        for pid, process in enumerate(self.semantics.processes):
            node = self.semantics.node(self.cycle[0], pid)
            if pid in self.movers[self.loop :] or node is None or node.op is None:
                continue
            if self._owed(process.fairness(node.op), self.possible(pid)):
                yield pid

    @staticmethod
    def _owed(fair: Fairness, possible: Sequence[bool]) -> bool:
        """Whether fairness owes a move to who never moves in a cycle where it is so possible."""
        if fair is Fairness.NONE:
            return False
        return any(possible) if fair is Fairness.STRONG else all(possible)

    def broken_since(self, judge: Judge, prop: Property) -> int | None:
        """The number of the state from which on a property in time waits in vain; None if the lasso does not break it.

        A lasso that is unfair breaks nothing.
        """
        if any(True for _ in self.put_off()):
            return None
        if prop.kind is PropertyKind.NOBODY_STARVES:
            return min((since for _, since in self.starving()), default=None)
        met = [judge.true_in(prop.goal, state) for state in self.states]
        after = len(met) - met[::-1].index(True) if True in met else 0
        if after > self.loop or (prop.owed_once and after > 0):
            return None
        if prop.start is None:
            return after
        begins = (n for n in range(after, len(met)) if judge.true_in(prop.start, self.states[n]))
        return next(begins, None)

    def starving(self) -> Iterator[tuple[int, int]]:
        """Who is blocked by a lock and never moves again, and the number of the state from which on."""
        for pid in range(len(self.semantics.processes)):
            node, last = self.semantics.node(self.states[-1], pid), self._last_move(pid)
            if node is None or last >= self.loop or node.op is None:
                continue
            if node.op.asks_lock:
                waits = (n for n in range(last + 1, len(self.states)) if not self._can_move(n, pid))
                yield from ((pid, since) for since in islice(waits, 1))

    def _last_move(self, pid: int) -> int:
        """The number of the last step of a process; -1 if it makes none."""
        return max((n for n, mover in enumerate(self.movers) if mover == pid), default=-1)

    def _can_move(self, number: int, pid: int) -> bool:
        return bool(self.semantics.outcomes(self.states[number], pid))


def check_led_back(first: State, last: State, schedule: Schedule) -> None:
    """Raises ScheduleError if the cycle of a schedule, from the state `first` to `last`, does not lead back."""
    if first != last:
        steps = f"from step {(schedule.loop or 0) + 1} to step {len(schedule)}"
        raise ScheduleError(f"the cycle {steps} does not lead back to where it began")


def lasso_of(semantics: Semantics, schedule: Schedule) -> Lasso:
    """The lasso that a schedule with a cycle makes; `semantics` must know local states by value.

    Raises ScheduleError if a choice is not possible, or if the cycle does not lead back.
    """
    assert schedule.loop is not None
    states, movers = [semantics.initial()], list[int]()
    for choice in schedule:
        move = semantics.move(states[-1], choice)
        states.append(semantics.perform(states[-1], move))
        movers.append(move.pid)
    check_led_back(states[schedule.loop], states[-1], schedule)
    return Lasso(semantics, states, movers, schedule.loop)
