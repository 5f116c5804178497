"""An `Inside` counts who is inside, a death and an end included, and keeps nobody out."""

import pytest

from dstamp_sim import (
    Flock,
    Inside,
    ModelError,
    Process,
    Program,
    System,
    Verdict,
    always,
    delay,
    explore,
    prove,
    replay,
)
from dstamp_sim.core.system import ANY
from dstamp_sim.pipeline.explained import explained
from dstamp_sim.rendering.timeline.layout import lay_out

inside, lock = Inside("inside"), Flock("lock")
ONE_AT_A_TIME = always("one at a time", lambda state: state[inside] <= 1, reads=[inside])


def work() -> Program[None]:
    yield inside.enter()
    yield delay("work")
    yield inside.leave()


def locked() -> Program[None]:
    held = yield lock.acquire()
    yield from work()
    yield lock.release(held)


def system(program, copies=2, crashes=0) -> System:
    process = Process("p", program, copies=copies)
    return System(objects=[inside, lock], processes=[process], properties=[ONE_AT_A_TIME], crashes=crashes)


def inside_after(program, schedule, copies=2, crashes=0):
    """How many are inside at the end of a schedule."""
    trace = replay(system(program, copies, crashes), schedule)
    return [change.after for step in trace.steps for change in step.changes if change.target == "inside"][-1]


def test_nobody_is_inside_at_first():
    assert inside.initial == 0


def test_each_entry_counts_one_more_and_each_exit_one_less():
    assert inside_after(work, "p#1") == 1
    assert inside_after(work, "p#1 p#2") == 2
    assert inside_after(work, "p#1 p#2*3") == 1
    assert inside_after(work, "p#1 p#2*3 p#1*2") == 0


def test_it_keeps_nobody_out():
    assert explore(system(work)).verdict is Verdict.VIOLATED


def test_a_lock_keeps_one_at_a_time_for_any_number():
    report = prove(system(locked, ANY), properties=["one at a time"])
    assert report.verdict is Verdict.HOLDS


def test_who_dies_inside_is_inside_no_longer():
    assert inside_after(work, "p#1 p#1!", crashes=1) == 0
    assert inside_after(work, "p#1 p#2 p#1!", crashes=1) == 1


def test_a_death_makes_no_false_alarm_where_the_lock_is_freed():
    assert explore(system(locked, crashes=1)).verdict is Verdict.HOLDS
    assert explore(system(locked, copies=3, crashes=2)).verdict is Verdict.HOLDS
    assert prove(system(locked, ANY, crashes=1), properties=["one at a time"]).verdict is Verdict.HOLDS


def test_who_ends_inside_leaves_by_that():
    def forgets() -> Program[None]:
        yield inside.enter()

    trace = replay(system(forgets, copies=1), "p*2")
    assert [str(step.op) for step in trace.steps] == ["inside.enter()", "inside.leave()"]
    assert inside_after(forgets, "p*2", copies=1) == 0


def test_entering_twice_counts_twice_and_a_death_takes_back_both():
    def twice() -> Program[None]:
        yield inside.enter()
        yield from work()
        yield inside.leave()

    assert inside_after(twice, "p*2", copies=1) == 2
    assert inside_after(twice, "p*2 p!", copies=1, crashes=1) == 0


def test_who_died_before_it_entered_or_after_it_left_takes_nobody_away():
    def around() -> Program[None]:
        yield delay("before")
        yield from work()
        yield delay("after")

    assert inside_after(around, "p#1! p#2*2", crashes=1) == 1
    assert inside_after(around, "p#1*2 p#2*4 p#2!", crashes=1) == 1


def test_leaving_without_having_entered_is_the_models_error():
    def leaves() -> Program[None]:
        yield inside.leave()

    with pytest.raises(ModelError, match=r"test_inside\.py:\d+: inside\.leave\(\) releases what this process does not"):
        explore(system(leaves))


def test_copies_inside_are_alike():
    """Two of three inside: which two costs no states, so symmetry has as many states as there are counts of places."""
    report = explore(system(work, copies=3), keep_going=True)
    assert any("symmetry of copies" in note for note in report.coverage.reductions)


def test_an_unknown_verb_is_refused():
    with pytest.raises(NotImplementedError, match="Inside 'inside' has no verb 'entre'"):
        inside.outcomes(0, inside.op("entre"))


def test_neither_words_nor_pictures_call_it_a_lock():
    found = explore(system(work), properties=["one at a time"])
    why = explained(system(work), found.trace, about=ONE_AT_A_TIME)
    assert "held inside" not in why.sentence and "lock inside" not in why.sentence
    layout = lay_out(found.trace, [], title="two inside")
    assert not [label.text for label in layout.labels if "lock held" in label.text]
