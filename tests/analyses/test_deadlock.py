"""Deadlocks in words: who holds what and waits for whom, what help was missed, and what was tried and is safe."""

from dataclasses import replace
from pathlib import Path

import pytest

from dstamp_sim import (
    Flock,
    Mutex,
    Op,
    Outcome,
    Placement,
    Process,
    Program,
    Register,
    SharedObject,
    System,
    explore,
    replay,
)
from dstamp_sim.analyses.explain import explain, step_number
from dstamp_sim.analyses.hold_claims import (
    CameBefore,
    EachWaits,
    MoreWait,
    NoneFree,
    OneOrder,
    StaysOpen,
    Waits,
    WaitsForHolders,
    WaitsForItself,
    WentTo,
)
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.verify import against
from dstamp_sim.core.placement import Span
from dstamp_sim.testing import system_of
from tests.holders import Bell, Tokens

ONE, OTHER, LOCK = Mutex("one"), Mutex("other"), Flock("lock")


def take(*locks: SharedObject) -> Program[None]:
    for lock in locks:
        yield lock.op("acquire")
    for lock in reversed(locks):
        yield lock.op("release", True)


def told(system: System, schedule: str | None = None):
    trace = explore(system).trace if schedule is None else replay(system, schedule)
    return explain(system, trace)


def crossed() -> System:
    return System(objects=[ONE, OTHER], processes=[Process("p", take, ONE, OTHER), Process("q", take, OTHER, ONE)])


def test_a_circle_says_who_holds_and_wants_what_and_what_was_tried_and_is_safe():
    why = told(crossed(), "p q")
    assert why.sentence == (
        "Each waits for the next: p holds one (taken at step 1) and wants other; q holds other (taken at step 2) and "
        "wants one. Tried and safe: q's acquire after p has ended. With one order for all, such as one before other, "
        "there is no such cycle."
    )
    assert why.proof == "Wait-for cycle: p → q → p."


def pooled(tokens: Tokens) -> Program[None]:
    yield tokens.op("get")
    held = yield LOCK.acquire()
    yield LOCK.release(held)
    yield tokens.op("put")


def locked(tokens: Tokens) -> Program[None]:
    held = yield LOCK.acquire()
    yield tokens.op("get")
    yield tokens.op("put")
    yield LOCK.release(held)


def test_a_circle_through_what_is_no_lock_is_one_and_calls_nothing_a_lock_that_is_none():
    tokens = Tokens("tokens", 1)
    system = System(objects=[tokens, LOCK], processes=[Process("a", pooled, tokens), Process("b", locked, tokens)])
    why = told(system, "a b")
    assert why.what == (
        "Each waits for the next: a holds tokens (taken at step 1) and wants lock; b holds lock (taken at step 2) and "
        "wants tokens"
    )
    assert why.proof == "Wait-for cycle: a → b → a."


def nested(tokens: Tokens, times: int) -> Program[None]:
    for verb in ["get"] * times + ["put"] * times:
        yield tokens.op(verb)


def few(size: int, *times: int) -> System:
    tokens = Tokens("connection", size)
    return System(objects=[tokens], processes=[Process(f"r{n}", nested, tokens, k) for n, k in enumerate(times)])


def test_too_few_of_something_says_how_many_hold_one_each_and_want_one_more():
    assert told(few(3, 2, 2, 2)).sentence == (
        "Three hold one connection each (r0, r1 and r2), all want one more, and none is free. "
        "Tried and safe: r2's get after r0 has ended."
    )


def test_too_few_says_who_holds_how_many_where_they_differ_and_who_wants_none():
    assert told(few(3, 3, 2), "r0*2 r1").what == (
        "connection is held twice by r0 and once by r1, all want one more, and none is free"
    )
    assert told(few(2, 3), "r0*2").what == "connection is held twice by r0, r0 wants one more, and none is free"
    assert told(few(2, 2, 2, 1), "r0 r1").what == (
        "Two hold one connection each (r0 and r1), all want one more, and none is free; "
        "r2 waits for connection, which r0 holds (taken at step 1)"
    )


def one(op: Op) -> Program:
    return (yield op)


