"""Holding only calls on what is shared loses no outcome: the same ones come of holding every call."""

import pytest

from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.search import Bounds, Search, look_around
from tests.hunt.cases import COUNT, LOCKED, READ, both

SMALL = {
    "counter": Job(both(COUNT), "echo 5 > f", "true", any_exit=True),
    "locked counter": Job(both(LOCKED + COUNT), "echo 5 > f", "true", any_exit=True),
    "exclusive": Job(both("set -C; echo $RUN > lock && echo $RUN >> winners"), "", "true", any_exit=True),
    "config in place": Job({"a": "echo new > conf", "b": READ}, "echo old > conf", "true", any_exit=True),
    "appends": Job(both("echo $RUN >> log; [ -e log ]"), "", "true", any_exit=True),
}


def outcomes(stage):
    """What can come of it with up to one preemption, and in how many schedules that was found."""
    found = Search(stage, Bounds(1, seconds=3600.0)).run()
    assert found.reasons() == []
    return found.outcomes, found.played


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if n else ()) for n, name in enumerate(SMALL)]
)
def test_the_outcomes_are_those_of_holding_every_call(name, staged):
    stage = staged(SMALL[name])
    look_around(stage)
    shared, few = outcomes(stage)
    stage.uses = {target: {run: {"r", "w"} for run in stage.job.runs} for target in stage.uses}
    every, many = outcomes(stage)
    assert shared == every
    assert few < many
