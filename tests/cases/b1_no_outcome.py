"""Hostile: outcomes returns a list, a bare outcome, or None."""

from dstamp_sim import Op, Process, Program, SharedObject, System


class L(SharedObject):
    def a(self) -> Op:
        return self.op("a")

    def outcomes(self, state, op):
        return None


l = L("l", 0)


def p() -> Program[int]:
    yield l.a()


def build() -> System:
    return System(objects=[l], processes=[Process("p", p)])
