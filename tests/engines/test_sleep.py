"""A sleep is a delay for every engine, and reports say that it sleeps."""

import pytest

from dstamp_sim import ModelError, Process, Register, System, at_end, delay, explore, run_timed, sleep, sweep
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.engines.zones.within import explore_within
from dstamp_sim.export.promela import promela
from dstamp_sim.export.tabulate import tabulate
from dstamp_sim.rendering.text import story

TIMING = Timing(delays={"backoff": Distribution(Shape.UNIFORM, (1.0, 4.0))}, seed=3)


def adding(pause):
    """Two who read, pause and write."""
    total = Register("total", 0)

    def add():
        seen = yield total.read()
        yield pause("backoff")
        yield total.write(seen + 1)

    return System(
        objects=[total],
        processes=[Process("add", add, copies=2), Process("idle", lambda: idle(pause), daemon=True)],
        properties=[at_end("nothing is lost", lambda _, state: state[total] == 2, reads=[total])],
    )


def idle(pause):
    yield pause("backoff")


def seen_by_engines(pause):
    system = adding(pause)
    explored, swept = explore(system), sweep(system, TIMING, 20)
    timed, within = run_timed(system, TIMING), explore_within(system, TIMING)
    return (
        [(one.prop.name, one.verdict) for one in explored.judgements],
        explored.coverage.states,
        str(explored.trace.schedule),
        swept.ended_at_s.tolist(),
        [(step.process, step.time_s) for step in timed.steps],
        {name: when.words() for name, when in within.when.items()},
        promela(tabulate(system, "adding", merge=False)),
    )


def test_every_engine_sees_a_sleep_as_a_delay():
    *as_delay, waiting = seen_by_engines(delay)
    *as_sleep, asleep = seen_by_engines(sleep)
    assert as_sleep == as_delay
    assert asleep.replace("sleep backoff", "delay backoff") == waiting


def test_a_trace_says_that_a_process_sleeps():
    assert "sleep backoff" in " ".join(story(explore(adding(sleep)).trace))


def test_a_sleep_without_a_name_is_refused():
    with pytest.raises(ModelError, match=r"sleep\(3\): a delay's name is a text"):
        sleep(3)
