"""What Python calls equal and is not: explorations say what a walk through all interleavings says, or refuse.

25 pairs in 11 places, with all reductions, none, and some. The walk (`oracle.interleavings`) goes through the whole
tree and compares no two states, so it cannot take one value for another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from fractions import Fraction
from functools import cache
from math import copysign
from typing import Any, NamedTuple

import pytest

from dstamp_sim import (
    Chance,
    ModelError,
    Op,
    Outcome,
    Process,
    Program,
    Register,
    SharedObject,
    System,
    Verdict,
    always,
    each_result,
    explore,
)
from dstamp_sim.engines.explore.settings import ALL_REDUCTIONS, NO_REDUCTION, Reductions
from tests.oracle import interleavings


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Row(tuple[Any, ...]):
    __slots__ = ()


class Bytes(bytes):
    pass


class Level(IntEnum):
    LOW = 1


class Plain(IntEnum):
    LOW = 1

    def __repr__(self) -> str:
        return "1"


class Letter(StrEnum):
    A = "a"


class Point(NamedTuple):
    x: int


class Namesake(NamedTuple):
    x: int


@dataclass(frozen=True)
class Noted:
    x: int
    note: str = field(compare=False, repr=False)


class Agreeable:
    """Equal to everything that hashes alike."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Partly:
    """Equal where its first slot is."""

    __slots__ = ("rest", "x")

    def __init__(self, x: int, rest: str) -> None:
        self.x, self.rest = x, rest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Partly) and other.x == self.x

    def __hash__(self) -> int:
        return self.x


def of(kind: type) -> Callable[[Any], bool]:
    return lambda value: type(value) is kind


PAIRS: dict[str, tuple[Any, Any, Callable[[Any], bool]]] = {
    "1 and True": (1, True, of(bool)),
    "1 and 1.0": (1, 1.0, of(float)),
    "1 and Decimal": (1, Decimal(1), of(Decimal)),
    "1 and Fraction": (1, Fraction(1), of(Fraction)),
    "1 and complex": (1, 1 + 0j, of(complex)),
    "0.0 and -0.0": (0.0, -0.0, lambda value: copysign(1, value) < 0),
    "two NaN": (float("nan"), -float("nan"), lambda value: copysign(1, value) < 0),
    "a tuple and a NamedTuple": ((1,), Point(1), of(Point)),
    "two NamedTuples of one name": (Point(1), Namesake(1), of(Namesake)),
    "a tuple and a subclass": ((1,), Row((1,)), of(Row)),
    "a text and a subclass": ("a", Text("a"), of(Text)),
    "a text and a StrEnum": ("a", Letter.A, of(Letter)),
    "a number and a subclass": (1, Number(1), of(Number)),
    "a number and an IntEnum": (1, Level.LOW, of(Level)),
    "an IntEnum with a plain repr": (1, Plain.LOW, of(Plain)),
    "bytes and a subclass": (b"a", Bytes(b"a"), of(Bytes)),
    "two folds": (datetime(2026, 10, 25), datetime(2026, 10, 25, fold=1), lambda value: value.fold == 1),
    "a field left out of ==": (Noted(1, "a"), Noted(1, "b"), lambda value: value.note == "b"),
    "an == that says yes to all": (Agreeable("a"), Agreeable("b"), lambda value: value.name == "b"),
    "an == over one slot": (Partly(1, "a"), Partly(1, "b"), lambda value: value.rest == "b"),
    "two decimals": (Decimal("1.0"), Decimal("1.00"), lambda value: str(value) == "1.00"),
    "two ranges": (range(0, 3, 2), range(0, 4, 2), lambda value: value.stop == 4),
    "tuples of 1 and True": ((1, "k"), (True, "k"), lambda value: value[0] is True),
    "sets of 1 and True": (frozenset([1]), frozenset([True]), lambda value: True in [item is True for item in value]),
    "sets in two orders": (frozenset([0, 8]), frozenset([8, 0]), lambda value: next(iter(value)) == 8),
}


