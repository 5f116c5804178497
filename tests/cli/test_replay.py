"""`dstamp replay`: the main job, run by run."""

import json
from pathlib import Path

import pytest

from dstamp_sim.inputs.model_file import bundled
from models.cc_ci import MECHANISMS


def test_the_incident_is_replayed_run_by_run_and_ends_with_0(dstamp):
    code, out, _ = dstamp("replay", "--no-judge")
    assert code == 0
    for run in ("184", "m2b-discourse", "m2p-discourse", "ab-discourse-7ae7b0f-oldmain"):
        assert run in out
    assert "of 4 observed runs reproduced" in out
    assert "wrote out/replay-stack-race.png" in out
    assert Path("out/replay-stack-race.svg").exists()


def test_a_run_that_is_not_reproduced_says_why_in_a_sentence(dstamp):
    rows = json.loads(dstamp("replay", "--no-judge", "--json")[1])["runs"]
    alone = next(row for row in rows if row["run"] == "m2b-discourse")
    assert alone["reproduced"] is False
    assert alone["why"].startswith("no other run's base deploy falls between its redeploy (06-10 ")


def test_the_last_of_the_cluster_never_reads_the_bases_stamp_under_the_leading_hypothesis(dstamp):
    for seed in range(20):
        rows = json.loads(dstamp("replay", "--no-judge", "--json", "--seed", str(seed))[1])["runs"]
        red = [row["run"] for row in rows if row["simulated"]["stamp"] == "eb96de94+U"]
        assert set(red) <= {"m2p-discourse", "ab-discourse-7ae7b0f-oldmain"}
        assert len(red) <= 1


@pytest.mark.parametrize("name", MECHANISMS)
def test_every_mechanism_can_be_replayed_and_its_witness_shown(dstamp, name):
    code, out, _ = dstamp("replay", "--mechanism", name)
    assert code == 0
    assert f"mechanism {name}: " in out
    code, again, _ = dstamp("show", f"out/replay-{name}.witness.json", "--out", "again")
    assert code == 0
    assert "184" in again


def test_the_same_seed_writes_the_same_bytes(dstamp):
    dstamp("replay", "--no-judge", "--out", "one")
    dstamp("replay", "--no-judge", "--out", "two")
    for name in ("replay-stack-race.witness.json", "replay-stack-race.svg"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()


def test_a_placement_changes_what_comes_out(dstamp):
    rows = json.loads(dstamp("replay", "--no-judge", "--json", "--placement", "deploy_app_to_exit")[1])["runs"]
    assert all(row["simulated"]["stamp"] == "7ae7b0f7+U" for row in rows)


MODEL = """
from typing import NamedTuple
from dstamp_sim import Process, Register, System, delay

register = Register("register", 0)

class Outcome(NamedTuple):
    saw: int
    failure: str = ""

def visit():
    seen = yield register.read()
    yield delay("think")
    yield register.write(seen + 1)
    return Outcome(seen)

def build(visitors: int = 2) -> System:
    return System(objects=[register], processes=[Process("visitor", visit, copies=visitors)])
"""

SCENARIO = """
title = "two visitors"
model = "visits.py"
seed = 1
[[starts]]
name = "ann"
at = 2026-01-01T10:00:00
[[starts]]
name = "bob"
at = 2026-01-01T10:00:05
[delays]
think = { constant_s = 10, source = "measured" }
"""


def test_a_users_own_model_is_replayed_from_a_scenario_beside_it(dstamp, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "visits.py").write_text(MODEL)
    (folder / "scenario.toml").write_text(SCENARIO)
    code, out, _ = dstamp("replay", folder / "scenario.toml")
    assert code == 0
    assert "saw" in out
    assert "Assumed" not in out
    rows = {row["run"]: row for row in json.loads(dstamp("replay", folder / "scenario.toml", "--json")[1])["runs"]}
    assert rows["ann"]["simulated"] == rows["bob"]["simulated"] == {"saw": 0, "failure": ""}
    assert rows["ann"]["reproduced"] is None


@pytest.fixture
def contradictory(tmp_path):
    """The incident's evidence, had the last run come out with a stamp that nothing in the model can make."""
    before, stamp, after = bundled("experiments/incident/evidence.toml").read_text("utf-8").rpartition("eb96de94+U")
    assert stamp
    file = tmp_path / "contradictory.toml"
    file.write_text(f"{before}deadbeef{after}", encoding="utf-8")
    return file


@pytest.mark.slow
def test_evidence_that_no_mechanism_can_give_is_reported_with_the_observation_that_conflicts(dstamp, contradictory):
    code, out, _ = dstamp("replay", "--evidence", contradictory, "--json")
    assert code == 0
    judgement = json.loads(out)["judgement"]
    assert {row["verdict"] for row in judgement["mechanisms"]} == {"impossible"}
    conflict = judgement["conflict"]
    assert conflict["names"] == ["ab-discourse-7ae7b0f-oldmain"]
    assert (conflict["smallest"], conflict["proved"]) == (True, True)
    assert not any(row["verdict"] == "possible" for row in judgement["pairs"])
    assert judgement["pairs_refuted"] > 300
    assert sum(judgement["posterior"].values()) == 0
