"""docs/ci.md's tests pass when copied, its names exist; docs/samplers.md quotes what its experiment prints."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import samplers
from dstamp_sim import testing
from dstamp_sim.engines.sampling.sampler import NAMES
from experiments import sampler_race
from tests.todays import todays

ROOT = Path(__file__).parents[2]
CI = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
TEMPLATE = ROOT / "docs/templates/property-tests.yml"
SAMPLERS = (ROOT / "docs/samplers.md").read_text(encoding="utf-8")


def test_the_test_file_that_ci_md_shows_passes(tmp_path):
    [shown] = re.findall(r"```python\n(.*?)```", CI, re.S)
    (tmp_path / "test_bank_model.py").write_text(shown, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--dstamp-artifacts", "kept"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "4 passed" in done.stdout, done.stdout + done.stderr


def test_the_names_that_ci_md_lists_are_those_that_testing_has():
    listed = set(re.findall(r"^\| `?.*?\|", CI, re.M))
    names = {name for row in listed for name in re.findall(r"`(\w+)\(", row)}
    assert names
    assert names <= set(testing.__all__)


def test_the_template_is_a_workflow_as_githubs_schema_has_it(tmp_path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    assert subprocess.run([*command, TEMPLATE], capture_output=True, check=False).returncode == 0
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(TEMPLATE.read_text(encoding="utf-8").replace("runs-on", "run-on"), encoding="utf-8")
    assert subprocess.run([*command, wrong], capture_output=True, check=False).returncode == 1


def test_the_template_runs_the_tests_keeps_the_examples_and_uploads_the_artifacts():
    told = TEMPLATE.read_text(encoding="utf-8")
    for wanted in (
        "pip install",
        "pytest tests --dstamp-artifacts",
        "path: .hypothesis",
        "upload-artifact",
        "schedule",
    ):
        assert wanted in told


def quoted_row(race: str) -> str:
    return next(line for line in SAMPLERS.splitlines() if line.startswith(f"| {race} "))


def test_the_figures_are_those_of_the_saved_benchmark_with_every_sampler_and_both_peers():
    results = json.loads(samplers.RESULTS.read_text(encoding="utf-8"))
    assert SAMPLERS.count(samplers.BEGIN) == 1
    assert samplers.quote(SAMPLERS, results) == SAMPLERS
    assert set(results["schedules_per_s"]) == {*NAMES, *samplers.PEERS}
    assert len(results["found_cpu_wall_s"]) == 4


def test_the_table_names_the_six_races_of_the_experiment():
    races = [" ".join([model, *(f"{k}={v}" for k, v in settings.items())]) for model, settings in sampler_race.RACES]
    assert [quoted_row(race) for race in races]


def test_a_cell_of_the_table_is_what_the_experiment_gives():
    cell = sampler_race.race("classic/bank", {"customers": 3}, "random-walk", 20_000, 5)
    assert quoted_row("classic/bank customers=3").split(" | ")[1] == cell


@pytest.mark.slow
@pytest.mark.parametrize("number", todays(range(len(sampler_race.RACES)), len(sampler_race.RACES)))
def test_the_row_of_the_day_is_what_the_experiment_gives(number):
    for row in sampler_race.table(20_000, 5, sampler_race.RACES[number : number + 1]):
        assert row in SAMPLERS