class Teller(SharedObject):
    """Gives what it is told to; what it says of a token or an argument depends on which of the two it is."""

    def __init__(self, tell: Callable[[Any], bool], *given: Any) -> None:
        super().__init__("teller", "quiet")
        self.tell, self.given = tell, given

    def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "ask":
                return tuple(Outcome(state, value) for value in self.given)
            case "tell":
                return (Outcome(self.said(op.args[0])),)
            case "take":
                return tuple(Outcome(state, takes=value) for value in self.given)
            case "leave":
                return (Outcome(self.said(op.args[0]), drops=op.args[0]),)
        raise self.unknown_verb(op)

    def said(self, value: Any) -> str:
        return "other" if self.tell(value) else "one"


class Closing(Teller):
    def at_exit(self, token: Any) -> Op:
        return self.op("leave", token)


class Heir(Teller):
    def on_death(self, state: Any, token: Any) -> Any:
        return self.said(token)


class Leaver(SharedObject):
    """Somebody holds it, and his death leaves the other value."""

    def __init__(self, one: Any, other: Any) -> None:
        super().__init__("leaver", one)
        self.other = other

    def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
        return (Outcome(state, takes="hold"),)

    def on_death(self, state: Any, token: Any) -> Any:
        return self.other


def performs(*ops: Op) -> Callable[[], Program[None]]:
    def program() -> Program[None]:
        for op in ops:  # noqa: UP028 - a tuple cannot be sent results
            yield op

    return program


def system(objects: list[SharedObject], programs: list[Any], prop: Any, crashes: int = 0) -> System:
    processes = [Process(f"p{i}", *(p if isinstance(p, tuple) else (p,))) for i, p in enumerate(programs)]
    return System(objects=objects, processes=processes, properties=[prop], crashes=crashes)


def quiet(teller: Teller) -> Any:
    return always("never the other", lambda state: state[teller] != "other", reads=[teller])


def as_initial(one: Any, other: Any, tell: Any) -> System:
    r = Register("r", one)
    prop = always("never the other", lambda state: not tell(state[r]), reads=[r])
    return system([r], [performs(r.write(other)), performs(r.read())], prop)


def as_state(one: Any, other: Any, tell: Any) -> System:
    r = Register("r", None)
    prop = always("never the other", lambda state: state[r] is None or not tell(state[r]), reads=[r])
    return system([r], [performs(r.write(one)), performs(r.write(other))], prop)


def nested(one: Any, other: Any, tell: Any) -> System:
    r = Register("r", None)
    prop = always("never the other", lambda state: state[r] is None or not tell(state[r][0].x), reads=[r])
    return system([r], [performs(r.write((Point(one), "k"))), performs(r.write((Point(other), "k")))], prop)


def as_result_of_an_op(one: Any, other: Any, tell: Any) -> System:
    teller = Teller(tell, one, other)

    def asks() -> Program[str]:
        return teller.said((yield teller.op("ask")))

    return system([teller], [asks, asks], each_result("never the other", lambda said: said != "other"))


def as_result_of_a_process(one: Any, other: Any, tell: Any) -> System:
    coin = Chance("coin", "heads", "tails")

    def draws() -> Program[Any]:
        return one if (yield coin.draw()) == "heads" else other

    return system([coin], [draws, draws], each_result("never the other", lambda result: not tell(result)))


def as_argument_of_an_op(one: Any, other: Any, tell: Any) -> System:
    teller = Teller(tell)
    return system([teller], [performs(teller.op("tell", one)), performs(teller.op("tell", other))], quiet(teller))


def as_argument_of_a_process(one: Any, other: Any, tell: Any) -> System:
    coin = Chance("coin", "heads")

    def told(value: Any) -> Program[bool]:
        yield coin.draw()
        return tell(value)

    return system([coin], [(told, one), (told, other)], each_result("never the other", lambda told: told is False))


