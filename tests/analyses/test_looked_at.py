"""Two results differ for a property only in what its predicate looks at, whatever kind of result has the fields."""

from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from dstamp_sim import each_result
from dstamp_sim.analyses.looked_at import fields_looked_at, is_seen_otherwise


class Pair(NamedTuple):
    built: str
    last: str

    def ok(self) -> bool:
        return self.built == "new"


@dataclass(frozen=True)
class Kept:
    built: str
    last: str

    def ok(self) -> bool:
        return self.built == "new"


@dataclass(frozen=True, slots=True)
class Slots:
    built: str
    last: str

    def ok(self) -> bool:
        return self.built == "new"


KINDS = pytest.mark.parametrize("kind", [Pair, Kept, Slots])


@KINDS
@pytest.mark.parametrize("predicate", [lambda it: it.built == "new", lambda it: it.ok()])
def test_a_field_that_a_predicate_passes_over_makes_no_difference(kind, predicate):
    prop = each_result("built anew", predicate)
    assert fields_looked_at(prop, kind("new", "a")) == ("built",)
    assert not is_seen_otherwise(prop, kind("new", "a"), kind("new", "b"))
    assert is_seen_otherwise(prop, kind("new", "a"), kind("old", "a"))


@KINDS
@pytest.mark.parametrize(
    "predicate", [lambda it: it != type(it)("", ""), lambda it: "a" in str(it), lambda it: hash(it) != 0]
)
def test_a_predicate_that_looks_at_the_whole_sees_every_field(kind, predicate):
    prop = each_result("as a whole", predicate)
    assert fields_looked_at(prop, kind("new", "a")) is None
    assert is_seen_otherwise(prop, kind("new", "a"), kind("new", "b"))


def test_the_dictionary_of_a_dataclass_is_the_whole_of_it():
    prop = each_result("all of it", lambda it: "a" in vars(it).values())
    assert fields_looked_at(prop, Kept("new", "a")) is None


def test_what_a_dataclass_keeps_beside_its_fields_is_looked_at_too():
    @dataclass(frozen=True)
    class Derived:
        built: str
        last: str = field(default="", compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "shout", self.built.upper())

    prop = each_result("loud", lambda it: it.shout == "NEW")
    assert fields_looked_at(prop, Derived("new")) == ("shout",)
    assert is_seen_otherwise(prop, Derived("new"), Derived("old"))
    assert not is_seen_otherwise(prop, Derived("new", "a"), Derived("new", "b"))


def test_a_result_without_fields_is_looked_at_as_a_whole():
    assert fields_looked_at(each_result("any", lambda it: it > 0), 3) is None
