"""A counter that two add to, with no property."""

from dstamp_sim import Copies, LockScope, Process, Register, System, section

count = Register("count", 0)


def look():
    return (yield count.read())


def put(seen):
    yield count.write(seen + 1)


def add():
    seen = yield from section("look", look())
    yield from section("put", put(seen))


def build(adders: Copies = 2) -> System:
    return System(
        objects=[count],
        processes=[Process("adder", add, copies=adders)],
        sections=["look", "put"],
        locks=[LockScope("lock")],
    )
