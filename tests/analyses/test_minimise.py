"""Minimising: known least stories, never less than the least, always replaying, within the effort."""

import random

import pytest

from dstamp_sim import Choice, Mutex, Process, Schedule, System, Verdict, explore, replay
from dstamp_sim.analyses.minimise import ScheduleSize, minimise, size
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.replay import attempts, replay_to_end
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.inputs.model_file import load_model
from tests.least import least_size
from tests.random_systems import random_system


def wandered(system: System, prop: Property, seed: int, walks: int = 100) -> Schedule | None:
    """A schedule that decides `prop`, found by walking at random; None when none of the walks did."""
    semantics, rng = Semantics(system), random.Random(seed)
    judge = Judge(semantics, [prop])
    for _ in range(walks):
        state, choices = semantics.initial(), []
        while len(choices) < 300:
            if any(True for _ in judge.decides(state)):
                return Schedule(tuple(choices))
            moves = list(semantics.moves(state))
            if not moves:
                break
            move = rng.choice(moves)
            choices.append(semantics.choice(move))
            state = semantics.perform(state, move)
    return None


def decides(system: System, prop: Property, schedule: Schedule) -> bool:
    semantics = Semantics(system)
    _, state = replay_to_end(semantics, schedule)
    return any(True for _ in Judge(semantics, [prop]).decides(state))


@pytest.mark.parametrize(
    ("model", "settings", "least"),
    [
        ("classic/bank", {"customers": 3}, ScheduleSize(3, 0, 3, 5)),
        ("classic/philosophers", {}, ScheduleSize(3, 0, 2, 3)),
        ("classic/peterson_broken", {}, ScheduleSize(2, 0, 2, 8)),
        ("classic/lock_file", {}, ScheduleSize(3, 0, 3, 13)),
        ("cc_ci", {}, ScheduleSize(2, 0, 2, 33)),
        ("cc_ci", {"runs": 4}, ScheduleSize(2, 0, 2, 33)),
        ("cc_ci:checkout_race", {}, ScheduleSize(2, 0, 2, 27)),
        ("cc_ci:swarm_rollback", {}, ScheduleSize(2, 0, 2, 26)),
    ],
)
def test_whatever_walk_found_the_race_its_story_becomes_the_least_one(model, settings, least):
    system = load_model(model).build(settings)
    [prop] = [j.prop for j in explore(system).judgements if j.verdict is Verdict.VIOLATED]
    for seed in range(3):
        schedule = wandered(system, prop, seed)
        found = minimise(schedule, attempts(system, prop))
        assert size(found.schedule) == least
        assert found.local_minimum
        assert decides(system, prop, found.schedule)


def small_findings(seeds):
    """(system, property, a schedule that decides it) of random systems without crashes; Dijkstra is slow with them."""
    for seed in seeds:
        system = random_system(seed)
        for prop in () if system.crashes else system.checked_properties:
            schedule = wandered(system, prop, seed, walks=20)
            if schedule:
                yield system, prop, schedule


def agreement(seeds):
    """How many minimised schedules are the least there are, and how many were minimised; none may be less."""
    least = total = 0
    for system, prop, schedule in small_findings(seeds):
        found = minimise(schedule, attempts(system, prop)).schedule
        assert decides(system, prop, found)
        true_minimum = least_size(system, prop)
        assert true_minimum <= size(found) <= size(schedule)
        least, total = least + (size(found) == true_minimum), total + 1
    return least, total


def test_on_random_systems_it_is_nearly_always_the_true_minimum():
    least, total = agreement(range(30))
    assert total >= 10
    assert least >= 0.9 * total


@pytest.mark.slow
def test_on_more_random_systems_it_is_nearly_always_the_true_minimum():
    least, total = agreement(range(30, 100))
    assert total >= 40
    assert least >= 0.95 * total


def test_with_crashes_who_need_not_have_died_goes_on():
    system = random_system(7)
    [prop] = system.properties_named(["no deadlock"])
    schedule = wandered(system, prop, 7)
    assert size(schedule).crashes == 1
    assert size(minimise(schedule, attempts(system, prop)).schedule) == ScheduleSize(3, 0, 2, 6)


def test_rounds_of_a_daemon_that_change_nothing_are_left_out():
    a, b = Mutex("a"), Mutex("b")

    def takes(first: Mutex, second: Mutex):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    processes = [Process("ab", takes, a, b, daemon=True), Process("ba", takes, b, a, daemon=True)]
    system = System(objects=[a, b], processes=processes)
    [prop] = system.properties_named(["no deadlock"])
    rounds = Schedule((*(Choice("ab"),) * 13, Choice("ba")))
    assert size(minimise(rounds, attempts(system, prop)).schedule) == ScheduleSize(2, 0, 1, 2)


def test_an_attempt_that_gives_choices_it_passed_over_is_noticed_by_a_strict_replay():
    system = load_model("classic/bank").build({})
    [prop] = system.properties_named(["one withdrawal at most"])
    honest = attempts(system, prop)
    wrong = minimise(
        wandered(system, prop, 1),
        lambda schedule: None if honest(schedule) is None else Schedule((*schedule, *schedule)),
        effort_steps=50,
    )
    with pytest.raises(Exception, match="has ended"):
        replay(system, wrong.schedule)


def test_a_timed_trace_is_minimised_like_any_other():
    model = load_model("cc_ci")
    system = model.build({"runs": 3})
    names = ("fetch_recipe", "deploy_app", "checkout_head", "chaos_redeploy", "wait_converged", "teardown")
    slow = Distribution(Shape.UNIFORM, (1.0, 60.0))
    [prop] = system.properties_named(["HC1 reads no wrong commit"])
    timed = next(
        trace
        for seed in range(20)
        if attempts(system, prop)((trace := run_timed(system, Timing(dict.fromkeys(names, slow), seed=seed))).schedule)
    )
    found = minimise(timed.schedule, attempts(system, prop))
    assert size(found.schedule) == ScheduleSize(2, 0, 2, 33)


def test_the_effort_bounds_the_steps_tried_and_the_best_so_far_is_given():
    system = load_model("cc_ci").build({"runs": 4})
    [prop] = system.properties_named(["HC1 reads no wrong commit"])
    schedule = wandered(system, prop, 1)
    found = minimise(schedule, attempts(system, prop), effort_steps=200)
    longest_attempt = len(schedule) * 5
    assert not found.local_minimum
    assert found.steps_tried < 200 + longest_attempt
    assert decides(system, prop, found.schedule)


def test_a_schedule_that_shows_nothing_is_refused():
    system = load_model("classic/bank").build({})
    [prop] = system.properties_named(["never overdrawn"])
    with pytest.raises(ValueError, match=r"schedule customer#1\*2 does not show"):
        minimise(Schedule.parse("customer#1*2"), attempts(system, prop))
