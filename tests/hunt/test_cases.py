"""Each racy case is found and fails again; of its twin no schedule within the bounds fails."""

import pytest

from dstamp_sim.core.verdict import Verdict
from dstamp_sim.hunt.hunt import hunt_for
from dstamp_sim.hunt.search import Bounds
from tests.hunt.cases import CASES


def marked(case):
    marks = [pytest.mark.needs(*case.needs)] if case.needs else []
    return pytest.param(case, marks=[*marks, pytest.mark.slow] if case.slow else marks, id=case.name)


MARKED = [marked(case) for case in CASES]


@pytest.mark.parametrize("case", MARKED)
def test_a_racy_case_is_found_and_fails_each_time_it_is_performed_again(case, can_hold):
    found = hunt_for(case.racy(), Bounds(case.preemptions, case.crashes, 300.0), again=3)
    assert found.verdict is Verdict.VIOLATED
    assert case.says in found.shrunk.outcome.why
    assert (found.again.failed, found.again.times) == (3, 3)


@pytest.mark.parametrize("case", MARKED)
def test_of_a_corrected_twin_no_schedule_within_the_bounds_fails(case, can_hold):
    found = hunt_for(case.corrected(), Bounds(min(case.preemptions, 1), case.crashes, 300.0))
    assert (found.found.failing, found.found.reasons(), found.verdict) == (None, [], None)
    assert found.found.played > len(case.twin)
