"""A section that is not declared; a section entered twice; nested."""

from dstamp_sim import LockScope, Process, Program, Register, System, section

m = Register("m", 0)


def q() -> Program[int]:
    return (yield m.read())


def p() -> Program[None]:
    yield from section("a", q())
    yield from section("b", q())
    yield from section("a", q())


def build() -> System:
    return System(objects=[m], processes=[Process("p", p, copies=2)], sections=["a"], locks=[LockScope("l")])
