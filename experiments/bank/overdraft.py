"""An account is overdrawn, though every withdrawal checks the balance first: which mechanism can have done it."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from dstamp_sim import (
    Chance,
    Experiment,
    Field,
    Hypotheses,
    Mechanism,
    Mutex,
    Observable,
    Op,
    Outcome,
    Process,
    Program,
    Rule,
    Seen,
    SharedObject,
    Step,
    System,
    Window,
    delay,
    section,
)

AMOUNT, LIMIT = 60, -20


class Account(SharedObject):
    """A balance that is read and debited, each at once; nothing is debited below a hard limit."""

    def read(self) -> Op:
        return self.op("read")

    def debit(self) -> Op:
        return self.op("debit")

    def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
        if op.verb == "read":
            return (Outcome(state, state),)
        return (Outcome(state - AMOUNT if state - AMOUNT >= LIMIT else state),)


class Withdrawal(NamedTuple):
    """What a customer is told: whether it was paid, and the balance that is left."""

    paid: bool
    left: int


class Bank(NamedTuple):
    """One account, and how the bank works: the faultless one holds the lock, books once and reports last."""

    account: Account
    lock: Mutex
    slip: Chance
    locks: bool
    books_twice: bool
    reports_early: bool


def withdraw(bank: Bank) -> Program[Withdrawal]:
    if bank.locks:
        yield bank.lock.acquire()
    checked = yield from section("check", check(bank))
    yield delay("think")
    result = yield from section("debit", debit(bank, checked))
    if bank.locks:
        yield bank.lock.release()
    return result


def check(bank: Bank) -> Program[int]:
    return (yield bank.account.read())


def debit(bank: Bank, checked: int) -> Program[Withdrawal]:
    if checked < AMOUNT:
        return Withdrawal(paid=False, left=checked)
    yield bank.account.debit()
    if bank.books_twice and (yield bank.slip.draw()) == "booked twice":
        yield bank.account.debit()
    left = checked if bank.reports_early else (yield bank.account.read())
    return Withdrawal(paid=True, left=left)


def build(
    runs: int = 2,
    account: tuple[int, ...] = (1,),
    *,
    locks: bool = True,
    books_twice: bool = False,
    reports_early: bool = False,
) -> System:
    """`runs` withdrawals; the last of `account` stands for all further ones."""
    accounts = [account[min(number, len(account) - 1)] for number in range(runs)]
    slip = Chance("booking", "booked once", "booked twice")
    banks = {
        a: Bank(Account(f"account {a}", 100), Mutex(f"lock {a}"), slip, locks, books_twice, reports_early)
        for a in dict.fromkeys(accounts)
    }
    return System(
        objects=[slip, *(item for bank in banks.values() for item in (bank.account, bank.lock))],
        processes=[Process(f"customer-{n + 1}", withdraw, banks[a]) for n, a in enumerate(accounts)],
        sections=("check", "debit"),
    )


def debits(step: Step) -> bool:
    return step.op is not None and step.op.verb == "debit"


def reads(step: Step) -> bool:
    return step.op is not None and step.op.verb == "read"


MECHANISMS = {
    "check-race": Mechanism(
        "the bank takes no lock: another customer's debit lands between my check and my debit",
        partial(build, locks=False),
        Window("other customer's debit", debits, "check", "debit", "its check", "its debit"),
    ),
    "booked-twice": Mechanism(
        "the bank books one withdrawal twice",
        partial(build, books_twice=True),
        Window(
            "second booking", lambda s: s.label == "booked twice", "check", "debit", "its check", "its debit", False
        ),
    ),
    "early-report": Mechanism(
        "the bank reports the balance of before the debit",
        partial(build, reports_early=True),
        Window("early read", reads, "check", "debit", "its check", "its debit", by_others=False),
    ),
}  # fmt: skip


def outcome(seen: Sequence[Seen]) -> str:
    return "overdrawn" if any(one.result.left < 0 for one in seen) else "in order"


OUTCOMES = ("in order", "overdrawn")

HYPOTHESES = Hypotheses(
    nothing=build,
    evidence=Observable(
        fields=(
            Field("branch", compared=False),
            Field("account", int, compared=False),
            Field("paid", bool, says="paid: {}"),
            Field("left", int, says="{} left"),
        ),
        log_lines=(r"balance now (?P<left>-?\d+)",),
    ),
    identity=("account",),
    faults=("booked twice",),
    failing="of a booking",
    experiments={
        "one withdrawal": Experiment(
            "one withdrawal from an account that nobody else uses", {"runs": 1}, (0.0,), outcome, "a visit", OUTCOMES
        ),
        "two at once": Experiment(
            "two withdrawals from one account at once", {"runs": 2, "account": (1,)}, (0.0, 0.0), outcome, "two visits",
            OUTCOMES,
        ),
    },
    rule=Rule(
        "one withdrawal", "in order", "overdrawn", "alone in order: a race; overdrawn: the bank's own mistake",
        "the branch's note", provided="nobody else used the account",
    ),
)  # fmt: skip
