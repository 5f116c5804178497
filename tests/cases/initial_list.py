"""An initial state that is not hashable: a raw traceback, exit code 1."""

from dstamp_sim import Process, Program, Register, System

queue = Register("queue", [])


def work() -> Program[None]:
    yield queue.read()


def build() -> System:
    return System(objects=[queue], processes=[Process("p", work)])
