"""N runs, one advisory lock, one shared label: the protocol of the incident with nothing but its steps.

A run takes the lock, works four times for itself, writes the base's label, (releases the lock,) works three times,
writes the head's label, works twice, and reads the label. Nothing is asked of it: the whole space is to be visited.
"""

from dstamp_sim import Mutex, Process, Program, Register, System, delay

lock = Mutex("lock")
label = Register("label", "none")


def run(keep: bool) -> Program[None]:
    yield lock.acquire()
    yield from work(4)
    yield label.write("base")
    if not keep:
        yield lock.release()
    yield from work(3)
    yield label.write("head")
    yield from work(2)
    yield label.read()
    if keep:
        yield lock.release()


def work(steps: int) -> Program[None]:
    for _ in range(steps):
        yield delay("work")


def build(n: int = 6, keep: bool = False) -> System:
    """`keep` holds the lock to the end instead of releasing it after the base's label."""
    return System(objects=[lock, label], processes=[Process("run", run, keep, copies=n)])
