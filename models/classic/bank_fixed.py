"""Two withdrawals on one balance: each writes only if nobody wrote since it read, and gives up otherwise."""

from dstamp_sim import Copies, Process, Program, Register, System, always, at_end

balance = Register("balance", 100)


def withdraw(amount: int) -> Program[bool]:
    seen = yield balance.read()
    if seen < amount:
        return False
    return (yield balance.compare_and_set(seen, seen - amount))


def build(customers: Copies = 2) -> System:
    return System(
        objects=[balance],
        processes=[Process("customer", withdraw, 60, copies=customers)],
        properties=[
            always("never overdrawn", lambda state: state[balance] >= 0, reads=[balance]),
            at_end("one withdrawal at most", lambda results: sum(r is True for r in results.values()) <= 1),
            at_end("somebody is served", lambda results: any(results.values()) or not results),
        ],
    )
