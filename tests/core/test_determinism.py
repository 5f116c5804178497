"""What a program or an object keeps outside of its state is found by comparing, and refused with its line."""

import contextlib
import functools
import io
import itertools
import os
import queue
import random
import sys
import threading
from array import array
from collections import ChainMap, Counter, OrderedDict, UserList
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dstamp_sim import (
    ANY,
    ModelError,
    Op,
    Outcome,
    Process,
    Program,
    SharedObject,
    System,
    Verdict,
    each_result,
    explore,
    prove,
    replay,
)
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from dstamp_sim.engines.sampling.sampler import sample
from dstamp_sim.random_systems import TooLarge, random_system
from dstamp_sim.testing import system_of
from tests.core.refusals import always_refused, coin, complaint, line_of, system, x


class Job:
    def __init__(self) -> None:
        self.side = self.other = ""
        self.seen: list[str] = []

    def run(self) -> Program[str]:
        self.side = yield coin.draw()
        yield x.read()
        return self.side

    def both(self) -> Program[tuple[str, str]]:
        self.side = yield coin.draw()
        self.other = yield coin.draw()
        yield x.read()
        return self.side, self.other

    def lists(self) -> Program[tuple[str, ...]]:
        self.seen.append((yield coin.draw()))
        yield x.read()
        return tuple(self.seen)


never_heads = each_result("never heads", lambda result: "heads" not in result)


def test_a_process_of_its_own_instance_keeps_what_it_reads_rightly():
    for program in ("run", "both", "lists"):
        asked = system(getattr(Job(), program), properties=[never_heads])
        assert explore(asked).verdict is Verdict.VIOLATED
        assert explore(asked, reductions=NO_REDUCTION).verdict is Verdict.VIOLATED
        assert 0 < sample(asked, 50).decided["never heads"] < 50
    outcomes = set()
    collects = each_result("collects", lambda result: outcomes.add(result) or True)
    explore(system(Job().both, properties=[collects]))
    assert outcomes == set(itertools.product(["heads", "tails"], repeat=2))


def test_an_instance_that_is_changed_by_several_processes_is_refused_with_the_remedy():
    for asked in (
        system(Job().run, copies=2),
        System(objects=[coin, x], processes=[Process("d", Job().run, daemon=True)]),
    ):
        said = complaint(asked)
        assert said.startswith(line_of(Job.run, "self.side = ")) and "give each process its own" in said
    job = Job()
    shared = System(objects=[coin, x], processes=[Process("a", job.run), Process("b", job.lists)])
    assert "changed while the model ran" in complaint(shared)
    any_number = System(objects=[coin, x], processes=[Process("p", Job().run, copies=ANY)], properties=[never_heads])
    with pytest.raises(ModelError, match=r"self\.side changed while the model ran"):
        prove(any_number)
    with pytest.raises(ModelError, match=r"self\.side changed while the model ran"):
        sample(system(Job().run, copies=2), 10)
    with pytest.raises(ModelError, match=r"self\.side changed while the model ran"):
        replay(system(Job().run, copies=2), "p#1:1")


def test_what_two_instances_share_is_not_copied_and_refused_when_it_changes():
    class Writer:
        def __init__(self, log: list[int]) -> None:
            self.log = log

        def run(self) -> Program[int]:
            self.log.append((yield x.read()))
            return len(self.log)

    log: list[int] = []
    asked = System(objects=[x], processes=[Process("a", Writer(log).run), Process("b", Writer(log).run)])
    assert "changed while the model ran" in complaint(asked)


def test_an_instance_that_only_holds_settings_and_objects_is_shared():
    class Worker:
        def __init__(self, amount: int) -> None:
            self.amount, self.target = amount, x

        def run(self) -> Program[int]:
            yield self.target.write(self.amount)
            return self.amount

    assert explore(system(Worker(3).run, copies=2)).verdict is Verdict.HOLDS


COUNT = [0]
TOTAL = 0


