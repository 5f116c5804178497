"""A span whose last section is skipped keeps its lock: the run then waits for itself. What is the advice?"""

from dstamp_sim import LockScope, Process, Program, Register, System, section

cache = Register("cache", "absent")


def install() -> Program[None]:
    if (yield from section("look", one(cache.read()))) == "absent":
        yield from section("store", one(cache.write("there")))
    yield from section("use", one(cache.read()))


def one(op) -> Program:
    return (yield op)


def build(copies: int = 2) -> System:
    return System(
        objects=[cache],
        processes=[Process("build", install, copies=copies)],
        sections=["look", "store", "use"],
        locks=[LockScope("cache")],
    )
