"""A pool of database connections; each request holds one and asks for a second for a nested transaction."""

from dstamp_sim import Copies, Op, Outcome, Process, Program, SharedObject, System, always, delay, each_result


class Pool(SharedObject):
    """How many connections are free; whoever finds none waits."""

    def __init__(self, size: int) -> None:
        super().__init__("pool", size)
        self.size = size

    def take(self) -> Op:
        return self.op("take")

    def give(self) -> Op:
        return self.op("give")

    def outcomes(self, free: int, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "take":
                return (Outcome(free - 1, takes="connection"),) if free else ()
            case "give":
                return (Outcome(free + 1, drops="connection"),)
        raise self.unknown_verb(op)

    def on_death(self, free: int, token) -> int:
        return free + 1


def request(pool: Pool, same: bool) -> Program[str]:
    yield pool.take()
    yield delay("outer")
    if not same:
        yield pool.take()
    yield delay("inner")
    if not same:
        yield pool.give()
    yield pool.give()
    return "done"


class LockPool(Pool):
    """The same pool as a lock; no more comes back than was there."""

    is_lock = True

    def outcomes(self, free: int, op: Op) -> tuple[Outcome, ...]:
        return () if op.verb == "give" and free == self.size else super().outcomes(free, op)


def as_lock(requests: Copies = 5, size: int = 5) -> System:
    return _system(LockPool(size), requests, same=False)


def build(requests: Copies = 5, size: int = 5, same: bool = False) -> System:
    return _system(Pool(size), requests, same)


def _system(pool: Pool, requests: int, same: bool) -> System:
    return System(
        objects=[pool],
        processes=[Process("request", request, pool, same, copies=requests)],
        properties=[
            each_result("done", lambda r: r == "done"),
            always("never negative", lambda s: s[pool] >= 0, reads=[pool]),
        ],
    )
