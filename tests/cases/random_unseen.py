"""Each node draws its own number; may two draw the same? (Rule: no random numbers. Is the model refused?)"""

import random

from dstamp_sim import Copies, Process, Program, Register, System, at_end

log = Register("log", 0)


def node() -> Program[float]:
    mine = random.random()
    yield log.write(1)
    return mine


def build(n: Copies = 2) -> System:
    return System(
        objects=[log],
        processes=[Process("node", node, copies=n)],
        properties=[at_end("all differ", lambda r: len(set(r.values())) == len(r))],
    )
