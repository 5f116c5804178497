"""What a model declares as observable: how it is held against results, and what may be an identity."""

from typing import NamedTuple

import pytest

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.mechanism import Hypotheses
from dstamp_sim.core.observable import Field, Observable
from dstamp_sim.core.system import System


class Slip(NamedTuple):
    left: int


def test_a_result_that_lacks_a_field_which_is_compared_is_an_error_and_no_disagreement():
    observable = Observable((Field("left", int), Field("account", int)))
    with pytest.raises(ModelError, match="'account' is compared, but a Slip has no attribute 'account'"):
        observable.agrees(Slip(1), (("left", 1), ("account", 2)))


def test_a_result_of_another_kind_agrees_with_nothing():
    observable = Observable((Field("left", int), Field("account", int)))
    assert not observable.agrees("rejected", (("left", 1), ("account", 2)))
    assert not observable.agrees(None, (("left", 1),))


@pytest.mark.parametrize("kind", [bool, float, tuple[int, ...]])
def test_an_identity_is_a_number_or_a_text_since_others_are_made_up(kind):
    with pytest.raises(ModelError, match="the field 'stack' is of the kind"):
        Hypotheses(nothing=System, evidence=Observable((Field("stack", kind, compared=False),)), identity=("stack",))
