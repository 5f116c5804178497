"""A model may do what it likes to the process that runs it: the exit code of a verdict comes with that verdict."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from dstamp_sim.core.place import is_model, is_python
from tests.hostile.misdeeds import CRASHES, DEEDS, HARMLESS, REPLACED
from tests.hostile.valid import MODEL, ROOT


def found(folder, deeds):
    """What came of each deed: as the model was imported, and in its program."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.misdeeds", *deeds],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    assert ends.keys() == {*deeds}
    return ends.items()


def ended_badly(one):
    return one["left"] or "Traceback (most" in one["err"] or "fault of dstamp" in one["err"]


def test_a_model_that_harms_the_process_is_refused_with_its_line(tmp_path):
    wrong = {}
    for deed, ends in found(tmp_path, [*DEEDS, *REPLACED]):
        for one, line in zip(ends, ("[12]", "[567]"), strict=True):
            told = re.search(rf"^dstamp: \S*m.py:{line}: ", one["err"])
            named = deed in DEEDS or f"replaced {deed.split()[0]}" in one["err"]
            if ended_badly(one) or one["code"] != 2 or one["out"] or not told or not named:
                wrong[deed] = one
    assert wrong == {}


def test_code_in_c_that_crashes_is_told_with_the_models_line(tmp_path):
    for deed, ends in found(tmp_path, CRASHES):
        for one, line in zip(ends, "15", strict=True):
            assert (one["code"], one["out"], one["left"]) == (70, "", 0), (deed, one)
            assert re.search(rf"m.py:{line}: code in C crashed \(SIG(SEGV|ABRT)\): no verdict", one["err"]), one


def test_a_library_that_replaces_a_function_of_pythons_is_named(dstamp, tmp_path, monkeypatch):
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "patching.py").write_text("import json\ndef dumps(*_): return ''\njson.dumps = dumps\n")
    monkeypatch.syspath_prepend(library)
    Path("bank.py").write_text("import patching\n" + MODEL)
    code, _, err = dstamp("explore", "bank.py")
    sys.modules.pop("patching", None)
    assert code == 2 and re.search(r"bank.py:1: importing patching replaced json.dumps: a model must leave", err), err


def test_what_a_model_does_besides_takes_nothing_from_the_verdict(tmp_path):
    wrong = {}
    for deed, ends in found(tmp_path, [*HARMLESS]):
        for one, codes in zip(ends, ((1,), (1, 2)), strict=True):
            told = "dropped" not in deed or re.search(r"dstamp: \S*m.py:\d+: what is raised", one["err"])
            said = "VIOLATED" in one["out"] if one["code"] == 1 else "m.py:" in one["err"]
            if ended_badly(one) or one["code"] not in codes or not told or not said:
                wrong[deed] = {**one, "err": one["err"][-500:]}
    assert wrong == {}


def test_a_library_is_no_model_wherever_it_is_installed():
    for folder in ("/home/ann/.local/lib/python3.11/site-packages", "/usr/lib/python3/dist-packages"):
        assert not is_model(f"{folder}/rich/progress.py")
    inside = f"{os.__file__.rpartition('/')[0]}/site-packages/rich/progress.py"
    assert is_python(os.__file__) and not is_python(inside) and not is_model(inside)
    assert is_model("/home/ann/site/bank.py")
