"""Two controllers of one setting: each sets it to what it wants until it finds it so, and undoes the other's work.

Nothing is ever stuck, and the end stays possible; but nothing makes it come, since both can go on for ever.
"""

from dstamp_sim import Process, Program, Register, System, eventually

setting = Register("replicas", 1)


def control(wanted: int) -> Program[int]:
    while (yield setting.read()) != wanted:
        yield setting.write(wanted)
    return wanted


def build(wanted: tuple[int, ...] = (2, 3)) -> System:
    return System(
        objects=[setting],
        processes=[Process(f"controller {n}", control, value) for n, value in enumerate(wanted, start=1)],
        properties=[eventually("all come to rest", lambda results: len(results) == len(wanted))],
    )
