"""Small models with objects of their own, as users write them, of which a sentence once said what was not so."""

from typing import NamedTuple

from dstamp_sim import (
    Mutex,
    Op,
    Outcome,
    Process,
    Program,
    Register,
    SharedObject,
    System,
    always,
    at_end,
    each_result,
)
from tests.holders import Bell, Lease


class Room(NamedTuple):
    bookable: bool = True
    guest: bool = False


class Hotel(SharedObject):
    """One room: booked, looked at, taken off the list."""

    def outcomes(self, state: Room, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "book":
                return (Outcome(state._replace(guest=True), True) if state.bookable else Outcome(state, False),)
            case "has_guest":
                return (Outcome(state, state.guest),)
            case "take_off":
                return (Outcome(state._replace(bookable=False)),)
        raise self.unknown_verb(op)


def an_op_that_could_be_left_out(take_off: bool = True) -> System:
    """Taking the room off the list changes nothing about it that the heating is switched off."""
    hotel, heating = Hotel("hotel", Room()), Register("heating", "on")

    def guest() -> Program[str]:
        if not (yield hotel.op("book")):
            return "elsewhere"
        return "warm" if (yield heating.read()) == "on" else "cold"

    def close() -> Program[None]:
        if (yield hotel.op("has_guest")):
            return
        if take_off:
            yield hotel.op("take_off")
        yield heating.write("off")

    warm = at_end("no guest is cold", lambda results: "cold" not in results.values())
    return System(
        objects=[hotel, heating], processes=[Process("guest", guest), Process("closing", close)], properties=[warm]
    )


class LeasedLock(Lease):
    """A lease that is marked as a lock."""

    is_lock = True


def a_lease_lapses() -> System:
    """Two write, since the lease of the first lapsed while it worked."""
    lease, total = LeasedLock("lease", (0, 0)), Register("total", 0)

    def work() -> Program[None]:
        token = yield lease.op("acquire")
        seen = yield total.read()
        yield total.write(seen + 1)
        yield lease.op("release", token)

    def clock() -> Program[None]:
        yield lease.op("lapse")

    both = at_end("both count", lambda _, s: s[total] == 2, reads=[total])
    processes = [Process("worker", work, copies=2), Process("clock", clock, daemon=True)]
    return System(objects=[lease, total], processes=processes, properties=[both])


def an_owner_expires() -> System:
    """A daemon sets the owner back; another takes it, and the first sees a stranger."""
    owner = Register("owner", 0)

    def node(me: int) -> Program[str]:
        if not (yield owner.compare_and_set(0, me)):
            return "busy"
        return "mine" if (yield owner.read()) in (me, 0) else "another's"

    def expire() -> Program[None]:
        yield owner.write(0)

    mine = each_result("nobody sees a stranger", lambda result: result != "another's")
    processes = [Process("first", node, 1), Process("second", node, 2), Process("ttl", expire, daemon=True)]
    return System(objects=[owner], processes=processes, properties=[mine])


class Shelf(NamedTuple):
    ready: int = 1
    runs: int = 0


class Queue(SharedObject):
    """A message that is handed out, and put back by who takes it for lost."""

    def outcomes(self, state: Shelf, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "fetch":
                return (Outcome(state._replace(ready=0)),) if state.ready else ()
            case "run":
                return (Outcome(state._replace(runs=min(2, state.runs + 1))),)
            case "put_back":
                return () if state.ready else (Outcome(state._replace(ready=1)),)
            case "wait":
                return (Outcome(state),) if state.runs else ()
        raise self.unknown_verb(op)


def delivered_twice() -> System:
    """Workers are daemons; the watcher puts back what one of them has."""
    queue = Queue("queue", Shelf())

    def work() -> Program[None]:
        yield queue.op("fetch")
        yield queue.op("run")

    def watch() -> Program[None]:
        yield queue.op("put_back")

    def wait() -> Program[None]:
        yield queue.op("wait")

    once = always("runs once at most", lambda s: s[queue].runs < 2, reads=[queue])
    workers = [Process(f"worker-{n}", work, daemon=True) for n in (1, 2)]
    processes = [*workers, Process("watcher", watch, daemon=True), Process("customer", wait)]
    return System(objects=[queue], processes=processes, properties=[once])


class Bucket(SharedObject):
    """Its reads may return what was there before the last write."""

    def outcomes(self, state: tuple[int, int], op: Op) -> tuple[Outcome, ...]:
        match op.verb, op.args:
            case "get", ():
                return Outcome(state, state[0], "fresh"), Outcome(state, state[1], "stale")
            case "put", (content,):
                return (Outcome((content, state[0])),)
        raise self.unknown_verb(op)


def a_stale_read() -> System:
    """A lost update under a lock, by a read that returns an older value."""
    bucket, lock = Bucket("bucket", (0, 0)), Mutex("lock")

    def add() -> Program[None]:
        yield lock.acquire()
        seen = yield bucket.op("get")
        yield bucket.op("put", seen + 1)
        yield lock.release()

    both = at_end("both are in", lambda _, s: s[bucket][0] == 2, reads=[bucket])
    return System(objects=[bucket, lock], processes=[Process("job", add, copies=2)], properties=[both])


def a_notice_too_early() -> System:
    """Who gives the seat back looks for waiters before the other has queued up."""
    taken, queue = Register("taken", False), Register("queue", "empty")

    def job() -> Program[None]:
        if not (yield taken.compare_and_set(False, True)):
            yield queue.write("one waits")
            yield queue.wait_for("woken")
        if not (yield queue.compare_and_set("one waits", "woken")):
            yield taken.write(False)

    return System(objects=[taken, queue], processes=[Process("job", job, copies=2)])


def a_bell_unheard() -> System:
    """Look, and only then listen."""
    work, bell = Register("work", False), Bell("bell", "quiet")

    def sleeper() -> Program[None]:
        if not (yield work.read()):
            yield bell.op("listen")
            yield bell.op("hear")

    def waker() -> Program[None]:
        yield work.write(True)
        yield bell.op("ring")

    return System(objects=[work, bell], processes=[Process("sleeper", sleeper), Process("waker", waker)])


class Txn(NamedTuple):
    status: str = "new"
    saw: int = -1


class Database(SharedObject):
    """Two transactions by number, in a tuple beside the value that they read and write."""

    def outcomes(self, state: tuple[int, tuple[Txn, ...]], op: Op) -> tuple[Outcome, ...]:
        value, txns = state
        match op.verb, op.args:
            case "begin", (int(n),):
                return (Outcome((value, _put(txns, n, Txn("running", value))), value),)
            case "other", (int(n),):
                return (Outcome(state, txns[1 - n].status),)
            case "commit", (int(n), int(new)):
                return (Outcome((new, _put(txns, n, txns[n]._replace(status="committed")))),)
        raise self.unknown_verb(op)


def _put(txns: tuple[Txn, ...], n: int, txn: Txn) -> tuple[Txn, ...]:
    return (*txns[:n], txn, *txns[n + 1 :])


def nested_states() -> System:
    """A transaction goes on where the other was not yet running when it looked."""
    database = Database("database", (0, (Txn(), Txn())))

    def run(me: int) -> Program[bool]:
        if (yield database.op("other", me)) == "running":
            return False
        seen = yield database.op("begin", me)
        yield database.op("commit", me, seen + 1)
        return True

    counted = at_end(
        "every commit counts", lambda r, s: s[database][0] == list(r.values()).count(True), reads=[database]
    )
    return System(objects=[database], processes=[Process(f"t{n}", run, n) for n in (0, 1)], properties=[counted])


def cleaned_away() -> System:
    """What a process wrote is cleaned away by a daemon before it looks again."""
    found = Register("found", False)

    def publish() -> Program[bool]:
        yield found.write(True)
        return (yield found.read())

    def clean() -> Program[None]:
        yield found.wait_for(True)
        yield found.write(False)

    there = each_result("what is published is there", lambda result: result)
    processes = [Process("job", publish), Process("cleaner", clean, daemon=True)]
    return System(objects=[found], processes=processes, properties=[there])


class Loop(NamedTuple):
    items: int = 0
    waiting: tuple[int, ...] = ()
    notified: tuple[int, ...] = ()
    cancelled: bool = False


class Condition(SharedObject):
    """A condition of an event loop, of which the first waiter may be cancelled."""

    def outcomes(self, state: Loop, op: Op) -> tuple[Outcome, ...]:
        match op.verb, op.args:
            case "take_or_wait", (int(me),):
                if state.items:
                    return (Outcome(state._replace(items=state.items - 1), "taken"),)
                return (Outcome(state._replace(waiting=(*state.waiting, me)), "waits"),)
            case "resume", (int(me),):
                if me == 1 and state.cancelled:
                    left = tuple(who for who in state.waiting if who != me)
                    return (Outcome(state._replace(waiting=left, cancelled=False), "cancelled"),)
                return (Outcome(state, "notified"),) if me in state.notified else ()
            case "put", ():
                notified = (*state.notified, *state.waiting[:1])
                return (Outcome(state._replace(items=state.items + 1, waiting=state.waiting[1:], notified=notified)),)
            case "cancel", ():
                return (Outcome(state._replace(cancelled=True)),)
        raise self.unknown_verb(op)


def a_notified_task_is_cancelled() -> System:
    """The only notice goes to a task that is cancelled before it looks; the other waits for ever."""
    loop = Condition("loop", Loop())

    def consume(me: int) -> Program[str]:
        found = yield loop.op("take_or_wait", me)
        if found == "waits" and (yield loop.op("resume", me)) == "cancelled":
            return "cancelled"
        if me == 1:  # served, though the cancellation is on its way: make up for it
            yield loop.op("put")
        return "served"

    def put() -> Program[None]:
        yield loop.op("put")

    def cancel() -> Program[None]:
        yield loop.op("cancel")

    processes = [Process("victim", consume, 1), Process("task", consume, 2)]
    return System(objects=[loop], processes=[*processes, Process("producer", put), Process("canceller", cancel)])
