"""SPIN agrees: on verdicts with its reductions and ours on, on the exact number of states and transitions without.

A raw comparison is exact because the exported model has a place for every local state and no other, steps in one
statement, processes that stay where they ended, and nothing that SPIN resets, hides or merges (see `tests/spin.py`).
"""

from dataclasses import replace

import pytest

from dstamp_sim import UsageError, explore
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from tests.expected_models import build, manifest
from tests.random_systems import described, random_system
from tests.spin import differences
from tests.todays import todays

FAST, ALL = 8, 200


pytestmark = pytest.mark.needs("spin", "gcc")


def check(system, folder):
    """Where SPIN differs; properties in time are left out, as fairness is not exported."""
    system = replace(system, properties=[prop for prop in system.properties if not prop.in_time])
    report = explore(system, keep_going=True, reductions=NO_REDUCTION)
    assert report.coverage.exhausted
    return differences(system, report, folder)


def _name(entry):
    return " ".join([entry["model"], *entry.get("set", []), entry.get("placement", "")]).strip()


def _entries():
    """Every entry of the manifest; those beyond one per model file only where the budget is larger."""
    seen = set()
    for entry in manifest():
        slow = entry["model"] in seen or entry["model"].startswith("cc_ci:")
        seen.add(entry["model"])
        yield pytest.param(entry, id=_name(entry), marks=[pytest.mark.slow] if slow else [])


NOT_EXPORTED = {("classic/stale_refill_leased.py", 1): "the cache is empty or up to date"}
"""Properties on too many combinations to be exported, by model and deaths: SPIN judges the others there."""


@pytest.mark.parametrize("entry", list(_entries()))
def test_spin_agrees_on_a_model(entry, tmp_path):
    system = build(entry)
    if name := NOT_EXPORTED.get((entry["model"], system.crashes)):
        with pytest.raises(UsageError, match=f"'{name}' depends on more than 50,000 combinations"):
            check(system, tmp_path)
        system = replace(system, properties=[prop for prop in system.properties if prop.name != name])
    assert check(system, tmp_path) == []


SEEDS = [*range(FAST), *(pytest.param(seed, marks=pytest.mark.slow) for seed in todays(range(FAST, ALL)))]


@pytest.mark.parametrize("seed", SEEDS)
def test_spin_agrees_on_a_random_system(seed, tmp_path):
    system = random_system(seed)
    assert check(system, tmp_path) == [], described(system)


def test_the_explorer_without_its_deaths_is_caught_by_spin(tmp_path):
    """The comparison notices a difference: SPIN hears of one crash more than the explorer."""
    system = next(system for system in map(random_system, range(50)) if system.crashes)
    report = explore(system.with_crashes(0), keep_going=True, reductions=NO_REDUCTION)
    assert any(difference.startswith("raw: ") for difference in differences(system, report, tmp_path))
