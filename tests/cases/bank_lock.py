"""The bank with a lock that covers the reading, or the writing, only."""

from dstamp_sim import Copies, LockScope, Process, Program, Register, System, at_end, section

balance = Register("balance", 100)


def look() -> Program[int]:
    return (yield balance.read())


def store(value: int) -> Program[None]:
    yield balance.write(value)


def withdraw(amount: int) -> Program[bool]:
    seen = yield from section("look", look())
    if seen < amount:
        return False
    yield from section("store", store(seen - amount))
    return True


def build(customers: Copies = 2) -> System:
    return System(
        objects=[balance],
        processes=[Process("customer", withdraw, 60, copies=customers)],
        properties=[at_end("one withdrawal at most", lambda results: sum(r is True for r in results.values()) <= 1)],
        sections=["look", "store"],
        locks=[LockScope("account")],
    )
