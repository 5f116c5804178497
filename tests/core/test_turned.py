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
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from itertools import chain
from typing import Any

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
