"""`dstamp review --within`: a placement that only durations keep from failing is said so, and never called safe."""

import json
from pathlib import Path

import pytest

from dstamp_sim.core.verdict import Verdict
from dstamp_sim.lock_review.compare import Standing

BANK = (Path(__file__).parent / "bank_with_locks.py").read_text(encoding="utf-8")
PAUSES = (
    BANK.replace("LockScope,", "LockScope, delay,")
    .replace("    now = yield", '    yield delay("think")\n    now = yield')
    .replace("    yield balance.write", '    yield delay("pay")\n    yield balance.write')
)
SCENARIO = """
title = "Two payments"
model = "bank.py"
seed = 1
[[starts]]
name = "first"
at = 2026-06-01T09:00:00
[[starts]]
name = "second"
at = 2026-06-01T09:00:{second}
[delays]
think = {{ uniform_s = [1, 10], source = "assumed" }}
pay = {{ uniform_s = [1, 10], source = "assumed" }}
"""

ALONE = "Within the bounds of 'Two payments', for first, second alone,"

ARRIVALS = 'per_day = 10\ndomains = 1\nruns = 5\nover = "customers"\nsource = "assumed"\n'


@pytest.fixture
def review(dstamp, tmp_path, monkeypatch):
    """Reviews the bank with pauses, within a scenario whose second payment begins at that second."""
    monkeypatch.chdir(tmp_path)
    Path("bank.py").write_text(PAUSES, encoding="utf-8")

    def ask(second, *options, scenario=SCENARIO):
        Path("pay.toml").write_text(scenario.format(second=second), encoding="utf-8")
        return dstamp("review", "bank.py", "--within", "pay.toml", *options)

    return ask


def test_placements_that_only_durations_keep_from_failing_are_said_and_not_safe(review):
    code, out, _ = review("21", "--json")
    found = json.loads(out)
    assert code == 0
    assert set(found["within"]["found"].values()) == {"impossible within these bounds"}
    assert found["counts"][Standing.BROKEN.value] == len(found["within"]["found"]) == 4
    assert [one["verdict"] for one in found["placements"]].count(Verdict.VIOLATED.value) == 4
    assert (
        f"{ALONE} these are not safe, but cannot fail: none; account:look; "
        "account:pay; account:look, account:pay." in found["answer"]
    )


def test_placements_that_can_fail_have_their_moments(review):
    code, out, _ = review("20", "--full")
    told = " ".join(out.split())
    assert code == 0
    assert (
        "none no payment is erased: possible within these bounds, at the earliest at 22 s, at the latest at 40 s"
        in told
    )
    assert f"{ALONE} 3 of 4 that are not safe can fail, or are not decided." in told


def test_the_first_screen_names_the_bounds(review):
    _, out, _ = review("21")
    told = " ".join(out.split())
    assert f"{ALONE} these are not safe, but cannot fail" in told


def test_a_delay_that_the_scenario_does_not_state_leaves_placements_unasked(review):
    _, out, _ = review("20", "--json", scenario=SCENARIO.replace("pay = {{", "pray = {{"))
    assert all(words.startswith("not asked: ") for words in json.loads(out)["within"]["found"].values())


def test_a_stream_of_arrivals_has_no_bounds(review):
    starts = SCENARIO[SCENARIO.index("[[starts]]") : SCENARIO.index("[delays]")]
    stream = SCENARIO.replace(starts, "[arrivals]\n" + ARRIVALS)
    code, _, err = review("20", scenario=stream)
    assert code == 2
    assert "exact time needs [[starts]]" in err
