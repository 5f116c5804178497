"""Philosophers whose forks have locks: a vocabulary of three, the fork on each side and the whole table.

Who eats uses both forks. Locking both keeps others off them, but each may then hold the left one and wait for ever.
"""

from dstamp_sim import Flock, LockScope, Process, Program, Register, System, delay, each_result, section

SEATS = 3
plates = [Register(f"fork {seat}", "free") for seat in range(SEATS)]
locks = [Flock(f"lock of fork {seat}") for seat in range(SEATS)]


class Side:
    """The lock of the fork on one side."""

    def __init__(self, name: str, step: int) -> None:
        self.name, self.step = name, step

    def lock(self, args: tuple[int]) -> Flock:
        return locks[(args[0] + self.step) % SEATS]


def think() -> Program[None]:
    yield delay("think")


def eat(me: int) -> Program[bool]:
    forks = [plates[me], plates[(me + 1) % SEATS]]
    for fork in forks:
        yield fork.write(f"held by {me}")
    left, right = (yield forks[0].read()), (yield forks[1].read())
    return left == right == f"held by {me}"


def dine(me: int) -> Program[bool]:
    yield from section("sit", think())
    return (yield from section("eat", eat(me)))


def build() -> System:
    return System(
        objects=plates,
        processes=[Process(f"philosopher {seat}", dine, seat) for seat in range(SEATS)],
        properties=[each_result("nobody else uses my forks", lambda alone: alone)],
        sections=["sit", "eat"],
        locks=[Side("left", 0), Side("right", 1), LockScope("table")],
    )
