"""A flag that is set under the condition's lock: whoever looks before that is asleep before the notification."""

from dstamp_sim import Condition, Process, Program, Register, System

ready, condition = Register("ready", False), Condition("condition")


def wait() -> Program[None]:
    yield condition.acquire()
    while not (yield ready.read()):
        yield from condition.wait()
    yield condition.release()


def announce() -> Program[None]:
    yield condition.acquire()
    yield ready.write(True)
    yield condition.notify_all()
    yield condition.release()


def build(waiters: int = 1) -> System:
    return System(
        objects=[ready, condition],
        processes=[Process("waiter", wait, copies=waiters), Process("producer", announce)],
    )
