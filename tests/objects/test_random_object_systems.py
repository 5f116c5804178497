"""The library's objects under every engine that explores, samples and explains: random systems against the oracle."""

from collections import Counter
from collections.abc import Iterable
from itertools import product

import pytest

from dstamp_sim import Distribution, Shape, System, Timing, Verdict, explore, replay, run_timed, sample
from dstamp_sim.analyses.explain import explain
from dstamp_sim.engines.explore.settings import Reductions
from tests.agreement import judged
from tests.objects.object_systems import described, object_system
from tests.oracle import Findings, search
from tests.todays import in_parts

FAST, ALL = 40, 300
MOST_STATES = 4_000
KINDS = {"Semaphore", "RWLock", "Condition", "WaitingLine", "Channel", "Store", "Lease", "Queue", "deadlock", "crashes"}
EVERY = [Reductions(*switches) for switches in product([False, True], repeat=3)]


def known(system: System) -> Findings | None:
    """What the oracle finds; None for a system that is too large for it."""
    try:
        return search(system, MOST_STATES)
    except AssertionError:
        return None


def differences(seed: int, system: System, expected: Findings) -> Iterable[str]:
    """What the explorer says otherwise than the oracle, with all reductions and with some; claims that do not hold."""
    for used in (EVERY[-1], EVERY[seed % 7]):
        report = explore(system, keep_going=True, reductions=used)
        if not report.coverage.exhausted:
            yield f"{used}: {report.coverage.stopped}"
        for what, got, wanted in judged(system, report, expected):
            if got != wanted:
                yield f"{used}: {what}: {got}, but the oracle has {wanted}"
        for judgement in report.judgements:
            if judgement.trace is not None and judgement.verdict is Verdict.VIOLATED:
                dropped = explain(system, judgement.trace, about=judgement.prop).dropped
                yield from (f"{judgement.prop.name}: said and not so: {claim}" for claim in dropped)


def check(seeds: Iterable[int]) -> Counter[str]:
    """No system of these seeds differs from the oracle; returns how many there were, by kind."""
    met: Counter[str] = Counter()
    for seed in seeds:
        system = object_system(seed)
        expected = known(system)
        if expected is None:
            continue
        found = list(differences(seed, system, expected))
        assert not found, f"seed {seed}: {found}\n{described(system)}"
        met.update([type(item).__name__ for item in system.objects])
        met.update(["systems", *(["deadlock"] * bool(expected.deadlocks)), *(["crashes"] * system.crashes)])
    return met


def test_the_explorer_agrees_with_the_oracle_and_all_that_is_said_is_so():
    met = check(range(FAST))
    assert met["systems"] > FAST / 2 and met.keys() >= KINDS, met


@pytest.mark.slow
@pytest.mark.parametrize("seeds", in_parts(range(FAST, ALL), 100), ids=str)
def test_the_explorer_agrees_with_the_oracle_on_more_systems(seeds):
    assert check(seeds)["systems"] > len(seeds) / 2


def test_samples_and_runs_on_the_clock_replay_to_the_same_trace():
    for seed in range(0, 40, 5):
        system = object_system(seed)
        for schedule in sample(system, 5).first.values():
            assert str(replay(system, str(schedule)).schedule) == str(schedule)
        timed = run_timed(system, Timing(any_delay=Distribution(Shape.CONSTANT, (1.0,)), seed=seed))
        again = replay(system, str(timed.schedule))
        assert (again.results, again.waiting) == (timed.results, timed.waiting)