def test_what_is_kept_outside_of_a_program_is_refused_every_time_with_its_line():
    calls, told = itertools.count(), []

    def default(seen=[]) -> Program[int]:  # noqa: B006 - the fault
        seen.append(1)
        yield x.read()
        return len(seen)

    def counts() -> Program[int]:
        yield x.read()
        return next(calls)

    def of_the_module() -> Program[int]:
        COUNT[0] += 1
        yield x.read()
        return COUNT[0]

    def rebinds() -> Program[int]:
        global TOTAL  # noqa: PLW0603 - the fault
        TOTAL += 1
        yield x.read()
        return TOTAL

    def unseen() -> Program[None]:
        told.append((yield x.read()))

    for program, text in (
        (default, "seen.append"),
        (counts, "next(calls)"),
        (of_the_module, "COUNT[0] += 1"),
        (rebinds, "TOTAL += 1"),
        (unseen, "told.append"),
    ):
        said = always_refused(lambda program=program: system(program))
        assert said.startswith(line_of(program, text)) and "changed while the model ran" in said, said


class Listing(list):  # a container of the model's own may keep more than its members
    kept = 0


def test_what_is_kept_in_an_attribute_of_a_function_or_a_container_is_refused():
    def function() -> None: ...

    for item in (function, functools.partial(int), Counter(), OrderedDict(), Listing(), ValueError(), UserList()):

        def p(item: Any = item) -> Program[None]:
            item.kept = yield coin.draw()

        assert "kept changed while the model ran" in complaint(system(p)), item
    for members in (bytearray(1), array("i", [0])):

        def q(members: Any = members) -> Program[None]:
            members[0] = 1 + ((yield coin.draw()) == "heads")

        assert "members changed while the model ran" in complaint(system(q)), members


def test_what_is_kept_in_a_closure_is_refused_every_time():
    def asked() -> System:
        kept = ""

        def p() -> Program[str]:
            nonlocal kept
            kept = yield coin.draw()
            yield x.read()
            return kept

        return system(p, properties=[never_heads])

    assert "kept changed while the model ran" in always_refused(asked)


LOG: list[Any] = []
QUEUE: queue.Queue[Any] = queue.Queue()
LAYERS: ChainMap[str, Any] = ChainMap({}, {})
LOCAL = threading.local()
CONTEXT: ContextVar[Any] = ContextVar("context", default="")
TEXT = io.StringIO()
BUFFER = memoryview(bytearray(1))
LOCK = threading.Lock()
note = LOG.append
note_partly = functools.partial(LOG.append)


class Counted(type):
    last: Any = 0


class Made(metaclass=Counted): ...


@contextlib.contextmanager
def noting(value: Any) -> Iterator[None]:
    LOG.append(value)
    yield


@functools.singledispatch
def dispatched(value: Any) -> None:
    LOG.append(value)


def by_a_context_manager(value: Any) -> None:
    with noting(value):
        pass


def by_a_layer(value: Any) -> None:
    LAYERS["value"] = value


def by_a_thread_local(value: Any) -> None:
    LOCAL.value = value


def by_a_buffer(value: Any) -> None:
    BUFFER[0] = 1 + (value == "heads")


def by_a_metaclass(value: Any) -> None:
    type(Made).last = value
    Made.__class__.last = value


def by_the_environment(value: Any) -> None:
    os.environ["DSTAMP_TEST"] = value


def by_all_globals(value: Any) -> None:
    globals()["appeared"] = value


def by_code(value: Any) -> None:
    exec("LOG.append(1)", globals())


def by_the_module(value: Any) -> None:
    sys.modules[__name__].LOG.append(value)


def by_a_lock(value: Any) -> None:
    if not LOCK.locked():
        LOCK.acquire(blocking=False)


@pytest.mark.parametrize(
    "keep",
    [
        note,
        note_partly,
        dispatched,
        by_a_context_manager,
        QUEUE.put,
        by_a_layer,
        by_a_thread_local,
        lambda value: CONTEXT.set(value) and None,
        lambda value: TEXT.write(value) and None,
        by_a_buffer,
        by_a_metaclass,
        by_the_environment,
        by_all_globals,
        by_code,
        by_the_module,
        by_a_lock,
    ],
)
def test_what_is_kept_out_of_sight_is_refused(keep: Callable[[Any], None], monkeypatch):
    """Behind a decorator of Python's, a bound method, an instance of an installed class, a name in a text."""
    monkeypatch.setenv("DSTAMP_TEST", "")

    def p() -> Program[None]:
        keep((yield coin.draw()))

    assert "changed while the model ran" in complaint(system(p))


