"""The empty DNS record of October 2025: which repairs hold; notebook 04 asserts its judgement."""

from pathlib import Path

import pytest

from dstamp_sim.core.verdict import Verdict
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.inputs.model_file import load_model

FOLDER = Path(__file__).parents[2] / "experiments/dns_automation"
EMPTY = "no endpoint is left empty"


@pytest.mark.parametrize(
    ("settings", "placement", "verdict"),
    [
        ({"if_newer": False}, None, Verdict.VIOLATED),
        ({"if_newer": False}, "writes", Verdict.VIOLATED),  # the check before it is out of date all the same
        ({"if_newer": False}, "without_clean_up", Verdict.HOLDS),
        ({"if_newer": False}, "whole_walk", Verdict.HOLDS),
        ({"if_newer": True}, None, Verdict.HOLDS),
    ],
)
def test_of_three_walks_a_lock_from_the_check_on_or_a_conditional_write_keeps_records(settings, placement, verdict):
    system = load_model(str(FOLDER / "enactors.py")).build({"runs": 3, **settings}, placement)
    assert explore(system, properties=[EMPTY]).judgement(EMPTY).verdict is verdict


@pytest.mark.parametrize(("walks", "verdict"), [(2, Verdict.HOLDS), (3, Verdict.VIOLATED)])
def test_three_walks_are_the_fewest_where_the_clean_up_keeps_one_generation(walks, verdict):
    system = load_model(str(FOLDER / "enactors.py")).build({"runs": walks, "if_newer": False})
    assert explore(system, properties=[EMPTY]).judgement(EMPTY).verdict is verdict