def cached() -> System:
    """A span whose last section may be skipped, and another span with the same lock."""
    model = Path(__file__).parents[1] / "cases" / "b3_waits_for_itself.py"
    return system_of(str(model)).with_locks(Placement.parse("cache:look..store,cache:use"))


def test_one_that_asks_twice_waits_for_itself_without_any_span_or_order():
    system = System(objects=[ONE], processes=[Process("p", take, ONE, ONE)])
    assert told(system).sentence == "p waits for itself: it holds one (taken at step 1) and wants it again."


def keep(lock: Mutex) -> Program[None]:
    yield lock.acquire()


def test_what_one_took_that_died_or_ended_is_told_with_who_waits_for_it():
    died = System(objects=[ONE], processes=[Process("p", take, ONE), Process("q", keep, ONE)], crashes=1)
    assert told(died, "p p!").sentence == (
        "q waits for one, which p took at step 1 and had not given back when it died at step 2. "
        "p died at step 2, before its one.release(True). Tried and safe: without p's death."
    )
    ended = System(objects=[ONE], processes=[Process("p", keep, ONE), Process("q", take, ONE)])
    assert told(ended, "p").what.startswith("q waits for one, which p took at step 1 and has not given back, though")


def test_a_lock_that_two_descriptors_keep_is_kept_by_both():
    def parent() -> Program[None]:
        yield LOCK.acquire()
        yield LOCK.acquire()

    def child() -> Program[None]:
        yield LOCK.inherit(1)
        yield LOCK.acquire()

    def third() -> Program[None]:
        yield LOCK.acquire()

    processes = [Process("parent", parent), Process("child", child), Process("third", third)]
    why = told(System(objects=[LOCK], processes=processes), "parent child")
    assert "third wait for lock, which parent (at step 1) and child (at step 2) took and hold" in why.what


BELL, JOB = Bell("bell", "quiet"), Register("job", False)


def worker() -> Program[None]:
    while not (yield JOB.read()):
        yield BELL.op("listen")
        yield BELL.op("hear")


def producer() -> Program[None]:
    yield JOB.write(True)
    yield BELL.op("ring")


def belled() -> System:
    return System(objects=[JOB, BELL], processes=[Process("worker", worker), Process("producer", producer)])


def test_a_lost_wake_up_says_which_help_came_too_soon_and_the_stale_look():
    assert told(belled()).sentence == (
        "worker waits for bell.hear(), and nobody is left to make that possible; producer's ring at step 3 would make "
        "it possible, but came before worker's listen at step 4. worker's read at step 1 found that job was False, "
        "producer's write at step 2 made it True, and worker's listen at step 4 still acted on False. "
        "Tried and safe: producer's write before worker's read, or after worker's listen."
    )


def test_no_missing_lock_is_drawn_where_none_is_told():
    assert told(belled()).gap is None


def called_once() -> System:
    """Two wait for one call."""

    def wait() -> Program[None]:
        yield CALLS.op("get")

    def call() -> Program[None]:
        yield CALLS.op("add")

    return System(objects=[CALLS], processes=[Process("w", wait, copies=2), Process("caller", call)])


CALLS = Tokens("calls", 0)


def test_help_that_went_to_another_says_to_whom():
    assert "caller's add at step 1 would make it possible, but went to w#1's get at step 2" in told(called_once()).what


TAKEN, QUEUE = Register("taken", False), Register("queue", "empty")


def job() -> Program[None]:
    if not (yield TAKEN.compare_and_set(False, True)):
        yield QUEUE.write("one waits")
        yield QUEUE.wait_for("woken")
    if not (yield QUEUE.compare_and_set("one waits", "woken")):
        yield TAKEN.write(False)


def test_a_look_into_the_queue_that_came_too_early_is_told_once():
    assert told(System(objects=[TAKEN, QUEUE], processes=[Process("job", job, copies=2)])).sentence == (
        "job#2 waits for queue.wait_for('woken'), and nobody is left to make that possible. job#1's compare_and_set "
        "at step 2 returned False, too early: it found queue 'empty', which job#2's write made 'one waits' only at "
        "step 4. Tried and safe: job#1's compare_and_set after job#2's write."
    )


DONE = Register("done", False)


