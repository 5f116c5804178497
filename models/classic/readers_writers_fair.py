"""Readers and a writer in one queue: nobody overtakes who came before, so the writer gets in.

The head of the queue goes in as soon as the room allows it; the room empties, as nobody behind the writer can enter.
"""

from typing import NamedTuple

from dstamp_sim import Op, Outcome, Process, Program, SharedObject, System, always, eventually


class Inside(NamedTuple):
    """Who is inside, and who waits, the first one first."""

    readers: int
    writing: bool
    queue: tuple[str, ...]


class Room(SharedObject):
    """Several may read at a time; who writes is alone; all come in by their turn in the queue."""

    def ask(self, who: str) -> Op:
        return self.op("ask", who)

    def enter(self, who: str) -> Op:
        return self.op("enter", who)

    def leave(self) -> Op:
        return self.op("leave")

    def write(self, who: str) -> Op:
        return self.op("write", who)

    def written(self) -> Op:
        return self.op("written")

    def outcomes(self, state: Inside, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "ask":
                return (Outcome(state._replace(queue=(*state.queue, *op.args))),)
            case "enter" if state.queue[:1] == op.args and not state.writing:
                return (Outcome(state._replace(readers=state.readers + 1, queue=state.queue[1:])),)
            case "write" if state.queue[:1] == op.args and not state.writing and not state.readers:
                return (Outcome(state._replace(writing=True, queue=state.queue[1:])),)
            case "enter" | "write":
                return ()
            case "leave":
                return (Outcome(state._replace(readers=state.readers - 1)),)
            case "written":
                return (Outcome(state._replace(writing=False)),)
        raise self.unknown_verb(op)


room = Room("room", Inside(0, writing=False, queue=()))


def read(who: str) -> Program[None]:
    yield room.ask(who)
    yield room.enter(who)
    yield room.leave()


def write(who: str) -> Program[None]:
    yield room.ask(who)
    yield room.write(who)
    yield room.written()


def build(readers: int = 2) -> System:
    return System(
        objects=[room],
        processes=[
            Process("writer", write, "writer"),
            *(Process(f"reader {n}", read, f"reader {n}", daemon=True) for n in range(1, readers + 1)),
        ],
        properties=[
            always("a writer is alone", lambda state: not (state[room].writing and state[room].readers), reads=[room]),
            eventually("the writer gets in", lambda state: state[room].writing, reads=[room]),
        ],
    )
