"""A user's property tests of a task that is to run later (`eta2.py`), as the documents tell to write them."""

from pathlib import Path

from hypothesis import HealthCheck, assume, find, given, settings

from dstamp_sim import run_timed
from dstamp_sim.testing import Violation, assert_holds, assert_violated, check, scenarios, schedules, system_of

ONCE = "runs once at most"
MODEL = str(Path(__file__).with_name("eta2.py"))
PLAIN, CLAIM = system_of(MODEL), system_of(MODEL, guard="claim")
DELAYS = ["eta", "until its eta", "work", "visibility timeout"]


def test_the_claim_never_runs_twice_and_the_plain_task_does_in_ten_steps():
    assert_holds(CLAIM, property=ONCE)
    assert len(assert_violated(PLAIN, property=ONCE).steps) == 10


@settings(max_examples=30)
@given(schedule=schedules(CLAIM, properties=[ONCE]))
def test_no_schedule_runs_the_claimed_task_twice(schedule):
    check(CLAIM, schedule, property=ONCE)


@settings(max_examples=30, suppress_health_check=[HealthCheck.filter_too_much])  # one of six timeouts is that long
@given(timing=scenarios(PLAIN, DELAYS, longest_s=100))
def test_a_timeout_longer_than_wait_and_work_runs_the_task_once(timing):
    wait, work, timeout = (timing.delays[name].figures[0] for name in DELAYS[1:])
    assume(timeout > wait + work)
    check(PLAIN, run_timed(PLAIN, timing).schedule, property=ONCE)


def test_some_schedule_runs_the_plain_task_twice():
    def twice(schedule):
        try:
            check(PLAIN, schedule, property=ONCE)
        except Violation:
            return True
        return False

    assert twice(find(schedules(PLAIN, properties=[ONCE]), twice))
