"""SPIN agrees on what must come in time: each property as a formula, every process weakly fair (pan -a -f)."""

from dataclasses import replace

import pytest

from dstamp_sim import explore
from tests.live_systems import Drawn, drawn, system
from tests.spin import broken_in_time
from tests.todays import todays

FAST, ALL = 4, 200
KINDS = ("eventually", "leads_to", "always_eventually")

pytestmark = pytest.mark.needs("spin", "gcc")


def exported(seed: int) -> Drawn:
    """The random system of a seed with what is exported: all are weakly fair, nobody dies, goals are of states."""
    found = drawn(seed)
    asked = tuple(one if one[1] is not None else (one[0], "x", "b", "a") for one in found.asked if one[0] in KINDS)
    return replace(found, fair=("weak",) * 3, fair_waits=(None,) * 3, crashes=0, asked=asked)


def differences(seed: int, folder, *, fair: bool = True) -> list[str]:
    made = system(exported(seed))
    report = explore(made, properties=[prop.name for prop in made.properties], keep_going=True)
    said = broken_in_time(made, folder, fair=fair)
    assert len(said) == len(KINDS)
    ours = {one.prop.name: one.verdict.name for one in report.judgements}
    return [f"{name}: {ours[name]}" for name, broken in said.items() if broken != (ours[name] == "VIOLATED")]


@pytest.mark.parametrize(
    "seed", [*range(FAST), *(pytest.param(seed, marks=pytest.mark.slow) for seed in todays(range(FAST, ALL)))]
)
def test_spin_agrees_on_what_must_come_in_time(seed, tmp_path):
    assert differences(seed, tmp_path) == [], exported(seed)


def test_a_spin_that_is_not_told_of_fairness_is_caught(tmp_path):
    assert any(differences(seed, tmp_path, fair=False) for seed in range(12))


def test_the_random_systems_break_and_keep_each_kind():
    verdicts = set()
    for seed in range(60):
        made = system(exported(seed))
        report = explore(made, properties=[prop.name for prop in made.properties], keep_going=True)
        verdicts |= {(one.prop.name, one.verdict.name) for one in report.judgements}
    assert {(kind, name) for kind in KINDS for name in ("VIOLATED", "HOLDS")} <= verdicts
