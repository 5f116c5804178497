"""A set's order is noticed wherever the set was filled, kept and gone through, with nothing yielded in between."""

import pytest

from dstamp_sim import ModelError, Verdict, explore
from dstamp_sim.testing import system_of

OTHER = """
def filled():
    names = set()
    for name in ("a", "b", "c"):
        names.add(name)
    return names


def first(items):
    for item in items:
        return item
"""

MODEL = """
import copy
import heapq
import operator
import pickle
import pprint
import shlex
import statistics
import string
from array import array
from collections import Counter, OrderedDict, UserList
from dataclasses import dataclass, replace
from functools import lru_cache, partial, reduce
from itertools import chain, tee
from types import SimpleNamespace
from typing import Any, cast

from dstamp_sim import Process, Program, Register, System

from . import other

x = Register("x", None)
in_order = list


class Maker:
    def __init__(self, *names):
        self.kept = set()
        for name in names:
            self.kept.add(name)


@dataclass
class Held:
    kept: Any


def filled():
    names = set()
    names.update("abc")
    return names


def put(box, value):
    box.append(value)


def store(box, value):
    box["kept"] = value


def give(box, value):
    box.kept = value


def pair(value):
    return (1, value)


def closed(value):
    return lambda: value


@lru_cache
def once(items):
    return tuple(items)


GLOBAL = [{fill}]


def default(kept={fill}):
    return kept


def program() -> Program[Any]:
    {keep}
    kept = {kept}
    {go}
    yield x.write(out)


def build() -> System:
    return System(objects=[x], processes=[Process("p", program)])
"""

FILLS = {
    "helper": "filled()",
    "constructor": "Maker('a', 'b', 'c').kept",
    "comprehension": "[{c for c in word} for word in ['abc']][0]",
    "another module": "other.filled()",
}
KEEPS = {
    "list": ("box = []; put(box, {fill})", "box[0]"),
    "dict": ("box = {{}}; store(box, {fill})", "box['kept']"),
    "tuple": ("box = pair({fill})", "box[1]"),
    "dataclass": ("box = Held({fill})", "box.kept"),
    "attribute": ("box = Maker(); give(box, {fill})", "box.kept"),
    "closure": ("box = closed({fill})", "box()"),
    "default": ("pass", "default()"),
    "global": ("pass", "GLOBAL[0]"),
}
GOES = (
    "out = tuple(kept)",
    "out = '-'.join(kept)",
    "out = next(iter(kept))",
    "out = kept.copy().pop()",
    "out = [*kept][0]",
    "out, *_ = kept",
    "out = f'{kept}'",
    "out = str([kept])",
    "out = '%s' % (kept,)",
    "out = sorted(kept, key=len)[0]",
    "out = max(kept, key=len)",
    "out = dict(enumerate(kept))[1]",
    "out = next(map(str.upper, kept))",
    "out = in_order(kept)[1]",
    "out = tuple(chain.from_iterable([kept]))",
    "out = reduce(lambda one, two: one + two, kept)",
    "out = partial(tuple, kept)()",
    "out = other.first(kept)",
    "out = once(frozenset(kept))",
    "out = tuple([len(each) * each for each in kept])",
    "out = tuple(each for each in kept | {'d'})",
)
LIBRARY = (
    "out = next(tee(kept)[0])",
    "out = next(iter(Counter(kept)))",
    "out = next(iter(OrderedDict.fromkeys(kept)))",
    "out = UserList(kept)[0]",
    "out = heapq.nsmallest(1, kept, key=len)[0]",
    "out = next(heapq.merge(kept))",
    "out = statistics.mode(kept)",
    "out = shlex.join(kept)",
    "out = string.Template('$a').substitute(a=kept)",
    "out = pprint.saferepr(kept)",
    "out = SimpleNamespace(a=kept).__repr__()",
    "out = pickle.dumps(kept)",
    "out = bytes({300 - ord(each) for each in kept})",
    "out = array('u', kept)[0]",
    "out = str.join('-', kept)",
    "out = set.pop(set(kept))",
    "out = next(set.__iter__(kept))",
    "out = tuple.__new__(tuple, kept)",
    "out = [].__iadd__(kept)[0]",
)
"""Ways to hand a set to what is Python's own, or a library's."""
KEPT = (
    "out = frozenset(copy.copy(kept) | {'d'})",
    "kept = copy.deepcopy(kept); kept.add('d'); out = frozenset(kept)",
    "box = {}.get('x', kept); box.add('d'); out = 'd' in kept",
    "cast(set, kept).add('d'); out = 'd' in kept",
    "out = frozenset(operator.or_(kept, {'d'}))",
    "set.add(kept, 'd'); out = 'd' in kept",
    "out = type(replace(Held(kept), kept=kept).kept) is set",
    "setattr(one := Held(0), 'kept', kept); one.kept.add('d'); out = 'd' in kept",
    "out = tuple(heapq.nsmallest(2, kept))",
    "out = statistics.median(map(ord, kept))",
    "out = ''.join(sorted(set.union(kept, 'd')))",
    "out = type((yield x.write(frozenset(kept)))).__name__",
    "yield x.write(frozenset(kept)); out = type((yield x.read())).__name__ + (yield x.read()).__class__.__name__",
)
"""Ways to keep a set, to change it, or to ask what does not depend on its order, by the same."""
SORTED = ("out = tuple(sorted(kept))", "out = len(kept)", "out = frozenset(kept | {'d'})", "out = 'a' in kept")


