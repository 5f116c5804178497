"""Verdicts: three of them, never a bool, and HOLDS only where the space was exhausted and the property asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dstamp_sim import (
    Coverage,
    Judgement,
    Process,
    Program,
    Register,
    Report,
    System,
    Verdict,
    always,
    explore,
    reachable,
    replay,
)
from dstamp_sim.core.verdict import certify, combined

HOLDS, VIOLATED, UNDETERMINED = Verdict.HOLDS, Verdict.VIOLATED, Verdict.UNDETERMINED

x = Register("x", 0)


def one_op() -> Program[None]:
    yield x.write(1)


SAFE = always("safe", lambda state: state[x] == 0, reads=[x])
WISH = reachable("wish", lambda _, state: state[x] == 1, reads=[x])
TRACE = replay(System(objects=[x], processes=[Process("p", one_op)]), "p")


def coverage(*, exhausted: bool = True, asked: int = 1, stopped: str = "") -> Coverage:
    counts = {"safe": asked, "wish": asked}
    return Coverage(1_234, 5_678, 9, exhausted=exhausted, stopped=stopped, exercised=counts)


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verdict_is_no_bool(verdict):
    with pytest.raises(TypeError, match=r"a Verdict is not a bool: compare it with Verdict\.HOLDS"):
        bool(verdict)


def test_exit_codes_leave_2_to_usage_errors():
    assert [verdict.exit_code for verdict in (HOLDS, VIOLATED, UNDETERMINED)] == [0, 1, 3]


def test_holds_needs_an_exhausted_space_and_a_property_that_was_asked():
    judgement = certify(SAFE, coverage(), None)
    assert (judgement.verdict, judgement.reason) == (HOLDS, "in all 1,234 reachable states")


def test_a_space_that_was_not_exhausted_leaves_it_undetermined_and_says_why():
    judgement = certify(SAFE, coverage(exhausted=False, stopped="interrupted"), None)
    assert (judgement.verdict, judgement.reason) == (UNDETERMINED, "interrupted")
    assert certify(SAFE, coverage(exhausted=False), None).reason == "the space was not exhausted"


def test_a_property_that_was_never_asked_is_undetermined():
    assert certify(SAFE, coverage(asked=0), None).verdict is UNDETERMINED
    assert certify(SAFE, Coverage(1, 0, 0, exhausted=True), None).verdict is UNDETERMINED


def test_a_counterexample_decides_even_where_the_space_was_not_exhausted():
    judgement = certify(SAFE, coverage(exhausted=False), TRACE)
    assert (judgement.verdict, judgement.trace) == (VIOLATED, TRACE)
    assert judgement.reason.startswith("fails after 1 step")


def test_a_witness_grants_a_wish_and_its_lack_denies_it_only_in_an_exhausted_space():
    assert certify(WISH, coverage(exhausted=False), TRACE).verdict is HOLDS
    assert certify(WISH, coverage(), None).verdict is VIOLATED
    assert certify(WISH, coverage(exhausted=False), None).verdict is UNDETERMINED


@given(prop=st.sampled_from([SAFE, WISH]), exhausted=st.booleans(), asked=st.integers(0, 2), found=st.booleans())
def test_certify_gives_holds_only_with_exhaustion_and_exercise_or_with_a_granted_wish(prop, exhausted, asked, found):
    judgement = certify(prop, coverage(exhausted=exhausted, asked=asked), TRACE if found else None)
    proved = not prop.is_wish and not found and exhausted and asked > 0
    granted = prop.is_wish and found
    assert (judgement.verdict is HOLDS) == (proved or granted)


@given(st.lists(st.sampled_from(Verdict)))
def test_together_one_violation_is_enough_and_holding_takes_all(verdicts):
    together = combined(verdicts)
    assert (together is VIOLATED) == (VIOLATED in verdicts)
    assert (together is HOLDS) == (bool(verdicts) and all(verdict is HOLDS for verdict in verdicts))


def test_no_verdicts_at_all_are_undetermined():
    assert combined([]) is UNDETERMINED


def test_a_report_finds_judgements_by_name_and_shows_the_first_counterexample():
    granted, broken = Judgement(WISH, HOLDS, "", TRACE), Judgement(SAFE, VIOLATED, "", TRACE)
    report = Report((granted, broken), coverage())
    assert report.verdict is VIOLATED and report.trace is TRACE
    assert report.judgement("safe") is broken
    with pytest.raises(KeyError):
        report.judgement("unknown")


def test_the_witness_of_a_wish_is_no_counterexample():
    report = Report((Judgement(WISH, HOLDS, "", TRACE),), coverage())
    assert report.verdict is HOLDS and report.trace is None


def test_daemons_that_all_come_to_wait_before_their_first_ops_leave_it_open_whether_that_is_a_deadlock():
    flag = Register("flag", 0)

    def once():
        yield flag.wait_for(0)
        yield flag.write(1)

    report = explore(System(objects=[flag], processes=[Process("d", once, daemon=True)], properties=[]))
    judgement = report.judgement("no deadlock")
    assert report.coverage.standstill and judgement.verdict is Verdict.UNDETERMINED
    assert judgement.reason.startswith("every process is a daemon, and all come to wait for ever before their first")


def test_daemons_of_whom_somebody_can_always_move_are_free_of_deadlocks():
    flag = Register("flag", 0)

    def turns():
        yield flag.wait_for(0)
        yield flag.write(1)
        yield flag.wait_for(1)
        yield flag.write(0)

    report = explore(System(objects=[flag], processes=[Process("d", turns, daemon=True)], properties=[]))
    assert report.judgement("no deadlock").reason == "in all 4 reachable states"


def test_a_system_without_a_process_is_not_said_to_have_daemons():
    report = explore(System(objects=[Register("x", 0)], processes=[], properties=[]))
    assert [(j.prop.name, j.verdict, j.reason) for j in report.judgements] == [
        ("no deadlock", HOLDS, "says nothing here: there is no process"),
        ("the end stays possible", HOLDS, "says nothing here: there is no process"),
    ]


def test_one_state_is_told_as_one():
    x = Register("x", 0)
    held = always("zero", lambda state: state[x] == 0, reads=[x])
    report = explore(System(objects=[x], processes=[], properties=[held]))
    assert report.judgement("zero").reason == "in the one reachable state"
