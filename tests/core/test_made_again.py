"""A system that its factory makes in the order of a set is refused, and no other is."""

import pytest

from dstamp_sim import ModelError
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


def test_a_factory_that_makes_another_system_each_time_is_not_blamed_for_its_sets(tmp_path):
    made = "COUNT.append(1); processes = [Process(f'p{len(COUNT)}', writes, *sorted([*names]))]"
    (tmp_path / "model.py").write_text(MODEL.replace("MADE", made).replace("NAMES =", "COUNT = []\nNAMES ="))
    load_model(str(tmp_path / "model.py")).build({})
