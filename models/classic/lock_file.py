"""A lock file that is removed after use: who waited locks the removed file, a third makes a new one, and both work.

flock(2) locks the inode that was opened, not the path; unlinking the path while others wait makes two holders.
"""

from dstamp_sim import Copies, Flock, Inside, Process, Program, System, always, delay

lock_file = Flock("/run/deploy.lock")
inside = Inside("inside")


def deploy() -> Program[bool]:
    descriptor = yield lock_file.open()
    yield lock_file.lock(descriptor)
    yield inside.enter()
    yield delay("work")
    yield inside.leave()
    yield lock_file.unlink()
    yield lock_file.release(descriptor)
    return True


def build(runs: Copies = 3) -> System:
    return System(
        objects=[lock_file, inside],
        processes=[Process("run", deploy, copies=runs)],
        properties=[always("one run works at a time", lambda state: state[inside] <= 1, reads=[inside])],
    )
