"""Clerks post slips on a board and take as many down; the board is a user's own object, so Python fills all tables."""

from __future__ import annotations

from collections.abc import Mapping

from dstamp_sim import Op, Outcome, Process, Program, SharedObject, System, at_end


class Board(SharedObject):
    """The slips on it, in the order in which they were posted; whoever takes one takes any."""

    def post(self, slip: int) -> Op:
        return self.op("post", slip)

    def take(self) -> Op:
        return self.op("take")

    def outcomes(self, state: tuple[int, ...], op: Op) -> tuple[Outcome, ...]:
        if op.verb == "post":
            return (Outcome((*state, *op.args)),)
        return tuple(Outcome(state[:i] + state[i + 1 :], slip) for i, slip in enumerate(state))


board = Board("board", ())


def clerk(first: int, slips: int) -> Program[tuple[int, ...]]:
    for number in range(slips):
        yield board.post(first + number)
    taken: tuple[int, ...] = ()
    for _ in range(slips):
        taken = (*taken, (yield board.take()))
    return tuple(sorted(taken))


def taken_once(results: Mapping[str, tuple[int, ...]]) -> bool:
    slips = [slip for taken in results.values() for slip in taken]
    return len(slips) == len(set(slips))


def build(clerks: int = 3, slips: int = 2) -> System:
    return System(
        objects=[board],
        processes=[Process(f"clerk {i}", clerk, 10 * i, slips) for i in range(clerks)],
        properties=[at_end("each slip once", taken_once)],
    )
