"""What a predicate may do: answer True or False, the same each time, and see who is who only where that is noticed."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
import random
import re
import time
from collections.abc import Callable
from pprint import pformat
from typing import Any

import pytest

from dstamp_sim import (
    ANY,
    ModelError,
    Process,
    Program,
    Property,
    Register,
    System,
    Verdict,
    always,
    at_end,
    each_result,
    explore,
    leads_to,
    prove,
    reachable,
    sample,
)
from dstamp_sim.core.properties import Looks, LooksAtAll, Results
from dstamp_sim.engines.sampling.counting import count_interleavings

r = Register("r", 0)


def adds() -> Program[int]:
    seen = yield r.read()
    yield r.write(seen + 1)
    return seen


def two(prop: Property, copies: Any = 2) -> System:
    return System(objects=[r], processes=[Process("p", adds, copies=copies)], properties=[prop])


# --- nothing but what they are given


def filled() -> list[set[str]]:
    letters = set[str]()
    for letter in "ab":  # of two letters, the other order always has the other answer
        letters.add(letter)
    return [letters]


@pytest.mark.parametrize(
    ("predicate", "said"),
    [
        (lambda _: random.random() < 2, "random.random: a model depends on nothing but"),
        (lambda state: time.time() > state[r], "time.time: a model depends on nothing but"),
        (lambda state: id(state) > 0, "id: a model depends on nothing but"),
        (lambda state: next(iter({"a", "b", "c"})) != state[r], "write sorted(...)"),
        (lambda _: list(filled()[0]) < list(filled()[0])[::-1], "a set has no order: write sorted(...)"),
    ],
)
def test_a_clock_a_coin_an_address_and_the_order_of_a_set_are_refused_in_every_property(predicate, said):
    for prop in (always("x", predicate, reads=[r]), leads_to("y", predicate, lambda _: True, reads=[r])):
        with pytest.raises(ModelError, match=re.escape(said)) as refused:
            explore(two(prop))
        assert str(refused.value).startswith(f"{__file__}:")


# --- True or False, nothing else


def yields(state: Any) -> Any:
    yield state[r] >= 0


@pytest.mark.parametrize(
    ("predicate", "said"),
    [
        (lambda state: (value >= 0 for value in [state[r]]), "write all(...) or any(...) round it"),
        (yields, "without yield"),
        (lambda state: str(state[r]).isdigit, "did you forget to call it?"),
        (lambda _: None, "None, neither True nor False: did you forget to return?"),
        (lambda _: "negative", "'negative', neither True nor False"),
        (lambda _: NotImplemented, "NotImplemented"),
        (lambda state: re.match("0", str(state[r])), "or write bool(...)"),
        (lambda _: 1, "1, neither True nor False"),
    ],
)
def test_what_is_neither_true_nor_false_is_refused_with_its_line_and_a_remedy(predicate, said):
    with pytest.raises(ModelError, match=rf"test_predicates\.py:\d+: property 'x' answered .*{re.escape(said)}"):
        explore(two(always("x", predicate, reads=[r])))


def test_a_predicate_of_results_and_a_wish_answer_so_too():
    for prop in (each_result("x", lambda _: None), at_end("x", lambda _: None), reachable("x", id)):
        with pytest.raises(ModelError, match="neither True nor False"):
            explore(two(prop))


# --- the same answer to the same question


def counts(changes_at: int) -> Callable[[Any], bool]:
    calls = itertools.count(1)
    return lambda _: next(calls) < changes_at


@pytest.mark.parametrize("changes_at", [2, 3, 4, 5, 6])
def test_a_predicate_that_changes_its_mind_is_refused_whenever_it_does(changes_at):
    with pytest.raises(ModelError, match="a predicate depends on nothing but what it is given"):
        explore(two(always("x", counts(changes_at), reads=[r])))


def test_one_that_answers_by_turns_is_refused_however_many_questions_there_are():
    for copies in (1, 2, 3):
        turns = itertools.cycle([True, False])
        with pytest.raises(ModelError, match="depends on nothing but"):
            explore(two(reachable("x", lambda _, turns=turns: next(turns)), copies))


def test_a_list_as_a_default_is_noticed():
    with pytest.raises(ModelError, match="no list as a default"):
        explore(two(always("x", lambda _, seen=[]: bool(seen.append(1)) or len(seen) != 2, reads=[r])))


def test_prove_and_sample_and_count_notice_it_too():
    prop = always("x", counts(4), reads=[flag])
    with pytest.raises(ModelError, match="depends on nothing but"):
        prove(System(objects=[flag], processes=[Process("p", sets, copies=ANY)], properties=[prop]))
    with pytest.raises(ModelError, match="depends on nothing but"):
        sample(two(always("x", counts(3), reads=[r])), 10)
    with pytest.raises(ModelError, match="depends on nothing but"):
        count_interleavings(two(always("x", counts(3), reads=[r])))


# --- names are seen only where that is noticed


def swallows(look: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """As `look`, with whatever it raises swallowed."""

    def looks(results: Any) -> Any:
        try:
            return look(results)
        except BaseException:  # that is the point
            return None

    return looks


def matched(results: Any) -> Any:
    match results:
        case {"p#1": first}:
            return first
    return None


WAYS_OUT: dict[str, Callable[[Any], Any]] = {
    "an index": lambda results: results["p#1"],
    "get": lambda results: results.get("p#1"),
    "in": lambda results: "p#1" in results,
    "a loop": list,
    "keys": lambda results: list(results.keys()),
    "items": lambda results: list(results.items()),
    "str": str,
    "repr": repr,
    "an f-string": lambda results: f"{results}",
    "an f-string of repr": lambda results: f"{results!r:>40}",
    "format": lambda results: format(results, ""),
    "str.format": "{}".format,
    "percent": lambda results: "%s" % results,  # noqa: UP031 - one of the ways
    "pformat": pformat,
    "a list of it": lambda results: repr([results]),
    "dict": dict,
    "two stars": lambda results: {**results},
    "sorted": sorted,
    "a literal": lambda results: results == {"p#1": 0, "p#2": 1},
    "unlike a literal": lambda results: results != {"p#1": 0, "p#2": 1},
    "vars": vars,
    "__dict__": lambda results: results.__dict__,
    "a private field": lambda results: results._by_name,
    "getattr": lambda results: getattr(results, "_by_name"),  # noqa: B009 - one of the ways
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "json": lambda results: json.dumps(dict(results)),
    "a match": matched,
    "zip": lambda results: dict(zip(results, results.values(), strict=True)),
    "dir": dir,
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_each_way_out_of_results_is_noticed(way):
    looks = Looks()
    swallows(WAYS_OUT[way])(Results({"p#1": 0, "p#2": 1}, looks))
    assert looks.names


@pytest.mark.parametrize("way", WAYS_OUT)
def test_each_way_out_is_noticed_where_not_all_results_are_known_though_what_it_raises_is_swallowed(way):
    looks = Looks()
    swallows(WAYS_OUT[way])(Results({}, looks, frozenset()))
    assert looks.unknown or looks.names


@pytest.mark.parametrize(
    "way", [lambda results: {results}, lambda results: results | {}, lambda results: {} | results, iter("").__class__]
)
def test_what_results_cannot_do_is_refused(way):
    with pytest.raises(ModelError, match="raised TypeError"):
        explore(two(at_end("x", lambda results: bool(way(results)))))


def test_values_and_their_number_tell_nobody():
    looks = Looks()
    results = Results({"p#1": 1, "p#2": 0, "p#3": 1}, looks)
    assert (results.values(), len(results), bool(results), isinstance(results, dict)) == ([0, 1, 1], 3, True, False)
    assert not looks.names


class Ticket:
    """A result whose text is the same for all."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ticket) and other.number == self.number

    def __hash__(self) -> int:
        return self.number

    def __str__(self) -> str:
        return "a ticket"


