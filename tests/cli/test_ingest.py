"""`dstamp ingest`: from run folders to an evidence file."""

import json
from pathlib import Path

from dstamp_sim.incident.evidence import read_evidence
from models.cc_ci import HYPOTHESES


def run_folder(name, text):
    folder = Path("runs") / name
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(text)


def test_an_evidence_file_is_written_and_bad_files_are_told(dstamp):
    run_folder("184", '{"level": 4, "upgrade": "pass"}')
    run_folder("broken", "{")
    code, out, err = dstamp("ingest", "runs", "--model", "cc_ci")
    assert (code, out) == (0, "1 run, 1 file skipped; wrote evidence.toml\n")
    assert err.startswith("skipped runs/broken/results.json: not JSON")
    assert [run.id for run in read_evidence(Path("evidence.toml"), HYPOTHESES.evidence).runs] == ["184"]


def test_json_says_the_same(dstamp):
    run_folder("184", '{"level": 4}')
    code, out, _ = dstamp("ingest", "runs", "--model", "cc_ci", "--json", "--into", "new.toml")
    told = {"runs": 1, "not_compared": [], "without_a_field": [], "skipped": [], "file": "new.toml"}
    assert (code, json.loads(out)) == (0, told)


def test_runs_in_which_no_field_of_the_model_was_found_are_named(dstamp):
    run_folder("184", '{"levle": 4}')
    run_folder("185", '{"level": 4}')
    code, out, _ = dstamp("ingest", "runs", "--model", "cc_ci")
    assert code == 0
    assert "no field of the model was found in 184: is it written so?" in out


def test_nothing_is_written_over_and_nothing_is_made_of_nothing(dstamp):
    assert "no such folder" in dstamp("ingest", "nowhere", "--model", "cc_ci")[2]
    Path("runs").mkdir()
    assert "no usable run" in dstamp("ingest", "runs", "--model", "cc_ci")[2]
    Path("evidence.toml").write_text("mine")
    code, _, err = dstamp("ingest", "runs", "--model", "cc_ci")
    assert (code, "--replace" in err, Path("evidence.toml").read_text()) == (2, True, "mine")
