"""An order of steps is put on the clock, and the timed engine, with nothing left to chance, makes just these steps."""

from dataclasses import replace
from functools import cache
from random import Random

import pytest

from dstamp_sim import Process
from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.engines.replay import replay
from dstamp_sim.engines.timed.timed import rehearsed, run_timed
from dstamp_sim.incident.likely.observed_clock import observed_clock
from dstamp_sim.incident.possible.abduction import Judging
from dstamp_sim.incident.possible.ask import engines
from dstamp_sim.incident.possible.variant import variants_of_mechanism
from dstamp_sim.incident.witness.clock import Beliefs, TimeConstraints
from dstamp_sim.incident.witness.construct import ClockedMechanism, decisions
from tests.incident.recovery import SCENARIO
from tests.incident.test_drawn import CASE, EVIDENCE, MODEL, likely_reading
from tests.random_systems import interpret, random_system

BELIEFS = Beliefs({"pause": Distribution(Shape.UNIFORM, (0.5, 4.0))}, 0.5, 100.0)
DELAYS_OF_A_RUN = "fetch_recipe", "deploy_app", "checkout_head", "chaos_redeploy", "wait_converged", "teardown"
PAUSES = {"pause": Distribution(Shape.UNIFORM, (1.0, 3.0))}


@cache
def clocked(name):
    known = variants_of_mechanism(name, MODEL.mechanisms[name], MODEL.hypotheses, CASE.constants)
    variant = next(item for item in known if item.settings == likely_reading(name))
    found = Judging(variant, CASE, engines()).row().timed
    timing, _ = observed_clock(EVIDENCE, MODEL.hypotheses, SCENARIO.timing, SCENARIO.priors)
    return ClockedMechanism(variant, found, CASE, timing, SCENARIO.priors)


def delayed(system):
    """The same system with a delay before all that a process does."""
    processes = [
        Process(
            p.name, interpret, (("delay",), *p.args[0]), p.args[1],
            copies=p.copies, daemon=p.daemon, killable=p.killable,
        )
        for p in system.processes
    ]  # fmt: skip
    return replace(system, processes=processes)


def random_run(seed):
    """A run of a random system on the clock, in which everybody came to an end, and its clock; None for another."""
    rng, system = Random(seed), delayed(random_system(seed))
    starts = {item.name: rng.uniform(0.0, 4.0) for item in system.instances()}
    deaths = {}
    if system.crashes:
        deaths = {rng.choice([item.name for item in system.instances()]): rng.uniform(1.0, 6.0)}
    chances = {"heads": 0.5, "tails": 0.5}
    timing = Timing(PAUSES, starts, deaths_s=deaths, probabilities=chances, seed=seed, horizon_s=1e4)
    try:
        trace = run_timed(system, timing)
    except ModelError:
        return None  # a daemon of that system never waits
    killed = {step.process for step in trace.steps if step.op is None}
    must = {item.name for item in system.instances() if not item.process.daemon}
    return (system.with_crashes(len(deaths)), timing, trace) if must <= {*trace.results, *killed} else None


def by_process(trace):
    """What each process that must end did, its looks and what it saw, in its own order."""
    steps = [(s.process, s.choice, str(s.op), s.result) for s in trace.steps if s.process not in trace.daemons]
    return sorted(steps, key=lambda step: step[0])


def kept(seed):
    """Whether the order of a random run, put on the clock anew, makes the timed engine do the same (None: no run)."""
    drawn = random_run(seed)
    if drawn is None:
        return None
    system, timing, trace = drawn
    order = TimeConstraints(system, trace, timing.starts_s, list(timing.starts_s), BELIEFS)
    fitted = order.fitted()
    if fitted is None:
        return False
    again = rehearsed(system, replace(timing, deaths_s=dict(fitted.deaths_s)), decisions(order, fitted))
    assert all(
        0.5 * fitted.factor <= d <= 4.0 * fitted.factor or d > 1e9 for ds in fitted.durations_s.values() for d in ds
    )
    return by_process(again) == by_process(trace)


def test_what_one_clock_did_another_can_and_the_timed_engine_does_it():
    answers = [kept(seed) for seed in range(250)]
    assert answers.count(False) == 0
    assert answers.count(True) > 120


def test_the_gate_catches_who_comes_to_a_wait_before_there_is_one(monkeypatch):
    after = TimeConstraints._after
    monkeypatch.setattr(TimeConstraints, "_after", lambda *args, looks: looks or after(*args, looks=looks))
    assert False in [kept(seed) for seed in range(250)]


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "unseen"),
    [("stack-race", 2), pytest.param("checkout-race", 3, marks=SLOW), pytest.param("load-rollback", 1, marks=SLOW)],
)
def test_every_order_that_fits_the_clock_comes_out_as_observed_when_the_timed_engine_performs_it(name, unseen):
    built = clocked(name)
    fits = [(order, fitted) for order in built.orders() if (fitted := order.fitted()) is not None]
    assert fits
    assert all(built.performed(order, fitted) is not None for order, fitted in fits)
    made = built.construct().made
    assert made.unseen == unseen
    assert made.fitted.middle < 0.5
    for delay, lasts in zip(DELAYS_OF_A_RUN, made.fitted.durations_s["184"], strict=True):
        low, high = SCENARIO.timing.delays[delay].figures
        assert low < lasts / made.fitted.factor < high
    assert made.trace.timed
    assert all(MODEL.evidence.agrees(made.trace.results[item.name], item.fields) for item in CASE.runs)
    assert replay(made.system, str(made.trace.schedule)).results == made.trace.results


@pytest.mark.slow
def test_where_no_order_fits_the_clock_the_constraints_that_bite_are_named():
    attempt = clocked("recreate").construct()
    assert attempt.made is None
    assert attempt.bites[0] == "ab-discourse-7ae7b0f-oldmain starts 14,040 s after m2b-discourse"
    assert any("m2b-discourse's" in bite and "take at most 1,179 s" in bite for bite in attempt.bites)


def test_the_same_arguments_construct_the_same_run():
    one, other = (clocked("stack-race").construct().made for _ in range(2))
    assert str(one.trace.schedule) == str(other.trace.schedule)
    assert [step.time_s for step in one.trace.steps] == [step.time_s for step in other.trace.steps]
