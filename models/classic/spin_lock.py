"""A spin lock of one bit: whoever tries at the right moment gets it, and a busy one gets it every time.

The patient one tries again and again, and each time finds the lock taken. It is never blocked, so fairness gives it
moves; no fairness gives it luck.
"""

from dstamp_sim import Inside, Process, Program, Register, System, always, eventually

lock = Register("lock", "free")
inside = Inside("inside")


def work() -> Program[None]:
    while not (yield lock.compare_and_set("free", "taken")):
        pass
    yield inside.enter()
    yield inside.leave()
    yield lock.write("free")


def build(busy: int = 1) -> System:
    return System(
        objects=[lock, inside],
        processes=[
            Process("patient", work),
            Process("busy", work, copies=busy, daemon=True),
        ],
        properties=[
            always("one at a time", lambda state: state[inside] <= 1, reads=[inside]),
            eventually("the patient one is done", lambda results: "patient" in results),
        ],
    )
