"""What projects' own tests import: assertions, strategies, the state machine, kept witnesses and artifacts."""

import shutil
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, find, given, settings
from hypothesis import strategies as st

from dstamp_sim import Schedule, ScheduleError, WitnessError, explore, replay
from dstamp_sim.analyses.minimise import ScheduleSize, size
from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.generated import generator_of
from dstamp_sim.engines.replay import replay_to_end
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.random_systems import described
from dstamp_sim.testing import (
    ANY,
    Undecided,
    Violation,
    assert_holds,
    assert_violated,
    check,
    scenarios,
    schedules,
    small_systems,
    system_machine,
    system_of,
    witness_test,
)
from tests.incident_variants import cc_ci_variants
from tests.oracle import search

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
RACE = "HC1 reads no wrong commit"

FIXED_PROFILE = settings(database=None, derandomize=True, deadline=None)
QUICK = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(
    ("runs", "crashes", "most_examples"),
    [(2, 0, 1000), (3, 0, 1000), (3, 1, 1000)],
)
def test_hypothesis_finds_the_stack_race_and_what_is_printed_has_the_fewest_switches(runs, crashes, most_examples):
    system = system_of("cc_ci", runs=runs, crashes=crashes)
    tried = 0

    @FIXED_PROFILE
    @given(schedule=schedules(system, properties=[RACE]))
    def no_wrong_commit(schedule):
        nonlocal tried
        tried += 1
        check(system, schedule, RACE)

    with pytest.raises(Violation) as found:
        no_wrong_commit()
    assert tried <= most_examples
    # `explore` is exact about switches with two runs; with more it is about steps, and no fewer switches can do.
    least = size(explore(system_of("cc_ci", runs=2), properties=[RACE]).trace.schedule)
    assert len(explore(system, properties=[RACE]).trace.schedule) == least.steps
    assert size(found.value.trace.schedule) == least
    assert str(least) in str(found.value)


def test_a_failure_shows_the_story_the_reason_and_the_models_line():
    bank = system_of("classic/bank", customers=3)
    with pytest.raises(Violation) as found:
        assert_holds(bank, "one withdrawal at most")
    told = str(found.value)
    assert "at end: one withdrawal at most fails: 3 processes, 0 crashes, 3 switches, 5 steps" in told
    assert "bank.py:" in told
    assert "customer#2    balance.read() -> 100" in told
    assert "Lost update" in told
    assert "again: replay(system, 'customer#1" in told


def test_what_holds_holds_for_a_number_and_for_any():
    fixed = system_of("classic/bank_fixed")
    assert_holds(fixed)
    assert_holds(fixed, copies=4)
    assert_holds(fixed, "never overdrawn", copies=ANY)


def test_what_fails_for_any_number_says_for_which():
    with pytest.raises(Violation, match=r"\(2 run\)"):
        assert_holds(system_of("cc_ci"), RACE, copies=ANY)


def test_what_is_not_decided_is_no_pass():
    with pytest.raises(Undecided, match=r"UNDETERMINED, which is not a pass: .*the limit of 5 states was reached"):
        assert_holds(system_of("cc_ci"), limit=5)


def test_what_should_fail_gives_its_trace_or_the_verdicts():
    assert assert_violated(system_of("classic/bank")).schedule.switches == 2
    with pytest.raises(AssertionError, match="nothing fails: HOLDS always: never overdrawn"):
        assert_violated(system_of("classic/bank_fixed"))


def test_a_schedule_that_does_not_fit_is_refused():
    with pytest.raises(ScheduleError, match="step 3"):
        check(system_of("classic/bank_fixed"), "customer#1*9")


@QUICK
@given(system=small_systems(), data=st.data())
def test_every_schedule_drawn_replays_and_ends_at_its_end_or_at_a_violation(system, data):
    schedule = data.draw(schedules(system, most_steps=200))
    semantics = Semantics(system)
    _, end = replay_to_end(semantics, schedule)
    assert len(schedule) == 200 or _fails(system, schedule) or not list(semantics.moves(end))


def _fails(system, schedule):
    try:
        check(system, schedule)
    except Violation:
        return True
    return False


@settings(QUICK, max_examples=10)
@given(system=small_systems())
def test_small_systems_are_small_and_the_explorer_agrees_with_the_oracle_on_them(system):
    known, report = search(system), explore(system, keep_going=True)
    assert {j.prop.name: j.verdict.value for j in report.judgements} == known.verdicts, described(system)


