"""When partners that nobody saw come, and when the observed runs start, whatever the evidence says of their times."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from dstamp_sim.core.mechanism import Hypotheses, Mechanism, Window
from dstamp_sim.core.observable import Field, Observable
from dstamp_sim.core.system import System
from dstamp_sim.incident.evidence import Evidence, ObservedRun
from dstamp_sim.incident.likely.observed_clock import observed_clock, undisturbed_s
from dstamp_sim.incident.likely.worlds import draw_worlds, partner_windows, worlds_of
from dstamp_sim.incident.possible.case import Case, Observation
from models.cc_ci import HYPOTHESES
from tests.incident.recovery import SCENARIO

HOUR = 3600.0
WINDOW = Window("nobody", bool, "a", "b", "its a", "its b")
NOON = datetime(2026, 6, 1, 12)


def run(name, hours, **known):
    time = None if hours is None else NOON + timedelta(hours=hours)
    return ObservedRun(id=name, time=time, source="test", **known)


def clock(*runs):
    return observed_clock(Evidence(runs=runs), HYPOTHESES, SCENARIO.timing, SCENARIO.priors)


def arrivals(timing, alone=()):
    drawn = draw_worlds(SCENARIO.priors, timing, 4000, np.random.default_rng(1), alone=alone)
    return drawn.unseen_starts_s[drawn.unseen_starts_s < timing.horizon_s]


def test_runs_that_one_partner_can_have_met_are_one_cluster():
    assert partner_windows([10.0, 14.0], longest_s=2.0) == [(8.0, 15.0)]
    assert partner_windows([14.1, 10.0], longest_s=2.0) == [(8.0, 11.0), (12.1, 15.1)]
    assert partner_windows([], longest_s=2.0) == []


def test_partners_come_around_all_clusters_and_nowhere_else():
    timing, _ = clock(run("a", 0), run("b", 1), run("c", 100))
    come = arrivals(timing)
    near = [(come >= low) & (come <= high) for low, high in partner_windows(timing.starts_s.values(), 2 * HOUR)]
    assert [bool(part.any()) for part in near] == [True, True]
    assert np.all(near[0] | near[1])
    assert abs(near[0].mean() - 4 / 7) < 0.02  # 4 h and 3 h long


def test_nobody_comes_to_runs_that_were_alone():
    timing, _ = clock(run("a", 0, company="solo"), run("b", 100, company="solo"))
    assert len(arrivals(timing, alone=("a", "b"))) == 0
    timing, _ = clock(run("a", 0), run("b", 100, company="solo"))
    assert arrivals(timing, alone=("b",)).max() <= timing.starts_s["a"] + HOUR


def test_partners_can_have_come_before_the_first_run_unless_it_was_alone():
    timing, since = clock(run("a", 0), run("b", 1))
    assert timing.starts_s == {"a": 2 * HOUR, "b": 3 * HOUR}
    assert since == NOON - timedelta(hours=2)
    assert arrivals(timing).min() < HOUR
    timing, since = clock(run("a", 0, company="solo"), run("b", 100))
    assert (timing.starts_s["a"], since) == (0.0, NOON)


def test_from_a_time_that_is_an_end_an_undisturbed_run_is_taken_off():
    length = undisturbed_s(HYPOTHESES, SCENARIO.timing)
    assert length == pytest.approx(35 + 300 + 5.5 + 17.5 + 360 + 17.5)  # the medians, from fetch_recipe to teardown
    timing, _ = clock(run("a", 0, time_means="start"), run("b", 1, time_means="end"))
    assert timing.starts_s["b"] - timing.starts_s["a"] == pytest.approx(HOUR - length)


def test_a_run_without_a_time_starts_with_the_first():
    timing, _ = clock(run("a", None), run("b", 1))
    assert timing.starts_s["a"] == timing.starts_s["b"]
    assert clock(run("a", None))[1] is None


@pytest.mark.parametrize(
    ("known", "same", "apart"),
    [
        ([None, None, None], ["another 1"] * 3, ["another 1", "another 2", "another 3"]),
        (["hexpm", None, None], ["hexpm"] * 3, ["hexpm", "another 1", "another 2"]),
        (["another 1", None, "bob"], ["another 1", "another 1", "bob"], ["another 1", "another 2", "bob"]),
    ],
)
def test_runs_whose_identity_is_not_known_are_the_same_or_differ_from_all(known, same, apart):
    hypotheses = Hypotheses(
        nothing=System, evidence=Observable((Field("service", compared=False),)), identity=("service",)
    )
    runs = [Observation(str(n), (), {"service": value}) for n, value in enumerate(known)]
    ways = worlds_of(Mechanism("", System, WINDOW), hypotheses, Case(runs, (), (), ()), SCENARIO.priors)
    assert [[who["service"] for who in identities] for _, identities, _ in ways] == [same, apart]
