"""Objects that begin in any of several states: every engine begins in each, names the one it took, or says why not."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random
from time import process_time

import pytest
from hypothesis import given, settings

from dstamp_sim import (
    ANY,
    ModelError,
    Outcome,
    Process,
    Register,
    Schedule,
    ScheduleError,
    SharedObject,
    System,
    UsageError,
    Verdict,
    always,
    each_result,
    eventually,
    explore,
    prove,
    replay,
)
from dstamp_sim.analyses.claims import Began
from dstamp_sim.analyses.explain import explain
from dstamp_sim.analyses.minimise import minimise
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.verify import against
from dstamp_sim.core.scenario import Timing
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.explore import explorer
from dstamp_sim.engines.explore.atlas import chart
from dstamp_sim.engines.explore.settings import NO_REDUCTION, Reductions
from dstamp_sim.engines.prove import coverability, unbounded
from dstamp_sim.engines.replay import attempts
from dstamp_sim.engines.sampling.counting import count_interleavings
from dstamp_sim.engines.sampling.sampler import Settings, sample
from dstamp_sim.engines.tables import closure
from dstamp_sim.engines.tables.tables import Tables
from dstamp_sim.engines.timed.sweep import sweep
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.export.tabulate import tabulate
from dstamp_sim.random_systems import LETTERS
from dstamp_sim.testing import Violation, schedules
from dstamp_sim.testing import check as check_schedule
from tests.agreement import judged
from tests.oracle import Findings, search
from tests.random_systems import described, random_system
from tests.todays import in_parts

EVERY = [Reductions(*switches) for switches in product([False, True], repeat=3)]
FAST, ALL, MOST = 20, 160, 100


def with_several_starts(system: System, seed: int) -> System:
    """The registers that all processes share begin in any of two or three letters."""
    rng = Random(seed)
    for item in system.objects:
        if isinstance(item, Register) and not item.private:
            item.initials = tuple(rng.sample(LETTERS, rng.randint(2, 3)))
    return system


def differences(system: System, expected: Findings, used: Reductions) -> Iterator[str]:
    report = explore(system, keep_going=True, reductions=used)
    if not report.coverage.exhausted:
        yield f"not exhausted: {report.coverage.stopped}"
    if report.coverage.states > expected.states:
        yield f"{report.coverage.states} states, more than the {expected.states} there are"
    for what, got, wanted in judged(system, report, expected):
        if got != wanted:
            yield f"{what}: {got}, but the oracle has {wanted}"


def small_system(seed: int) -> System:
    """The next random system from this seed on that is small enough for the oracle to take no time."""
    while True:
        system = with_several_starts(random_system(seed), seed)
        if explore(system, keep_going=True, limit=MOST).coverage.states <= MOST:
            return system
        seed += ALL


def check(seed: int) -> None:
    system = small_system(seed)
    expected = search(system)
    histories = explore(system, keep_going=True, reductions=replace(NO_REDUCTION, by_value=False)).coverage
    assert (histories.states, histories.transitions) == (expected.states, expected.transitions), described(system)
    for used in (EVERY[-1], EVERY[seed % 7]):
        found = list(differences(system, expected, used))
        assert not found, f"seed {seed}, {used}: {found}\n{described(system)}"


@pytest.fixture
def informed(monkeypatch):
    """Small spaces too are searched with complete tables."""
    monkeypatch.setattr(explorer, "WORTH_KNOWING", 0)


def test_exploring_from_several_starts_agrees_with_the_oracle(informed):
    for seed in range(FAST):
        check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", in_parts(range(FAST, ALL), 50), ids=str)
def test_exploring_from_several_starts_agrees_with_the_oracle_on_more_systems(informed, seeds):
    for seed in seeds:
        check(seed)


def first_start_only(monkeypatch):
    """The space begins in the first initial state alone."""
    honest = Tables.initial_rows
    monkeypatch.setattr(Tables, "initial_rows", lambda self: honest(self)[:1])


def closed_from_the_first_start(monkeypatch):
    """What processes may meet is found from the first initial state alone."""
    honest = closure.close

    def close(tables, **also):
        every, tables.start_numbers = tables.start_numbers, lambda slot: every(slot)[:1]
        try:
            return honest(tables, **also)
        finally:
            del tables.start_numbers

    monkeypatch.setattr(explorer, "close", close)


def another_start_is_named(monkeypatch):
    """The counterexample says that it began in the first initial state."""
    honest = Semantics.start_of
    monkeypatch.setattr(Semantics, "start_of", lambda self, initial: dict.fromkeys(honest(self, initial), 0))


@pytest.mark.parametrize("twin", [first_start_only, closed_from_the_first_start, another_start_is_named])
def test_wrong_twins_are_caught(informed, monkeypatch, twin):
    twin(monkeypatch)
    assert any(map(is_caught, range(40))), twin.__doc__


def is_caught(seed: int) -> bool:
    system = with_several_starts(random_system(seed), seed)
    try:
        expected = search(system, 1_000)
    except AssertionError:
        return False  # too large to be worth while
    try:
        return any(differences(system, expected, EVERY[-1]))
    except (AssertionError, ScheduleError, ModelError, KeyError):
        return True


x, y = Register("x", [0, 1, 2]), Register("y", 5)


def copy():
    seen = yield x.read()
    yield y.write(seen)
    return seen


SMALL = always("y is not 2", lambda state: state[y] != 2, reads=[y])


def copying(**also) -> System:
    return System(objects=[x, y], processes=[Process("p", copy, copies=2)], properties=[SMALL], **also)


def test_a_counterexample_names_its_start_and_replays():
    trace = explore(copying()).trace
    assert (str(trace.schedule), trace.initial) == ("x:=2 p#1*2", {"x": 2, "y": 5})
    assert replay(copying(), str(trace.schedule)) == trace
    assert replay(copying(), "x:=1 p#1*2").initial["x"] == 1


def test_counts_are_those_of_all_starts_together():
    """From each of three starts: 3 x 3 places of two copiers, as y follows from them."""
    coverage = explore(copying(), reductions=NO_REDUCTION, keep_going=True).coverage
    assert (coverage.states, coverage.transitions) == (27, 36)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ("p#1*2", "x has 3 initial states: this needs one of them"),
        ("x:=3 p#1", "x:=3: it has 3 initial states, from 0 on"),
        ("y:=0 p#1", "y:=0: unknown object with several initial states 'y'"),
    ],
)
def test_a_schedule_that_names_no_start_or_a_wrong_one_is_refused(schedule, says):
    with pytest.raises((UsageError, ScheduleError), match=says):
        replay(copying(), schedule)


def test_a_schedule_with_a_start_is_written_as_it_is_read():
    written = "a%20b:=2 =:=0 x=1:2*3 p!"
    assert str(Schedule.parse(written)) == written
    assert Schedule.parse(written).start == (("a b", 2), ("=", 0))
    assert Schedule.parse(written)[:1].start == Schedule.parse(written).start


def test_an_explanation_says_how_it_began():
    system = copying()
    explanation = explain(system, explore(system).trace)
    assert explanation.what.endswith("From the start x was 2 (it may begin otherwise)")
    assert not explanation.dropped


@pytest.mark.parametrize(("claim", "why"), [(Began("x", 1), "x was 2"), (Began("y", 5), "y can only begin in one way")])
def test_a_wrong_claim_about_the_start_is_caught(claim, why):
    system = copying().with_start({"x": 2})
    assert against(claim, Record(system, replay(system, "p#1*2"))) == why


def test_a_minimised_schedule_keeps_its_start():
    least = minimise(Schedule.parse("x:=2 p#2 p#1*2 p#2"), attempts(copying(), SMALL)).schedule
    assert str(least) == "x:=2 p#2*2"


def test_proofs_begin_in_each_start():
    """Where y may become 3 if x can be 3, and not else."""
    never = always("y is not 3", lambda state: state[y] != 3, reads=[y])
    crowd = System(objects=[x, y], processes=[Process("p", copy, copies=ANY)], properties=[SMALL, never])
    report = prove(crowd, properties=[SMALL.name, never.name])
    assert [judgement.verdict for judgement in report.judgements] == [Verdict.VIOLATED, Verdict.HOLDS]
    assert str(report.trace.schedule) == "x:=2 p*2"


def test_a_proof_is_that_of_every_start_alone(monkeypatch):
    monkeypatch.setattr(coverability, "MOST_MOVES", 1000)
    monkeypatch.setattr(unbounded, "TRIED_STATES", 1)
    for seed in range(6):
        system = with_several_starts(random_system(seed), seed)
        crowd = [process.with_copies(ANY) if n == 0 else process for n, process in enumerate(system.processes)]
        asked = [prop for prop in system.properties if prop.name == "x is not bad"]
        system = replace(system, processes=crowd, properties=asked)
        if not asked:
            continue
        together = prove(system, properties=["x is not bad"]).judgements[0]
        alone = [prove(system.with_start(start), properties=["x is not bad"]).judgements[0] for start in starts(system)]
        verdicts = {judgement.verdict for judgement in alone}
        assert Verdict.UNDETERMINED in {*verdicts, together.verdict} or (
            together.verdict is (Verdict.VIOLATED if Verdict.VIOLATED in verdicts else Verdict.HOLDS)
        ), f"seed {seed}\n{described(system)}"
        fewest = [sum(judgement.copies.values()) for judgement in alone if judgement.copies]
        assert not fewest or sum(together.copies.values()) == min(fewest), f"seed {seed}\n{described(system)}"


def starts(system: System) -> list[dict[str, int]]:
    several = system.several
    numbers = product(*(range(len(item.initials)) for item in several.values()))
    return [dict(zip(several, each, strict=True)) for each in numbers]


@pytest.mark.parametrize("strategy", ["random-walk", "pct", "pos"])
def test_samples_begin_in_each_start_as_often(strategy):
    """A third of 900 schedules begins with 2 (each fails): 300, and 14.1 is a standard deviation."""
    found = sample(copying(), 900, Settings(strategy))
    assert abs(found.decided[SMALL.name] - 300) < 4 * 14.2
    assert replay(copying(), found.first[SMALL.name]).initial["x"] == 2
    assert sample(copying().with_start({"x": 2}), 90, Settings(strategy)).decided[SMALL.name] == 90


def test_the_least_probability_of_a_sampler_counts_the_starts():
    one, all_three = (sample(system, 100, Settings("pct")) for system in (copying().with_start({"x": 2}), copying()))
    assert all_three.guarantee == one.guarantee / 3


@pytest.mark.parametrize(
    "engine",
    [
        lambda system: sample(system, 10, Settings("preemption-bounded")),
        lambda system: sample(system, 10, Settings("uniform")),
        count_interleavings,
        chart,
        lambda system: tabulate(system, "copying"),
        lambda system: sweep(system, Timing(), 10),
    ],
)
def test_what_needs_one_start_says_so_and_takes_a_chosen_one(engine):
    with pytest.raises(UsageError, match=r"x has 3 initial states: this needs one of them: system.with_start"):
        engine(copying())
    engine(copying().with_start({"x": 2}))


def test_a_timed_run_begins_by_its_seed():
    """Each of three starts in 60 runs: missing one has probability below 3 (2/3)^60, 1 in 10^10."""
    runs = [run_timed(copying(), Timing(seed=seed)) for seed in range(60)]
    assert {run.initial["x"] for run in runs} == {0, 1, 2}
    for run in runs[:6]:
        assert replay(copying(), str(run.schedule)).steps == tuple(replace(step, time_s=None) for step in run.steps)


def test_hypothesis_begins_in_each_start():
    met = set()

    @given(schedules(copying(), properties=["no deadlock"]))
    @settings(max_examples=60, database=None, derandomize=True)
    def run(schedule):
        met.add(replay(copying(), schedule).initial["x"])

    run()
    assert met == {0, 1, 2}


def test_a_failure_that_hypothesis_finds_names_its_start():
    system = copying()

    @given(schedules(system))
    @settings(max_examples=60, database=None, derandomize=True)
    def run(schedule):
        check_schedule(system, schedule)

    with pytest.raises(Violation, match=r"again: replay\(system, 'x:=2 p#1\*2'\)"):
        run()


class Many(SharedObject):
    """One op with many outcomes, or one of many starts that turns a bit."""

    def outcomes(self, state, op):
        if op.verb == "any":
            return tuple(Outcome(number, number) for number in range(op.args[0]))
        return (Outcome(state ^ 1),)


def many_starts(count):
    many = Many("many", list(range(count)))

    def turn():
        yield many.op("turn")

    in_range = always("in range", lambda state: state[many] < count, reads=[many])
    return System(objects=[many], processes=[Process("p", turn, daemon=True)], properties=[in_range])


def many_outcomes(count):
    many = Many("many", 0)

    def draw():
        return (yield many.op("any", count))

    in_range = each_result("in range", lambda result: result < count)
    return System(objects=[many], processes=[Process("p", draw)], properties=[in_range])


@pytest.mark.parametrize(("made", "extra"), [(many_starts, 0), (many_outcomes, 1)])
def test_many_starts_and_many_outcomes_cost_time_in_proportion(made, extra):
    """Eight times as many take less than thirty times as long, where a square would be 64 times."""
    spent = []
    for count in (500, 500, 4_000):
        begun = process_time()
        report = explore(made(count), keep_going=True)
        spent.append(process_time() - begun)
        assert report.verdict is Verdict.HOLDS
        assert (report.coverage.states, report.coverage.transitions) == (count + extra, count)
    assert spent[2] < 30 * max(spent[1], 0.02)


def test_what_comes_in_time_is_judged_from_a_chosen_start():
    """From 2, y never becomes 0; from several starts it is left open, with the reason."""
    zero = eventually("y is 0", lambda state: state[y] == 0, reads=[y])
    system = replace(copying(), properties=[zero])
    open_one = explore(system, properties=[zero.name]).judgements[0]
    assert open_one.verdict is Verdict.UNDETERMINED
    assert "x may begin in several states" in open_one.reason
    assert explore(system.with_start({"x": 0}), properties=[zero.name]).verdict is Verdict.HOLDS
    trace = explore(system.with_start({"x": 2}), properties=[zero.name]).trace
    assert replay(system, str(trace.schedule)) == trace
