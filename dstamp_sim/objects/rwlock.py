"""A lock of readers and writers."""

from __future__ import annotations

from typing import Literal, NamedTuple

from dstamp_sim.core.op import Op, Program
from dstamp_sim.core.shared_object import Outcome, SharedObject


class Admitted(NamedTuple):
    """The state of a lock of readers and writers: who is inside, and how many writers have said that they wait."""

    readers: int = 0
    writing: bool = False
    wanted: int = 0


class RWLock(SharedObject):
    """Several may read at a time; who writes is alone. It is left as it is when a holder dies or ends, as in memory.

    How writers ask says who is preferred. `acquire_write` alone prefers readers: a writer gets in when no reader is
    inside, however many came after it. `acquire_write_first` prefers writers: no reader gets in while one waits. In
    front of either, a `WaitingLine` is fair. A reader who asks to write waits for itself.
    """

    is_lock = True

    def __init__(self, name: str, *, private: bool = False) -> None:
        super().__init__(name, Admitted(), private=private)

    def acquire_read(self) -> Op:
        """Blocks while a writer is inside or has said that it waits, then holds the lock to read; returns "read"."""
        return self.op("acquire_read")

    def acquire_write(self) -> Op:
        """Blocks until nobody is inside, then holds the lock to write; returns "write"."""
        return self.op("acquire_write")

    def want_write(self) -> Op:
        """Says that a writer waits, until an `acquire_wanted`; returns None."""
        return self.op("want_write")

    def acquire_wanted(self) -> Op:
        """As `acquire_write`, and one writer less waits."""
        return self.op("acquire_wanted")

    def acquire_write_first(self) -> Program[str]:
        """Says that a writer waits, and acquires to write as soon as those inside have left; returns "write"."""
        yield self.want_write()
        held: str = yield self.acquire_wanted()
        return held

    def release(self, held: Literal["read", "write"]) -> Op:
        """Lets go of what this process holds; returns None."""
        return self.op("release", held)

    def outcomes(self, state: Admitted, op: Op) -> tuple[Outcome, ...]:
        """Deterministic; the three that acquire block."""
        match op.verb, op.args:
            case "acquire_read", ():
                inside = state._replace(readers=state.readers + 1)
                return () if state.writing or state.wanted else (Outcome(inside, "read", takes="read"),)
            case ("acquire_write" | "acquire_wanted") as verb, ():
                wanted = state.wanted - (verb == "acquire_wanted")
                free = not state.writing and not state.readers
                return (Outcome(Admitted(0, True, wanted), "write", takes="write"),) if free else ()
            case "want_write", ():
                return (Outcome(state._replace(wanted=state.wanted + 1)),)
            case "release", ("read",):
                return (Outcome(state._replace(readers=state.readers - 1), drops="read"),)
            case "release", ("write",):
                return (Outcome(state._replace(writing=False), drops="write"),)
        raise self.unknown_verb(op)
