"""Peterson's lock with its first two lines swapped: the turn is handed over before the wish is stated, and both enter.

A process that hands over the turn and is then overtaken comes back to find the turn its own. Assumptions: memory is
sequentially consistent, a write of one word is atomic, and the wait is one op that reads the other's wish and the turn
at once.
"""

from typing import NamedTuple

from dstamp_sim import Inside, Op, Outcome, Process, Program, SharedObject, System, always, delay


class Words(NamedTuple):
    wants_0: bool = False
    wants_1: bool = False
    turn: int = 0


class Memory(SharedObject):
    """Three words: who wants to enter, and whose turn it is."""

    def want(self, me: int, wanted: bool) -> Op:
        return self.op("want", me, wanted)

    def give_turn(self, to: int) -> Op:
        return self.op("give_turn", to)

    def wait_to_enter(self, me: int) -> Op:
        return self.op("wait_to_enter", me)

    def outcomes(self, state: Words, op: Op) -> tuple[Outcome, ...]:
        match op.verb, op.args:
            case "want", (int(me), bool(wanted)):
                return (Outcome(state._replace(**{f"wants_{me}": wanted})),)
            case "give_turn", (int(to),):
                return (Outcome(state._replace(turn=to)),)
            case "wait_to_enter", (int(me),):
                other_wants = state[1 - me]
                return (Outcome(state),) if not other_wants or state.turn == me else ()
        raise self.unknown_verb(op)


memory = Memory("memory", Words())
inside = Inside("inside")


def visit(me: int) -> Program[None]:
    yield memory.give_turn(1 - me)
    yield memory.want(me, True)
    yield memory.wait_to_enter(me)
    yield inside.enter()
    yield delay("work")
    yield inside.leave()
    yield memory.want(me, False)


def build() -> System:
    return System(
        objects=[memory, inside],
        processes=[Process("zero", visit, 0), Process("one", visit, 1)],
        properties=[always("mutual exclusion", lambda state: state[inside] <= 1, reads=[inside])],
    )
