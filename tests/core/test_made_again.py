"""A system that a model makes in the order of a set, at import or in its factory, is refused, and no other is."""

import sys

import pytest

from dstamp_sim import ModelError, explore
from dstamp_sim.inputs.model_file import load_model

MODEL = """
from dstamp_sim import Process, Register, System, at_end

NAMES = {"ann", "bob", "eve"}
r = Register("r", "")


def writes(*values):
    for value in values:
        yield r.write(value)


class Job:
    def __init__(self, values):
        self.values = values

    def run(self):
        yield r.write(self.values)


def build() -> System:
    names = {"ann", "bob", "eve"}
    objects, processes, properties, sections = [r], [Process("a", writes, "x")], [], []
    MADE
    return System(objects=objects, processes=processes, properties=properties, sections=sections)
"""

IN_ORDER = {
    "a process for each": "processes = [Process(name, writes, name) for name in names]",
    "an argument": 'processes = [Process("a", writes, *names)]',
    "an argument of a set of the module": 'processes = [Process("a", writes, list(NAMES)[0])]',
    "a tuple in an argument": 'processes = [Process("a", writes, (1, tuple(names)))]',
    "what an instance keeps": 'processes = [Process("a", Job(",".join(names)).run)]',
    "an initial state": 'objects.append(Register("q", names.copy().pop()))',
    "several initial states": 'objects.append(Register("q", [*names]))',
    "a cell of a predicate": 'last = [*names][-1]; properties = [at_end("x", lambda _, s: s[r] != last, reads=[r])]',
    "a default of a predicate": 'properties = [at_end("x", lambda _, s, last=[*names][-1]: s[r] != last, reads=[r])]',
    "sections": 'sections = [f"{name} works" for name in names]',
    "a dict": 'processes = [Process("a", writes, tuple(dict.fromkeys(names)))]',
    "the keys of a dict that an instance keeps": 'processes = [Process("a", Job(dict.fromkeys(names)).run)]',
}

IN_NO_ORDER = {
    "sorted": "processes = [Process(name, writes, name) for name in sorted(names)]",
    "a set": 'processes = [Process("a", writes, frozenset(name for name in names))]',
    "a number": 'processes = [Process("a", writes, len([*names]), max(names))]',
    "a set that an instance keeps": 'processes = [Process("a", Job({name.upper() for name in names}).run)]',
    "no set": "pass",
}


def built(folder, made):
    (folder / "model.py").write_text(MODEL.replace("MADE", made))
    return load_model(str(folder / "model.py")).build({})


@pytest.mark.parametrize("made", IN_ORDER.values(), ids=IN_ORDER)
def test_a_system_in_the_order_of_a_set_is_refused_with_its_line(tmp_path, made):
    with pytest.raises(ModelError, match=r"model.py:\d+: the factory's system depends on the order of a set.*sorted"):
        built(tmp_path, made)


@pytest.mark.parametrize("made", IN_NO_ORDER.values(), ids=IN_NO_ORDER)
def test_a_system_in_no_order_of_a_set_is_built(tmp_path, made):
    built(tmp_path, made)


AT_IMPORT = {
    "a list": 'ORDER = list({"ann", "bob", "eve"})',
    "a loop": 'ORDER = []\nfor name in {"ann", "bob", "eve"}: ORDER.append(name)',
    "a function": 'def order(): return [each for each in frozenset("abc")]\nORDER = [*order()]',
    "a class": 'class Names:\n    order = tuple({"ann", "bob", "eve"})\nORDER = Names.order',
    "a number": 'ORDER = [str({"ann": 1, "bob": 2, "eve": 3}[each]) for each in {"ann", "bob", "eve"}]',
    "yes or no": 'ORDER = ["yes" if next(iter({"ann", "bob", "eve", "mia"})) == "bob" else "no"]',
    "yes or no of the last one": 'ORDER = ["yes" if [*{"ann", "bob", "eve", "mia"}][-1] == "eve" else "no"]',
    "a library": 'from distinct import distinct\nORDER = distinct(["ann", "bob", "eve"])',
}

DISTINCT = """
def distinct(items):
    return list(set(items))


class Distinct:
    def __init__(self, items):
        self.items = [*frozenset(items)]

    def first(self):
        return self.items[0]
"""


def with_library(folder, monkeypatch):
    library = folder / "site-packages"
    library.mkdir()
    (library / "distinct.py").write_text(DISTINCT)
    monkeypatch.syspath_prepend(library)


