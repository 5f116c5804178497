"""Public race reports, modelled as a new user would: each command says what is true, and nothing that is not."""

import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "cases.toml").read_text(encoding="utf-8"))["case"]


@pytest.fixture
def typed(dstamp, monkeypatch, tmp_path):
    """Runs a command in this folder: the exit code and all that it prints, in one line."""
    monkeypatch.chdir(HERE)
    monkeypatch.setattr("dstamp_sim.engines.parallel.threads.cores", lambda: 1)
    monkeypatch.setattr("dstamp_sim.pipeline.files.png", lambda layout: b"")  # pictures have tests of their own
    return lambda line: _in_one_line(*dstamp(*line.split(), "--out", tmp_path))


def _in_one_line(code, out, err):
    return code, " ".join((out + err).split())


def _marked(case):
    return pytest.param(case, id=case["run"], marks=[pytest.mark.slow] if case.get("slow") else [])


@pytest.mark.parametrize("case", [*map(_marked, CASES)])
def test_what_is_said_of_a_case_is_true(typed, case):
    code, said = typed(case["run"])
    assert code == case["exit"], said
    for words in case["says"]:
        assert " ".join(words.split()) in said, said
    for words in case.get("never", ()):
        assert words not in said, said


def test_every_model_of_this_folder_is_in_a_command():
    models = {file.name for file in HERE.glob("*.py")} - {"test_cases.py", "test_eta.py"}
    models |= {file.name for file in HERE.glob("*.toml")} - {"cases.toml"}
    named = {word.partition(":")[0] for case in CASES for word in case["run"].split()}
    assert models <= named
