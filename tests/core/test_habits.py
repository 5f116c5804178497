"""Clocks, random numbers, addresses and the order of a set are found by reading a model, with the line, every time.

What only looks like one is let pass.
"""

import random
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from dstamp_sim import (
    Op,
    Outcome,
    Program,
    Register,
    SharedObject,
    Verdict,
    explore,
)
from dstamp_sim.testing import system_of
from tests.core.refusals import always_refused, complaint, line_of, system, x


def test_a_clock_random_numbers_and_addresses_are_refused_every_time_with_their_line():
    rng = random.Random(7)

    def clock() -> Program[None]:
        yield x.write(time.time() > 0)

    def counter() -> Program[None]:
        yield x.write(int(time.perf_counter()))

    def throws() -> Program[None]:
        yield x.write("new" if random.random() < 0.5 else "broken")

    def seldom() -> Program[None]:
        yield x.write(random.random() < 1e-9)

    def picks() -> Program[None]:
        yield x.write(random.choice([1, 2]))

    def seeded() -> Program[None]:
        yield x.write(rng.random() < 0.5)

    def token() -> Program[None]:
        yield x.write(str(uuid.uuid4()))

    def address() -> Program[None]:
        yield x.write(id(x) % 2)

    def hashed() -> Program[None]:
        yield x.write(hash("a") % 2)

    def imported() -> Program[None]:
        from random import random as toss  # noqa: PLC0415 - as models do

        yield x.write(toss() < 0.5)

    for program in (clock, counter, throws, seldom, picks, seeded, token, address, hashed, imported):
        said = always_refused(lambda program=program: system(program))
        assert said.startswith(line_of(program, "yield x.write")), said
        assert "no clock, no random numbers, no addresses" in said


def test_a_clock_in_an_object_or_in_what_a_program_calls_is_refused():
    class Late(SharedObject):
        def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
            return (Outcome(state, time.monotonic() > 1e12),)

    late = Late("late", 0)

    def asks() -> Program[None]:
        yield late.op("ask")

    def helper() -> bool:
        return random.random() < 0.5

    def calls() -> Program[None]:
        yield x.write(helper())

    assert always_refused(lambda: system(asks, objects=[late])).startswith(line_of(Late, "time.monotonic"))
    assert always_refused(lambda: system(calls)).startswith(line_of(helper, "random.random"))


def test_names_that_only_look_like_a_clock_are_let_pass():
    @dataclass(frozen=True)
    class Run:
        id: int
        time: float = 0.5

        def __hash__(self) -> int:
            return hash((self.id, self.time))

    def p(run: Run) -> Program[tuple[int, float]]:
        hash_, random = run.id, run.time  # noqa: F841 - names
        yield x.write(run)
        return run.id, uuid.UUID(int=5).int + run.time

    assert explore(system(p, Run(3))).verdict is Verdict.HOLDS


def test_the_order_of_a_set_is_refused_every_time_with_its_line():
    def loops() -> Program[None]:
        for item in {"a", "b", "c"}:  # noqa: PLC0208 - the fault
            yield x.write(item)

    def first() -> Program[None]:
        names = frozenset(["a", "b"]) | {"c"}
        yield x.write(next(iter(names)))

    def pops() -> Program[None]:
        names = set()
        names.add("a")
        names.add("b")
        yield x.write(names.pop())

    def joined() -> Program[None]:
        yield x.write(",".join({"a", "b"}))

    def unpacked() -> Program[None]:
        one, _other = {"a", "b"}
        yield x.write(one)

    for program, text in (
        (loops, "for item"),
        (first, "next(iter"),
        (pops, "pop()"),
        (joined, "join("),
        (unpacked, "one, _other"),
    ):
        said = always_refused(lambda program=program: system(program))
        assert said.startswith(line_of(program, text)) and "the order of the set" in said, said


def test_the_order_of_a_set_that_comes_as_a_result_a_state_or_an_argument_is_refused():
    names = Register("names", frozenset(["a", "b"]))

    class Queue(SharedObject):
        def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
            return (Outcome(state, min(enumerate(state))[1]),)

    queue = Queue("queue", frozenset(["a", "b"]))

    def result() -> Program[None]:
        found = yield names.read()
        yield x.write(tuple(found))

    def argument(given: frozenset[str]) -> Program[None]:
        yield x.write(tuple(given))

    def state() -> Program[None]:
        yield queue.op("ask")

    both = frozenset(["a", "b"])
    for asked in (
        system(result, objects=[names]),
        system(argument, both),
        system(argument, (both,)),
        system(state, objects=[queue]),
    ):
        if asked.processes[0].args == ((both,),):
            assert explore(asked).verdict is Verdict.HOLDS  # the set is handed on as it is
        else:
            assert "not deterministic" in complaint(asked) and "order of a set" in complaint(asked)


