"""An order of overlapping ops in which the model explains every result (Herlihy and Wing 1990; search: Lowe 2017).

Each op took effect at one instant between its beginning and its end, if the real parts are what the model says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dstamp_sim.core.op import Op
from dstamp_sim.core.semantics import Move, Semantics, State
from dstamp_sim.core.value import text


class TimedOp(NamedTuple):
    """One op of a process with its result, and when it began and ended; `op` is None for the process's end."""

    process: str
    op: Op | None
    result: Any
    began_s: float
    ended_s: float


def linearise(semantics: Semantics, events: Sequence[TimedOp]) -> list[tuple[Move, float]] | None:
    """Moves with their instants, in an order that respects real time and returns every result; None if there is none.

    Ops that had not ended are not events; nobody must have seen their effects. Cost: exponential in the number of
    ops that overlap, at most; states tried in vain are remembered.
    """
    return _Linearisation(semantics, events).run()


class _Linearisation:
    def __init__(self, semantics: Semantics, events: Sequence[TimedOp]) -> None:
        self.semantics = semantics
        self.lives = [[event for event in events if event.process == name] for name in semantics.names]
        self.seen: set[tuple[tuple[int, ...], State]] = set()

    def run(self) -> list[tuple[Move, float]] | None:
        """Depth first, by a stack of what can come next after each prefix."""
        path: list[tuple[Move, float]] = []
        branches = [self._next(self.semantics.initial(), (0,) * len(self.lives), 0.0)]
        while branches:
            found = next(branches[-1], None)
            if found is None:
                branches.pop()
                if path:
                    path.pop()
                continue
            state, move, at, time_s = found
            after = self.semantics.perform(state, move)
            at = self._past_ends(after, at)
            if (at, after) in self.seen:
                continue
            self.seen.add((at, after))
            path.append((move, time_s))
            if all(place == len(life) for place, life in zip(at, self.lives, strict=True)):
                return path
            branches.append(self._next(after, at, time_s))
        return None

    def _past_ends(self, state: State, at: tuple[int, ...]) -> tuple[int, ...]:
        """`at`, past the ends of processes that have ended in the model too."""
        return tuple(place + self._at_end(state, pid, place) for pid, place in enumerate(at))

    def _at_end(self, state: State, pid: int, place: int) -> bool:
        node = self.semantics.node(state, pid)
        life = self.lives[pid]
        return place < len(life) and life[place].op is None and (node is None or node.ended)

    def _next(
        self, state: State, at: tuple[int, ...], now_s: float
    ) -> Iterator[tuple[State, Move, tuple[int, ...], float]]:
        """The candidates for the next place: ops that did not begin after the end of another remaining one."""
        heads = [
            (pid, life[place])
            for pid, (place, life) in enumerate(zip(at, self.lives, strict=True))
            if place < len(life)
        ]
        latest = min((event.ended_s for _, event in heads), default=0.0)
        for pid, event in sorted(heads, key=lambda head: head[1].ended_s):
            if event.began_s <= latest:
                for k in self._explained(state, pid, event):
                    # Ending releases one thing after the other: the end stays until the process has ended.
                    there = at if event.op is None else (*at[:pid], at[pid] + 1, *at[pid + 1 :])
                    yield state, Move(pid, k), there, max(now_s, event.began_s)

    def _explained(self, state: State, pid: int, event: TimedOp) -> Iterator[int]:
        """The outcomes of the model's op with the event's result."""
        node = self.semantics.node(state, pid)
        if node is None or node.op is None or (node.returned if event.op is not None else not node.returned):
            return
        if event.op is not None and event.op != node.op:
            return
        for k, outcome in enumerate(self.semantics.outcomes(state, pid)):
            if event.op is None or (outcome.result == event.result and text(outcome.result) == text(event.result)):
                yield k
