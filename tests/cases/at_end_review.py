"""Check, then act; a lock is there to be laid. The same property twice: always, and at the end."""

from dstamp_sim import Copies, Counter, LockScope, Process, Program, Register, System, always, at_end, section

free, taken = Register("free", True), Counter("taken")


def look() -> Program[bool]:
    return (yield free.read())


def take() -> Program[None]:
    yield free.write(False)
    yield taken.add(1)


def job() -> Program[str]:
    if (yield from section("look", look())):
        yield from section("take", take())
        return "took"
    return "none"


def build(jobs: Copies = 2, end: bool = False) -> System:
    once = (
        at_end("taken once", lambda r, s: s[taken] <= 1, reads=[taken])
        if end
        else always("taken once", lambda s: s[taken] <= 1, reads=[taken])
    )
    return System(
        objects=[free, taken],
        processes=[Process("job", job, copies=jobs)],
        properties=[once],
        sections=["look", "take"],
        locks=[LockScope("seat")],
    )
