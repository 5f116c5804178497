"""What people do with Hypothesis works with schedules: `@example`, `@reproduce_failure`, the database, profiles."""

import ast
import re
from pathlib import Path
from unittest import SkipTest

import pytest
from hypothesis import Phase, example, given, reproduce_failure, settings
from hypothesis.database import InMemoryExampleDatabase

from dstamp_sim import Schedule
from dstamp_sim.testing import Violation, check, schedules, system_of

pytest_plugins = ["pytester"]

CI = (Path(__file__).parents[1] / "docs/ci.md").read_text(encoding="utf-8")
BANK = system_of("classic/bank")
FOUND = "customer#1 customer#2 customer#1 customer#2"


def every_schedule(phases, **chosen):
    """A property test of the racy bank, as a function to be called."""

    @settings(deadline=None, phases=phases, **({"derandomize": True} | chosen))
    @given(schedule=schedules(BANK))
    def no_double_withdrawal(schedule):
        check(BANK, schedule)

    return no_double_withdrawal


def test_an_example_that_fails_is_told_as_any_other_failure():
    test = example(schedule=Schedule.parse(FOUND))(every_schedule([Phase.explicit]))
    with pytest.raises(Violation, match="2 processes, 0 crashes, 2 switches, 4 steps"):
        test()


def test_a_failing_schedule_is_printed_as_it_can_be_written_in_an_example():
    with pytest.raises(Violation) as found:
        every_schedule([Phase.generate, Phase.shrink])()
    [written] = re.findall(r"schedule=(Schedule\.parse\('.*?'\))", "\n".join(found.value.__notes__))
    assert eval(written) == found.value.schedule


def test_a_failure_can_be_reproduced_from_what_hypothesis_prints():
    with pytest.raises(Violation) as found:
        every_schedule([Phase.generate, Phase.shrink], print_blob=True)()
    [(version, blob)] = re.findall(r"@reproduce_failure\('(.+?)', (b'.+?')\)", "\n".join(found.value.__notes__))
    again = reproduce_failure(version, ast.literal_eval(blob))(every_schedule([Phase.generate]))
    with pytest.raises(Violation) as reproduced:
        again()
    assert reproduced.value.schedule == found.value.schedule


def test_a_failure_is_kept_in_the_example_database_and_tried_first_the_next_time(monkeypatch):
    monkeypatch.setattr("hypothesis.core.global_force_seed", None)  # under --hypothesis-seed nothing is kept
    database = InMemoryExampleDatabase()
    with pytest.raises(Violation) as found:
        every_schedule([Phase.generate, Phase.shrink], database=database, derandomize=False)()
    with pytest.raises(Violation) as kept:
        every_schedule([Phase.reuse], database=database, derandomize=False)()
    assert kept.value.schedule == found.value.schedule
    with pytest.raises(SkipTest):  # nothing kept, nothing to try
        every_schedule([Phase.reuse], database=InMemoryExampleDatabase(), derandomize=False)()


REPOSITORY = """
from pathlib import Path
from hypothesis import given, settings
from dstamp_sim.testing import check, schedules, system_of

fixed = system_of("classic/bank_fixed", customers=3)
drawn = []

@given(schedule=schedules(fixed))
def test_every_schedule(schedule):
    drawn.append(str(schedule))
    check(fixed, schedule)

def test_which_profile():
    Path("most").write_text(str(settings().max_examples))
    Path("drawn").write_text("\\n".join(drawn))
"""


@pytest.fixture
def repository(pytester):
    """`repository(*arguments)` runs a user's tests with the conftest.py of docs/ci.md: how many examples, and which."""
    [shown] = re.findall(r"\n\n((?:    .*\n|\n)*?    settings\.load_profile.*\n)", CI)
    pytester.makeconftest(re.sub("(?m)^    ", "", shown))
    pytester.makepyfile(test_bank=REPOSITORY)

    def run(*arguments, passed=2):
        pytester.runpytest_subprocess(*arguments).assert_outcomes(passed=passed, deselected=2 - passed)
        return int((pytester.path / "most").read_text()), (pytester.path / "drawn").read_text()

    return run


def test_the_profiles_that_ci_md_shows_are_chosen_by_environment_or_option(repository, monkeypatch):
    assert repository("-k", "profile", passed=1)[0] == 50
    assert repository("-k", "profile", "--hypothesis-profile", "ci", passed=1)[0] == 300
    monkeypatch.setenv("HYPOTHESIS_PROFILE", "nightly")
    assert repository("-k", "profile", passed=1)[0] == 10_000


def test_the_ci_profile_draws_the_same_schedules_each_time(repository):
    first, second = (repository("--hypothesis-profile", "ci", "--hypothesis-seed", seed)[1] for seed in "12")
    assert first == second
    assert len(set(first.splitlines())) > 1


def test_what_the_nightly_run_found_the_kept_profile_tries_again(repository, pytester):
    racy = REPOSITORY.replace("bank_fixed", "bank")
    pytester.makepyfile(test_bank=racy)
    for profile in ("nightly", "kept"):
        failed = pytester.runpytest_subprocess("--hypothesis-profile", profile, "-m", "hypothesis")
        failed.assert_outcomes(failed=1, deselected=1)
        failed.stdout.fnmatch_lines(["*one withdrawal at most fails: 3 processes*", "*Lost update*"])
