"""`explore --within`: what it refuses and why, and its JSON."""

import json
from pathlib import Path

import pytest

SCENARIO = """
title = "two clients"
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
work = {{ {work}, source = "assumed" }}
"""


@pytest.fixture
def within(dstamp, tmp_path, monkeypatch):
    """Explores the Redis lock within a scenario whose work lasts so long."""
    monkeypatch.chdir(tmp_path)

    def explore(work, *options, first='"first"'):
        written = SCENARIO.format(work=work).replace('"first"', first)
        Path("clients.toml").write_text(written, encoding="utf-8")
        return dstamp("explore", "classic/redis_lock", "--within", "clients.toml", *options)

    return explore


def test_a_failure_that_is_possible_has_its_moments_in_json(within):
    code, out, _ = within("uniform_s = [10, 50]", "--json")
    assert code == 1
    [found, _] = json.loads(out)["properties"]
    assert (found["possibility"], found["verdict"]) == ("possible", "VIOLATED")
    assert (found["earliest_s"], found["latest_s"], found["earliest_in"]) == (40.0, 50.0, True)


def test_two_clients_whose_later_one_cannot_overtake_write_in_order(within):
    code, out, _ = within("uniform_s = [10, 39]")
    assert code == 0
    assert "no later holder is written over (impossible within these bounds)" in out
    assert "not asked, as it looks ahead of a state: the end stays possible" in out


@pytest.mark.parametrize(
    ("work", "options", "why"),
    [
        ("exponential_s = 20", [], "delay 'work' is exponential 20 s, which has no longest duration"),
        ("constant_s = 20, at_most_s = 30", [], "it is for shapes without an end"),
        ("constant_s = 20, open_ends = ['high']", [], "open_ends is for uniform_s with two different figures"),
        ("constant_s = 20", ["--crashes", "1"], "exact time knows no deaths"),
        ("constant_s = 20", ["--count"], "--count means nothing with --within"),
        ("constant_s = 20", ["--set", "clients=1"], "the scenario starts 2 processes (first, second), the model has 1"),
    ],
)
def test_what_it_does_not_support_is_refused_with_the_reason(within, work, options, why):
    code, _, err = within(work, *options)
    assert code == 2
    assert why in " ".join(err.split())


@pytest.mark.parametrize("command", ["explore", "margin"])
@pytest.mark.parametrize("several", [["--set", "clients=1..3"], ["--placement", "all"]])
def test_a_matrix_within_bounds_is_refused_as_one(dstamp, within, command, several):
    within("constant_s = 20")
    code, _, err = dstamp(command, "classic/redis_lock", "--within", "clients.toml", *several)
    assert code == 2
    assert "--within is about one setting, not a matrix: set one value each" in err


def test_a_death_in_the_scenario_is_refused(within):
    code, _, err = within("constant_s = 20", first='"first"\ndies_after_s = 1')
    assert code == 2
    assert "leave out dies_after_s" in err


def test_a_start_that_may_be_late_is_an_interval(within):
    code, out, _ = within("uniform_s = [10, 50]", first='"first"\nlate = "work"')
    assert code == 1
    assert "possible within these bounds, at the earliest at 45 s, at the latest at 55 s" in out


def test_a_start_that_is_late_by_no_delay_of_the_scenario_and_a_late_death_are_refused(within):
    code, _, err = within("constant_s = 20", first='"first"\nlate = "wrok"')
    assert code == 2
    assert "first is late by an unknown delay 'wrok'; did you mean 'work'?" in " ".join(err.split())
    code, _, err = within("constant_s = 20", first='"first"\nlate = "work"\ndies_after_s = 1')
    assert code == 2
    assert "write late or dies_after_s" in " ".join(err.split())


def test_a_delay_without_an_end_is_judged_up_to_the_one_that_the_scenario_writes(within):
    code, out, _ = within("exponential_s = 20, at_most_s = 29")
    assert code == 0
    assert "impossible within these bounds" in out


def test_what_looks_ahead_is_undetermined_if_it_is_asked_by_name(within):
    code, out, _ = within("constant_s = 20", "--property", "the end stays possible")
    assert code == 3
    assert "exact time judges states" in out


def test_the_limit_leaves_it_undetermined(within):
    code, out, _ = within("uniform_s = [10, 50]", "--limit", "3")
    assert code == 3
    assert "the limit of 3 zones was reached" in out


def test_a_proof_knows_no_time_and_says_so(dstamp, tmp_path):
    code, _, err = dstamp("prove", "classic/bank", "--within", str(tmp_path / "any.toml"))
    assert code == 2
    assert "explore --within" in err


def test_the_incident_is_judged_within_its_scenario_with_all_its_runs(dstamp):
    scenario = Path(__file__).parents[2] / "experiments/incident/scenario.toml"
    code, out, _ = dstamp("explore", "cc_ci", "--within", str(scenario), "--property", "HC1 reads no wrong commit")
    assert code == 1
    assert "(possible within these bounds, at the earliest at 513195 s, at the latest at 513910 s)" in out
    assert "so 'HC1 reads no wrong commit' fails at 142:33:15" in out


def test_the_scenario_of_another_model_is_named(dstamp):
    scenario = Path(__file__).parents[2] / "experiments/bank/scenario.toml"
    code, _, told = dstamp("explore", "classic/bank", "--within", scenario)
    assert code == 2
    assert "scenario.toml: at parameters: unknown parameter 'runs' (valid: customers); the scenario is of " in told
