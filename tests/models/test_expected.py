"""Every model and variant gives what its manifest entry says: exact counts, verdict, shortest counterexample."""

from pathlib import Path

import pytest

from models.cc_ci import MECHANISMS
from tests.expected_models import manifest, measured

ENTRIES = manifest()


def _name(entry):
    return " ".join([entry["model"], *entry.get("set", []), entry.get("placement", "")]).strip()


@pytest.mark.parametrize("entry", ENTRIES, ids=_name)
def test_a_model_gives_what_the_manifest_says(entry):
    now = measured(entry)
    assert now == {key: entry[key] for key in now}


def test_the_manifest_covers_every_model_file_and_every_mechanism():
    models = {entry["model"] for entry in ENTRIES}
    classics = {f"classic/{file.name}" for file in Path("models/classic").glob("*.py")}
    assert classics <= models
    assert {f"cc_ci:{name.replace('-', '_')}" for name in MECHANISMS} <= models


def test_each_racy_classic_stands_beside_its_fixed_twin():
    verdicts = {e["model"]: e["verdict"] for e in ENTRIES if "set" not in e}
    twins = {
        "bank": "bank_fixed",
        "philosophers": "philosophers_ordered",
        "peterson_broken": "peterson",
        "lock_file": "lock_file_fixed",
        "two_phase_commit_impatient": "two_phase_commit",
    }
    for racy, fixed in twins.items():
        assert verdicts[f"classic/{racy}.py"] == "VIOLATED"
        assert verdicts[f"classic/{fixed}.py"] == "HOLDS"
