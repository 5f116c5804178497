"""`dstamp new`: what it makes runs at once, says what to change, and is written over nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dstamp_sim.cli.new import FILES, Kind
from dstamp_sim.disk import writing
from tests.hostile.valid import BANK


def test_a_new_model_has_its_race_and_says_what_to_change(dstamp):
    code, out, _ = dstamp("new", "model", "seats")
    assert (code, "Run it: dstamp explore seats.py" in out) == (0, True)
    code, out, _ = dstamp("explore", "seats.py")
    assert (code, "no seat is taken twice" in out) == (1, True)
    assert dstamp("explore", "seats.py", "--placement", "desk:look..take")[0] == 0


def test_a_new_incident_is_judged_at_once(dstamp, monkeypatch):
    monkeypatch.setattr("dstamp_sim.engines.parallel.threads.cores", lambda: 1)
    code, out, _ = dstamp("new", "incident", "outage", "--json")
    assert (code, json.loads(out)["run"]) == (0, "dstamp replay outage/scenario.toml")
    code, out, _ = dstamp("replay", "outage/scenario.toml")
    assert code == 0
    assert "Possible alone: no-lock (with no failure); lost-write (with 1 failure)." in out
    assert "reproduced 2 of 2 observed runs" in out


def test_a_new_test_passes(dstamp):
    assert dstamp("new", "test", "seats")[0] == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_seats.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("kind", list(Kind))
def test_each_file_marks_what_to_change_and_is_never_written_over(dstamp, kind):
    assert dstamp("new", kind.value, "seats")[0] == 0
    files = [Path(path.format("seats")) for path in FILES[kind]]
    assert all(file.read_text(encoding="utf-8").count("CHANGE") >= 2 for file in files)
    before = [file.read_bytes() for file in files]
    code, _, err = dstamp("new", kind.value, "seats")
    assert (code, "is there already: choose another name" in err) == (2, True)
    assert [file.read_bytes() for file in files] == before


@pytest.mark.parametrize("name", ["../out", "a b", "9lives", "", "-x.py"])
def test_a_name_that_is_no_name_is_refused(dstamp, name):
    assert dstamp("new", "model", "--", name)[0] == 2
    assert not list(Path().iterdir())


@pytest.mark.parametrize("words", [("new", "model", "seats"), ("ingest", "runs", "--model", "bank.py")])
def test_nothing_is_said_to_be_written_that_was_not(dstamp, monkeypatch, words):
    def full(_):
        raise OSError(28, "No space left on device")

    Path("runs/a").mkdir(parents=True)
    Path("runs/a/results.json").write_text('{"paid": true, "left": 40}')
    Path("bank.py").write_text((BANK / "overdraft.py").read_text())
    monkeypatch.setattr(writing.os, "fsync", full)
    code, out, err = dstamp(*words)
    assert (code, "wrote" in out, "cannot be written: No space left on device" in err) == (74, False, True), err
