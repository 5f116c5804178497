"""`line never passed` names the `if`, which is passed each time; only its second half is not."""

from dstamp_sim import Process, Program, Register, System

box = Register("box", 0)


def work(look: bool) -> Program[str]:
    if look and (yield box.read()):
        return "seen"
    yield box.write(1)
    return "written"


def build() -> System:
    return System(objects=[box], processes=[Process("p", work, False)])
