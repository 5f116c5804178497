"""What can still come after a state: whether its end is possible, found by performing what follows, within a bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dstamp_sim.core.errors import UnboundedProgram
from dstamp_sim.core.schedule import CRASH
from dstamp_sim.core.semantics import Semantics, State

MOST_AHEAD = 30_000
"""How many states after those asked about are performed in all; what then is not known stays open."""


class Ahead:
    """Whether the end is still possible, state by state; answers are remembered. Deterministic."""

    def __init__(self, semantics: Semantics, most: int = MOST_AHEAD) -> None:
        self._semantics, self._left = semantics, most
        self._ending: set[State] = set()
        self._traps: set[State] = set()

    def is_trap(self, state: State) -> bool | None:
        """Whether nothing that can follow lets all who must end, end; None where a bound leaves that open.

        Depth first, daemons last, until an end: then all states on the way there have one. Where the search comes to
        none, it has seen all that can follow, and each of these states is a trap.
        """
        try:
            return self._searched(state)
        except UnboundedProgram:
            return None

    def _searched(self, state: State) -> bool | None:
        if self._may_end(state):
            return False
        way, seen = [(state, self._after(state))], {state}
        while way and state not in self._traps:
            onward = next((after for after in way[-1][1] if after not in seen and after not in self._traps), None)
            if onward is None:
                way.pop()
            elif self._may_end(onward):
                self._ending.update(on_the_way for on_the_way, _ in way)
                return False
            elif self._left <= 0:
                return None
            else:
                self._left -= 1
                seen.add(onward)
                way.append((onward, self._after(onward)))
        self._traps |= seen
        return True

    def first_trap(self, path: Sequence[State]) -> int | None:
        """The number of the first trap on a path of states; its length where there is none, None where it is not known.

        The last state is asked first, as nothing leads out of traps: where the end is possible there, it was so before.
        """
        number, trapped = len(path), self.is_trap(path[-1])
        while trapped and number > 0:
            number -= 1
            trapped = number > 0 and self.is_trap(path[number - 1])
        return None if trapped is None else number

    def _may_end(self, state: State) -> bool:
        """Whether the end is known to be possible."""
        return state in self._ending or self._semantics.ended(state)

    def _after(self, state: State) -> Iterator[State]:
        """The states after each move: those of processes that must end first, then the daemons', then the deaths."""
        daemons = [process.daemon for process in self._semantics.processes]
        moves = sorted(self._semantics.moves(state), key=lambda move: (move.outcome == CRASH, daemons[move.pid]))
        return (self._semantics.perform(state, move) for move in moves)
