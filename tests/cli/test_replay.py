"""`dstamp replay`: the main job, run by run."""

import json
from pathlib import Path

import pytest

from models.cc_ci import MECHANISMS


def test_the_incident_is_replayed_run_by_run_and_ends_with_0(dstamp):
    code, out, _ = dstamp("replay")
    assert code == 0
    for run in ("184", "m2b-discourse", "m2p-discourse", "ab-discourse-7ae7b0f-oldmain"):
        assert run in out
    assert "of 4 observed runs reproduced" in out
    assert "wrote out/replay-stack-race.png" in out
    assert Path("out/replay-stack-race.svg").exists()


def test_a_run_that_is_not_reproduced_says_why_in_a_sentence(dstamp):
    rows = json.loads(dstamp("replay", "--json")[1])["runs"]
    alone = next(row for row in rows if row["run"] == "m2b-discourse")
    assert alone["reproduced"] is False
    assert alone["why"].startswith("no other run's base deploy falls between its redeploy (06-10 ")


def test_the_last_of_the_cluster_never_reads_the_bases_stamp_under_the_leading_hypothesis(dstamp):
    for seed in range(20):
        rows = json.loads(dstamp("replay", "--json", "--seed", str(seed))[1])["runs"]
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
    dstamp("replay", "--out", "one")
    dstamp("replay", "--out", "two")
    for name in ("replay-stack-race.witness.json", "replay-stack-race.svg"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()


def test_a_placement_changes_what_comes_out(dstamp):
    rows = json.loads(dstamp("replay", "--json", "--placement", "deploy_app_to_exit")[1])["runs"]
    assert all(row["simulated"]["stamp"] == "7ae7b0f7+U" for row in rows)