def test_a_death_before_the_wait_is_its_cause_and_daemons_that_live_are_not_left_out():
    def work() -> Program[None]:
        yield DONE.read()
        yield DONE.write(True)

    def user() -> Program[None]:
        yield DONE.wait_for(True)

    def other() -> Program[None]:
        yield DONE.wait_for("never")

    processes = [Process("worker", work), Process("user", user, killable=False), Process("d", other, daemon=True)]
    assert told(System(objects=[DONE], processes=processes, crashes=1), "worker worker!").sentence == (
        "user waits for done.wait_for(True), and nobody can make that possible any more. "
        "worker died at step 2, before its done.write(True). Tried and safe: without worker's death."
    )


def test_an_answer_that_got_lost_is_the_cause_of_waiting_for_it():
    class Net(SharedObject):
        def outcomes(self, state: str, op: Op) -> tuple[Outcome, ...]:
            if op.verb == "send":
                return Outcome("there", "sent"), Outcome("nothing", "sent", "lost")
            return (Outcome(state),) if state == "there" else ()

    net = Net("net", "nothing")

    def ask() -> Program[None]:
        yield net.op("send")

    def hear() -> Program[None]:
        yield net.op("receive")

    why = told(System(objects=[net], processes=[Process("a", ask), Process("b", hear)]), "a:1")
    assert "a's send at step 1 returned 'sent' (lost), where it could as well have returned 'sent'" in why.what


def test_a_daemon_may_lie_on_a_circle():
    processes = [Process("p", take, ONE, OTHER), Process("d", take, OTHER, ONE, daemon=True)]
    assert told(System(objects=[ONE, OTHER], processes=processes), "p d").proof == "Wait-for cycle: p → d → p."


def test_two_daemons_that_wait_for_each_other_are_told_as_processes_that_must_end_are():
    daemons = [Process("p", take, ONE, OTHER, daemon=True), Process("q", take, OTHER, ONE, daemon=True)]
    why = told(System(objects=[ONE, OTHER], processes=daemons))
    assert why.sentence == (
        "Each waits for the next: p holds one (taken at step 1) and wants other; q holds other (taken at step 2) and "
        "wants one. With one order for all, such as one before other, there is no such cycle."
    )
    assert why.proof == "Wait-for cycle: p → q → p."


def test_a_daemon_that_waits_amid_its_work_is_told_and_one_that_waits_for_its_next_round_is_not():
    def wait() -> Program[None]:
        yield DONE.wait_for("never")

    def works() -> Program[None]:
        yield DONE.read()
        yield DONE.wait_for("ever")

    processes = [Process("w", works, daemon=True), Process("idle", wait, daemon=True)]
    assert told(System(objects=[DONE], processes=processes)).sentence == (
        "w waits for done.wait_for('ever'), and nobody can make that possible any more. "
        "w can never get past done.wait_for('ever')."
    )


def test_those_that_wait_alike_are_told_together_and_those_that_are_too_many_are_counted():
    locks = [Mutex(f"lock {n}") for n in range(5)]
    keepers = [Process(f"p{n}", keep, lock) for n, lock in enumerate(locks)]
    waiting = [Process(f"q{n}", take, lock, copies=2) for n, lock in enumerate(locks)]
    why = told(System(objects=locks, processes=[*keepers, *waiting]), "p0 p1 p2 p3 p4")
    assert why.what.startswith("q0#1 and q0#2 wait for lock 0, which p0 took at step 1 and has not given back, though")
    assert why.what.count(" wait for lock ") == 3
    assert "; four more wait" in why.what


def claims_of(system: System, schedule: str):
    record = Record(system, replay(system, schedule))
    return record, list(record.trace.holds())


def test_a_circle_of_wrong_holds_is_caught():
    record, (p, q) = claims_of(crossed(), "p q")
    assert against(EachWaits((p, q)), record) == ""
    assert against(EachWaits((p, replace(q, since=0))), record) == "step 1 does not take other"
    assert against(EachWaits((p, p)), record) == "they are fewer than two processes, or one comes twice"
    assert against(EachWaits((replace(p, process="q"), q)), record).startswith("they are fewer")
    assert against(OneOrder((p, q)), record) == ""
    assert against(OneOrder((p, replace(q, name="one"))), record) == "there is one object only"


