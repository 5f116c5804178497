"""Evidence files are read back as they were written; what contradicts itself is refused."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dstamp_sim.core.errors import ScenarioError
from dstamp_sim.incident.evidence import (
    Evidence,
    Fingerprint,
    ObservedRun,
    Outcome,
    append_outcomes,
    checked_run,
    read_evidence,
    write_evidence,
)
from dstamp_sim.inputs.model_file import bundled

WORDS = st.text(st.characters(codec="utf-8"), min_size=1)
RUNS = st.builds(
    ObservedRun,
    id=WORDS,
    source=WORDS,
    stamp=WORDS,
    time=st.datetimes(),
    fingerprint=st.builds(Fingerprint, previous_stamp=WORDS),
    other=st.dictionaries(WORDS, WORDS | st.integers(-(2**62), 2**62) | st.booleans() | st.lists(WORDS)),
)


@given(run=RUNS)
def test_evidence_is_read_back_as_it_was_written(tmp_path_factory, run):
    file = tmp_path_factory.mktemp("evidence") / "evidence.toml"
    write_evidence(file, Evidence(runs=(run,)))
    assert read_evidence(file) == Evidence(runs=(run,))


def test_the_incident_has_four_runs_three_probes_and_one_part_that_did_not_change():
    evidence = read_evidence(bundled("experiments/incident/evidence.toml"))
    assert (len(evidence.runs), len(evidence.probes), evidence.constants) == (4, 3, {"abra"})
    assert evidence.run("m2b-discourse").observed() == {"stamp": "eb96de94+U", "level": 1, "upgrade": "fail"}


def test_what_is_not_known_is_not_observed():
    assert ObservedRun(id="a", source="b").observed() == {}


GREEN = Outcome(experiment="isolated run", outcome="green", source="told")
ONE_RUN = '# kept\n[[runs]]\nid = "a"  # and this\nsource = "s"'


@pytest.mark.parametrize(
    "text", [ONE_RUN, ONE_RUN + "\n", ONE_RUN.replace("\n", "\r\n")], ids=["no newline", "newline", "CRLF"]
)
def test_outcomes_are_added_under_the_text_that_was_there(tmp_path: Path, text):
    file, other = tmp_path / "e.toml", tmp_path / "other.toml"
    file.write_bytes(text.encode())
    append_outcomes(file, other, [GREEN])
    append_outcomes(other, other, [GREEN])
    assert read_evidence(other).outcomes == (GREEN, GREEN)
    assert other.read_bytes().startswith(text.encode())
    assert file.read_bytes() == text.encode()
    assert {path.name for path in tmp_path.iterdir()} == {"e.toml", "other.toml"}


def test_where_nothing_can_be_added_at_the_end_the_file_stays_as_it_is(tmp_path: Path):
    file = tmp_path / "e.toml"
    text = 'outcomes = [{ experiment = "isolated run", outcome = "green", source = "told" }]\n' + ONE_RUN
    file.write_text(text)
    with pytest.raises(ScenarioError, match=r"write its outcomes as \[\[outcomes\]\] tables"):
        append_outcomes(file, file, [GREEN])
    assert file.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["e.toml"]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"level": "high"}, "level"),
        ({"stages": {"upgrade": "maybe"}}, "stages.upgrade"),
        ({"time": datetime(2026, 6, 1), "until": datetime(2026, 6, 2)}, "until"),
        ({"time": datetime(2026, 6, 3), "time_means": "start", "until": datetime(2026, 6, 2)}, "until"),
        ({"fingerprint": {"update_status": "rolling"}}, "fingerprint.update_status"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused(values, word):
    with pytest.raises(ScenarioError, match=word):
        checked_run({"id": "a", "source": "b"} | values)


def test_one_id_for_two_runs_is_refused(tmp_path):
    file = tmp_path / "e.toml"
    file.write_text('[[runs]]\nid = "a"\nsource = "s"\n[[runs]]\nid = "a"\nsource = "s"\n')
    with pytest.raises(ScenarioError, match="'a' is given to several"):
        read_evidence(file)
