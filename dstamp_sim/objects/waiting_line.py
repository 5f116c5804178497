"""First come, first served: a line in front of something that serves whoever asks."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import count
from typing import Any

from dstamp_sim.core.op import Op, Program
from dstamp_sim.core.shared_object import Outcome, SharedObject


class WaitingLine(SharedObject):
    """A line of waiters. Its state is their tickets, the first one first.

    Locks serve any process that asks. Where all ask through one line (`yield from line.take(lock.acquire())`), nobody
    overtakes; who asks the lock itself barges in. With readers and a writer it makes a fair `RWLock`. Who ends or dies
    in the line has left it. A ticket is the smallest number that nobody in the line has.
    """

    is_line = True

    def __init__(self, name: str) -> None:
        super().__init__(name, ())

    def line_up(self) -> Op:
        """This process is the last one in the line; returns its ticket."""
        return self.op("line_up")

    def wait_turn(self, ticket: int) -> Op:
        """Blocks until the ticket is the first one; returns None."""
        return self.op("wait_turn", ticket)

    def leave(self, ticket: int) -> Op:
        """This process is no longer in the line; returns None."""
        return self.op("leave", ticket)

    def take(self, op: Op) -> Program[Any]:
        """Lines up, performs `op` when it is this process's turn, and leaves; returns what `op` returned."""
        ticket = yield self.line_up()
        yield self.wait_turn(ticket)
        result = yield op
        yield self.leave(ticket)
        return result

    def outcomes(self, state: tuple[int, ...], op: Op) -> tuple[Outcome, ...]:
        """Deterministic; only `wait_turn` blocks."""
        match op.verb, op.args:
            case "line_up", ():
                ticket = unused(state)
                return (Outcome((*state, ticket), ticket, takes=ticket),)
            case "wait_turn", (int(ticket),):
                return (Outcome(state),) if state[:1] == (ticket,) else ()
            case "leave", (int(ticket),):
                return (Outcome(without(state, ticket), drops=ticket),)
        raise self.unknown_verb(op)

    def on_death(self, state: tuple[int, ...], token: Hashable) -> tuple[int, ...]:
        """The dead wait no more."""
        return without(state, token)

    def at_exit(self, token: Any) -> Op:
        """A process that ends waits no more."""
        return self.leave(token)


def unused(*tickets: tuple[int, ...]) -> int:
    """The smallest number from 0 on that is in none of the tuples."""
    return next(number for number in count() if not any(number in some for some in tickets))


def without(tickets: tuple[int, ...], gone: Hashable) -> tuple[int, ...]:
    """The other tickets, in the same order."""
    return tuple(ticket for ticket in tickets if ticket != gone)
