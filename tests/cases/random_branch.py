"""A retry that is tossed for. Rule four forbids it; is it noticed?"""

import random

from dstamp_sim import Process, Program, Register, System, always

log = Register("log", 0)


def node() -> Program[str]:
    if random.random() < 0.5:
        yield log.write(1)
    else:
        yield log.write(2)
    return "done"


def build() -> System:
    return System(
        objects=[log],
        processes=[Process("node", node)],
        properties=[always("never 2", lambda s: s[log] != 2, reads=[log])],
    )
