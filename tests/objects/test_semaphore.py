"""A semaphore has so many permits: taken, waited for, lost or given back by a death, and released twice."""

import pytest

from dstamp_sim import (
    ANY,
    Flock,
    Inside,
    ModelError,
    Process,
    Program,
    Semaphore,
    System,
    Verdict,
    always,
    delay,
    explore,
    prove,
    replay,
)
from dstamp_sim.analyses.explain import explain

pool, undone, inside = Semaphore("pool", 2), Semaphore("undone", 1, undo=True), Inside("inside")


def only(outcomes):
    (outcome,) = outcomes
    return outcome


def query(permits: Semaphore, twice: bool = False) -> Program[None]:
    yield permits.acquire()
    yield inside.enter()
    yield delay("query")
    yield inside.leave()
    yield permits.release()
    if twice:
        yield permits.post()


def system(permits, copies=3, crashes=0, most=2, **arguments) -> System:
    process = Process("p", query, permits, *arguments.values(), copies=copies)
    few = always("few", lambda state: state[inside] <= most, reads=[inside])
    return System(objects=[permits, inside], processes=[process], properties=[few], crashes=crashes)


def test_a_permit_is_taken_while_one_is_free_and_then_whoever_asks_waits():
    taken = only(pool.outcomes(2, pool.acquire()))
    assert (taken.state, taken.result, taken.takes) == (1, True, True)
    assert pool.outcomes(0, pool.acquire()) == ()


def test_trying_never_blocks():
    assert only(pool.outcomes(1, pool.try_acquire())).result is True
    refused = only(pool.outcomes(0, pool.try_acquire()))
    assert (refused.state, refused.result, refused.takes) == (0, None, None)


def test_a_release_frees_the_permit_of_this_process():
    freed = only(pool.outcomes(1, pool.release()))
    assert (freed.state, freed.result, freed.drops) == (2, True, True)


def test_a_release_by_who_holds_none_is_the_models_error():
    def releases() -> Program[None]:
        yield pool.release()

    with pytest.raises(ModelError, match=r"pool\.release\(True\) releases what this process does not hold"):
        explore(System(objects=[pool], processes=[Process("p", releases)]))


def test_a_post_adds_a_permit_that_nobody_held_up_to_the_most():
    posted = only(pool.outcomes(1, pool.post()))
    assert (posted.state, posted.result, posted.drops) == (2, True, None)
    refused = only(pool.outcomes(2, pool.post()))
    assert (refused.state, refused.result) == (2, False)
    assert only(Semaphore("more", 2, most=3).outcomes(2, pool.post())).state == 3


def test_a_release_when_all_are_free_since_somebody_posted_adds_none():
    late = only(pool.outcomes(2, pool.release()))
    assert (late.state, late.result, late.drops) == (2, False, True)


@pytest.mark.parametrize("permits", [-1, 1.5, True, "2"])
def test_another_number_of_permits_is_refused(permits):
    with pytest.raises(ModelError, match=r"Semaphore 's': permits=.*must be a number from 0 on"):
        Semaphore("s", permits)


@pytest.mark.parametrize("most", [0, 1, "3"])
def test_another_number_as_the_most_is_refused(most):
    with pytest.raises(ModelError, match=r"Semaphore 's': most=.*must be a number from 2 on"):
        Semaphore("s", 2, most=most)


def test_as_many_as_permits_are_inside_and_no_more_for_any_number():
    assert explore(system(pool)).verdict is Verdict.HOLDS
    assert explore(system(pool, most=1)).verdict is Verdict.VIOLATED


def test_a_permit_is_lost_by_a_death_unless_it_is_undone():
    lost = explore(system(pool, copies=3, crashes=2)).judgement("no deadlock")
    assert lost.verdict is Verdict.VIOLATED
    assert lost.trace.waiting == {"p#3": "pool.acquire()"}
    assert explore(system(undone, copies=3, crashes=2, most=1)).verdict is Verdict.HOLDS


def test_a_permit_is_given_back_at_a_programs_end_only_where_it_is_undone():
    def forgets(permits: Semaphore) -> Program[None]:
        yield permits.acquire()

    trace = replay(System(objects=[undone], processes=[Process("p", forgets, undone)]), "p*2")
    assert [str(step.op) for step in trace.steps] == ["undone.acquire()", "undone.release(True)"]
    trace = replay(System(objects=[pool], processes=[Process("p", forgets, pool)]), "p")
    assert trace.steps[-1].ended


def test_a_double_release_lets_one_more_in_while_others_hold_theirs():
    report = explore(system(pool, copies=4, twice=True))
    assert report.judgement("few").verdict is Verdict.VIOLATED
    assert explore(system(pool, copies=4)).verdict is Verdict.HOLDS


def test_the_bound_is_proved_for_any_number_of_copies():
    bounded = always("bounded", lambda state: 0 <= state[pool] <= 2, reads=[pool])

    def asks() -> Program[None]:
        yield pool.acquire()
        yield delay("query")
        yield pool.release()

    report = prove(System(objects=[pool], processes=[Process("p", asks, copies=ANY)], properties=[bounded]))
    assert report.judgement("bounded").verdict is Verdict.HOLDS


def test_too_few_for_all_who_want_one_more_is_said():
    def nested() -> Program[None]:
        yield pool.acquire()
        yield pool.acquire()
        yield pool.release()
        yield pool.release()

    nested_pool = System(objects=[pool], processes=[Process("p", nested, copies=2)])
    trace = explore(nested_pool).trace
    assert explain(nested_pool, trace).sentence.startswith(
        "Two hold one pool each (p#1 and p#2), all want one more, and none is free."
    )


def test_a_pool_and_a_lock_in_two_orders_are_a_circle():
    lock, one = Flock("lock"), Semaphore("one", 1)

    def a() -> Program[None]:
        yield one.acquire()
        held = yield lock.acquire()
        yield lock.release(held)
        yield one.release()

    def b() -> Program[None]:
        held = yield lock.acquire()
        yield one.acquire()
        yield one.release()
        yield lock.release(held)

    crossed = System(objects=[one, lock], processes=[Process("a", a), Process("b", b)])
    assert explain(crossed, explore(crossed).trace).proof == "Wait-for cycle: a → b → a."
