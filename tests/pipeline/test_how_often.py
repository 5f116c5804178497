"""Many draws of one scenario are so many replays, judged one by one."""

import pytest

from dstamp_sim import Process, Register, System, always, delay, reachable
from dstamp_sim.analyses.judged_trace import judged_trace
from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.pipeline import how_often as module
from dstamp_sim.pipeline.how_often import how_often
from tests.random_systems import random_system

DELAYS = {"pause": Distribution(Shape.EXPONENTIAL, (60.0,))}
DRAWS = 6


def one_by_one(system, timing):
    """By property, the seeds whose trace decides it: each run by SimPy and judged alone."""
    found = {prop.name: [] for prop in system.checked_properties}
    for seed in range(timing.seed, timing.seed + DRAWS):
        trace = run_timed(system, Timing(**{**vars_of(timing), "seed": seed}))
        for judgement in judged_trace(system, trace):
            if judgement.step is not None:
                found[judgement.prop.name].append(seed)
    return found


def vars_of(timing):
    return {name: getattr(timing, name) for name in timing.__dataclass_fields__}


@pytest.mark.parametrize("seed", range(60))
def test_draws_of_random_systems_are_the_replays_with_those_seeds(seed):
    system = random_system(seed)
    timing = Timing(delays=DELAYS, probabilities={"heads": 0.3}, seed=seed, horizon_s=1e4)
    try:
        alone = one_by_one(system, timing)
    except ModelError as error:
        assert "at one instant" in str(error)  # noqa: PT017 - a daemon of that system never waits
        return
    for often in how_often(system, timing, DRAWS):
        seeds = alone[often.prop.name]
        assert (often.decided, often.first_seed) == (len(seeds), seeds[0] if seeds else None)


def test_a_draw_too_long_for_the_compiled_clock_is_judged_whole(monkeypatch):
    register = Register("count", 0)

    def add(times):
        for number in range(times):
            yield register.write(number)

    small = always("below 50", lambda state: state[register] < 50, reads=[register])
    system = System(objects=[register], processes=[Process("adder", add, 60)], properties=[small])
    monkeypatch.setattr(module, "MOST_NOTED_STEPS", 10)
    below, *_ = how_often(system, Timing(), 2)
    assert below.decided == 2


def test_a_wish_is_counted_where_it_is_reached_and_breaks_nothing():
    register = Register("r", 0)

    def wait():
        yield delay("pause")
        yield register.write(1)

    wish = reachable("written", lambda _, state: state[register] == 1, reads=[register])
    system = System(objects=[register], processes=[Process("p", wait)], properties=[wish])
    reached, *_ = how_often(system, Timing(delays=DELAYS), 3)
    assert (reached.decided, reached.fails) == (3, False)


def test_progress_is_told_draw_by_draw():
    told = []
    register = Register("r", 0)
    system = System(objects=[register], processes=[Process("p", lambda: (yield register.read()))])
    how_often(system, Timing(), 3, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