def as_token_at_death(one: Any, other: Any, tell: Any) -> System:
    heir = Heir(tell, one, other)
    return system([heir], [performs(heir.op("take"), heir.op("take"))], quiet(heir), crashes=1)


def as_token_at_exit(one: Any, other: Any, tell: Any) -> System:
    closing = Closing(tell, one, other)
    return system([closing], [performs(closing.op("take")), performs(closing.op("take"))], quiet(closing))


def as_what_a_death_leaves(one: Any, other: Any, tell: Any) -> System:
    leaver = Leaver(one, other)
    prop = always("never the other", lambda state: not tell(state[leaver]), reads=[leaver])
    return system([leaver], [performs(leaver.op("hold"), leaver.op("hold"))], prop, crashes=1)


def as_private_state(one: Any, other: Any, tell: Any) -> System:
    own, coin = Register("own", one, private=True), Chance("coin", "heads", "tails")

    def keeps() -> Program[bool]:
        if (yield coin.draw()) == "heads":
            yield own.write(other)
        return tell((yield own.read()))

    return system([own, coin], [keeps, keeps], each_result("never the other", lambda told: told is False))


PLACES = [
    as_initial,
    as_state,
    nested,
    as_result_of_an_op,
    as_result_of_a_process,
    as_argument_of_an_op,
    as_argument_of_a_process,
    as_token_at_death,
    as_token_at_exit,
    as_what_a_death_leaves,
    as_private_state,
]

REDUCTIONS = [ALL_REDUCTIONS, NO_REDUCTION, Reductions(merge=True, por=False, symmetry=False)]


@cache
def truth(place: Callable[..., System], pair: str) -> Verdict:
    """What a walk through every interleaving says."""
    listed = interleavings(place(*PAIRS[pair]))
    return Verdict.VIOLATED if listed.deciding["never the other"] else Verdict.HOLDS


def wrong(place: Callable[..., System], pair: str, reductions: Reductions) -> str:
    """How an exploration is wrong; empty where it says what is true, or refuses with the remedy."""
    try:
        found = explore(place(*PAIRS[pair]), reductions=reductions).judgement("never the other").verdict
    except ModelError as refused:
        return "" if any(remedy in str(refused) for remedy in REMEDIES) else f"no remedy: {refused}"
    return "" if found is truth(place, pair) else f"{found.name}, but it is {truth(place, pair).name}"


REMEDIES = ("keep to one of them", "use None, or a text", "write sorted(", "no order of a set")


@pytest.mark.parametrize("place", PLACES)
def test_in_none_of_825_explorations_are_two_equal_values_taken_for_one(place):
    found = {
        (pair, reductions): said
        for pair in PAIRS
        for reductions in REDUCTIONS
        if (said := wrong(place, pair, reductions))
    }
    assert not found


def test_there_are_25_pairs_in_11_places():
    assert (len(PAIRS), len(PLACES), len(REDUCTIONS)) == (25, 11, 3)
    assert [pair for pair, (one, other, _) in PAIRS.items() if one != other] == ["two NaN"]


def test_the_walk_finds_the_other_in_every_place():
    assert {truth(place, pair) for place in PLACES for pair in PAIRS if pair != "two NaN"} == {Verdict.VIOLATED}


@pytest.mark.parametrize("place", PLACES)
def test_a_model_that_keeps_to_one_of_two_is_not_refused(place):
    for pair, (one, _, tell) in PAIRS.items():
        if pair not in ("two NaN", "sets in two orders"):
            assert explore(place(one, one, tell)).judgement("never the other").verdict is Verdict.HOLDS


def test_processes_with_arguments_that_are_merely_equal_run_apart():
    for pair, (one, other, tell) in PAIRS.items():
        if pair not in ("two NaN", "sets in two orders"):
            assert explore(as_argument_of_a_process(one, other, tell)).judgement("never the other").trace is not None
