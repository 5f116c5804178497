"""Why what was held did not keep a write out of a window, and that what is said of it is so."""

from dataclasses import replace

import pytest

from dstamp_sim import (
    Flock,
    LockScope,
    Mutex,
    Placement,
    Process,
    Program,
    Register,
    SharedObject,
    System,
    at_end,
    explore,
    replay,
    section,
)
from dstamp_sim.analyses.accesses import Accesses
from dstamp_sim.analyses.explain import explain, step_number
from dstamp_sim.analyses.held import KeepingOut, RaceWindow
from dstamp_sim.analyses.hold_claims import (
    AsksForNone,
    BothHeld,
    HadLapsed,
    HadLetGo,
    HeldAllTheWhile,
    HeldAnother,
    HeldInVain,
    LetGoBetween,
    NeitherUnder,
    NeverAsked,
    NoLockHeld,
    Refused,
    TookOnly,
)
from dstamp_sim.analyses.speech import Speech
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.verify import against
from tests.holders import Lease

X, ONE, OTHER = Register("x", 0), Mutex("one"), Mutex("other")


def look() -> Program[int]:
    return (yield X.read())


def store(value: int) -> Program[None]:
    yield X.write(value)


def add() -> Program[None]:
    seen = yield from section("look", look())
    yield from section("store", store(seen + 1))


def placed(placement: str) -> System:
    system = System(
        objects=[X],
        processes=[Process("p", add, copies=2)],
        properties=[both_are_in()],
        sections=["look", "store"],
        locks=[LockScope("account")],
    )
    return system if placement == "none" else system.with_locks(Placement.parse(placement))


def both_are_in():
    return at_end("both are in", lambda _, state: state[X] == 2, reads=[X])


def explained(system: System, schedule: str | None = None):
    return explain(system, explore(system).trace if schedule is None else replay(system, schedule))


@pytest.mark.parametrize(
    ("placement", "lock"),
    [
        ("account:store", "p#2 held account lock, which did not help: p#1 took it only at step 6"),
        ("account:look", "Neither p#1's window nor p#2's store was under account lock"),
        (
            "account:look,account:store",
            "p#2 held account lock, which did not help: p#1 let go of it at step 3, between its look and its store",
        ),
    ],
)
def test_a_lost_update_under_a_lock_over_parts_of_it_is_told_as_one_with_why_the_lock_did_not_help(placement, lock):
    why = explained(placed(placement))
    assert "Lost update" in why.proof
    assert why.lock == lock
    assert why.right == "Tried and safe: p#2's store before p#1's look"


def withdraw() -> Program[bool]:
    seen = yield from section("look", look())
    if seen < 60:
        return False
    yield from section("store", store(seen - 60))
    return True


def bank(placement: str) -> System:
    once = at_end("one at most", lambda results: sum(result is True for result in results.values()) <= 1)
    system = System(
        objects=[X],
        processes=[Process("start", store, 100), Process("p", withdraw, copies=2)],
        properties=[once],
        sections=["look", "store"],
        locks=[LockScope("account", lambda *args: None if args else "7")],
    )
    return system if placement == "none" else system.with_locks(Placement.parse(placement))


@pytest.mark.parametrize(
    ("placement", "schedule", "lock"),
    [
        ("none", "start p#1 p#2*2 p#1", "No lock was held"),
        (
            "account:store",
            "start p#1 p#2*4 p#1*3",
            "p#2 held account lock '7', which did not help: p#1 took it only at step 7",
        ),
        (
            "account:look",
            "start p#1*3 p#2*4 p#1",
            "Neither p#1's window nor p#2's store was under account lock '7'",
        ),
    ],
)
def test_a_lock_over_a_part_of_it_is_told_by_what_was_not_under_it(placement, schedule, lock):
    assert explained(bank(placement), schedule).lock == lock


def test_a_lock_over_both_halves_is_told_by_the_gap_between_them():
    system = bank("account:look,account:store")
    record = Record(system, replay(system, "start p#1*3 p#2*6 p#1*3"))
    around = KeepingOut(record.trace, RaceWindow(opens=2, write=8, closes=11))
    told = next(claim for claim in around.claims(Accesses(record.trace), 12) if not against(claim, record))
    assert told.words(Speech(record.trace, step_number)) == (
        "p#2 held account lock '7', which did not help: p#1 let go of it at step 4, between its look and its store"
    )
    gap = around.gap(Accesses(record.trace))
    assert (gap.process, gap.lock, gap.first, gap.last) == ("p#1", "account lock '7'", 3, 11)


def under(*locks: SharedObject, tries: bool = False) -> Program[None]:
    first, *inner = locks
    token = yield first.op("try_acquire" if tries else "acquire")
    yield from under(*inner) if inner else add()
    if token is not None:
        yield first.op("release", token)


def two(*processes: Process) -> System:
    return System(objects=[X, ONE, OTHER], processes=processes, properties=[both_are_in()])


def test_one_that_never_asked_is_told_so_and_with_another_lock_that_it_is_another():
    bare = explained(two(Process("a", add), Process("b", under, ONE)), "a b*4 a")
    assert bare.lock == "b held one, which did not help: a never asked for it"
    other = explained(two(Process("a", under, OTHER), Process("b", under, ONE)), "a*2 b*4 a*2")
    assert other.lock == "b held one, which did not help: a never asked for it, and held other, which is another"


def test_one_that_was_refused_and_went_on_did_ask():
    system = two(Process("a", lambda: under(ONE, tries=True)), Process("b", under, ONE))
    assert explained(system, "b a*2 b*3 a").lock == (
        "b held one, which did not help: a did not get it at step 2, and went on"
    )


