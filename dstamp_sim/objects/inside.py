"""Who is in a stretch of the program: a number that deaths lower too."""

from __future__ import annotations

from collections.abc import Hashable

from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome, SharedObject


class Inside(SharedObject):
    """How many processes are inside right now: what "one at a time" asks. Its state is that number.

    It watches and keeps nobody out: nothing blocks, and it is not a lock. A process that dies or ends inside is no
    longer inside, which a `Counter` does not notice. Entering twice counts twice; leaving without having entered is the
    model's error.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, 0)

    def enter(self) -> Op:
        """One more is inside, until this process leaves, ends or dies; returns None."""
        return self.op("enter")

    def leave(self) -> Op:
        """This process is inside no longer; returns None."""
        return self.op("leave")

    def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
        """Deterministic; nothing blocks."""
        match op.verb:
            case "enter":
                return (Outcome(state + 1, takes=True),)
            case "leave":
                return (Outcome(state - 1, drops=True),)
        raise self.unknown_verb(op)

    def on_death(self, state: int, token: Hashable) -> int:
        """The dead are not inside."""
        return state - 1

    def at_exit(self, token: Hashable) -> Op:
        """A process that ends is not inside."""
        return self.leave()
