"""Small models in which somebody waits for ever while somebody else goes on; `stories.toml` has what is said."""

from pathlib import Path
from typing import Any, NamedTuple

from dstamp_sim import (
    Inside,
    Mutex,
    Op,
    Outcome,
    Process,
    Program,
    Register,
    SharedObject,
    System,
    always,
    delay,
    each_result,
)
from dstamp_sim.testing import system_of

CASES = Path(__file__).parents[1] / "cases"


def a_worker_is_waited_for(crashes: int = 1) -> System:
    """A worker that dies is waited for, while a heartbeat beats on."""
    return system_of(str(CASES / "hidden.py")).with_crashes(crashes)


def a_flag_is_left_behind(crashes: int = 1) -> System:
    """A flag file is left behind by a dead run; the next run polls for ever."""
    return system_of(str(CASES / "c1_stuck.py")).with_crashes(crashes)


def nobody_ever_finishes() -> System:
    """A user waits for what nobody writes, and takes a lock that it has, while a heartbeat beats on."""
    done, beat, lock = Register("done", False), Register("beat", 0), Mutex("lock")

    def user() -> Program[None]:
        yield done.wait_for(True)

    def careless() -> Program[None]:
        yield lock.acquire()
        yield lock.acquire()

    def heartbeat() -> Program[None]:
        yield beat.write(1)
        yield beat.write(0)

    daemon = Process("heartbeat", heartbeat, daemon=True)
    return System(objects=[done, beat, lock], processes=[Process("user", user), Process("careless", careless), daemon])


def wrong_from_the_start() -> System:
    """An object and a result are bad before anything is done."""
    stock = Register("stock", -1)

    def idle() -> Program[str]:
        return "bad"
        yield

    return System(
        objects=[stock],
        processes=[Process("idle", idle)],
        properties=[
            always("never below none", lambda state: state[stock] >= 0, reads=[stock]),
            each_result("all is good", lambda result: result != "bad"),
        ],
    )


class Message(NamedTuple):
    """A message in a queue: whether it can be received, its last receipt, and whether it is deleted."""

    visible: bool = True
    receipt: int = 0
    gone: bool = False


class Redelivery(SharedObject):
    """A queue with one message, hidden for a while and delivered again without bound; receipts are 1, 2, 3, 1, ..."""

    def outcomes(self, state: Message, op: Op) -> tuple[Outcome, ...]:
        """`receive`, `delete` with a receipt, `reappear`."""
        match op.verb, op.args:
            case "receive", () if state.visible and not state.gone:
                receipt = state.receipt % 3 + 1
                return (Outcome(Message(visible=False, receipt=receipt), receipt),)
            case "delete", (int(receipt),):
                mine = receipt == state.receipt
                return (Outcome(state._replace(gone=True) if mine else state, mine),)
            case "reappear", () if not state.visible and not state.gone:
                return (Outcome(state._replace(visible=True)),)
        return ()


def a_lease_outlives_its_holder(crashes: int = 1) -> System:
    """Two workers take a message under a lease that nothing takes back from the dead."""
    queue, lease = Redelivery("queue", Message()), Register("lease", "free")
    stack, status = Inside("deploys at work"), Register("status", "queued")

    def worker() -> Program[Any]:
        receipt = yield queue.op("receive")
        if not (yield lease.compare_and_set("free", "taken")):
            return "left alone"
        yield stack.enter()
        yield delay("deploy")
        yield stack.leave()
        yield status.write("finished")
        yield lease.write("free")
        return (yield queue.op("delete", receipt))

    def clock() -> Program[None]:
        yield delay("visibility timeout")
        yield queue.op("reappear")

    def user() -> Program[None]:
        yield status.wait_for("finished")

    workers = [Process(f"worker-{n}", worker, daemon=True, killable=True) for n in (1, 2)]
    return System(
        objects=[queue, lease, stack, status],
        processes=[*workers, Process("visibility", clock, daemon=True), Process("user", user, killable=False)],
        properties=[always("no deploy over another", lambda state: state[stack] <= 1, reads=[stack])],
        crashes=crashes,
    )