@pytest.mark.parametrize("order", AT_IMPORT.values(), ids=AT_IMPORT)
@pytest.mark.parametrize("used", ["in the factory", "in a program", "in a part"])
def test_a_model_that_keeps_the_order_of_a_set_at_its_import_is_refused(tmp_path, monkeypatch, order, used):
    with_library(tmp_path, monkeypatch)
    made = 'processes = [Process("a", writes, ORDER[0])]'
    if used == "in a program":
        order += "\n\ndef orders():\n    yield r.write(ORDER[0])\n"
        made = 'processes = [Process("a", orders)]'
    source = MODEL.replace("MADE", made).replace("NAMES =", f"{order}\nNAMES =")
    if used == "in a part":
        (tmp_path / "order.py").write_text(order)
        source = MODEL.replace("MADE", made).replace("NAMES =", "from .order import ORDER\nNAMES =")
    (tmp_path / "__init__.py").write_text(source)
    with pytest.raises(ModelError, match=r"\.py:\d+: the factory's system depends on the order of a set.*sorted"):
        load_model(str(tmp_path)).build({})


def test_what_a_model_keeps_at_import_in_no_order_of_a_set_is_let_pass(tmp_path):
    kept = (
        "import logging, threading\n"
        'ORDER = sorted({"ann", "bob"})\nLOCK = threading.Lock()\nLOG = logging.getLogger()\n'
        'NONE = object(); COUNT = len([*NAMES]); WRITE = lambda: (LOCK, LOG, NONE, COUNT)\nprint("loaded")\n\n'
    )
    made = 'processes = [Process("a", writes, WRITE() and ORDER[0])]'
    (tmp_path / "model.py").write_text(MODEL.replace("MADE", made).replace("r = Reg", f"{kept}r = Reg"))
    load_model(str(tmp_path / "model.py")).build({})


def test_a_model_is_printed_once_and_its_modules_stay_those_that_were_loaded_first(tmp_path, capsys):
    (tmp_path / "model.py").write_text(MODEL.replace("MADE", "pass").replace("NAMES =", 'print("loaded")\nNAMES ='))
    model = load_model(str(tmp_path / "model.py"))
    model.build({})
    assert capsys.readouterr().out == "loaded\n" and sys.modules[model.module.__name__] is model.module


IN_A_PROGRAM = {
    "a library's function": "import distinct\n\ndef orders():\n    yield r.write(distinct.distinct(['ann', 'bob'])[0])",
    "a library's class": "import distinct as d\n\ndef orders():\n    yield r.write(d.Distinct(['ann', 'bob']).first())",
    "what a class begins with": (
        "class Box:\n    def __init__(self, names):\n        self.first = [*names][0]\n\n"
        "def orders():\n    yield r.write(Box(frozenset('abc')).first)"
    ),
    "what Python calls by itself": (
        "class Box:\n    names = frozenset('abc')\n    def __getitem__(self, n):\n        return [*self.names][n]\n\n"
        "def orders():\n    yield r.write(Box()[0])"
    ),
    "yes or no": (
        "class Box:\n    def __init__(self, names):\n        self.names = names\n    def begins(self, name):\n"
        "        return next(iter(self.names)) == name\n\n"
        "def orders(name='NAME'):\n    box = Box(frozenset(['ann', 'bob', 'eve', 'mia']))\n"
        "    yield r.write('yes' if box.begins(name) else 'no')"
    ),
}


@pytest.mark.parametrize("program", IN_A_PROGRAM.values(), ids=IN_A_PROGRAM)
@pytest.mark.parametrize("name", ["ann", "bob", "eve", "mia"])
def test_a_program_in_the_order_of_a_set_that_a_library_or_a_class_goes_through_is_refused(
    tmp_path, monkeypatch, program, name
):
    with_library(tmp_path, monkeypatch)
    source = MODEL.replace("MADE", 'processes = [Process("a", orders)]')
    (tmp_path / "model.py").write_text(source.replace("NAMES =", f"{program.replace('NAME', name)}\n\nNAMES ="))
    with pytest.raises(ModelError, match=r"order of (a|the) set"):
        explore(load_model(str(tmp_path / "model.py")).build({}))


def test_a_factory_that_makes_another_system_each_time_is_not_blamed_for_its_sets(tmp_path):
    made = "COUNT.append(1); processes = [Process(f'p{len(COUNT)}', writes, *sorted([*names]))]"
    (tmp_path / "model.py").write_text(MODEL.replace("MADE", made).replace("NAMES =", "COUNT = []\nNAMES ="))
    load_model(str(tmp_path / "model.py")).build({})
