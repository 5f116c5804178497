"""`--serial` on the command line: asked with or without other properties, kept, shown, and refused."""

import json
from pathlib import Path

import pytest

from dstamp_sim.pipeline.kept_witness import judged_again
from dstamp_sim.testing import Violation, assert_holds, system_of

NAME = "as in a serial order"
ADDERS = Path(__file__).parents[1] / "lock_review" / "adders.py"


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "adders.py"
    path.write_bytes(ADDERS.read_bytes())
    return path


def test_a_model_without_a_property_fails_where_no_order_ends_so(dstamp, model):
    assert dstamp("explore", model)[0] == 0
    code, out, _ = dstamp("explore", model, "--serial")
    assert code == 1
    assert f"VIOLATED     {NAME} (fails after 4 steps)" in out
    assert "adder#1, then adder#2: count is 2; adder#2, then adder#1: count is 2" in " ".join(out.split())


def test_it_is_asked_beside_the_properties_that_are_named(dstamp, model):
    code, out, _ = dstamp("explore", model, "--serial", "--property", "no deadlock", "--keep-going", "--json")
    verdicts = {one["property"]: one["verdict"] for one in json.loads(out)["properties"]}
    assert (code, verdicts) == (1, {"no deadlock": "HOLDS", NAME: "VIOLATED"})


def test_without_the_option_it_is_no_property(dstamp, model):
    code, _, err = dstamp("explore", model, "--property", NAME)
    assert code == 2
    assert NAME in err


def test_its_witness_is_kept_shown_and_judged_again(dstamp, model, tmp_path):
    dstamp("explore", model, "--serial")
    (witness,) = (tmp_path / "out").glob("*.witness.json")
    assert json.loads(witness.read_text())["origin"]["serial"] is True
    code, out, _ = dstamp("show", witness)
    assert code == 0
    assert "No serial order ends so" in " ".join(out.split())
    again = judged_again(witness)
    assert again is not None
    assert again.prop.name == NAME


def test_a_witness_that_says_something_else_than_yes_or_no_is_refused(dstamp, model, tmp_path):
    dstamp("explore", model, "--serial")
    (witness,) = (tmp_path / "out").glob("*.witness.json")
    witness.write_text(witness.read_text().replace('"serial": true', '"serial": "yes"'))
    code, _, err = dstamp("show", witness)
    assert code == 2
    assert "serial" in err


def test_tests_ask_it_with_the_model(model):
    assert_holds(system_of(str(model), "lock:look..put", serial=True))
    with pytest.raises(Violation, match=NAME) as failed:
        assert_holds(system_of(str(model), serial=True))
    assert failed.value.without_witness == ""


def test_a_matrix_asks_it_of_each_cell(dstamp, model):
    code, out, _ = dstamp("explore", model, "--serial", "--set", "adders=1..3")
    assert code == 1
    assert [line.split()[:2] for line in out.splitlines()[2:5]] == [
        ["1", "UNDETERMINED"], ["2", "VIOLATED"], ["3", "VIOLATED"],
    ]  # fmt: skip
