"""Two workers, a pool of one token and a flock, taken in opposite orders."""

from dstamp_sim import Flock, Op, Outcome, Process, Program, SharedObject, System


class Tokens(SharedObject):
    def get(self) -> Op:
        return self.op("get")

    def put(self) -> Op:
        return self.op("put")

    def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "get":
                return (Outcome(state - 1, takes="token"),) if state else ()
            case "put":
                return (Outcome(state + 1, drops="token"),)
        raise self.unknown_verb(op)


tokens = Tokens("tokens", 1)
lock = Flock("lock")


def a() -> Program[None]:
    yield tokens.get()
    held = yield lock.acquire()
    yield lock.release(held)
    yield tokens.put()


def b() -> Program[None]:
    held = yield lock.acquire()
    yield tokens.get()
    yield tokens.put()
    yield lock.release(held)


def build() -> System:
    return System(objects=[tokens, lock], processes=[Process("a", a), Process("b", b)])
