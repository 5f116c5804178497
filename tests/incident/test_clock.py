"""Difference constraints of an order of steps: what fits, how ordinary it is, and what bites where nothing does."""

import math

import pytest

from dstamp_sim import Process, Register, System, delay
from dstamp_sim.core.scenario import Distribution, Shape
from dstamp_sim.engines.replay import replay
from dstamp_sim.incident.witness.clock import Beliefs, TimeConstraints

flag = Register("flag", "down")


def raising():
    yield delay("raise")
    yield flag.write("up")


def looking():
    yield delay("look")
    return (yield flag.read())


SYSTEM = System(objects=[flag], processes=[Process("raiser", raising), Process("looker", looking)])
DELAYS = {"raise": Distribution(Shape.UNIFORM, (10.0, 20.0)), "look": Distribution(Shape.UNIFORM, (0.0, 14.0))}


def order(schedule, *, spread=0.0, longest_s=math.inf, starts=None, runs=()):
    starts = {"raiser": 0.0, "looker": 0.0} if starts is None else starts
    return TimeConstraints(SYSTEM, replay(SYSTEM, schedule), starts, runs, Beliefs(DELAYS, spread, longest_s))


def test_an_order_that_the_medians_give_is_found_with_the_medians():
    fitted = order("looker*2 raiser*2").fitted()
    assert fitted.middle < 0.01
    assert fitted.durations_s["raiser"] == pytest.approx([15.0], abs=0.1)
    assert fitted.durations_s["looker"] == pytest.approx([7.0], abs=0.1)


def test_otherwise_all_durations_are_as_near_their_medians_as_they_can_be():
    # 15 - 5m = 7 + 7m where the middle m of both priors is taken: m = 2/3.
    fitted = order("raiser*2 looker*2").fitted()
    assert fitted.middle == pytest.approx(2 / 3, abs=0.02)
    assert fitted.durations_s["raiser"][0] < fitted.durations_s["looker"][0]


def test_what_no_duration_of_the_priors_gives_is_told_by_the_constraints_that_cannot_all_hold():
    impossible = order("raiser*2 looker*2", starts={"raiser": 5.0, "looker": 0.0})
    assert impossible.fitted() is None
    assert impossible.conflict() == (
        "raiser starts 5 s after looker",
        "looker's look takes at most 14 s",
        "looker's step on flag follows raiser's",
        "raiser's raise takes at least 10 s",
    )


def test_a_common_factor_may_do_it_and_says_when_the_priors_exclude_it():
    # A factor on both delays: the looker is late enough from 14 f > 10 f + 5 on, f > 1.25: 2.3 deviations of 0.1.
    fitted = order("raiser*2 looker*2", starts={"raiser": 5.0, "looker": 0.0}, spread=0.1).fitted()
    assert 1.25 < fitted.factor < 1.3
    assert not fitted.excluded
    fitted = order("raiser*2 looker*2", starts={"raiser": 5.0, "looker": 0.0}, spread=0.05).fitted()
    assert fitted.factor == pytest.approx(1.25, abs=0.02)
    assert fitted.excluded


def test_a_start_that_is_not_known_is_looked_for():
    fitted = order("looker*2 raiser*2", starts={"raiser": 100.0}, runs=("raiser", "looker"), longest_s=50.0).fitted()
    assert fitted.starts_s["raiser"] == 100.0
    assert fitted.starts_s["looker"] + fitted.durations_s["looker"][0] < 115.0


def test_a_run_lasts_no_longer_than_it_may():
    short = order("looker*2 raiser*2", runs=("raiser",), longest_s=9.0)
    assert short.fitted() is None
    assert "raiser lasts no longer than a run may" in short.conflict()
