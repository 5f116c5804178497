"""What code reaches is seen to change, also once it was seen unchanged and is looked at only at a glance."""

import os
import sys
from functools import partial
from types import ModuleType, SimpleNamespace

import pytest

from dstamp_sim.core.reach import Snapshot

KEPT = 1
LIST = [1]
OTHER = SimpleNamespace()


def names_a_global():
    return KEPT, os.environ


def enclosing():
    inside = 1

    def inner():
        return inside

    def put(value):
        nonlocal inside
        inside = value

    return inner, put


INNER, PUT = enclosing()


def with_defaults(a=1, *, b=1):
    return a, b


class Job:
    shared = 1

    def __init__(self):
        self.own = 1

    def run(self):
        return self.own


class Slotted:
    __slots__ = ("own",)

    def __init__(self):
        self.own = 1


class Counted(list):
    pass


class Row(tuple):
    pass


JOB, SLOTTED, COUNTED, ROW, KNOWN = Job(), Slotted(), Counted(), Row(), {"a": 1}
PART = partial(with_defaults, 1, b=1)


def make_module():
    made = ModuleType("a_model")
    made.__file__ = __file__
    made.kept = 1
    return made


MODULE = make_module()


def names_a_module():
    return MODULE.kept


def set_default(value):
    with_defaults.__defaults__ = (value,)


CHANGES = {
    "a global": (names_a_global, lambda value: globals().update(KEPT=value)),
    "an environment": (names_a_global, lambda value: os.environ.update(LC_NAME=str(value))),
    "a closure": (INNER, PUT),
    "a default": (with_defaults, set_default),
    "a keyword default": (with_defaults, lambda value: with_defaults.__kwdefaults__.update(b=value)),
    "a function's attribute": (names_a_global, lambda value: setattr(names_a_global, "kept", value)),
    "an attribute": (JOB, lambda value: setattr(JOB, "own", value)),
    "a new attribute": (JOB, lambda value: setattr(JOB, "other", value)),
    "a class": (JOB, lambda value: setattr(Job, "shared", value)),
    "a method of a class": (JOB, lambda value: setattr(Job, "run", value)),
    "an instance of a bound method": (JOB.run, lambda value: setattr(JOB, "own", value)),
    "a slot": (SLOTTED, lambda value: setattr(SLOTTED, "own", value)),
    "a list": (LIST, lambda value: LIST.__setitem__(0, value)),
    "a list in a tuple": ((1, (LIST,)), lambda value: LIST.__setitem__(0, value)),
    "an attribute of a list": (COUNTED, lambda value: setattr(COUNTED, "own", value)),
    "an attribute of a tuple": (ROW, lambda value: setattr(ROW, "own", value)),
    "a dict": (KNOWN, lambda value: KNOWN.update(a=value)),
    "a new key": (KNOWN, lambda value: KNOWN.update(b=value)),
    "a keyword of a partial": (PART, lambda value: PART.keywords.update(b=value)),
    "an installed instance": (OTHER, lambda value: setattr(OTHER, "own", value)),
    "a variable of a module": (names_a_module, lambda value: setattr(MODULE, "kept", value)),
    "a module": (MODULE, lambda value: setattr(MODULE, "kept", value)),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen_also_after_looks_that_saw_none(what, monkeypatch):
    monkeypatch.setenv("LC_NAME", "1")
    root, change = CHANGES[what]
    change(1)
    kept = Snapshot([("root", root)])
    assert [kept.changed() for _ in range(3)] == ["", "", ""]
    change(2)
    assert kept.changed() != ""
    change(1)
    assert kept.changed() == ""
    change([])
    assert kept.changed() != ""


def test_an_equal_number_in_the_place_of_another_is_no_change(monkeypatch):
    monkeypatch.setitem(globals(), "KEPT", 10**9)
    kept = Snapshot([("root", names_a_global)])
    assert kept.changed() == ""
    monkeypatch.setitem(globals(), "KEPT", int("1000000000"))
    assert kept.changed() == ""


def test_a_module_that_is_imported_later_is_seen_where_the_code_names_what_it_keeps(monkeypatch):
    def names_it():
        import late_module  # noqa: PLC0415 - that is the question

        return late_module.kept

    kept = Snapshot([("root", names_it)])
    assert kept.changed() == ""
    late = ModuleType("late_module")
    late.kept = [1]
    monkeypatch.setitem(sys.modules, "late_module", late)
    assert kept.changed() == "late_module.kept"


def test_an_iterator_that_went_on_is_seen():
    steps = iter([1, 2, 3])
    kept = Snapshot([("root", steps)])
    assert [kept.changed(), kept.changed()] == ["", ""]
    next(steps)
    assert kept.changed() != ""
