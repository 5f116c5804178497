"""What `from dstamp_sim import …` offers: every name is there, typed, and slow ones are loaded when they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

import dstamp_sim

VERBS = (
    "explore",
    "prove",
    "sample",
    "review",
    "run_timed",
    "sweep",
    "replay",
    "minimise",
    "explain",
    "judge",
    "load_model",
)


@pytest.mark.parametrize("name", dstamp_sim.__all__)
def test_a_public_name_is_there(name):
    assert getattr(dstamp_sim, name) is not None
    assert name in dir(dstamp_sim)


def test_every_verb_is_public():
    assert {*VERBS, "Timing"} <= set(dstamp_sim.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'explor'"):
        dstamp_sim.explor  # noqa: B018 - the look-up is what is tested


def test_importing_the_package_loads_no_engine():
    code = "import sys, dstamp_sim; print(sorted({'numba', 'simpy', 'pydantic', 'numpy'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_help_loads_no_engine():
    code = (
        "import sys; from dstamp_sim.cli import main\ntry: main()\nfinally: print({*sys.modules} & {'numba', 'numpy'})"
    )
    command = [sys.executable, "-c", code, "explore", "--help"]
    assert subprocess.check_output(command, text=True).splitlines()[-1] == "set()"


def test_an_exploration_that_finds_no_fault_loads_nothing_that_would_explain_one(tmp_path):
    code = "import sys; from dstamp_sim.cli import main\ntry: main()\nfinally: print(sorted(sys.modules))"
    command = [sys.executable, "-c", code, "explore", "classic/bank_fixed", "--out", str(tmp_path)]
    loaded = subprocess.check_output(command, text=True)
    assert "dstamp_sim.engines.explore.explorer" in loaded
    assert not [
        name for name in ("analyses.claims", "rendering.timeline", "matplotlib", "urllib.request") if name in loaded
    ]


def test_a_users_file_is_type_checked_against_the_package(tmp_path):
    """`py.typed` is there: a wrong call is an error, and the right one has the type that the package says."""
    user = tmp_path / "user.py"
    user.write_text(
        "from dstamp_sim import Register, System, explore\n"
        "report = explore(System(objects=[Register('r', 0)], processes=[]))\n"
        "reveal_type(report.verdict)\n"
        "explore(5)\n"
    )
    root = Path(dstamp_sim.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "/dev/null", str(user)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"MYPYPATH": str(root), "PATH": ""},
    )
    assert 'Revealed type is "dstamp_sim.core.verdict.Verdict"' in done.stdout
    assert 'Argument 1 to "explore" has incompatible type "int"' in done.stdout
    assert "py.typed" not in done.stdout
