"""`outcomes` gives one Outcome and no tuple: a raw traceback, exit code 1."""

from dstamp_sim import Op, Outcome, Process, Program, SharedObject, System


class Box(SharedObject):
    def put(self) -> Op:
        return self.op("put")

    def outcomes(self, state, op):
        return Outcome(1)


box = Box("box", 0)


def work() -> Program[None]:
    yield box.put()


def build() -> System:
    return System(objects=[box], processes=[Process("p", work)])
