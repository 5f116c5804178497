"""Small models of which a sentence once said what was not so; what is true of each is in `stories.toml`."""

from collections.abc import Callable

from dstamp_sim import (
    Chance,
    Counter,
    Flock,
    LockScope,
    Mutex,
    Placement,
    Process,
    Program,
    Register,
    Span,
    System,
    always,
    at_end,
    each_result,
    section,
)
from tests.analyses.story_objects import (
    a_bell_unheard,
    a_lease_lapses,
    a_notice_too_early,
    a_notified_task_is_cancelled,
    a_stale_read,
    an_op_that_could_be_left_out,
    an_owner_expires,
    cleaned_away,
    delivered_twice,
    nested_states,
)
from tests.analyses.trap_models import (
    a_flag_is_left_behind,
    a_lease_outlives_its_holder,
    a_worker_is_waited_for,
    nobody_ever_finishes,
    wrong_from_the_start,
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


def a_lock_that_is_polled() -> System:
    """Two poll a lock file and write it after the look; whoever would have to wait, polls on."""
    lock, inside = Register("lockfile", "free"), Register("inside", 0)

    def run() -> Program[None]:
        while (yield lock.read()) != "free":
            pass
        yield lock.write("taken")
        seen = yield inside.read()
        yield inside.write(seen + 1)
        yield inside.write(seen)
        yield lock.write("free")

    one = always("one at a time", lambda state: state[inside] < 2, reads=[inside])
    return System(objects=[lock, inside], processes=[Process("run", run, copies=2)], properties=[one])


def announced_before_it_is_there() -> System:
    """A flag is set before the data; who polls for it finds the old data, and the new come after the trace."""
    flag, data = Register("flag", False), Register("data", "old")

    def writer() -> Program[None]:
        yield flag.write(True)
        yield data.write("new")

    def reader() -> Program[str]:
        while not (yield flag.read()):
            pass
        return (yield data.read())

    processes = [Process("writer", writer), Process("reader", reader)]
    new = each_result("the new data", lambda value: value == "new", of="reader")
    return System(objects=[flag, data], processes=processes, properties=[new])


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
    "a worker is waited for": a_worker_is_waited_for,
    "a flag is left behind": a_flag_is_left_behind,
    "a lease outlives its holder": a_lease_outlives_its_holder,
    "nobody ever finishes": nobody_ever_finishes,
    "wrong from the start": wrong_from_the_start,
    "a lock that is polled": a_lock_that_is_polled,
    "announced before it is there": announced_before_it_is_there,
}