@given(schedule=schedules(system_of("classic/bank_fixed")))
@example(schedule=Schedule.parse("customer#1*2 customer#2"))
@settings(deadline=None)
def test_an_example_may_be_written_as_a_schedule(schedule):
    check(system_of("classic/bank_fixed"), schedule)


def test_the_smallest_choices_let_each_process_run_to_its_end_and_nobody_die():
    smallest = generator_of(system_of("cc_ci", runs=3, crashes=1)).draw(lambda _: bytes(8))
    assert size(smallest) == ScheduleSize(processes=3, crashes=0, switches=2, steps=69)


def test_what_hypothesis_shrinks_coarsely_is_told_with_the_fewest_deaths_and_switches():
    # Hypothesis prefers fewer choices, and who is dead has none left; so a shrunk schedule may keep a death.
    system = system_of("cc_ci", runs=3, crashes=1)
    with pytest.raises(Violation) as found:
        check(system, find(schedules(system, properties=[RACE]), partial(_fails, system), settings=FIXED_PROFILE), RACE)
    assert size(found.value.trace.schedule)[:3] == (2, 0, 2)


def test_a_state_machine_finds_the_race_of_the_bank():
    machine = system_machine(system_of("classic/bank"))
    machine.TestCase.settings = settings(FIXED_PROFILE, phases=[Phase.generate, Phase.shrink])
    with pytest.raises(Violation, match="one withdrawal at most fails: 2 processes, 0 crashes, 2 switches, 4 steps"):
        machine.TestCase().runTest()


def test_a_state_machine_of_the_fixed_bank_passes():
    machine = system_machine(system_of("classic/bank_fixed"))
    machine.TestCase.settings = settings(FIXED_PROFILE, max_examples=20)
    machine.TestCase().runTest()


DELAYS = ("fetch_recipe", "deploy_app", "checkout_head", "chaos_redeploy", "wait_converged", "teardown")


@QUICK
@given(timing=scenarios(system_of("cc_ci"), DELAYS, deaths=True))
def test_every_timing_drawn_runs_and_its_trace_replays(timing):
    system = system_of("cc_ci", crashes=1)
    trace = run_timed(system, timing)
    assert replay(system, trace.schedule).results == trace.results


@QUICK
@given(variant=cc_ci_variants())
def test_variants_of_the_incident_are_systems_that_say_how_they_are_built(variant):
    assert "runs=" in repr(variant)
    assert len(variant.system.instances()) >= variant.settings["runs"]


def test_a_kept_witness_fails_as_long_as_it_happens_and_is_to_be_retired_when_it_is_fixed(dstamp, tmp_path):
    shutil.copy(ROOT / "models/classic/bank.py", tmp_path / "bank.py")
    dstamp("explore", "bank.py")
    [parameters] = [mark.args[1] for mark in witness_test("out").pytestmark]
    [kept] = parameters
    still = witness_test("out", fixed=False)
    still(kept)
    with pytest.raises(Violation, match=r"again, as out/bank-one-withdrawal-at-most.witness.json keeps it"):
        witness_test("out")(kept)
    shutil.copy(ROOT / "models/classic/bank_fixed.py", tmp_path / "bank.py")
    with pytest.raises(WitnessError, match=r"one withdrawal at most: HOLDS now .* Retire it: delete the file"):
        witness_test("out")(kept)
    with pytest.raises(WitnessError, match="bank-one-withdrawal"):
        still(kept)


def test_a_witness_about_another_models_property_is_refused(dstamp, tmp_path):
    shutil.copy(ROOT / "models/classic/bank.py", tmp_path / "bank.py")
    dstamp("explore", "bank.py")
    file = tmp_path / "out" / "bank-one-withdrawal-at-most.witness.json"
    file.write_text(file.read_text().replace("one withdrawal at most", "two at most"))
    [[kept]] = [mark.args[1] for mark in witness_test("out").pytestmark]
    with pytest.raises(WitnessError, match="is about 'at end: two at most', which is not a property of its model"):
        witness_test("out")(kept)


