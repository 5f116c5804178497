"""A spin lock: compare and set until it works."""

from dstamp_sim import Copies, Process, Program, Register, System, each_result

word = Register("word", 0)


def work() -> Program[str]:
    while not (yield word.compare_and_set(0, 1)):
        pass
    yield word.write(0)
    return "done"


def build(n: Copies = 2) -> System:
    return System(
        objects=[word],
        processes=[Process("p", work, copies=n)],
        properties=[each_result("done", lambda r: r == "done")],
    )
