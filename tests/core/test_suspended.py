"""Suspended programs by value: what tells two of them apart, what does not, and what has no value."""

import types
from collections import Counter, OrderedDict
from contextlib import suppress
from typing import Any

import pytest

from dstamp_sim import (
    Chance,
    ModelError,
    Outcome,
    Process,
    Register,
    SharedObject,
    System,
    Verdict,
    at_end,
    delay,
    explore,
)
from dstamp_sim.core import semantics
from dstamp_sim.core.suspended import NotByValue, shows_suspended, tokens_of
from dstamp_sim.engines.explore import explorer
from dstamp_sim.engines.explore.settings import NO_REDUCTION, Reductions

pytestmark = pytest.mark.skipif(not shows_suspended(), reason="this Python does not show suspended frames")

KEPT: list[int] = []


def holds(value: Any) -> Any:
    yield
    return value


def value(held: Any, **lasts: Any) -> Any:
    body = holds(held)
    next(body)
    return tokens_of([body], (), lambda item: any(item is each for each in lasts.values()))


class Slotted(Exception):
    """What it keeps is neither an argument nor in a dict."""

    __slots__ = ("kept",)


class Above:
    __slots__ = ("kept",)


class Hides(Above):
    """Has two slots of one name."""

    __slots__ = ("kept",)

    def __init__(self, hidden: int) -> None:
        self.kept = 0
        Above.kept.__set__(self, hidden)


def keeps(item: Any, name: str, kept: Any) -> Any:
    setattr(item, name, kept)
    return item


def is_named(name: str, words: str = "") -> Any:
    def function():
        """Stands at one line, whatever it is called."""

    function.__name__, function.__doc__ = name, words
    return function


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *((keeps(kind(), "kept", 1), keeps(kind(), "kept", 2)) for kind in (Counter, OrderedDict, Slotted, KeyError)),
        (keeps(StopIteration(), "value", 1), keeps(StopIteration(), "value", 2)),
        (Hides(1), Hides(2)),
        (keeps(Register("x"), "kept", 1), keeps(Register("x"), "kept", 2)),
        (is_named("one"), is_named("other")),
        (is_named("one", "Old."), is_named("one", "New.")),
        (1, True),
        (0.0, -0.0),
        ((1,), [1]),
        ([1], [1, 1]),
        ({1: 0, 2: 0}, {2: 0, 1: 0}),
        (range(0, 3, 2), range(0, 4, 2)),
        (iter([1, 1]), iter([1])),
        (lambda: 1, lambda: 2),
    ],
)
def test_what_a_program_can_tell_apart_has_two_values(one, other):
    assert value(one) != value(other)


def test_what_no_program_can_tell_apart_has_one_value():
    assert value({1, 2}) == value({2, 1})
    assert value([[], (1, "a")]) == value([[], (1, "a")])


def test_a_list_that_was_there_before_is_not_an_equal_new_one():
    assert value(KEPT, kept=KEPT) != value([], kept=KEPT)
    assert value(KEPT, kept=KEPT) == value(KEPT, kept=KEPT)


def test_what_has_no_value_is_refused_with_its_kind():
    with pytest.raises(NotByValue, match="a memoryview"):
        value(memoryview(b""))
    with pytest.raises(NotByValue, match="more than 2,000 values"):
        value(list(range(3_000)))


def test_what_belongs_to_one_run_of_a_program_and_can_change_unseen_has_no_value():
    class Made:
        kept = 0

    for held in (Made, Made(), types.ModuleType("made"), type("made", (), {})):
        with pytest.raises(NotByValue):
            value(held)
    assert value(Made, lasts=Made) == value(Made, lasts=Made)
    assert value(Slotted) == value(Slotted) != value(types)


# --- in systems


def results(program: Any, *objects: SharedObject, by_value: bool) -> tuple[set[Any], int]:
    """The results of a process, and how many states there are."""
    found: set[Any] = set()
    collects = at_end("collects", lambda results: found.update(results.values()) or True)
    system = System(objects=objects, processes=[Process("p", program)], properties=[collects])
    report = explore(system, keep_going=True, reductions=Reductions(merge=False, por=False, by_value=by_value))
    assert report.coverage.exhausted, report.coverage.stopped
    return found, report.coverage.states


class Token:
    """Equal to nothing but itself."""


class Hands(SharedObject):
    """Hands out one of two tokens, and shows the first."""

    def __init__(self) -> None:
        super().__init__("hands", 0)
        self.tokens = (Token(), Token())

    def outcomes(self, state, op):
        handed = self.tokens if op.verb == "take" else self.tokens[:1]
        return tuple(Outcome(state, token) for token in handed)


def test_tokens_that_are_received_are_themselves():
    hands = Hands()

    def program():
        mine = yield hands.op("take")
        yield delay("rest")
        first = yield hands.op("show")
        return mine is first

    assert results(program, hands, by_value=True) == results(program, hands, by_value=False) != ({True}, 4)


coin = Chance("coin", "heads", "tails")


class Job:
    """A process that keeps something in its `self`."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def run(self):
        self.seen.append((yield coin.draw()))
        yield delay("rest")
        return self.seen[-1]


def test_what_a_process_keeps_in_its_self_is_part_of_where_it_stands():
    assert results(Job().run, coin, by_value=True)[0] == {"heads", "tails"}


def test_an_op_that_is_yet_to_be_yielded_is_not_forgotten():
    def program():
        op = coin.draw()
        side = yield coin.draw()
        if side == "heads":
            yield op
        side = None
        yield delay("rest")
        return side

    with pytest.raises(ModelError, match="made and never yielded"):
        results(program, coin, by_value=True)


def test_what_a_program_forgets_costs_no_states():
    def program():
        for _ in range(20):
            yield coin.draw()

    assert results(program, coin, by_value=True) == ({None}, 21)


def test_what_a_program_keeps_in_a_class_that_it_makes_is_part_of_where_it_stands():
    def program():
        class Seen:
            times = 0

        while Seen.times < 2:
            Seen.times += (yield coin.draw()) == "heads" or 2
        return Seen.times

    assert results(program, coin, by_value=True)[0] == results(program, coin, by_value=False)[0] == {2, 3}


def handles():
    with suppress(ValueError):
        int("no number")


def test_that_a_function_handled_an_exception_meanwhile_is_no_part_of_where_a_program_stands():
    def program():
        for _ in range(3):
            side = yield coin.draw()
            if side == "heads":
                handles()
            side = None

    assert results(program, coin, by_value=True) == ({None}, 4)


def looks_into_memory():
    seen = memoryview(b"")
    yield coin.draw()
    yield coin.draw()
    return len(seen)


def test_where_something_has_no_value_local_states_are_histories_and_the_report_names_it():
    system = System(objects=[coin], processes=[Process("p", looks_into_memory)])
    report = explore(system, reductions=NO_REDUCTION)
    assert report.coverage.states == 4
    (note,) = report.coverage.reductions
    assert note.startswith("local states of p with a memoryview are histories, as that has no value (")
    assert "test_suspended.py:" in note


def test_a_python_that_does_not_show_suspended_programs_uses_histories_and_says_so(monkeypatch):
    for module in (semantics, explorer):
        monkeypatch.setattr(module, "shows_suspended", lambda: False)
    x = Register("x", 0)

    def spins():
        while (yield x.read()) == 0:
            pass

    report = explore(System(objects=[x], processes=[Process("p", spins)]), ops=50)
    assert report.verdict is Verdict.UNDETERMINED
    assert any("does not show suspended programs" in note for note in report.coverage.reductions)
