"""on_death that raises; wrong signature."""

from dstamp_sim import Outcome, Process, Program, SharedObject, System


class L(SharedObject):
    def outcomes(self, state, op):
        return (Outcome(state, takes="x"),)

    def on_death(self, state):
        return state


m = L("m", 0)


def p() -> Program[None]:
    yield m.op("get")
    yield m.op("get")


def build() -> System:
    return System(objects=[m], processes=[Process("p", p)])
