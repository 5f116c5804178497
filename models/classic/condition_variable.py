"""A flag that is set without the condition's lock: its notification comes between the look and the sleep, and is lost.

The lost wake-up of every manual of threads: POSIX lets a thread notify without the lock, but what the other one looks
at must change under it. Nobody comes to wake the sleeper again.
"""

from dstamp_sim import Condition, Process, Program, Register, System

ready, condition = Register("ready", False), Condition("condition")


def wait() -> Program[None]:
    yield condition.acquire()
    while not (yield ready.read()):
        yield from condition.wait()
    yield condition.release()


def announce() -> Program[None]:
    yield ready.write(True)
    yield condition.notify_all()


def build(waiters: int = 1) -> System:
    return System(
        objects=[ready, condition],
        processes=[Process("waiter", wait, copies=waiters), Process("producer", announce)],
    )
