"""The index migrations of August 2026: which mechanisms survive four pods, and what tells them apart."""

from pathlib import Path

import pytest

from dstamp_sim.core.verdict import Verdict
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.incident.incident import judge_incident
from dstamp_sim.incident.loaded import load_incident
from dstamp_sim.inputs.model_file import load_model

FOLDER = Path(__file__).parents[2] / "experiments/index_migrations"


@pytest.fixture(scope="module")
def judgement(tmp_path_factory):
    return judge_incident(load_incident(FOLDER / "scenario.toml"), out=tmp_path_factory.mktemp("index"))


def test_what_needs_a_snapshot_that_waits_in_turn_is_left_and_the_rest_is_proved_impossible(judgement):
    best = judgement.summary.best
    assert {name for name, row in best.items() if row.verdict == "possible"} == {"no-lock", "blocking-lock"}
    assert {name for name, row in best.items() if row.verdict == "impossible"} == {
        "ordinary-lock", "killed-midway", "left-invalid", "recorded-early"
    }  # fmt: skip
    assert all(best[name].least.partners == 0 for name in ("no-lock", "blocking-lock"))
    assert "bob-2" in best["recorded-early"].against  # what was recorded is not built again


def test_the_databases_log_tells_the_two_apart_and_costs_nothing(judgement):
    first = judgement.summary.experiments[0]
    assert first.experiment == "database log"
    assert first.predicted["no-lock"] == {"pods waited for the table": 1.0}
    assert first.predicted["blocking-lock"] == {"pods waited for the lock": 1.0}


@pytest.mark.parametrize(
    ("lock", "verdicts"),
    [
        ("none", (Verdict.VIOLATED, Verdict.VIOLATED)),
        ("transaction", (Verdict.VIOLATED, Verdict.VIOLATED)),
        ("blocking", (Verdict.VIOLATED, Verdict.VIOLATED)),
        ("polled", (Verdict.HOLDS, Verdict.HOLDS)),
    ],
)
@pytest.mark.parametrize("pods", [2, 3])
def test_only_the_polled_lock_keeps_pods_apart_without_a_snapshot(lock, verdicts, pods):
    system = load_model(str(FOLDER / "migrations.py")).build({"runs": pods, "lock": lock})
    report = explore(system, keep_going=True)
    names = ("a recorded migration has a valid index", "no pod fails its start")
    assert tuple(report.judgement(name).verdict for name in names) == verdicts
    assert report.judgement("no deadlock").verdict is Verdict.HOLDS


def test_under_the_polled_lock_one_death_by_the_probe_still_records_an_invalid_index():
    system = load_model(str(FOLDER / "migrations.py")).build({"runs": 2, "probe": True})
    assert (
        explore(system, keep_going=True).judgement("a recorded migration has a valid index").verdict is Verdict.VIOLATED
    )
