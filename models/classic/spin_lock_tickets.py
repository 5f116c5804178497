"""A spin lock with tickets: who comes draws a number, and the numbers are served in turn, so each gets its turn.

Numbers are counted round the number of those who may wait: as many tickets as processes are enough.
"""

from typing import NamedTuple

from dstamp_sim import Inside, Op, Outcome, Process, Program, SharedObject, System, always, eventually


class Numbers(NamedTuple):
    """The next number to draw, and the one that is served."""

    next: int
    served: int


class Tickets(SharedObject):
    """Tickets from 0 to `most` - 1, and round again."""

    def __init__(self, name: str, most: int) -> None:
        super().__init__(name, Numbers(0, 0))
        self.most = most

    def draw(self) -> Op:
        return self.op("draw")

    def served(self) -> Op:
        return self.op("served")

    def serve_next(self) -> Op:
        return self.op("serve_next")

    def outcomes(self, state: Numbers, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "draw":
                return (Outcome(state._replace(next=(state.next + 1) % self.most), state.next),)
            case "served":
                return (Outcome(state, state.served),)
            case "serve_next":
                return (Outcome(state._replace(served=(state.served + 1) % self.most)),)
        raise self.unknown_verb(op)


inside = Inside("inside")


def work(tickets: Tickets) -> Program[None]:
    mine = yield tickets.draw()
    while (yield tickets.served()) != mine:
        pass
    yield inside.enter()
    yield inside.leave()
    yield tickets.serve_next()


def build(busy: int = 1) -> System:
    tickets = Tickets("tickets", busy + 1)
    return System(
        objects=[tickets, inside],
        processes=[
            Process("patient", work, tickets),
            Process("busy", work, tickets, copies=busy, daemon=True),
        ],
        properties=[
            always("one at a time", lambda state: state[inside] <= 1, reads=[inside]),
            eventually("the patient one is done", lambda results: "patient" in results),
        ],
    )
