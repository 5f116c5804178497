"""The sweep is the timed engine, compiled: the same draws give the same schedule."""

from statistics import NormalDist

import numpy as np
import pytest

from dstamp_sim import Mutex, Process, Register, ScenarioError, System, UsageError, delay
from dstamp_sim.core.draws import Draws
from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.scenario import Distribution, Shape, Timing, normal_quantile
from dstamp_sim.engines.timed.sweep import Sweeper, Varied
from dstamp_sim.engines.timed.timed import run_timed
from models.cc_ci import MECHANISMS
from tests.engines.test_timed import ANY_DELAY, LABELS
from tests.random_systems import random_system

SHAPES = [
    Distribution(Shape.CONSTANT, (3.0,)),
    Distribution(Shape.UNIFORM, (1.0, 90.0)),
    Distribution(Shape.EXPONENTIAL, (60.0,)),
    Distribution(Shape.LOGNORMAL, (30.0, 1.5)),
]


def same_schedules(system, timing, runs):
    sweeper = Sweeper(system)
    swept = sweeper.sweep(timing, runs)
    for run in range(runs):
        trace = run_timed(system, timing, Draws(timing.seed, run))
        assert str(sweeper.schedule(timing, run, seed=timing.seed)) == str(trace.schedule)
        ends = {n: swept.results.get(int(e)) for n, e in zip(swept.names, swept.ends[run], strict=True)}
        assert {name: ends[name] for name in trace.results} == trace.results


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.shape.name)
@pytest.mark.parametrize("name", MECHANISMS)
def test_the_same_draws_give_the_same_schedule_on_the_incident(name, shape):
    timing = Timing(delays=dict.fromkeys(ANY_DELAY, shape), probabilities=LABELS, seed=7, horizon_s=1e5)
    same_schedules(MECHANISMS[name].factory(runs=3), timing, 4)


@pytest.mark.parametrize("seed", range(100))
def test_the_same_draws_give_the_same_schedule_on_random_systems(seed):
    delays = {"pause": SHAPES[seed % len(SHAPES)]}
    timing = Timing(delays=delays, probabilities={"heads": 0.3}, seed=seed, horizon_s=1e4)
    try:
        same_schedules(random_system(seed).with_crashes(0), timing, 4)
    except ModelError as error:
        assert "at one instant" in str(error)  # noqa: PT017 - a daemon of that system never waits


def test_starts_and_probabilities_that_differ_from_run_to_run_are_each_runs_own():
    system = MECHANISMS["swarm-rollback"].factory(runs=1)
    sweeper = Sweeper(system)
    timing = Timing(delays=ANY_DELAY, probabilities=LABELS, horizon_s=1e7)
    chances = np.array([0.0, 1.0] * 500)
    swept = sweeper.sweep(timing, 1000, varied=Varied(probabilities={"update failed, rolling back": chances}))
    red = swept.where("run", lambda result: result.level == 1)
    assert not red[chances == 0.0].any()
    assert red[chances == 1.0].mean() > 0.3


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.shape.name)
def test_the_same_draws_make_the_same_late_starts(shape):
    system = MECHANISMS["stack-race"].factory(runs=3)
    late = {"run#1": "cron", "run#3": "cron"}
    delays = {**dict.fromkeys(ANY_DELAY, SHAPES[1]), "cron": shape}
    same_schedules(system, Timing(delays=delays, late=late, probabilities=LABELS, seed=7, horizon_s=1e5), 4)
    starts_s = run_timed(system, Timing(delays=delays, late=late, probabilities=LABELS)).starts_s
    assert starts_s["run#1"] > 0.0 == starts_s["run#2"]


def test_a_start_beyond_the_horizon_never_comes():
    register = Register("x", 0)

    def write():
        yield register.write(1)
        return "done"

    system = System(objects=[register], processes=[Process("p", write)])
    swept = Sweeper(system).sweep(Timing(starts_s={"p": 10.0}, horizon_s=10.0), 3)
    assert not swept.where("p", lambda _: True).any()
    assert np.isinf(swept.ended_at_s).all()


