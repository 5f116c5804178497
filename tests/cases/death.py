"""A counter of those inside, and a death."""

from dstamp_sim import Copies, Counter, Flock, Process, Program, System, always

lock = Flock("/run/x.lock")
inside = Counter("inside")


def work() -> Program[None]:
    held = yield lock.acquire()
    yield inside.add(1)
    yield inside.add(-1)
    yield lock.release(held)


def build(n: Copies = 2) -> System:
    return System(
        objects=[lock, inside],
        processes=[Process("p", work, copies=n)],
        properties=[always("one at a time", lambda s: s[inside] <= 1, reads=[inside])],
    )
