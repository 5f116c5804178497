"""A queue: a message is hidden while it is worked on, gone when acknowledged, and comes again otherwise."""

import pytest

from dstamp_sim import (
    Counter,
    Distribution,
    Process,
    Program,
    Queue,
    Shape,
    System,
    Timing,
    Verdict,
    always,
    delay,
    explore,
    replay,
    run_timed,
)
from dstamp_sim.objects.work_queue import Delivered, Delivery

queue, requeues, done = Queue("queue", ("a", "b")), Queue("queue", ("a",), requeues=True), Counter("done")


def after(item, state, *ops):
    """The state after `ops` and the last result; each must have one outcome."""
    result = None
    for op in ops:
        (outcome,) = item.outcomes(state, op)
        state, result = outcome.state, outcome.result
    return state, result


TAKEN, FIRST = after(queue, queue.initial, queue.receive())
AGAIN, _ = after(queue, TAKEN, queue.watch(), queue.redeliver(0))


def test_a_message_that_is_received_is_hidden_from_others():
    assert Delivery("a", 0) == FIRST
    assert after(queue, TAKEN, queue.receive())[1] == Delivery("b", 1)
    empty, _ = after(queue, TAKEN, queue.receive())
    assert queue.outcomes(empty, queue.receive()) == ()
    assert after(queue, empty, queue.try_receive()) == (empty, None)


def test_a_message_that_is_acknowledged_is_gone():
    gone, result = after(queue, TAKEN, queue.acknowledge(0))
    assert (gone, result) == (Delivered(("b",)), True)


def test_a_message_is_visible_again_as_the_last_one_when_its_time_is_over():
    assert AGAIN.waiting == ("b", "a")


def test_whoever_acknowledges_after_that_deletes_nothing_and_is_told():
    assert after(queue, AGAIN, queue.acknowledge(0)) == (Delivered(("b", "a")), False)


def test_the_end_of_the_time_of_an_acknowledged_message_is_nothing():
    state, _ = after(queue, TAKEN, queue.watch(), queue.acknowledge(0), queue.redeliver(0))
    assert state == Delivered(("b",))


def test_no_new_delivery_has_a_receipt_that_a_late_consumer_or_a_clock_still_has():
    assert after(queue, AGAIN, queue.receive())[1] == Delivery("b", 1)
    state, _ = after(queue, TAKEN, queue.watch(), queue.acknowledge(0), queue.receive())
    assert state.invisible == (Delivery("b", 1),)


def test_a_message_can_be_given_back_at_once():
    assert after(queue, TAKEN, queue.give_back(0))[0] == Delivered(("b", "a"))


def test_the_message_of_the_dead_comes_again_when_its_time_is_over_or_at_once():
    orphaned = queue.on_death(TAKEN, 0)
    assert (orphaned.waiting, orphaned.orphaned) == (("b",), (0,))
    assert after(queue, orphaned, queue.watch(), queue.redeliver(0))[0] == Delivered(("b", "a"))
    taken, _ = after(requeues, requeues.initial, requeues.receive())
    assert requeues.on_death(taken, 0) == Delivered(("a",))


def test_who_ends_without_an_answer_does_as_who_dies():
    def forgets(item: Queue) -> Program[None]:
        yield item.receive()

    for item, last in ((queue, "queue.abandon(0)"), (requeues, "queue.give_back(0)")):
        trace = replay(System(objects=[item], processes=[Process("p", forgets, item)]), "p*2")
        assert str(trace.steps[-1].op) == last


def work() -> Program[bool]:
    job = yield queue.receive()
    yield delay("work")
    yield done.add(1)
    return (yield queue.acknowledge(job.receipt))


def system(copies=3, crashes=0) -> System:
    return System(
        objects=[queue, done],
        processes=[
            Process("worker", work, copies=copies),
            Process("time", queue.redelivers, daemon=True),
        ],
        properties=[always("each once", lambda state: state[done] <= 2, reads=[done])],
        crashes=crashes,
    )


def test_a_message_is_worked_on_at_least_once_and_twice_if_it_comes_again():
    assert explore(system(copies=2)).judgement("each once").verdict is Verdict.HOLDS
    assert explore(system(copies=3), keep_going=True).judgement("each once").verdict is Verdict.VIOLATED


def test_the_states_of_consumers_that_go_on_for_ever_are_finite():
    consumers = System(
        objects=[queue],
        processes=[
            Process("worker", forgetful, daemon=True, copies=2, killable=True),
            Process("time", queue.redelivers, daemon=True),
        ],
        properties=[always("two", lambda state: len(state[queue].waiting) <= 2, reads=[queue])],
        crashes=1,
    )
    assert explore(consumers).judgement("two").verdict is Verdict.HOLDS


def forgetful() -> Program[None]:
    yield queue.receive()
    yield delay("work")


@pytest.mark.parametrize(("work_s", "acknowledged"), [(10.0, True), (29.0, True), (31.0, False)])
def test_on_the_clock_a_message_comes_again_when_its_time_is_over(work_s, acknowledged):
    made = {"queue visibility": 30.0, "work": work_s}
    delays = {name: Distribution(Shape.CONSTANT, (value,)) for name, value in made.items()}
    assert run_timed(system(copies=1), Timing(delays=delays)).results == {"worker": acknowledged}
