"""at_exit gives nonsense."""

from dstamp_sim import Outcome, Process, Program, SharedObject, System


class L(SharedObject):
    def outcomes(self, state, op):
        return (Outcome(state, takes="x"),)

    def at_exit(self, token):
        return "free"


m = L("m", 0)


def p() -> Program[None]:
    yield m.op("get")


def build() -> System:
    return System(objects=[m], processes=[Process("p", p)])