def test_what_the_sweep_cannot_do_is_refused():
    register = Register("x", 0)

    def loop():
        yield register.write(1)

    def wait():
        yield delay("unknown")

    busy = System(objects=[register], processes=[Process("p", loop, daemon=True), Process("q", wait)])
    with pytest.raises(ScenarioError, match="unknown"):
        Sweeper(busy).sweep(Timing(), 1)
    with pytest.raises(ModelError, match="at one instant"):
        Sweeper(busy).sweep(Timing(delays={"unknown": SHAPES[0]}), 1)
    with pytest.raises(UsageError, match="does not support deaths"):
        Sweeper(busy).sweep(Timing(deaths_s={"p": 1.0}), 1)
    with pytest.raises(UsageError, match="unknown process"):
        Sweeper(busy).sweep(Timing(starts_s={"r": 1.0}), 1)
    with pytest.raises(UsageError, match="unknown process"):
        Sweeper(busy).sweep(Timing(late={"r": "unknown"}), 1)


def test_draws_are_uniform_and_streams_differ():
    drawn = [draws() for draws in [Draws(5, 3)] for _ in range(20_000)]
    assert min(drawn) >= 0.0 and max(drawn) < 1.0
    # The mean of 20,000 uniform draws has standard deviation 0.00204; 5 of them.
    assert abs(sum(drawn) / len(drawn) - 0.5) < 0.0103
    assert Draws(5, 3)() != Draws(5, 4)() != Draws(6, 3)()


def test_the_normal_quantile_is_that_of_the_standard_library():
    for draw in (1e-9, 0.01, 0.3, 0.5, 0.9, 0.9999):
        assert normal_quantile(draw) == pytest.approx(NormalDist().inv_cdf(draw), abs=1e-9)


def test_how_long_processes_waited_and_a_lock_was_held():
    lock = Mutex("lock")

    def use():
        yield lock.acquire()
        yield delay("work")
        yield lock.release()

    system = System(objects=[lock], processes=[Process("p", use, copies=3)])
    timing = Timing(delays={"work": SHAPES[0]}, starts_s={"p#1": 0.0, "p#2": 1.0, "p#3": 20.0})
    swept = Sweeper(system).sweep(timing, 1)
    assert swept.ended_at_s[0].tolist() == [3.0, 6.0, 23.0]
    assert swept.waited_s[0].tolist() == [0.0, 2.0, 0.0]  # p#2 comes at 1 and gets the lock at 3
    assert dict(zip(swept.objects, swept.busy_s[0], strict=True)) == {"lock": 9.0}


def test_complete_tables_change_nothing_but_the_time_it_takes():
    system = MECHANISMS["stack-race"].factory(runs=4)
    timing = Timing(delays=ANY_DELAY, probabilities=LABELS, seed=3)
    plain, prepared = Sweeper(system), Sweeper(system)
    prepared.prepare()
    one, other = plain.sweep(timing, 20), prepared.sweep(timing, 20)
    assert np.array_equal(one.ended_at_s, other.ended_at_s)
    assert np.array_equal(one.waited_s, other.waited_s)


def test_a_process_that_draws_apart_makes_the_draws_of_its_own_seed():
    def waits():
        yield delay("pause")
        return "done"

    system = System(objects=[], processes=[Process("a", waits), Process("b", waits)])
    timing = Timing(delays={"pause": SHAPES[1]}, horizon_s=1e4)
    seeds = np.array([[11, 12], [11, 99], [2**63 - 1, 12]], np.uint64)
    swept = Sweeper(system).sweep(timing, 3, varied=Varied(seeds=seeds))
    for run, row in enumerate(seeds):
        for column, seed in enumerate(row):
            alone = System(objects=[], processes=[Process("a", waits)])
            last = run_timed(alone, timing, Draws(int(seed))).steps[-1]
            assert swept.ended_at_s[run, column] == last.time_s


def test_how_near_a_process_came_to_anothers_change_of_what_it_touches_is_known():
    register = Register("x", 0)

    def reads():
        yield register.read()

    def writes():
        yield register.write(1)
        yield delay("pause")
        yield register.write(2)

    system = System(objects=[register], processes=[Process("r", reads), Process("w", writes), Process("again", reads)])
    starts = {"r": np.array([0.0, 5.5]), "w": np.array([4.0, 4.0]), "again": np.array([90.0, 90.0])}
    seeds = np.array([[1, 2, 3], [1, 2, 3]], np.uint64)
    sweeper, timing = Sweeper(system), Timing(delays={"pause": SHAPES[0]}, horizon_s=1e4)
    near = sweeper.sweep(timing, 2, varied=Varied(starts, seeds=seeds)).near_s
    assert near[:, 0].tolist() == [4.0, 1.5]
    assert near[:, 2].tolist() == [83.0, 83.0]
    assert np.isinf(near[:, 1]).all()  # nobody else changes anything
    assert len(sweeper.sweep(timing, 2, varied=Varied(starts)).near_s) == 0
