"""What is said of a name that is not known."""

import pytest

from dstamp_sim.core.errors import ModelError, unknown


@pytest.mark.parametrize(
    ("name", "valid", "near"),
    [
        ("bnak.py", ["a6.py", "bank.py"], "bank.py"),
        ("bnak.py", ["a6.py", "b.py"], None),
        ("models/bnak.py", ["models/a6.py"], None),
        ("bank", ["classic/bank", "classic/tank"], "classic/bank"),
        ("clasic/bank", ["classic/bank"], "classic/bank"),
        ("classic/zzz", ["classic/bank"], None),
        ("run", ["runs"], "runs"),
        ("x", ["runs", "crashes"], None),
        ("x", [], None),
    ],
)
def test_a_valid_name_is_offered_where_it_is_near_and_only_there(name, valid, near):
    told = unknown("model", name, valid)
    assert (f"did you mean {near!r}?" in told) if near else ("did you mean" not in told)


def test_of_too_many_valid_names_the_nearest_are_listed_and_it_is_said_of_how_many():
    valid = [f"outcome {number}" for number in range(40)]
    told = unknown("outcome", "outcome 7x", valid, most=2)
    assert told.startswith("unknown outcome 'outcome 7x'; did you mean 'outcome 7'? (the nearest of 40: outcome 7, ")
    assert told.count("outcome ") == 5


def test_a_message_on_a_value_of_many_characters_has_its_beginning_and_its_remedy():
    told = str(ModelError(f"model.py:3: the state {list(range(9_000))} is not known: keep to one of them"))
    assert len(told) < 5_000
    assert told.startswith("model.py:3: the state [0, 1, 2, ") and told.endswith(" is not known: keep to one of them")
    assert " characters) … " in told
