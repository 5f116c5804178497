"""An op may give up waiting: every engine agrees on when, and an explanation says so."""

import random

import pytest

from dstamp_sim import (
    ANY,
    GAVE_UP,
    Channel,
    Flock,
    ModelError,
    Mutex,
    Process,
    Queue,
    Register,
    Semaphore,
    System,
    always,
    delay,
    each_result,
    explain,
    explore,
    prove,
    reachable,
    run_timed,
)
from dstamp_sim.core import answers
from dstamp_sim.core.draws import Draws
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from dstamp_sim.engines.timed.sweep import Sweeper
from dstamp_sim.engines.zones.within import explore_within
from dstamp_sim.export.promela import promela
from dstamp_sim.export.tabulate import tabulate
from tests.agreement import judged
from tests.oracle import search
from tests.ticking import PatientWriter, random_timed_system
from tests.todays import todays


def uniform(low, high):
    return Distribution(Shape.UNIFORM, (float(low), float(high)))


def differences(seed):
    """What the explorer, with reductions and without, and the least clever one say differently of a random system."""
    system, *_ = random_timed_system(random.Random(seed), PatientWriter)
    expected = search(system)
    for options in ({}, {"reductions": NO_REDUCTION}):
        yield from (
            one for one in judged(system, explore(system, keep_going=True, **options), expected) if one[1] != one[2]
        )


def test_the_explorer_agrees_with_the_oracle_with_reductions_and_without():
    assert [wrong for seed in range(10) for wrong in differences(seed)] == []


@pytest.mark.slow
def test_the_explorer_agrees_with_the_oracle_on_more_systems():
    assert [wrong for seed in todays(range(10, 150)) for wrong in differences(seed)] == []


def test_the_gate_catches_an_explorer_in_which_nobody_gives_up(monkeypatch):
    monkeypatch.setattr(answers, "giving_up", lambda *_: ())
    assert any(True for seed in range(10) for _ in differences(seed))


@pytest.mark.parametrize("seed", range(60))
def test_the_sweep_makes_the_schedules_of_the_clock_and_they_replay(seed):
    system, delays, starts = random_timed_system(random.Random(seed), PatientWriter)
    bounds = {name: uniform(*pair) for name, pair in delays.items()}
    starts_s = {name: float(low) for name, (low, _) in starts.items()}
    timing = Timing(bounds, starts_s, probabilities={"heads": 0.5}, seed=seed, horizon_s=300.0)
    sweeper = Sweeper(system)
    try:
        swept = sweeper.sweep(timing, 4)
    except ModelError as error:
        assert "at one instant" in str(error)  # noqa: PT017 - a daemon of that system never waits
        return
    for run in range(4):
        trace = run_timed(system, timing, Draws(seed, run))
        assert str(sweeper.schedule(timing, run, seed=seed)) == str(trace.schedule)
        ended = {step.process: step.time_s for step in trace.steps if step.ended}
        at = dict(zip(swept.names, swept.ended_at_s[run], strict=True))
        assert {name: at[name] for name in ended} == ended


def held(work=(5, 9), patience=(3, 7)):
    """One holds a lock while it works; another comes for it at once and gives up after a while."""
    lock, seen = Mutex("L"), Register("seen", "")

    def holds():
        token = yield lock.acquire()
        yield delay("work")
        yield lock.release(token)

    def asks():
        yield delay("come")
        token = yield lock.acquire().within("patience")
        if token is GAVE_UP:
            yield seen.write("nothing")
            return "gave up"
        yield lock.release(token)
        return "got it"

    system = System(
        objects=[lock, seen],
        processes=[Process("holds", holds), Process("asks", asks)],
        properties=[always("it is got", lambda state: state[seen] != "nothing", reads=[seen])],
    )
    return system, Timing(delays={"work": uniform(*work), "patience": uniform(*patience), "come": uniform(1, 1)})


@pytest.mark.parametrize(
    ("patience", "said"),
    [
        ((3, 7), "possible within these bounds, at the earliest at 4 s, at the latest at 8 s"),
        ((8, 9), "possible within these bounds, at the earliest at 9 s, at the latest at 9 s"),
        ((8.1, 9), "impossible within these bounds"),
        ((0, 3.9), "inevitable within these bounds, at the earliest at 1 s, at the latest at 4.9 s"),
    ],
)
def test_at_the_instant_of_the_release_both_are_possible(patience, said):
    """Worked out by hand: the lock is held from 0 until 5 to 9; who asks comes at 1. Both ends touch at 9."""
    assert explore_within(*held(patience=patience)).when["it is got"].words() == said