def test_instances_of_installed_classes_that_only_hold_settings_are_let_pass():
    held = (queue.Queue(), ChainMap({"a": 1}), io.StringIO("text"), threading.Lock(), Path("folder"), CONTEXT, print)

    def p() -> Program[int]:
        assert [str(each) for each in held]
        return (yield x.read())

    assert explore(system(p, copies=2)).verdict is Verdict.HOLDS


def test_what_is_kept_only_while_a_program_waits_is_refused():
    here: list[int] = []

    def p() -> Program[int]:
        here.append(1)
        yield x.read()
        seen = len(here)
        here.pop()
        return seen

    said = complaint(system(p, copies=2))
    assert said.startswith(line_of(p, "here.append")) and "here changed while the model ran" in said


def test_a_hashable_argument_and_a_class_that_are_changed_are_refused():
    @dataclass(eq=False)
    class Box:
        value: int = 0
        all: list[int] = field(default_factory=list)

    class Numbered:
        last = 0

    def p(box: Box) -> Program[int]:
        box.value = yield x.read()
        return box.value + 1

    def q() -> Program[int]:
        Numbered.last += 1
        yield x.read()
        return 0

    first = Box()
    assert "args[0].value changed" in complaint(system(p, Box(value=7)))
    assert explore(system(p, first)).verdict is Verdict.HOLDS  # nothing changed: x is 0
    assert "Numbered.last" in complaint(system(q))


class Remembers(SharedObject):
    def __init__(self, name: str, initial: Any = 0) -> None:
        super().__init__(name, initial)
        self.items = ["job"]
        self.first: Any = None

    def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "pop":
                return (Outcome(state, self.items.pop() if self.items else "empty"),)
            case "first":
                self.first = self.first or op.args[0]
                return (Outcome(state, self.first),)
        raise self.unknown_verb(op)


def test_an_object_with_a_memory_of_its_own_is_refused_every_time():
    def pops(queue: Remembers) -> Program[str]:
        return (yield queue.op("pop"))

    def first(queue: Remembers) -> Program[str]:
        return (yield queue.op("first", "a"))

    for program, text in ((pops, "self.items.pop()"), (first, "self.first = ")):

        def asked(program=program) -> System:
            queue = Remembers("queue")
            return System(objects=[queue], processes=[Process("worker", program, queue, copies=2)])

        said = always_refused(asked)
        assert said.startswith(line_of(Remembers.outcomes, text)), said
        assert "an object remembers nothing but its state" in said


def test_what_a_predicate_collects_is_no_business_of_the_programs():
    found: list[int] = []

    def p() -> Program[int]:
        return (yield x.read())

    collects = each_result("collects", lambda result: found.append(result) or True)
    assert explore(system(p, properties=[collects])).verdict is Verdict.HOLDS and found


def test_the_second_question_is_not_asked_back_to_back():
    """An object that answers by turns, in a way that nothing shows, would pass if each question came twice in a row."""
    made: dict[str, Any] = {"turns": itertools.cycle([0, 0, 1, 1])}
    exec("class Clockwork(int):\n    def __floordiv__(self, other): return next(turns)", made)
    clockwork = made["Clockwork"](1)

    class Turns(SharedObject):
        def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
            return (Outcome(state, clockwork // 1),)

    shared = Turns("turns", 0)

    def p(number: int) -> Program[int]:
        yield shared.op("ask", number)
        return (yield shared.op("ask", number + 10))

    asked = System(objects=[shared], processes=[Process("a", p, 1), Process("b", p, 2)])
    assert "not deterministic" in complaint(asked)


def test_this_file_is_a_models_as_far_as_the_rules_go():
    assert Path(__file__).name in complaint(system(lambda: iter([1])))


def test_the_librarys_own_objects_answer_every_question_alike_when_it_is_asked_again(monkeypatch):
    """They are not asked again in models, so they are asked here, on the models and on random systems that use them."""
    monkeypatch.setattr("dstamp_sim.core.semantics._LIBRARY", "nothing.")
    for reference in ("classic/lock_file_fixed", "classic/bank_fixed", "classic/philosophers", "cc_ci"):
        explore(system_of(reference, crashes=1), limit=20_000)
    for seed in range(60):
        with contextlib.suppress(TooLarge):
            explore(random_system(random.Random(seed)))
