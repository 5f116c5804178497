"""Hostile: forgets to yield."""

from dstamp_sim import Process, Program, Register, System, at_end

r = Register("r", 0)


def p() -> Program[int]:
    r.write(5)
    x = yield r.read()
    return x


def build() -> System:
    return System(
        objects=[r],
        processes=[Process("p", p, copies=2)],
        properties=[at_end("five", lambda results, state: state[r] == 5, reads=[r])],
    )
