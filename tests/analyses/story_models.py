"""Small models of which a sentence once said what was not so; what is true of each is in `stories.toml`."""

from collections.abc import Callable
from typing import NamedTuple

from dstamp_sim import (
    Chance,
    Counter,
    Flock,
    LockScope,
    Mutex,
    Op,
    Outcome,
    Placement,
    Process,
    Program,
    Register,
    SharedObject,
    Span,
    System,
    always,
    at_end,
    each_result,
    section,
)


def lock_taken_meanwhile(lock: Mutex | Flock) -> System:
    """Who lets go of a lock and asks again finds it taken by another, not from the start."""

    def use() -> Program[str]:
        held = yield lock.try_acquire()
        if held is None:
            return "later"
        yield lock.release(held)
        held = yield lock.try_acquire()
        return "half done" if held is None else "done"

    whole = each_result("nobody stops half done", lambda result: result != "half done")
    return System(objects=[lock], processes=[Process("user", use, copies=2)], properties=[whole])


def death_between_two_writes(runs: int = 1) -> System:
    """Two files that should be alike; who dies between leaves them apart."""
    page, index = Register("page", 0), Register("index", 0)

    def publish() -> Program[None]:
        seen = yield page.read()
        yield page.write(seen + 1)
        yield index.write(seen + 1)

    alike = at_end("page and index agree", lambda _, s: s[page] == s[index], reads=[page, index])
    return System(
        objects=[page, index], processes=[Process("publisher", publish, copies=runs)], properties=[alike], crashes=1
    )


def death_inside() -> System:
    """A counter of those inside stays up when one of them dies."""
    lock, inside = Flock("door"), Counter("inside")

    def visit() -> Program[None]:
        held = yield lock.acquire()
        yield inside.add(1)
        yield inside.add(-1)
        yield lock.release(held)

    alone = always("one at a time", lambda s: s[inside] <= 1, reads=[inside])
    return System(
        objects=[lock, inside], processes=[Process("visitor", visit, copies=2)], properties=[alone], crashes=1
    )


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


class Lease(SharedObject):
    """Held by a numbered holder (0: by nobody) until it is given back or lapses."""

    is_lock = True

    def outcomes(self, state: tuple[int, int], op: Op) -> tuple[Outcome, ...]:
        holder, given = state
        match op.verb, op.args:
            case "acquire", ():
                return () if holder else (Outcome((given + 1, given + 1), given + 1, takes=given + 1),)
            case "release", (token,):
                return (Outcome((0, given) if holder == token else state, drops=token),)
            case "lapse", ():
                return (Outcome((0, given)),) if holder else ()
        raise self.unknown_verb(op)


def a_lease_lapses() -> System:
    """Two write, since the lease of the first lapsed while it worked."""
    lease, total = Lease("lease", (0, 0)), Register("total", 0)

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


