"""Schedules that go round: their text, their strict replay, and what they show by the semantics alone."""

import pytest

from dstamp_sim import (
    ModelError,
    Process,
    Register,
    Schedule,
    ScheduleError,
    System,
    always_eventually,
    eventually,
    leads_to,
    replay,
)
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.lasso import lasso_of
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.system import ANY, Fairness

x, y = Register("x", "a"), Register("y", 0)


def polls():
    while (yield x.read()) != "b":
        pass


def writes():
    yield x.write("b")


def counts():
    rounds = 0
    while (yield x.read()) != "b":
        rounds += 1
    return rounds


def system(fair: str = "weak", poller=polls) -> System:
    return System(objects=[x, y], processes=[Process("poller", poller), Process("writer", writes, fair=fair)])


@pytest.mark.parametrize("written", ["poller ( poller )*", "( a*2 b:1 )*", "a b! ( )*", "( )*", "%28 ( %28*2 )*"])
def test_a_schedule_that_goes_round_is_read_as_it_is_written(written):
    schedule = Schedule.parse(written)
    assert str(schedule) == written and schedule.loop is not None


def test_the_moves_of_stem_and_cycle_are_not_run_together():
    assert str(Schedule.parse("a a ( a )*")) == "a*2 ( a )*"
    assert Schedule.parse("a*2 ( a )*").loop == 2
    assert Schedule.parse("a*2 a").loop is None


def test_a_process_may_still_be_called_by_a_bracket():
    assert Schedule.parse("(").choices[0].process == "("
    assert Schedule.parse(str(Schedule.parse("( a )*"))).choices[0].process == "a"


@pytest.mark.parametrize("written", ["a )*", "a ( b )* c", "( a )* ( b )*"])
def test_brackets_that_are_not_one_cycle_at_the_end_are_refused(written):
    with pytest.raises(ScheduleError, match=r"closes no cycle|is not a choice"):
        Schedule.parse(written)


def test_a_cycle_is_performed_once_and_must_come_back_to_the_very_state():
    trace = replay(system(), "poller ( poller )*")
    assert (len(trace.steps), trace.loop, str(trace.schedule)) == (2, 1, "poller ( poller )*")
    with pytest.raises(ScheduleError, match="the cycle from step 1 to step 1 does not lead back to where it began"):
        replay(system(), "( writer )*")
    with pytest.raises(ScheduleError, match="does not lead back"):
        replay(system(poller=counts), "poller ( poller )*")
    with pytest.raises(ScheduleError, match="does not lead back"):
        lasso_of(Semantics(system(), by_value=True), Schedule.parse("( writer )*"))


def broken_since(prop, schedule: str, fair: str = "weak"):
    semantics = Semantics(system(fair), by_value=True)
    return lasso_of(semantics, Schedule.parse(schedule)).broken_since(Judge(semantics, ()), prop)


def test_an_unfair_lasso_breaks_nothing():
    prop = eventually("written", lambda state: state[x] == "b", reads=[x])
    assert broken_since(prop, "poller ( poller )*") is None
    assert broken_since(prop, "poller ( poller )*", fair="strong") is None
    assert broken_since(prop, "poller ( poller )*", fair="none") == 0
    assert broken_since(prop, "( )*", fair="none") is None, "the poller is owed a move"


def test_what_a_lasso_breaks_is_told_from_where_on_it_waits_in_vain():
    written, ended = "writer poller ( )*", "poller ( poller )*"
    assert broken_since(eventually("e", lambda state: state[x] == "b", reads=[x]), written) is None
    assert broken_since(eventually("e", lambda results: "nobody" in results), written) == 0
    again = always_eventually("again", lambda state: state[x] == "a", reads=[x])
    assert broken_since(again, written) == 1 and broken_since(again, ended, "none") is None
    due = leads_to("due", lambda state: state[x] == "b", lambda state: state[x] == "c", reads=[x])
    assert broken_since(due, written) == 1 and broken_since(due, ended, "none") is None


def test_fairness_is_one_of_three_words():
    assert Process("p", writes).fair is Fairness.WEAK
    assert Process("p", writes, fair="strong", copies=ANY).with_copies(2).fair is Fairness.STRONG
    with pytest.raises(ModelError, match=r"fair.*unfair.*weak.*strong.*none"):
        Process("p", writes, fair="unfair")
    with pytest.raises(ModelError, match="fair"):
        Process("p", writes, fair=True)  # type: ignore[arg-type]


def test_leads_to_needs_both_of_its_predicates():
    with pytest.raises(ModelError, match="premise"):
        leads_to("p", None, lambda state: state[x] == "b", reads=[x])  # type: ignore[arg-type]