def verdict(folder, fill, keep, go):
    """What exploring a model says that fills a set, keeps it, and goes through it: a verdict, or a refusal."""
    made, kept = KEEPS[keep]
    text = MODEL
    for name, part in (("{keep}", made.replace("{{}}", "{}")), ("{kept}", kept), ("{go}", go), ("{fill}", FILLS[fill])):
        text = text.replace(name, part)
    folder.mkdir()
    (folder / "__init__.py").write_text(text, encoding="utf-8")
    (folder / "other.py").write_text(OTHER, encoding="utf-8")
    try:
        return explore(system_of(str(folder))).verdict
    except ModelError as error:
        return str(error)


@pytest.mark.parametrize("fill", FILLS)
def test_168_ways_to_depend_on_the_order_of_a_set_are_refused_with_the_remedy(tmp_path, fill):
    tried = [(keep, go) for at, keep in enumerate(KEEPS) for go in GOES[at % 4 :: 4]]
    said = {(keep, go): verdict(tmp_path / f"m{at}", fill, keep, go) for at, (keep, go) in enumerate(tried)}
    assert len(tried) == 42
    assert [ways for ways, answer in said.items() if "write sorted(...)" not in str(answer)] == [], said


@pytest.mark.parametrize("fill", FILLS)
def test_a_set_whose_order_does_not_show_is_let_pass_wherever_it_is_kept(tmp_path, fill):
    tried = [(keep, go) for keep in KEEPS for go in SORTED]
    said = {(keep, go): verdict(tmp_path / f"m{at}", fill, keep, go) for at, (keep, go) in enumerate(tried)}
    assert [ways for ways, answer in said.items() if answer is not Verdict.HOLDS] == [], said


def test_a_set_that_is_handed_to_a_library_is_asked_about_in_another_order(tmp_path):
    said = {go: verdict(tmp_path / f"m{at}", "constructor", "list", go) for at, go in enumerate(LIBRARY)}
    assert [way for way, answer in said.items() if "write sorted(...)" not in str(answer)] == [], said


def test_what_a_library_only_keeps_or_asks_about_without_its_order_is_let_pass(tmp_path):
    said = {go: verdict(tmp_path / f"m{at}", "constructor", "list", go) for at, go in enumerate(KEPT)}
    assert [way for way, answer in said.items() if answer is not Verdict.HOLDS] == [], said