def test_on_the_clock_it_gives_up_at_its_moment_and_not_if_it_got_the_lock_before():
    given = [run_timed(system, timing) for system, timing in (held((5, 5), (3, 3)), held((5, 5), (9, 9)))]
    assert [trace.results["asks"] for trace in given] == ["gave up", "got it"]
    assert [trace.steps[-1].time_s for trace in given] == [5.0, 5.0]
    [gave_up] = [step for step in given[0].steps if step.result is GAVE_UP]
    assert gave_up.time_s == 4.0
    assert not gave_up.changes


def test_untimed_it_may_give_up_at_any_moment_while_it_waits_and_the_explanation_says_so():
    system, _ = held()
    report = explore(system)
    told = explain(system, report.trace).sentence
    assert "gave up waiting for L after patience" in told
    assert any("L.acquire() within patience [gave up" in step.does() for step in report.trace.steps)


def test_who_gives_up_is_in_no_deadlock():
    first, second = Mutex("first"), Mutex("second")

    def run(one, other, patient):
        token = yield one.acquire()
        got = yield other.acquire() if patient else other.acquire().within("patience")
        if got:
            yield other.release(got)
        yield one.release(token)

    def both(patient):
        ways = [Process("a", run, first, second, patient), Process("b", run, second, first, True)]
        return explore(System(objects=[first, second], processes=ways, properties=[]))

    assert both(True).judgement("no deadlock").verdict.name == "VIOLATED"
    assert both(False).judgement("no deadlock").verdict.name == "HOLDS"


def takes(make, *, put=None):
    """Two who wait for one thing, with an end to their patience; `put` is the op by which a third brings it."""

    def take():
        return "nothing" if (yield make().within("patience")) is GAVE_UP else "something"

    def bring():
        yield put()

    processes = [Process("take", take, copies=2), *([Process("bring", bring)] if put else [])]
    return processes, [
        reachable("one goes without", lambda results: "nothing" in results.values()),
        reachable("one gets it", lambda results: "something" in results.values()),
    ]


lock, path, permits, sent, jobs = Mutex("lock"), Flock("path"), Semaphore("permits", 1), Channel("sent"), Queue("jobs")
THINGS = {
    "mutex": (lock, takes(lock.acquire)),
    "flock": (path, takes(path.acquire)),
    "semaphore": (permits, takes(permits.acquire)),
    "channel": (sent, takes(sent.receive, put=lambda: sent.send("m"))),
    "queue": (jobs, takes(jobs.receive, put=lambda: jobs.send("m"))),
}


@pytest.mark.parametrize("kind", THINGS)
def test_one_mechanism_serves_every_object(kind):
    item, (processes, properties) = THINGS[kind]
    system = System(objects=[item], processes=processes, properties=properties)
    for report in (explore(system), explore(system, reductions=NO_REDUCTION)):
        assert {one.prop.name: one.verdict.name for one in report.judgements} == {
            "one goes without": "HOLDS",
            "one gets it": "HOLDS",
            "no deadlock": "HOLDS",
            "the end stays possible": "HOLDS",
        }


def test_it_is_proved_for_any_number_and_exported_as_an_op_that_never_waits_would_be():
    lock, inside = Mutex("lock"), Register("inside", 0)

    def run(ask):
        token = yield ask()
        if not token:
            return "none"
        yield inside.write(1)
        yield inside.write(0)
        yield lock.release(token)
        return "done"

    def asking(ask):
        return System(
            objects=[lock, inside],
            processes=[Process("run", run, ask, copies=ANY)],
            properties=[each_result("done or none", lambda result: result in ("done", "none"))],
        )

    patient, never = asking(lambda: lock.acquire().within("patience")), asking(lock.try_acquire)
    for system in (patient, never):
        assert prove(system).judgement("done or none").verdict.name == "HOLDS"
    written, twin = (promela(tabulate(one.with_copies({"run": 2}), "run")) for one in (patient, never))
    assert written.replace("acquire() within patience", "try_acquire()").splitlines()[3:] == twin.splitlines()[3:]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: delay("a").within("b"), "only what waits for an object gives up"),
        (lambda: Mutex("L").acquire().within("a").within("b"), "after one delay"),
        (lambda: Mutex("L").acquire().within(3), "a delay's name is a text"),
    ],
)
def test_what_cannot_give_up_is_refused(make, why):
    with pytest.raises(ModelError, match=why):
        make()


def test_who_waits_in_a_line_does_not_give_up():
    fair = Mutex("fair", fifo=True)

    def run():
        yield fair.acquire().within("patience")

    with pytest.raises(ModelError, match="who waits in the line before it does not give up"):
        explore(System(objects=[fair], processes=[Process("run", run, copies=2)], properties=[]))
