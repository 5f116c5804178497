"""A counting semaphore: a pool of permits."""

from __future__ import annotations

from collections.abc import Hashable

from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.typed import expect, is_number


class Semaphore(SharedObject):
    """A pool of permits: whoever finds none waits. Its state is how many are free.

    Any waiter may be next; in a `WaitingLine` the first one is. With `undo=True` a process that ends or dies gives back
    what it holds (as SEM_UNDO of semop does, or a server that closes connections); without, that is lost, as in memory.
    `post` adds a permit that this process does not hold, as a double release does. More than `most` (as many as at
    first, at least one, unless given) are never free. It is not called a lock, and its number has a lane.
    """

    def __init__(
        self, name: str, permits: int, *, most: int | None = None, undo: bool = False, private: bool = False
    ) -> None:
        who = f"Semaphore {name!r}"
        expect(is_number(permits) and permits >= 0, who, "permits", permits, "a number from 0 on")
        least = max(permits, 1)
        expect(most is None or (is_number(most) and most >= least), who, "most", most, f"a number from {least} on")
        super().__init__(name, permits, private=private)
        self.most = least if most is None else most
        self.undo = undo

    def acquire(self) -> Op:
        """Blocks until a permit is free, then holds it; returns True."""
        return self.op("acquire")

    def try_acquire(self) -> Op:
        """Holds a permit if one is free; returns True or None, and never blocks."""
        return self.op("try_acquire")

    def release(self, token: Hashable = True) -> Op:
        """Frees a permit that this process holds; returns whether there is one more, or `most` were free already."""
        return self.op("release", token)

    def post(self) -> Op:
        """Adds a permit, whoever holds the others; returns False if `most` are free already."""
        return self.op("post")

    def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
        """Deterministic; only `acquire` blocks."""
        match op.verb:
            case "acquire" | "try_acquire" if state:
                return (Outcome(state - 1, True, takes=True),)
            case "acquire":
                return ()
            case "try_acquire":
                return (Outcome(state, None),)
            case "release" | "post" as verb:
                more = state < self.most
                return (Outcome(state + more, more, drops=True if verb == "release" else None),)
        raise self.unknown_verb(op)

    def on_death(self, state: int, token: Hashable) -> int:
        """The permit is free again, or lost."""
        return min(state + self.undo, self.most)

    def at_exit(self, token: Hashable) -> Op | None:
        """Ending gives a permit back, or loses it."""
        return self.release() if self.undo else None
