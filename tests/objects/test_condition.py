"""A condition: who sleeps, whom a notification wakes and whom it does not, and what a death leaves."""

import pytest

from dstamp_sim import (
    Condition,
    Process,
    Program,
    Register,
    System,
    Verdict,
    each_result,
    explore,
    replay,
)
from dstamp_sim.analyses.explain import explain
from dstamp_sim.objects.condition import Waiters

cond, fifo, spurious = Condition("cond", fifo=False), Condition("fifo"), Condition("spurious", spurious=True)
buffer = Register("buffer", 0)


def only(outcomes):
    (outcome,) = outcomes
    return outcome


def states(outcomes):
    return [outcome.state for outcome in outcomes]


def test_its_lock_is_held_by_one_at_a_time():
    assert only(cond.outcomes(Waiters(), cond.acquire())).state == Waiters(held=True)
    assert cond.outcomes(Waiters(held=True), cond.acquire()) == ()
    assert only(cond.outcomes(Waiters(held=True), cond.release())).state == Waiters()


def test_to_sleep_is_to_let_go_of_the_lock_in_the_same_op():
    asleep = only(cond.outcomes(Waiters(held=True), cond.sleep()))
    assert (asleep.state, asleep.result, asleep.drops) == (Waiters(asleep=(0,)), 0, True)


def test_a_sleeper_wakes_when_it_was_notified_and_the_lock_is_free():
    assert cond.outcomes(Waiters(asleep=(0,)), cond.wake(0)) == ()
    assert cond.outcomes(Waiters(held=True, notified=(0,)), cond.wake(0)) == ()
    awake = only(cond.outcomes(Waiters(notified=(0,)), cond.wake(0)))
    assert (awake.state, awake.takes) == (Waiters(held=True), True)


def test_a_notification_reaches_any_one_sleeper_and_the_first_one_in_a_fifo():
    two = Waiters(asleep=(1, 0))
    assert states(fifo.outcomes(two, fifo.notify())) == [Waiters(asleep=(0,), notified=(1,))]
    sorted_two = Waiters(asleep=(0, 1))
    reached = states(cond.outcomes(sorted_two, cond.notify()))
    assert reached == [Waiters(asleep=(1,), notified=(0,)), Waiters(asleep=(0,), notified=(1,))]


def test_notifying_all_reaches_all_who_sleep():
    assert only(cond.outcomes(Waiters(asleep=(0, 1)), cond.notify_all())).state == Waiters(notified=(0, 1))


@pytest.mark.parametrize("verb", ["notify", "notify_all"])
def test_a_notification_that_finds_nobody_asleep_is_lost(verb):
    lost = only(cond.outcomes(Waiters(notified=(0,)), cond.op(verb)))
    assert (lost.state, lost.label) == (Waiters(notified=(0,)), "nobody is asleep")


def test_who_sleeps_after_a_notification_does_not_get_it():
    later = only(cond.outcomes(Waiters(held=True, notified=(0,)), cond.sleep()))
    assert later.state == Waiters(asleep=(1,), notified=(0,))
    assert cond.outcomes(later.state, cond.wake(1)) == ()


def test_a_sleeper_wakes_without_a_notification_only_where_that_may_be():
    woken = only(spurious.outcomes(Waiters(asleep=(0,)), spurious.wake(0)))
    assert (woken.state, woken.label) == (Waiters(held=True), "spurious")


def get(item: Condition, again: bool) -> Program[bool]:
    yield item.acquire()
    while (yield buffer.read()) == 0:
        yield from item.wait()
        if not again:
            break
    got = yield buffer.read()
    yield buffer.write(0)
    yield item.release()
    return got == 1


def put(item: Condition, all_of_them: bool) -> Program[None]:
    yield item.acquire()
    while (yield buffer.read()) == 1:
        yield from item.wait()
    yield buffer.write(1)
    yield item.notify_all() if all_of_them else item.notify()
    yield item.release()


def exchange(
    item: Condition, getters: int = 1, putters: int = 1, again: bool = True, all_of_them: bool = True
) -> System:
    return System(
        objects=[item, buffer],
        processes=[
            Process("get", get, item, again),
            Process("put", put, item, all_of_them),
        ],
        properties=[each_result("got one", lambda got: got is not False)],
    )


def test_whoever_waits_in_a_loop_gets_what_it_waited_for_and_an_if_is_not_enough():
    assert explore(exchange(cond)).verdict is Verdict.HOLDS
    assert explore(exchange(spurious)).verdict is Verdict.HOLDS
    assert explore(exchange(spurious, again=False)).judgement("got one").verdict is Verdict.VIOLATED


def flag(item: Condition, locked: bool) -> System:
    """One waits until the buffer is full; another fills it and notifies, with the lock or without."""

    def waits() -> Program[None]:
        yield item.acquire()
        while (yield buffer.read()) == 0:
            yield from item.wait()
        yield item.release()

    def fills() -> Program[None]:
        if locked:
            yield item.acquire()
        yield buffer.write(1)
        yield item.notify()
        if locked:
            yield item.release()

    return System(objects=[item, buffer], processes=[Process("waits", waits), Process("fills", fills)])


def test_a_notification_without_the_lock_may_come_before_the_sleep_and_the_sentence_names_it():
    report = explore(flag(cond, locked=False))
    assert report.judgement("no deadlock").verdict is Verdict.VIOLATED
    sentence = explain(flag(cond, locked=False), report.trace).sentence
    assert "fills's notify (nobody is asleep) at step 4 came too early" in sentence
    assert explore(flag(cond, locked=True)).verdict is Verdict.HOLDS


def crossed(item: Condition) -> System:
    """Two that put and two that get through one condition, and each notifies one sleeper."""
    return System(
        objects=[item, buffer],
        processes=[
            Process("put", put, item, False, copies=2),
            Process("get", get_and_tell, item, copies=2),
        ],
    )


def get_and_tell(item: Condition) -> Program[None]:
    yield item.acquire()
    while (yield buffer.read()) == 0:
        yield from item.wait()
    yield buffer.write(0)
    yield item.notify()
    yield item.release()


def test_a_notification_that_reaches_the_wrong_sleeper_is_named_though_it_had_to_wait_for_the_lock():
    trace = explore(crossed(fifo)).trace
    why = explain(crossed(fifo), trace)
    assert "notify at step 18 would make it possible, but went to" in why.sentence
    assert why.dropped == ()


def test_a_death_leaves_the_lock_held_and_a_sleeper_asleep():
    system = exchange(cond).with_crashes(1)
    assert replay(system, "get get!").waiting == {"put": "cond.acquire()"}
    trace = replay(system, "get*3 get! put*5")
    assert trace.steps[-1].changes[0].after.notified == (0,)
