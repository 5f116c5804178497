"""A beginner's balance: a plain variable of the module. Two withdrawals of 60 from 100."""

from dstamp_sim import Counter, Process, Program, System, at_end

balance = [100]
calls = Counter("calls", 0)


def withdraw(amount: int) -> Program[bool]:
    seen = balance[0]
    yield calls.add(1)
    if seen < amount:
        return False
    balance[0] = seen - amount
    return True


def build(customers: int = 2) -> System:
    return System(
        objects=[calls],
        processes=[Process("customer", withdraw, 60, copies=customers)],
        properties=[at_end("one withdrawal at most", lambda results: sum(results.values()) <= 1)],
    )
