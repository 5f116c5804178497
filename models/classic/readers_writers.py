"""Readers who need not wait for each other: as long as one is always inside, the writer waits for ever.

Courtois, Heymans and Parnas, "Concurrent control with readers and writers" (1971), first problem. Nothing deadlocks and
the end stays possible; but no fairness helps the writer, as the room need never be empty.
"""

from typing import NamedTuple

from dstamp_sim import Op, Outcome, Process, Program, SharedObject, System, always, eventually


class Inside(NamedTuple):
    """Who is inside: how many readers, and whether a writer is."""

    readers: int
    writing: bool


class Room(SharedObject):
    """Several may read at a time; who writes is alone."""

    def enter(self) -> Op:
        return self.op("enter")

    def leave(self) -> Op:
        return self.op("leave")

    def write(self) -> Op:
        return self.op("write")

    def written(self) -> Op:
        return self.op("written")

    def outcomes(self, state: Inside, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "enter":
                return () if state.writing else (Outcome(state._replace(readers=state.readers + 1)),)
            case "leave":
                return (Outcome(state._replace(readers=state.readers - 1)),)
            case "write":
                return () if state.writing or state.readers else (Outcome(state._replace(writing=True)),)
            case "written":
                return (Outcome(state._replace(writing=False)),)
        raise self.unknown_verb(op)


room = Room("room", Inside(0, writing=False))


def read() -> Program[None]:
    yield room.enter()
    yield room.leave()


def write() -> Program[None]:
    yield room.write()
    yield room.written()


def build(readers: int = 2) -> System:
    return System(
        objects=[room],
        processes=[
            Process("writer", write),
            Process("reader", read, copies=readers, daemon=True),
        ],
        properties=[
            always("a writer is alone", lambda state: not (state[room].writing and state[room].readers), reads=[room]),
            eventually("the writer gets in", lambda state: state[room].writing, reads=[room]),
        ],
    )
