"""A predicate that fails where some behaviour goes is the model's error in an export, too."""

import pytest

from dstamp_sim import ModelError, Process, Register, System, always
from dstamp_sim.export import tabulate as module
from dstamp_sim.export.tabulate import tabulate


def pair(predicate):
    """Two registers that are raised one after the other: the second is never ahead of the first."""
    first, second = Register("first", 0), Register("second", 0)

    def raise_both():
        yield first.write(1)
        yield second.write(1)

    prop = always("fine", lambda state: predicate(state[first], state[second]), reads=[first, second])
    return System(objects=[first, second], processes=[Process("p", raise_both)], properties=[prop])


def fails_at(*bad):
    def predicate(*values):
        if values == bad:
            raise KeyError(bad)
        return True

    return predicate


def test_a_predicate_that_fails_where_a_behaviour_goes_is_the_error():
    with pytest.raises(ModelError, match=r"property 'fine' raised KeyError\(\(1, 0\)\)"):
        tabulate(pair(fails_at(1, 0)), "pair")


def test_a_predicate_that_answers_neither_true_nor_false_there_is_the_error():
    with pytest.raises(ModelError, match="'fine' answered 0, neither True nor False"):
        tabulate(pair(lambda first, second: first or (True and second)), "pair")


def test_a_predicate_that_fails_only_where_no_behaviour_goes_is_no_error(monkeypatch):
    assert tabulate(pair(fails_at(0, 1)), "pair").questions
    monkeypatch.setattr(module, "WALKED", 1)
    with pytest.raises(ModelError, match="raised KeyError"):
        tabulate(pair(fails_at(0, 1)), "pair")
