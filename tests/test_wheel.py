"""The wheel carries the models and the incident: installed alone, in an empty folder, `dstamp` does its main job."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]

NOT_SOURCE = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "out")

# Refuses to go on if the checkout (of which the environment has an editable install) could be what is tested.
CHECK_ORIGIN = """
import importlib.util, pathlib, sys
import dstamp_sim
site, checkout = map(pathlib.Path, sys.argv[1:])
assert pathlib.Path(dstamp_sim.__file__).is_relative_to(site), dstamp_sim.__file__
assert checkout not in map(pathlib.Path, sys.path), sys.path
assert importlib.util.find_spec("models") is None
"""


def run(*command, cwd, **options):
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False, **options)
    return done.returncode, done.stdout, done.stderr


def succeeds(*command, cwd):
    code, out, err = run(*command, cwd=cwd)
    assert code == 0, out + err


def contents(folder):
    """Every file below `folder`, with its bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the checkout as a fresh clone has it: building there shows what a build leaves behind."""
    folder = tmp_path_factory.mktemp("source") / "checkout"
    shutil.copytree(ROOT, folder, ignore=NOT_SOURCE)
    return folder


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    """The wheel, and the source's files before and after it was built."""
    folder = tmp_path_factory.mktemp("wheel")
    before = contents(source)
    succeeds(sys.executable, "-m", "pip", "wheel", source, "--no-deps", "--quiet", "-w", folder, cwd=folder)
    [wheel] = folder.glob("*.whl")
    return wheel, before, contents(source)


