"""Look whether the seat is free, then take it; the property is asked always, at the end, or besides a harmless one."""

from typing import Literal

from dstamp_sim import (
    Copies,
    Counter,
    LockScope,
    Process,
    Program,
    Register,
    System,
    always,
    at_end,
    each_result,
    reachable,
    section,
)

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


ASKED = {
    "always": [always("taken once", lambda state: state[taken] <= 1, reads=[taken])],
    "end": [at_end("taken once", lambda _, state: state[taken] <= 1, reads=[taken])],
    "harmless": [
        always("taken once", lambda state: state[taken] <= 1, reads=[taken]),
        at_end("somebody ran", lambda results: len(results) >= 0),
    ],
    "never": [each_result("nobody took it", lambda result: result == "none")],
    "wish": [reachable("somebody flew", lambda results: results.get("pilot") == "flew")],
}


def build(jobs: Copies = 2, asked: Literal["always", "end", "harmless", "never", "wish"] = "always") -> System:
    return System(
        objects=[free, taken],
        processes=[Process("job", job, copies=jobs)],
        properties=ASKED[asked],
        sections=["look", "take"],
        locks=[LockScope("seat")],
    )
