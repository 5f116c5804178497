"""Whether two answers are one, however they are made up: alike in content, and of one type in every part."""

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import pytest

from dstamp_sim.core.repeated import is_same, shaken
from dstamp_sim.core.value import same


class Pair(NamedTuple):
    left: object
    right: object


@dataclass(frozen=True)
class Kept:
    who: frozenset[str]


PARTS = (1, True, 1.0, "a", None, b"a", (1, 2), (True, 2), frozenset({1, 2}), frozenset({True, 2}), frozenset({1, "a"}))
PARTS += (
    frozenset({(1,), "a"}),
    frozenset({(True,), "a"}),
    frozenset({(1,)}),
    frozenset({(True,)}),
    frozenset({Pair(1, 2)}),
)
"""Parts that Python partly takes for one."""


@pytest.mark.parametrize("made", [lambda part: part, lambda part: (part, "x"), lambda part: Pair("x", part)])
def test_what_is_made_of_parts_is_the_same_only_with_the_same_parts(made):
    """Neither `is_same` nor the keys of `same` may take a short way that passes over a type."""
    for (i, one), (j, other) in product(enumerate(PARTS), repeat=2):
        assert is_same(made(one), made(other)) is (i == j)
        assert same(made(one), made(other)) is (i == j)


def test_a_tuple_and_what_has_its_fields_differ():
    assert not is_same((1, 2), Pair(1, 2))
    assert not same((1, 2), Pair(1, 2))


def test_a_tuple_with_attributes_is_not_the_same_as_one_with_others():
    class Named(tuple[int, ...]):
        name: str

    one, other = Named((1,)), Named((1,))
    one.name, other.name = "a", "b"
    assert not is_same(one, other)
    assert not same(one, other)


def test_a_shaken_set_is_the_same_wherever_it_is_put():
    """A program makes new values of its arguments: that these were shaken must not show in them."""
    who = frozenset({"a", "b", "c"})
    for put in (lambda it: frozenset({it}), lambda it: (it, {}.get(1)), lambda it: frozenset({(1, it)}), Kept):
        assert is_same(put(shaken(who)), put(who))
        assert not is_same(put(shaken(who)), put(frozenset({"a"})))


def test_sets_are_shaken_however_deep_and_plain_tuples_are_as_they_were():
    plain = (1, "a", None)
    assert shaken(plain) is plain
    deep = ("x", (frozenset({1, 9}), 2))
    assert list(shaken(deep)[1][0]) == list(deep[1][0])[::-1]
    assert is_same(shaken(deep), deep)