def test_sets_whose_order_does_not_count_are_let_pass():
    def p(allowed: frozenset[str]) -> Program[int]:
        seen = {"a", "b"} | allowed
        seen.add("d")
        for item in sorted(seen):
            yield x.write(item)
        yield x.write(frozenset(item.upper() for item in seen))
        yield x.write(tuple(sorted(item for item in seen if item in {"a", "d"})))
        return len(seen) + sum(len(item) for item in seen) + any(item == "a" for item in seen)

    assert explore(system(p, frozenset(["c", "e"]))).verdict is Verdict.HOLDS


# --- the order of a set that was made elsewhere

ELSEWHERE = """
from typing import NamedTuple
from dstamp_sim import Process, Program, Register, System

x = Register("x", "")
KEPT = {{"a", "b"}}
IN = {{"names": {{"a", "b"}}, "list": ["a"]}}


class Pair(NamedTuple):
    names: set[str]
    number: int


FILLED = set()


def names():
    return {{"a", "b"}}


def upper():
    return {{name.upper() for name in names()}}


def asked() -> Program[set[str]]:
    yield x.read()
    return names()


def write_all(items) -> Program[None]:
    for item in items:
        yield x.write(item)


def joined(items: set[str]) -> str:
    return "".join(items)


class Box:
    def __init__(self):
        self.items = set()
        self.put("a", "b")

    def put(self, *items):
        for item in items:
            self.items.add(item)

    def all(self):
        return self.items

    def run(self) -> Program[None]:
        for item in self.all():
            yield x.write(item)

    def first(self) -> Program[None]:
        yield x.write(next(iter(self.items)))


def program() -> Program[None]:
    {body}
    yield x.read()


def build() -> System:
    return System(objects=[x], processes=[Process("p", {process})])
"""


@pytest.mark.parametrize(
    ("body", "process"),
    [
        ("for name in names(): yield x.write(name)", "program"),
        ("for name in upper(): yield x.write(name)", "program"),
        ("yield x.write(list(names())[0])", "program"),
        ("yield x.write([len(name) for name in names()][0])", "program"),
        ("yield x.write(tuple(upper()))", "program"),
        ("found = names(); yield x.write('-'.join(found))", "program"),
        ("found = yield from asked(); yield x.write(tuple(found))", "program"),
        ("yield from write_all({'a', 'b'})", "program"),
        ("yield from write_all(names())", "program"),
        ("yield from write_all({1: names()}[1])", "program"),
        ("yield x.write(joined(names()))", "program"),
        ("yield x.write(tuple(KEPT))", "program"),
        ("yield x.write((lambda: ''.join(names()))())", "program"),
        ("yield x.write(tuple(IN['names']))", "program"),
        ("yield x.write(''.join(IN.get('names')))", "program"),
        ("box = {'names': {'a', 'b'}, 'n': 1}; yield x.write(tuple(box['names']))", "program"),
        ("box = [names()]; yield x.write(tuple(box[0]))", "program"),
        ("box = []; box.append(frozenset(names())); yield x.write(tuple(box[-1]))", "program"),
        ("box = {}; box['now'] = frozenset({'a', 'b'}); yield x.write('-'.join(box['now']))", "program"),
        ("yield x.write([tuple(kept) for kept in [names(), names()]][0])", "program"),
        ("it = Pair({'a', 'b'}, 1); yield x.write(tuple(it.names))", "program"),
        ("it = Pair(number=1, names=frozenset(names())); yield x.write(tuple(it.names))", "program"),
        ("pass", "Box().run"),
        ("pass", "Box().first"),
    ],
)
def test_a_set_made_in_one_function_and_gone_through_in_another_is_found(tmp_path, body, process):
    (tmp_path / "sets.py").write_text(ELSEWHERE.format(body=body, process=process), encoding="utf-8")
    asked = system_of(str(tmp_path / "sets.py"))
    assert "sets.py:" in complaint(asked) and "write sorted(...)" in complaint(asked)


@pytest.mark.parametrize(
    "body",
    [
        "for name in sorted(names()): yield x.write(name)",
        "yield x.write(len(upper()))",
        "found = yield from asked(); yield x.write(tuple(sorted(found)))",
        "yield from write_all(sorted({'a', 'b'}))",
        "yield x.write(frozenset(names()))",
        "yield x.write('a' in names())",
        "yield x.write(tuple(IN['list']))",
        "box = {'names': {'a', 'b'}, 'n': ('a',)}; yield x.write(tuple(box['n']))",
        "box = [names(), (1, 2)]; yield x.write(tuple(box[1]))",
        "box = []; box.append(frozenset(names())); yield x.write(tuple(sorted(box[-1])))",
        "it = Pair({'a', 'b'}, (1, 2)); yield x.write(tuple(it.number))",
    ],
)
def test_a_set_made_elsewhere_that_is_sorted_or_only_looked_at_is_let_pass(tmp_path, body):
    (tmp_path / "sets.py").write_text(ELSEWHERE.format(body=body, process="program"), encoding="utf-8")
    assert explore(system_of(str(tmp_path / "sets.py"))).verdict is Verdict.HOLDS