class Bell(SharedObject):
    """It rings for who listens already."""

    def outcomes(self, state: str, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "listen":
                return (Outcome("listening"),)
            case "hear":
                return (Outcome("quiet"),) if state == "rang" else ()
            case "ring":
                return (Outcome("rang" if state == "listening" else state),)
        raise self.unknown_verb(op)


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


def _withdrawals(span: Callable[[str], Span]) -> System:
    balance = Register("balance", 100)

    def look() -> Program[int]:
        return (yield balance.read())

    def store(value: int) -> Program[None]:
        yield balance.write(value)

    def withdraw() -> Program[bool]:
        seen = yield from section("look", look())
        if seen < 60:
            return False
        yield from section("store", store(seen - 60))
        return True

    once = at_end("one withdrawal at most", lambda results: list(results.values()).count(True) <= 1)
    return System(
        objects=[balance],
        processes=[Process("customer", withdraw, copies=2)],
        properties=[once],
        sections=["look", "store"],
        locks=[LockScope("account")],
        placement=Placement("part", (span("account"),)),
    )


def a_lock_over_the_look() -> System:
    """A lost update behind a lock that covers the reading only."""
    return _withdrawals(lambda lock: Span(lock, "look", "look"))


def a_lock_over_the_store() -> System:
    """A lost update behind a lock that covers the writing only."""
    return _withdrawals(lambda lock: Span(lock, "store", "store"))


def two_ops_in_one_section() -> System:
    """Who finds the lock directory old breaks it, perhaps another's fresh one: looking and acting are one section."""
    path, inside = Register("lock.d", "old"), Counter("inside")

    def break_it() -> Program[None]:
        if (yield path.read()) == "old":
            yield path.write("")

    def job() -> Program[None]:
        yield from section("break", break_it())
        if (yield path.compare_and_set("", "live")):
            yield inside.add(1)

    alone = always("one at a time", lambda s: s[inside] <= 1, reads=[inside])
    return System(
        objects=[path, inside], processes=[Process("job", job, copies=2)], properties=[alone], sections=["break"]
    )


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


def nobody_else_is_needed() -> System:
    """One process alone counts too far."""
    count = Counter("count")

    def twice() -> Program[None]:
        yield count.add(1)
        yield count.add(1)

    few = always("one at most", lambda s: s[count] <= 1, reads=[count])
    return System(
        objects=[count],
        processes=[Process("one", twice), Process("other", lambda: (yield count.read()))],
        properties=[few],
    )


def whatever_it_reads() -> System:
    """A process returns what it must not, having looked at nothing."""
    seen = Register("seen", False)

    def careless() -> Program[str]:
        yield seen.write(True)
        return "bad"

    good = each_result("all is good", lambda result: result != "bad")
    return System(objects=[seen], processes=[Process("careless", careless)], properties=[good])


def the_last_write_wins() -> System:
    """Two write the same file; the fuller one should stay."""
    page = Register("page", "")

    def write(content: str) -> Program[None]:
        yield page.write(content)

    full = at_end("the full page stays", lambda _, s: s[page] == "full", reads=[page])
    return System(
        objects=[page], processes=[Process("full", write, "full"), Process("draft", write, "draft")], properties=[full]
    )


def each_of_two_deaths_is_enough() -> System:
    """Two sign; if either dies, a signature is missing."""
    signed = Counter("signed")

    def sign() -> Program[None]:
        yield signed.add(1)

    both = at_end("both have signed", lambda _, s: s[signed] == 2, reads=[signed])
    return System(objects=[signed], processes=[Process("signer", sign, copies=2)], properties=[both], crashes=2)


def the_usual_coin() -> System:
    """The usual outcome is the bad one; what is read after it is innocent."""
    coin, other = Chance("coin", "heads", "tails"), Register("other", 0)

    def toss() -> Program[str]:
        side = yield coin.draw()
        yield other.read()
        return side

    never = each_result("never heads", lambda side: side != "heads")
    return System(objects=[coin, other], processes=[Process("job", toss)], properties=[never])


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


STORIES: dict[str, Callable[[], System]] = {
    "a flock taken meanwhile": lambda: lock_taken_meanwhile(Flock("lock")),
    "a mutex taken meanwhile": lambda: lock_taken_meanwhile(Mutex("lock")),
    "a death between two writes": death_between_two_writes,
    "a death between two writes, of two": lambda: death_between_two_writes(2),
    "a death inside": death_inside,
    "an op that could be left out": an_op_that_could_be_left_out,
    "the same without it": lambda: an_op_that_could_be_left_out(take_off=False),
    "a lease lapses": a_lease_lapses,
    "an owner expires": an_owner_expires,
    "delivered twice": delivered_twice,
    "a stale read": a_stale_read,
    "a notice too early": a_notice_too_early,
    "a bell unheard": a_bell_unheard,
    "a notified task is cancelled": a_notified_task_is_cancelled,
    "a lock over the look": a_lock_over_the_look,
    "a lock over the store": a_lock_over_the_store,
    "two ops in one section": two_ops_in_one_section,
    "nested states": nested_states,
    "cleaned away": cleaned_away,
    "nobody else is needed": nobody_else_is_needed,
    "whatever it reads": whatever_it_reads,
    "the last write wins": the_last_write_wins,
    "the usual coin": the_usual_coin,
}
