"""The bank with two named sections and one lock for the account; a review says which of them it must cover."""

from dstamp_sim import Copies, LockScope, Process, Program, Register, System, each_result, section

balance = Register("balance", 100)


def look() -> Program[int]:
    return (yield balance.read())


def pay(seen: int, amount: int) -> Program[str]:
    if seen < amount:
        return "refused"
    now = yield balance.read()
    yield balance.write(seen - amount)
    return "paid" if now == seen else "erased another's payment"


def withdraw(amount: int) -> Program[str]:
    seen = yield from section("look", look())
    return (yield from section("pay", pay(seen, amount)))


def build(customers: Copies = 2) -> System:
    return System(
        objects=[balance],
        processes=[Process("customer", withdraw, 60, copies=customers)],
        properties=[each_result("no payment is erased", lambda result: result != "erased another's payment")],
        sections=["look", "pay"],
        locks=[LockScope("account")],
    )