def test_values_that_are_written_alike_and_differ_tell_by_their_order_and_that_is_noticed():
    looks = Looks()
    assert [ticket.number for ticket in Results({"p#1": Ticket(2), "p#2": Ticket(1)}, looks).values()] == [2, 1]
    assert looks.names
    looks = Looks()
    assert Results({"p#1": Ticket(1), "p#2": Ticket(1)}, looks).values() and not looks.names


def takes() -> Program[Ticket]:
    return Ticket((yield from adds()))


SEES = {
    "str": (adds, lambda results: "'p#1': 1" not in str(results)),
    "an f-string": (adds, lambda results: not f"{results}".startswith("Results({'p#1': 1")),
    "a private field": (adds, lambda results: results._by_name["p#1"] != 1),
    "a literal": (adds, lambda results: results != {"p#1": 1, "p#2": 0}),
    "a copy": (adds, lambda results: copy.copy(results)["p#1"] != 1),
    "alike in text": (takes, lambda results: [ticket.number for ticket in results.values()] != [1, 0]),
}


@pytest.mark.parametrize("way", SEES)
def test_who_sees_names_is_judged_without_symmetry(way):
    program, predicate = SEES[way]
    system = System(objects=[r], processes=[Process("p", program, copies=2)], properties=[at_end("x", predicate)])
    report = explore(system)
    assert report.judgement("x").verdict is Verdict.VIOLATED
    assert "symmetry off: copies are told apart by x" in report.coverage.reductions
    assert sample(system, 200).decided["x"] > 0
    counted = count_interleavings(system)
    assert counted.deciding["x"][0] > 0


# --- and for any number

flag = Register("flag", "down")


def sets() -> Program[str]:
    yield flag.write("up")
    return "done"


@pytest.mark.parametrize(
    "predicate",
    [
        lambda results: "'p': 'done'" in str(results) or "'p#1': 'done'" in str(results),
        swallows(lambda results: "done" in results.values()),
        swallows(lambda results: len(results) > 0),
    ],
)
def test_a_wish_that_looks_at_all_is_not_denied_for_every_number_whatever_it_swallows(predicate):
    def answers(results: Any) -> bool:
        return bool(predicate(results))

    system = System(objects=[flag], processes=[Process("p", sets, copies=ANY)], properties=[reachable("x", answers)])
    assert prove(system).judgement("x").verdict is Verdict.HOLDS


def test_looks_at_all_is_raised_even_where_it_was_swallowed():
    looks = Looks()
    with pytest.raises(LooksAtAll):
        len(Results({}, looks, frozenset()))
    assert looks.unknown


def test_a_predicate_that_asks_for_the_name_without_the_number_of_a_copy_is_told_what_copies_are_called():
    def write() -> Program[int]:
        yield r.write(1)
        return 1

    asked = at_end("one", lambda results: results["p"] == 1)
    system = System(objects=[r], processes=[Process("p", write, copies=2)], properties=[asked])
    with pytest.raises(ModelError, match=r"property 'one' raised KeyError\('p'\).* copies are called p#1, p#2"):
        explore(system)
