"""A lock file that is removed after use: who got the lock asks whether the path still names that file, or tries again.

A run tries once more for each other run that may remove the file under it, so all of them get to work.
"""

from dstamp_sim import Flock, Inside, Process, Program, System, always, delay, each_result

lock_file = Flock("/run/deploy.lock")
inside = Inside("inside")


def deploy(attempts: int) -> Program[bool]:
    for _ in range(attempts):
        descriptor = yield lock_file.open()
        yield lock_file.lock(descriptor)
        if (yield lock_file.is_current(descriptor)):
            yield from work()
            yield lock_file.unlink()
            yield lock_file.release(descriptor)
            return True
        yield lock_file.release(descriptor)
    return False


def work() -> Program[None]:
    yield inside.enter()
    yield delay("work")
    yield inside.leave()


def build(runs: int = 3) -> System:
    return System(
        objects=[lock_file, inside],
        processes=[Process("run", deploy, runs, copies=runs)],
        properties=[
            always("one run works at a time", lambda state: state[inside] <= 1, reads=[inside]),
            each_result("every run gets to work", lambda worked: worked),
        ],
    )