def test_a_circle_that_was_none_is_caught():
    """The mutex `one` is with q, which waits for nobody."""
    system = System(objects=[ONE, OTHER], processes=[Process("p", take, OTHER, ONE), Process("q", take, ONE)])
    record, (p, q) = claims_of(system, "p q")
    assert against(EachWaits((p, q)), record) == "q does not wait for other"
    assert against(WaitsForHolders(("p",), (q,)), record) == ""
    assert against(WaitsForHolders(("q",), (p,)), record) == "q does not wait for other"


def test_who_holds_none_or_lets_others_wait_is_no_holder_of_too_few():
    record, holds = claims_of(few(2, 2, 2, 1), "r0 r1")
    assert against(NoneFree(tuple(holds), ("r0", "r1")), record) == ""
    assert against(NoneFree(tuple(holds), ("r0", "r2")), record) == "r2 holds none, or wants something else"
    assert against(NoneFree(tuple(holds[:1]), ("r0",)), record) == "there are other holds of connection"
    assert against(NoneFree(tuple(holds), ()), record) == "it is of several objects, or nobody waits"


def test_readers_that_both_want_to_write_are_no_too_few_of_something():
    class ReadersWriter(SharedObject):
        def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
            match op.verb:
                case "read":
                    return (Outcome(state + 1, takes="reading"),) if state >= 0 else ()
                case "upgrade":
                    return (Outcome(-1, takes="writing"),) if state == 1 else ()
                case "leave":
                    return (Outcome(state - 1, drops="reading"),)
            raise self.unknown_verb(op)

    gate = ReadersWriter("gate", 0)

    def upgrade() -> Program[None]:
        yield gate.op("read")
        yield gate.op("upgrade")

    def reader() -> Program[None]:
        yield gate.op("read")
        yield gate.op("leave")

    processes = [Process("p", upgrade, copies=2), Process("r", reader)]
    assert told(System(objects=[gate], processes=processes), "r*2 p#1 p#2").what == (
        "Each waits for the next: p#1 holds gate (taken at step 3) and wants gate.upgrade(); "
        "p#2 holds gate (taken at step 4) and wants gate.upgrade()"
    )


def test_a_span_that_came_to_its_last_section_did_not_stay_open():
    record, (first, second) = claims_of(cached(), "build#1*4 build#2*2")
    span = Span("cache", "look", "store")
    assert against(WaitsForItself(second), record) == against(StaysOpen(second, span), record) == ""
    assert against(StaysOpen(first, span), record) == "build#1 has come to store"
    assert against(StaysOpen(second, Span("cache", "look", "use")), record).startswith("cache lock is not taken for")
    assert against(WaitsForItself(first), record) == "it is let go of"


def test_a_wait_with_others_alive_or_somebody_moving_is_caught():
    record = Record(belled(), replay(belled(), "worker producer*2 worker"))
    assert against(Waits(("worker",), "bell.hear()", last=True), record) == ""
    assert against(Waits(("producer",), "bell.hear()", last=True), record) == "producer does not wait for bell.hear()"
    running = Record(belled(), replay(belled(), "worker*2"))
    assert against(Waits(("worker",), "bell.hear()", last=False), running) == "somebody can move"
    stuck = Record(crossed(), replay(crossed(), "p q"))
    assert against(Waits(("p",), "other.acquire()", last=True), stuck) == "others are alive, too"
    assert against(MoreWait(("p", "q")), stuck) == ""
    assert against(MoreWait(("producer",)), record) == "producer does not wait"


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (CameBefore("worker", 2, 3), ""),
        (CameBefore("worker", 1, 3), "step 2 is on something else"),
        (CameBefore("worker", 2, 0), "step 1 is not what worker did last, after another's step 3"),
        (WentTo("worker", 2, 3), "step 4 is not a third one's, after step 3"),
    ],
)
def test_help_that_would_not_help_or_did_not_come_before_is_caught(claim, why):
    assert against(claim, Record(belled(), replay(belled(), "worker producer*2 worker"))) == why


def test_help_that_went_to_nobody_else_is_caught():
    record = Record(called_once(), replay(called_once(), "caller w#1"))
    assert against(WentTo("w#2", 0, 1), record) == ""
    assert against(WentTo("w#2", 1, 0), record) == "step 1 is not a third one's, after step 2"
    assert step_number(0) == "at step 1"
