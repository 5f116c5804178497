"""A channel: order, capacity, messages that are lost or come twice; and a counter that fetches and adds."""

import pytest

from dstamp_sim import Channel, Counter, ModelError, Process, Program, System, Verdict, at_end, explore, reachable

channel, small = Channel("channel"), Channel("small", capacity=1)
anyhow, lossy, doubling = Channel("c", fifo=False), Channel("c", loses=True), Channel("c", capacity=2, doubles=True)


def seen(item, state, op):
    """The outcomes as states, results and labels."""
    return [(one.state, one.result, one.label) for one in item.outcomes(state, op)]


def test_messages_come_in_the_order_in_which_they_were_sent():
    assert seen(channel, ("a",), channel.send("b")) == [(("a", "b"), None, "")]
    assert seen(channel, ("a", "b"), channel.receive()) == [(("b",), "a", "")]


def test_whoever_receives_waits_for_a_message_unless_it_only_tries():
    assert channel.outcomes((), channel.receive()) == ()
    assert seen(channel, (), channel.try_receive()) == [((), None, "")]
    assert seen(channel, ("a",), channel.try_receive()) == [((), "a", "")]


def test_whoever_sends_waits_while_the_channel_is_full_unless_it_only_tries():
    assert small.outcomes(("a",), small.send("b")) == ()
    assert seen(small, ("a",), small.try_send("b")) == [(("a",), False, "")]
    assert seen(small, (), small.try_send("b")) == [(("b",), True, "")]


def test_unordered_messages_come_in_any_order_and_equal_ones_once():
    assert seen(anyhow, ("b",), anyhow.send("a")) == [(("a", "b"), None, "")]
    assert [one.result for one in anyhow.outcomes(("a", "a", "b"), anyhow.receive())] == ["a", "b"]


def test_a_message_may_be_lost_where_the_channel_loses():
    assert seen(lossy, (), lossy.send("a")) == [(("a",), None, ""), ((), None, "lost")]


def test_a_message_may_come_twice_where_the_channel_doubles_and_has_room():
    assert seen(doubling, (), doubling.send("a")) == [(("a",), None, ""), (("a", "a"), None, "doubled")]
    assert len(doubling.outcomes(("a",), doubling.send("b"))) == 1


def test_messages_may_be_there_at_first():
    assert Channel("c", ("b", "a")).initial == ("b", "a")
    assert Channel("c", ("b", "a"), fifo=False).initial == ("a", "b")


@pytest.mark.parametrize("capacity", [0, -1, True, "2"])
def test_another_capacity_is_refused(capacity):
    with pytest.raises(ModelError, match=r"Channel 'c': capacity=.*must be a number from 1 on, or None"):
        Channel("c", capacity=capacity)


def test_a_request_that_is_lost_is_waited_for_in_vain():
    requests, answers = Channel("requests", loses=True), Channel("answers")

    def client() -> Program[str]:
        yield requests.send("ping")
        answer: str = yield answers.receive()
        return answer

    def server() -> Program[None]:
        message = yield requests.receive()
        yield answers.send(f"{message} back")

    system = System(
        objects=[requests, answers], processes=[Process("client", client), Process("server", server, daemon=True)]
    )
    assert explore(system).judgement("no deadlock").verdict is Verdict.VIOLATED


counter = Counter("n")


def test_a_counter_fetches_and_adds_in_one_op():
    assert seen(counter, 3, counter.fetch_and_add(2)) == [(5, 3, "")]
    assert seen(counter, 3, counter.fetch_and_add()) == [(4, 3, "")]


def test_numbers_that_are_fetched_and_added_differ_in_every_schedule():
    def draws() -> Program[int]:
        number: int = yield counter.fetch_and_add()
        return number

    differ = at_end("all differ", lambda drawn: sorted(drawn.values()) == [0, 1, 2])
    second = reachable("the third one is first", lambda drawn: drawn.get("p#3") == 0)
    system = System(objects=[counter], processes=[Process("p", draws, copies=3)], properties=[differ, second])
    assert explore(system).verdict is Verdict.HOLDS