@pytest.fixture(scope="module")
def site(built, tmp_path_factory):
    """A folder into which the wheel is installed, and nothing else."""
    folder = tmp_path_factory.mktemp("install") / "site"
    wheel, _, _ = built
    succeeds(sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", folder, wheel, cwd=ROOT.parent)
    return folder


@pytest.fixture
def installed(site, tmp_path):
    """`installed(*arguments)` runs the installed `dstamp` from an empty folder; gives code, output and errors.

    `-S` keeps the environment's .pth files from being read, and with them the editable install of the checkout.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    libraries = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    environment["PYTHONPATH"] = os.pathsep.join([str(site), *libraries])

    def python(*arguments, **more):
        return run(sys.executable, "-S", *arguments, cwd=tmp_path, env=environment | more)

    code, _, err = python("-c", CHECK_ORIGIN, site, ROOT)
    assert code == 0, err

    def command(*arguments):
        return python(site / "bin" / "dstamp", *arguments)

    command.python = python
    return command


def test_the_wheel_carries_models_and_experiments_and_no_litter(built):
    names = zipfile.ZipFile(built[0]).namelist()
    for wanted in (*(ROOT / "models").rglob("*.py"), *(ROOT / "experiments").rglob("*.toml")):
        assert f"dstamp_sim/_bundled/{wanted.relative_to(ROOT).as_posix()}" in names
    assert "dstamp_sim/_bundled/models/expected.toml" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".png", ".witness.json"))]
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"dstamp_sim", "dstamp_command.py"}


def test_building_the_wheel_leaves_the_checkout_as_it_was(built):
    _, before, after = built
    assert after == before


def test_the_installed_command_replays_the_incident_in_an_empty_folder(installed, tmp_path):
    code, out, err = installed("replay", "--no-judge")
    assert code == 0, out + err
    assert "of 4 observed runs reproduced" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert (tmp_path / "out" / "replay-stack-race.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", ["bank", "dns_automation", "index_migrations"])
def test_the_installed_command_has_the_other_incidents_by_name_with_model_and_evidence(installed, tmp_path, name):
    code, out, err = installed("replay", name, "--no-judge")
    assert code == 0, out + err
    assert "observed runs reproduced" in out
    code, out, err = installed("update", "--scenario", name, "--list")
    assert code == 0 and "(cost:" in out, out + err


def test_the_installed_command_explores_a_bundled_model_by_its_short_name(installed):
    code, out, err = installed("explore", "classic/bank")
    assert code == 1, out + err
    assert "VIOLATED     at end: one withdrawal at most (fails after 4 steps)" in out


def test_the_installed_command_shows_its_own_witness(installed):
    installed("explore", "classic/bank")
    code, out, err = installed("show", "out/bank-one-withdrawal-at-most.witness.json")
    assert code == 0, out + err
    assert "customer#2 ends: True" in out


USERS_TEST = """
from hypothesis import given

from dstamp_sim.testing import assert_holds, check, schedules, system_of

bank = system_of("bank.py", customers=2)


def test_holds():
    assert_holds(bank)


@given(schedule=schedules(bank))
def test_every_schedule(schedule):
    check(bank, schedule)
"""


def test_a_users_repository_fails_with_the_readable_witness_and_passes_with_the_fixed_twin(installed, tmp_path):
    (tmp_path / "test_bank.py").write_text(USERS_TEST, encoding="utf-8")
    arguments = ("-q", "-p", "no:cacheprovider", "--dstamp-artifacts", "kept")

    def users_pytest():
        return installed.python("-m", "pytest", *arguments, "--junitxml", "junit.xml", "test_bank.py")

    shutil.copy(ROOT / "models/classic/bank.py", tmp_path / "bank.py")
    code, out, err = users_pytest()
    assert code == 1, out + err
    assert "2 failed" in out
    assert "one withdrawal at most fails: 2 processes, 0 crashes, 2 switches, 4 steps" in out
    assert "bank.py:" in out
    assert "customer#2    balance.read() -> 100" in out
    assert "Lost update" in out
    assert len(list((tmp_path / "kept").glob("*.witness.json"))) == 2
    assert "dstamp-artifact" in (tmp_path / "junit.xml").read_text(encoding="utf-8")
    shutil.copy(ROOT / "models/classic/bank_fixed.py", tmp_path / "bank.py")
    code, out, err = users_pytest()
    assert code == 0, out + err
    assert "2 passed" in out


def steps_of_the_template():
    """(command, profile) of each shell step of the workflow to copy, on a push."""
    workflow = YAML(typ="safe").load(ROOT / "docs/templates/property-tests.yml")
    steps = [step for step in workflow["jobs"]["property-tests"]["steps"] if "run" in step]
    profiles = [step.get("env", {}).get("HYPOTHESIS_PROFILE", "") for step in steps]
    return [
        (step["run"], "ci" if "'ci'" in profile else profile) for step, profile in zip(steps, profiles, strict=True)
    ]


def test_the_workflow_to_copy_fails_with_the_witness_and_passes_with_the_fixed_twin(installed, tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_bank.py").write_text(USERS_TEST, encoding="utf-8")
    [conftest] = re.findall(r"\n\n((?:    .*\n|\n)*?    settings\.load_profile.*\n)", (ROOT / "docs/ci.md").read_text())
    (tmp_path / "tests/conftest.py").write_text(textwrap.dedent(conftest), encoding="utf-8")
    (install, _), *steps = steps_of_the_template()
    assert install.startswith("python -m pip install ")  # the wheel is installed already

    def codes(model):
        shutil.copy(ROOT / "models/classic" / model, tmp_path / "bank.py")
        done = [installed.python(*shlex.split(words)[1:], HYPOTHESIS_PROFILE=profile) for words, profile in steps]
        assert all("one withdrawal at most" in out for code, out, _ in done if code)
        return [code for code, _, _ in done]

    assert codes("bank.py") == [0, 1]
    links = re.findall(r'name="dstamp-artifact" value="(.+?)"', (tmp_path / "junit.xml").read_text(encoding="utf-8"))
    assert {Path(link).suffix for link in links} == {".json", ".png", ".svg", ".txt"}
    assert all((tmp_path / link).stat().st_size for link in links)
    assert codes("bank_fixed.py") == [0, 0]
