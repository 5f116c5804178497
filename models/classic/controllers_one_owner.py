"""Two controllers of one setting, which has one owner: the first to claim it says what is wanted, and all agree."""

from dstamp_sim import Process, Program, Register, System, eventually

setting = Register("replicas", 1)
owner = Register("wanted by its owner", None)


def control(wanted: int) -> Program[int]:
    yield owner.compare_and_set(None, wanted)
    agreed = yield owner.read()
    while (yield setting.read()) != agreed:
        yield setting.write(agreed)
    return wanted


def build(wanted: tuple[int, ...] = (2, 3)) -> System:
    return System(
        objects=[setting, owner],
        processes=[Process(f"controller {n}", control, value) for n, value in enumerate(wanted, start=1)],
        properties=[eventually("all come to rest", lambda results: len(results) == len(wanted))],
    )
