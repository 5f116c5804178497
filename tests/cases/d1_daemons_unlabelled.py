"""Deploys come from a queue that hides a message for a while: when that time is over, another worker gets it too."""

from typing import Literal, NamedTuple

from dstamp_sim import (
    Op,
    Outcome,
    Process,
    Program,
    Register,
    SharedObject,
    System,
    always,
    delay,
    section,
)


class Message(NamedTuple):
    visible: bool = True
    receipt: int = 0
    gone: bool = False


class Queue(SharedObject):
    """A queue with one message: received at least once, hidden for a while, gone when its last receiver says so."""

    def receive(self) -> Op:
        return self.op("receive")

    def delete(self, receipt: int) -> Op:
        return self.op("delete", receipt)

    def reappear(self) -> Op:
        return self.op("reappear")

    def outcomes(self, state: Message, op: Op) -> tuple[Outcome, ...]:
        match op.verb, op.args:
            case "receive", ():
                if not state.visible or state.gone or state.receipt == 3:
                    return ()
                return (Outcome(Message(False, state.receipt + 1), state.receipt + 1),)
            case "delete", (int(receipt),):
                mine = receipt == state.receipt
                return (Outcome(state._replace(gone=True) if mine else state, mine),)
            case "reappear", ():
                return () if state.visible or state.gone else (Outcome(state._replace(visible=True)),)
        raise self.unknown_verb(op)


class Inside(SharedObject):
    """How many are at work at once; who dies is no longer at work."""

    def enter(self) -> Op:
        return self.op("enter")

    def leave(self) -> Op:
        return self.op("leave")

    def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
        if op.verb == "enter":
            return (Outcome(state + 1, takes="in"),)
        return (Outcome(state - 1, drops="in"),)

    def on_death(self, state: int, token) -> int:
        return state - 1


queue = Queue("queue", Message())
stack = Inside("deploys at work", 0)
lease = Register("lease", "free")
status = Register("status", "queued")


def worker(fix: str) -> Program[str]:
    receipt = yield queue.receive()
    if fix != "none":
        if not (yield lease.compare_and_set("free", "taken")):
            return "redelivered: left alone"
    yield from section("up", up())
    yield delay("deploy")
    yield from section("done", done())
    if fix != "none":
        yield lease.write("free")
    yield queue.delete(receipt)
    return "deployed"


def up() -> Program[None]:
    yield stack.enter()


def done() -> Program[None]:
    yield stack.leave()
    yield status.write("finished")


def clock() -> Program[None]:
    yield delay("visibility timeout")
    yield queue.reappear()


def user() -> Program[None]:
    yield status.wait_for("finished")


def build(workers: int = 2, fix: Literal["none", "lease"] = "none") -> System:
    return System(
        objects=[queue, stack, lease, status],
        processes=[
            *(Process(f"worker-{n}", worker, fix, daemon=True, killable=True) for n in range(1, workers + 1)),
            Process("visibility", clock, daemon=True),
            Process("user", user, killable=False),
        ],
        properties=[
            always("no deploy over another", lambda state: state[stack] <= 1, reads=[stack]),
        ],
        sections=["up", "done"],
    )
