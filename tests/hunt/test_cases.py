"""Each racy case is found and fails again; of its twin no schedule within the bounds fails."""

import pytest

from dstamp_sim.core.verdict import Verdict
from dstamp_sim.hunt.hunt import hunt_for
from dstamp_sim.hunt.search import Bounds
from tests.hunt.cases import CASES
from tests.todays import todays

SECONDS = 3600.0
"""More than a search needs on the busiest machine: what ends it is the space."""


def marked(case, *, slow):
    marks = [pytest.mark.needs(*case.needs)] if case.needs else []
    return pytest.param(case, marks=[*marks, pytest.mark.slow] if slow else marks, id=case.name)


@pytest.mark.parametrize("case", [marked(case, slow=case.slow) for case in CASES])
def test_a_racy_case_is_found_and_fails_each_time_it_is_performed_again(case, can_hold):
    found = hunt_for(case.racy(), Bounds(case.preemptions, case.crashes, SECONDS), again=3)
    assert found.verdict is Verdict.VIOLATED
    assert case.says in found.shrunk.outcome.why
    assert (found.again.failed, found.again.times) == (3, 3)


def twins():
    """Every small twin; of the large ones, whose whole space takes its time, the day's part."""
    today = todays(range(len(CASES)))
    large = [case.slow or "git" in case.needs for case in CASES]
    return [marked(case, slow=large[n]) for n, case in enumerate(CASES) if not large[n] or n in today]


@pytest.mark.parametrize("case", twins())
def test_of_a_corrected_twin_no_schedule_within_the_bounds_fails(case, can_hold):
    found = hunt_for(case.corrected(), Bounds(min(case.preemptions, 1), case.crashes, SECONDS))
    assert (found.found.failing, found.found.reasons(), found.verdict) == (None, [], None)
    assert found.found.played > len(case.twin)