def test_the_plugin_keeps_the_artifacts_and_links_them(pytester):
    shutil.copy(ROOT / "models/classic/bank.py", pytester.path / "bank.py")
    pytester.makepyfile(
        """
        from hypothesis import given
        from dstamp_sim.testing import assert_holds, check, schedules, system_machine, system_of

        bank = system_of("bank.py")

        def test_holds():
            assert_holds(bank)

        TestMachine = system_machine(bank).TestCase
        """
    )
    result = pytester.runpytest_inprocess("--dstamp-artifacts", "kept", "--junitxml", "junit.xml", "-p", "no:xdist")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*one withdrawal at most fails: 2 processes*", "*bank.py:*", "*dstamp artifacts*"])
    names = {file.name.partition(".py-")[2] for file in (pytester.path / "kept").iterdir()}
    assert names == {
        f"{test}{suffix}"
        for test in ("test_holds", "TestMachine-runTest")
        for suffix in (".witness.json", ".png", ".svg", ".txt")
    }
    links = (pytester.path / "junit.xml").read_text()
    assert links.count('name="dstamp-artifact"') == 8


USERS_SYSTEMS = """
from dstamp_sim import System
from dstamp_sim.testing import assert_holds, system_of, variants
from hypothesis import find, settings

bank = system_of("bank.py")

def test_by_hand():
    assert_holds(System(objects=bank.objects, processes=bank.processes, properties=bank.properties))

def test_by_copies():
    assert_holds(bank, copies=3)

def test_by_crashes():
    assert_holds(system_of("bank.py", crashes=1))

def test_by_variants():
    assert_holds(find(variants("bank.py"), bool, settings=settings(max_examples=1, database=None)).system)
"""


def test_a_violation_leaves_a_witness_or_says_why_it_cannot_however_its_system_was_made(pytester):
    shutil.copy(ROOT / "models/classic/bank.py", pytester.path / "bank.py")
    pytester.makepyfile(USERS_SYSTEMS)
    result = pytester.runpytest_inprocess("--dstamp-artifacts", "kept", "-p", "no:xdist")
    result.assert_outcomes(failed=4)
    kept = pytester.path / "kept"
    witnesses = {file.name.partition(".py-")[2].partition(".")[0] for file in kept.glob("*.witness.json")}
    assert witnesses == {"test_by_crashes", "test_by_variants"}
    for name in ("test_by_hand", "test_by_copies"):
        [text] = kept.glob(f"*{name}.txt")
        assert "no witness file: it names a model to build again" in text.read_text()
        assert [*kept.glob(f"*{name}.png")]
    assert sum("no witness file" in line for line in result.outlines) == 2


WORK = """
title = "two clients of a lease of 30 s"
model = "classic/redis_lock"
seed = 1
[[starts]]
name = "first"
at = 2026-06-01T09:00:00
[[starts]]
name = "second"
at = 2026-06-01T09:00:05
[delays]
"lock ttl" = {{ constant_s = 30, source = "the rule" }}
work = {{ uniform_s = {work}, source = "assumed" }}
"""
OVERWRITTEN = "no later holder is written over"


def test_what_durations_rule_out_holds_within_them_and_says_so(tmp_path):
    (tmp_path / "short.toml").write_text(WORK.format(work="[10, 39]"), encoding="utf-8")
    system = system_of("classic/redis_lock")
    report = assert_holds(system, OVERWRITTEN, within=tmp_path / "short.toml")
    assert report.judgement(OVERWRITTEN).reason == "impossible within these bounds"
    with pytest.raises(Violation):
        assert_holds(system, OVERWRITTEN)


def test_a_violation_within_bounds_keeps_its_moments_and_leaves_a_witness(tmp_path):
    (tmp_path / "long.toml").write_text(WORK.format(work="[10, 50]"), encoding="utf-8")
    with pytest.raises(Violation) as found:
        assert_holds(system_of("classic/redis_lock"), within=str(tmp_path / "long.toml"))
    assert f"{OVERWRITTEN} fails (possible within these bounds, at the earliest at 40 s" in str(found.value)
    assert found.value.trace.steps[-1].time_s == 40
    assert any(file.name == "race.witness.json" for file in found.value.save(tmp_path, "race"))


def test_no_number_of_copies_is_any_within_bounds(tmp_path):
    (tmp_path / "short.toml").write_text(WORK.format(work="[10, 39]"), encoding="utf-8")
    with pytest.raises(UsageError, match="exact time knows no proof"):
        assert_holds(system_of("classic/redis_lock"), copies=ANY, within=tmp_path / "short.toml")
    with pytest.raises(Undecided, match="the limit of 3 zones was reached"):
        assert_holds(system_of("classic/redis_lock"), OVERWRITTEN, limit=3, within=tmp_path / "short.toml")
