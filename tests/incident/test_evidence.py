"""Evidence files are read back as they were written; what contradicts itself is refused."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dstamp_sim import Field, ModelError, Observable
from dstamp_sim.core.errors import ScenarioError
from dstamp_sim.incident.evidence import (
    Evidence,
    ExperimentOutcome,
    ObservedRun,
    append_outcomes,
    checked_run,
    read_evidence,
    write_evidence,
)
from dstamp_sim.inputs.model_file import bundled
from models.cc_ci import HYPOTHESES

CC_CI = HYPOTHESES.evidence

WORDS = st.text(st.characters(codec="utf-8"), min_size=1)
RUNS = st.builds(
    ObservedRun,
    id=WORDS,
    source=WORDS,
    time=st.datetimes(),
    seen=st.fixed_dictionaries(
        {}, optional={"stamp": WORDS, "level": st.integers(-(2**62), 2**62), "previous_stamp": WORDS}
    ),
    other=st.dictionaries(WORDS, WORDS | st.integers(-(2**62), 2**62) | st.booleans() | st.lists(WORDS)),
)


@settings(deadline=None)  # each writes a file through to the disk
@given(run=RUNS)
def test_evidence_is_read_back_as_it_was_written(tmp_path_factory, run):
    file = tmp_path_factory.mktemp("evidence") / "evidence.toml"
    write_evidence(file, Evidence(runs=(run,)), CC_CI)
    assert read_evidence(file, CC_CI) == Evidence(runs=(run,))


def test_the_incident_has_four_runs_three_probes_and_one_part_that_did_not_change():
    evidence = read_evidence(bundled("experiments/incident/evidence.toml"), CC_CI)
    assert (len(evidence.runs), len(evidence.probes), evidence.constants) == (4, 3, {"abra"})
    seen = CC_CI.compared(evidence.run("m2b-discourse").seen)
    assert seen == (("level", 1), ("stamp", "eb96de94+U"), ("upgrade", "fail"))


def test_what_is_not_known_is_not_observed_unless_the_field_says_what_a_missing_one_means():
    assert CC_CI.compared({}) == ()
    quiet = Observable((Field("alarm", bool, missing=False), Field("colour")))
    assert quiet.compared({}) == (("alarm", False),)
    assert quiet.compared({"alarm": True, "colour": "red"}) == (("alarm", True), ("colour", "red"))


def test_a_field_is_compared_as_the_model_says_and_a_run_without_a_result_agrees_with_nothing():
    near = Observable((Field("level", int, agrees=lambda result, seen: abs(result - seen) < 2), Field("real")))
    assert [near.agrees(result, [("level", 5)]) for result in (3, 4, 6, None)] == [False, True, True, False]
    assert near.agrees(4, [("real", 4)]) and not near.agrees(4, [("real", 5)])
    with pytest.raises(ModelError, match="unknown field 'levle'; did you mean 'level'"):
        near.agrees(4, [("levle", 4)])


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ((Field("a"), Field("a")), "'a' is declared twice"),
        ((Field("a", key="x.y"), Field("b", key="x.y")), "'x.y' is declared twice"),
        ((Field("time"),), "'time' means the same for every model"),
    ],
)
def test_fields_that_cannot_be_told_apart_are_refused(fields, word):
    with pytest.raises(ModelError, match=word):
        Observable(fields)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("stmap = 'x'", "unknown key 'stmap'; did you mean 'stamp'?"),
        ("stages = { upgrad = 'pass' }", "unknown key 'upgrad'; did you mean 'upgrade'?"),
        ("stages = { upgrade = 'maybe' }", "at runs.0.stages.upgrade"),
        ("left = 40", "unknown key 'left'"),
    ],
)
def test_what_the_model_does_not_declare_is_refused_with_the_nearest_name(tmp_path, key, told):
    file = tmp_path / "e.toml"
    file.write_text(f'[[runs]]\nid = "a"\nsource = "s"\n{key}\n')
    with pytest.raises(ScenarioError, match=re.escape(told)):
        read_evidence(file, CC_CI)


GREEN = ExperimentOutcome(experiment="isolated run", outcome="green", source="told")
ONE_RUN = '# kept\n[[runs]]\nid = "a"  # and this\nsource = "s"'


@pytest.mark.parametrize(
    "text", [ONE_RUN, ONE_RUN + "\n", ONE_RUN.replace("\n", "\r\n")], ids=["no newline", "newline", "CRLF"]
)
def test_outcomes_are_added_under_the_text_that_was_there(tmp_path: Path, text):
    file, other = tmp_path / "e.toml", tmp_path / "other.toml"
    file.write_bytes(text.encode())
    append_outcomes(file, other, [GREEN], CC_CI)
    append_outcomes(other, other, [GREEN], CC_CI)
    assert read_evidence(other, CC_CI).outcomes == (GREEN, GREEN)
    assert other.read_bytes().startswith(text.encode())
    assert file.read_bytes() == text.encode()
    assert {path.name for path in tmp_path.iterdir()} == {"e.toml", "other.toml"}


def test_where_nothing_can_be_added_at_the_end_the_file_stays_as_it_is(tmp_path: Path):
    file = tmp_path / "e.toml"
    text = 'outcomes = [{ experiment = "isolated run", outcome = "green", source = "told" }]\n' + ONE_RUN
    file.write_text(text)
    with pytest.raises(ScenarioError, match=r"write its outcomes as \[\[outcomes\]\] tables"):
        append_outcomes(file, file, [GREEN], CC_CI)
    assert file.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["e.toml"]


@pytest.mark.parametrize(
    ("generic", "seen", "word"),
    [
        ({}, {"level": "high"}, "level"),
        ({}, {"upgrade": "maybe"}, "stages.upgrade"),
        ({"time": datetime(2026, 6, 1), "until": datetime(2026, 6, 2)}, {}, "until"),
        ({"time": datetime(2026, 6, 3), "time_means": "start", "until": datetime(2026, 6, 2)}, {}, "until"),
        ({}, {"update_status": "rolling"}, "fingerprint.update_status"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused(generic, seen, word):
    with pytest.raises(ScenarioError, match=word):
        checked_run({"id": "a", "source": "b"} | generic, seen, CC_CI)


def test_one_id_for_two_runs_is_refused(tmp_path):
    file = tmp_path / "e.toml"
    file.write_text('[[runs]]\nid = "a"\nsource = "s"\n[[runs]]\nid = "a"\nsource = "s"\n')
    with pytest.raises(ScenarioError, match="'a' belongs to several"):
        read_evidence(file, CC_CI)