def test_the_writer_that_went_round_the_lock_is_told():
    why = explained(two(Process("a", under, ONE), Process("b", add)), "a*2 b*2 a*2")
    assert why.lock == "a held one all the while, but b never asked for it"


def leased() -> System:
    lease = Lease("lease", (0, 0))

    def time() -> Program[None]:
        yield lease.op("lapse")

    processes = [Process("a", under, lease, copies=2), Process("time", time, daemon=True)]
    return System(objects=[X, lease], processes=processes, properties=[both_are_in()])


def test_a_lease_that_lapsed_is_told_with_what_made_it_lapse_and_is_called_no_lock():
    why = explained(leased())
    assert "time's lapse at step 3 changed lease, which a#1 held since its acquire at step 1" in why.what
    assert "lock" not in why.sentence


def test_a_register_that_the_model_uses_as_a_lock_is_not_contradicted():
    owner = Register("owner", 0)

    def own(me: int) -> Program[None]:
        yield owner.compare_and_set(0, me)
        yield from add()

    system = System(
        objects=[X, owner], processes=[Process("a", own, 1), Process("b", own, 2)], properties=[both_are_in()]
    )
    why = explained(system, "a*2 b*3 a")
    assert "Lost update" in why.proof
    assert why.lock == "" and why.gap is None


def holds_of(system: System, schedule: str):
    record = Record(system, replay(system, schedule))
    return record, list(record.trace.holds())


def test_when_it_was_taken_and_let_go_of_is_verified():
    record, (b, a) = holds_of(placed("account:store"), "p#1 p#2*4 p#1*3")
    assert against(HeldInVain(b, 3, TookOnly(a, 0)), record) == ""
    assert against(TookOnly(a, 6), record) == "it was taken before step 7"
    assert against(TookOnly(replace(a, since=6), 0), record) == "step 7 does not take account lock"
    assert against(HeldInVain(b, 5, TookOnly(a, 0)), record) == "step 6 is another's"
    assert against(HeldInVain(a, 6, NeverAsked("p#1", "account lock", 6)), record) == "it asked for it with step 6"
    assert against(HeldAllTheWhile(b, 3, NeverAsked("p#1", "account lock", 3)), record) == "step 4 is its own"
    assert against(HadLetGo(b, 6), record) == ""
    assert against(HadLetGo(b, 3), record) == "it was not let go of before step 4"
    assert against(HadLetGo(replace(b, until=3), 6), record) == "step 4 does not let go of it"
    assert against(NeverAsked("p#1", "account lock", 4), record) == ""
    assert against(NeitherUnder("account lock", 0, 3, 6), record) == "p#2 held account lock at step 4"


def test_between_which_steps_it_was_let_go_of_is_verified():
    record, (first, *_) = holds_of(placed("account:look"), "p#1*3 p#2*4 p#1")
    assert against(LetGoBetween(first, 1, 7), record) == ""
    assert against(LetGoBetween(first, 1, 6), record) == "the steps are another's"
    assert against(LetGoBetween(first, 2, 7), record) == "it was not let go of between the two"
    assert against(NeitherUnder("account lock", 1, 6, 7), record) == ""
    assert against(NeitherUnder("account lock", 1, 6, 1), record).startswith("p#1 held account lock from step 2")
    assert against(NoLockHeld(("p#1", "p#2"), 7), record) == "p#1 holds account lock before step 2"


def test_that_no_lock_was_held_is_verified():
    record, _ = holds_of(placed("none"), "p#1 p#2*2 p#1")
    assert against(NoLockHeld(("p#1", "p#2"), 3), record) == ""


def test_that_one_was_refused_or_held_another_is_verified():
    record, (one, *_) = holds_of(two(Process("a", lambda: under(ONE, tries=True)), Process("b", under, ONE)), "b a*2 b")
    assert against(Refused(1), record) == ""
    assert against(Refused(0), record) == "step 1 asks for nothing, or gets it"
    assert against(Refused(2), record) == "step 3 asks for nothing"
    assert against(HeldAnother(one, "other", 3), record) == ""
    assert against(HeldAnother(one, "one", 3), record) == "it is the same object"
    assert against(HeldAnother(one, "x", 3), record) == "it asked for it with step 4"


def test_that_a_hold_lapsed_is_verified():
    record, (lapsed, held) = holds_of(leased(), "a#1 time a#2*4")
    assert against(HadLapsed(lapsed), record) == ""
    assert against(HadLapsed(replace(lapsed, until=2)), record).startswith("to let go of it did nothing before step 3")
    assert against(HadLapsed(held), record) == "a#2 let go of it itself"
    assert against(HadLapsed(replace(held, until=4)), record) == "to let go of it does something after step 5, too"
    assert against(AsksForNone("time"), record) == ""
    assert against(AsksForNone("a#1"), record) == "a#1 is no daemon"


def test_that_two_hold_what_is_not_the_same_is_verified():
    file = Flock("file")

    def keep() -> Program[None]:
        yield file.acquire()
        yield X.read()
        yield X.read()

    def unlink() -> Program[None]:
        yield file.unlink()

    made = System(objects=[X, file], processes=[Process("p", keep, copies=2), Process("u", unlink)])
    record, (first, second) = holds_of(made, "p#1 u p#2*2")
    assert against(BothHeld(first, second, 3), record) == ""
    assert against(BothHeld(first, second, 2), record) == "it was taken with step 3 only"
    assert against(BothHeld(first, first, 3), record) == "it is the same"
