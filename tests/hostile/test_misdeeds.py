"""A model may do what it likes to the process that runs it: the exit code of a verdict comes with that verdict."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.hostile.misdeeds import DEEDS, HARMLESS, REPLACED
from tests.hostile.rows import ROOT


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What came of each deed: as the model was imported, and in its program."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.misdeeds"],
        cwd=tmp_path_factory.mktemp("misdeeds"),
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_ended_well(one):
    assert one["left"] == 0 and "Traceback (most" not in one["err"] and "fault of dstamp" not in one["err"], one


@pytest.mark.parametrize("deed", [*DEEDS, *REPLACED])
def test_a_model_that_harms_the_process_is_refused_with_its_line(found, deed):
    for one, line in zip(found[deed], (r"[12]", r"[567]"), strict=True):
        assert_ended_well(one)
        assert one["code"] == 2 and not one["out"], one
        assert re.search(rf"^dstamp: \S*m.py:{line}: ", one["err"]), one["err"]
        assert deed in DEEDS or f"replaced {deed.split()[0]}" in one["err"], one["err"]


@pytest.mark.parametrize("deed", HARMLESS)
def test_what_a_model_does_besides_takes_nothing_from_the_verdict(found, deed):
    for one, codes in zip(found[deed], ((1,), (1, 2)), strict=True):
        assert_ended_well(one)
        assert one["code"] in codes and ("VIOLATED" in one["out"] or "m.py:" in one["err"]), one
        assert "dropped" not in deed or re.search(r"dstamp: \S*m.py:\d+: what is raised", one["err"]), one["err"]
