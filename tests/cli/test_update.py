"""`dstamp update`: an outcome is added to an evidence file, and the mechanisms are judged again."""

import json
from pathlib import Path

import pytest

from dstamp_sim.incident.evidence import read_evidence
from dstamp_sim.inputs.model_file import bundled
from models.cc_ci import HYPOTHESES

LEADING = ("--only", "swarm-rollback", "--only", "env-recheckout", "--only", "redeploy-not-applied")
"""The three that lead before the outcome: all thirteen are judged with outcomes by tests/docs/test_four_judgements."""

INCIDENT = bundled("experiments/incident/evidence.toml")


@pytest.fixture
def evidence(tmp_path):
    file = tmp_path / "evidence.toml"
    file.write_bytes(INCIDENT.read_bytes())
    return file


@pytest.mark.parametrize(
    ("observed", "word"),
    [
        ("isolated rum=green", "did you mean 'isolated run'?"),
        ("isolated run=grene", "did you mean 'green'?"),
        ("isolated run", "write EXPERIMENT=OUTCOME"),
        ("isolated run=", "write EXPERIMENT=OUTCOME"),
        ("two at a barrier=green", "unknown outcome 'green'"),
    ],
)
def test_what_no_experiment_can_give_is_refused_before_anything_is_written(dstamp, evidence, observed, word):
    code, _, err = dstamp("update", evidence, "--observe", observed)
    assert code == 2
    assert word in err
    assert evidence.read_bytes() == INCIDENT.read_bytes()
    assert not Path("out").exists()


def test_evidence_that_is_not_there_or_cannot_be_written_is_refused(dstamp, evidence):
    green = ("--observe", "isolated run=green")
    assert dstamp("update", "nowhere.toml", *green)[0] == 2
    Path("kept.toml").write_text("mine")
    code, _, err = dstamp("update", evidence, *green, "--into", "kept.toml")
    assert (code, Path("kept.toml").read_text()) == (2, "mine")
    assert "that file exists" in err
    Path("file").touch()
    assert dstamp("update", evidence, *green, "--out", "file/out")[0] == 2
    code, _, err = dstamp("update", evidence, *green, "--into", "no/such/folder.toml")
    assert code == 2
    assert "no/such/folder.toml" in err
    assert evidence.read_bytes() == INCIDENT.read_bytes()


def test_of_an_incident_of_the_package_a_new_file_gets_its_evidence_and_the_outcome(dstamp):
    asked = ("update", "--scenario", "bank", "--only", "booked-twice", "--observe", "two at once=overdrawn")
    code, _, err = dstamp(*asked)
    assert code == 2 and "name the EVIDENCE, or a new file (--into)" in err
    code, out, err = dstamp(*asked, "--into", "after.toml")
    assert code == 0, err
    assert "wrote after.toml" in out
    assert Path("after.toml").read_text().startswith(bundled("experiments/bank/evidence.toml").read_text())


@pytest.mark.slow(minutes=2)
def test_an_outcome_is_added_under_everything_that_was_there_and_the_mechanisms_are_ranked_again(dstamp, evidence):
    observed = "consoles of the red runs=abra took the head in the drifted runs"
    code, out, _ = dstamp(
        "update", evidence, "--observe", observed, "--source", "the log", "--into", "after.toml", "--json", *LEADING
    )
    assert code == 0
    after = Path("after.toml").read_text(encoding="utf-8")
    assert after.startswith(INCIDENT.read_text(encoding="utf-8"))
    assert evidence.read_bytes() == INCIDENT.read_bytes()
    assert [item.source for item in read_evidence(Path("after.toml"), HYPOTHESES.evidence).outcomes] == ["the log"]
    posterior = {name: weight["posterior"] for name, weight in json.loads(out)["weights"].items()}
    assert max(posterior, key=posterior.get) == "swarm-rollback"
    assert posterior["env-recheckout"] < 0.05
