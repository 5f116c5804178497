"""Where a lock must be held: what is found has no failing schedule, what is narrower has one, and both are searched."""

import json

import pytest

from dstamp_sim.core.schedule import Choice
from dstamp_sim.hunt.cure import cures_of
from dstamp_sim.hunt.hunt import hunt_for
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.played_lock import CallAnchor, LockedStretch
from dstamp_sim.hunt.search import Bounds, Search, look_around
from dstamp_sim.hunt.trial_outcome import End
from tests.hunt.cases import CASES, COUNT, IS_7, both

COUNTER = Job(both(COUNT), "echo 5 > f", IS_7)
READ, OPEN, WRITE = CallAnchor("read", "f", 1), CallAnchor("open", "f", 2), CallAnchor("write", "f", 1)


def found_under(stage, stretches, bounds):
    stage.lock = stretches
    try:
        return Search(stage, bounds).run()
    finally:
        stage.lock = {}


def looked_at(staged, job):
    stage = staged(job)
    look_around(stage)
    return stage


def test_a_counter_is_cured_by_a_lock_from_its_read_to_its_write(staged):
    stage = looked_at(staged, COUNTER)
    failing = Search(stage, Bounds(2)).run().failing
    (cure,) = cures_of(stage, Bounds(2), [failing]).found
    assert cure.stretches == dict.fromkeys("ab", LockedStretch(READ, WRITE))
    assert cure.found.whole and cure.found.failing is None
    assert "none found in the whole space of up to 2 preemptions" in cure.text()[0]


@pytest.mark.parametrize(
    "stretch", [LockedStretch(READ, OPEN), LockedStretch(OPEN, WRITE), LockedStretch(WRITE, WRITE)], ids=str
)
def test_a_narrower_lock_than_a_cure_leaves_a_schedule_that_fails(stretch, staged):
    stage = looked_at(staged, COUNTER)
    assert found_under(stage, dict.fromkeys("ab", stretch), Bounds(2)).failing is not None


def test_a_lock_of_one_run_alone_cures_nothing(staged):
    stage = looked_at(staged, COUNTER)
    assert found_under(stage, {"a": LockedStretch(READ, WRITE)}, Bounds(1)).failing is not None


@pytest.mark.parametrize("name", ["pid file", "two locks", "config in place", "log rotation"])
def test_what_is_found_is_searched_and_each_part_of_it_fails(name, staged):
    case = next(case for case in CASES if case.name == name)
    stage, bounds = looked_at(staged, case.racy()), Bounds(1, seconds=3600.0)
    cures = cures_of(stage, bounds, [Search(stage, bounds).run().failing])
    assert cures.found
    for cure in cures.found:
        again = found_under(stage, cure.stretches, bounds)
        assert (again.failing, again.reasons()) == (None, [])
        assert sorted(cure.stretches) == sorted(stage.job.runs)
        for run, stretch in cure.stretches.items():
            if stretch.first != stretch.last:
                part = cure.stretches | {run: LockedStretch(stretch.first, stretch.first)}
                assert found_under(stage, part, bounds).failing is not None, (name, part)


def test_what_no_lock_cures_is_said_to_have_none(can_hold):
    case = next(case for case in CASES if case.name == "half written")
    found = hunt_for(case.racy(), Bounds(0, 1, 3600.0), again=1, cure=True)
    assert (found.cures.found, found.cures.all_tried) == ((), True)
    assert found.text()[-1] == "no cure found: each choice of stretches under one lock leaves a schedule that fails"


def test_no_time_for_a_cure_is_no_answer(staged):
    stage = looked_at(staged, COUNTER)
    failing = Search(stage, Bounds(1)).run().failing
    cures = cures_of(stage, Bounds(1, seconds=0.0), [failing])
    assert (cures.found, cures.all_tried, cures.text()) == ((), False, ["", "no cure found: out of time"])


def test_a_played_lock_that_deadlocks_with_a_real_one_is_told(staged):
    stage = looked_at(staged, Job({"a": "flock p flock q true", "b": "flock p true"}, "touch p q", check="true"))
    stage.uses = {name: {"a": {"w"}, "b": {"w"}} for name in ("p", "flock:p", "flock:q")}
    p, q = CallAnchor("flock", "flock:p", 1), CallAnchor("flock", "flock:q", 1)
    stage.lock = {"a": LockedStretch(q, q), "b": LockedStretch(CallAnchor("open", "p", 1), p)}
    seen = []

    def a_takes_p_then_b_goes(calls, last):
        run = next(run for run in ("ba" if "flock" in seen else "ab") if run in calls)
        seen.append(calls[run].name)
        return Choice(run)

    out = stage.play(a_takes_p_then_b_goes)
    assert (out.end, out.why) == (End.STUCK, "a and b wait for ever")


def test_the_command_tells_cures_as_text_and_as_json(dstamp, can_hold):
    options = ["--setup", "echo 5 > f", "--run", f"a={COUNT}", "--run", f"b={COUNT}", "--check", IS_7, "--again", 1]
    code, out, _ = dstamp("hunt", *options, "--cure")
    assert code == 1
    assert "cure 1: 8 calls under one lock; searched again: none found in the whole space of up to 2" in out
    assert "  a from its 1st read of f to its 1st write of f\n" in out
    _, out, _ = dstamp("hunt", *options, "--cure", "--json", "--force")
    (cure,) = json.loads(out)["cures"]
    assert (cure["calls"], cure["whole_space"]) == (8, True)
    assert cure["stretches"]["b"]["last"] == {"call": "write", "object": "f", "nth": 1}
