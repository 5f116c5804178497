"""The rules that a model obeys: what breaks one is an error with its line every time, and what does not is let pass."""

import contextlib
import functools
import inspect
import itertools
import random
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dstamp_sim import (
    ANY,
    Chance,
    Flock,
    LockScope,
    ModelError,
    Op,
    Outcome,
    Placement,
    Process,
    Program,
    Register,
    SharedObject,
    System,
    Verdict,
    at_end,
    delay,
    each_result,
    explore,
    prove,
    replay,
    section,
)
from dstamp_sim.engines.explore.explorer import NO_REDUCTION
from dstamp_sim.engines.sampling.sampler import sample
from dstamp_sim.random_systems import TooLarge, random_system
from dstamp_sim.testing import system_of

TIMES = 100

x, y, coin = Register("x", 0), Register("y", 0), Chance("coin", "heads", "tails")


def system(program, *args, objects=(), copies=1, **more) -> System:
    return System(objects=[x, y, coin, *objects], processes=[Process("p", program, *args, copies=copies)], **more)


def complaint(asked: System) -> str:
    with pytest.raises(ModelError) as refused:
        explore(asked)
    return str(refused.value)


def line_of(function, text: str) -> str:
    """`file:line: ` of the line of `function` that holds `text`."""
    lines, start = inspect.getsourcelines(function)
    (offset,) = [number for number, line in enumerate(lines) if text in line]
    return f"{inspect.getsourcefile(function)}:{start + offset}: "


def always_refused(make) -> str:
    """What every one of 100 explorations of the systems that `make` makes complains of; they say the same place."""
    said = {complaint(make()) for _ in range(TIMES)}
    assert len({text.partition(": ")[0] for text in said}) == 1, said
    return said.pop()


# --- ops and sections that are made and never yielded


def test_an_op_without_yield_is_refused_with_its_line():
    def p() -> Program[int]:
        x.write(5)
        return (yield x.read())

    assert always_refused(lambda: system(p)).startswith(
        line_of(p, "x.write(5)") + "x.write(5) is made and never yielded, so it does nothing"
    )


def test_a_delay_without_yield_is_refused():
    def p() -> Program[int]:
        delay("a while")
        return (yield x.read())

    assert complaint(system(p)).startswith(line_of(p, "delay(") + "delay a while is made and never yielded")


def test_an_op_that_is_forgotten_after_the_last_yield_is_refused():
    def p() -> Program[None]:
        yield x.read()
        x.write(1)

    assert complaint(system(p)).startswith(line_of(p, "x.write(1)"))


def test_an_op_that_is_forgotten_on_one_path_only_is_refused():
    def p() -> Program[None]:
        if (yield coin.draw()) == "tails":
            x.write(1)

    assert complaint(system(p)).startswith(line_of(p, "x.write(1)"))


def test_an_op_that_is_kept_in_a_variable_and_never_yielded_is_refused():
    def p() -> Program[None]:
        answer = x.read()
        yield y.read()
        if answer is None:
            yield y.write(1)

    assert complaint(system(p)).startswith(line_of(p, "answer = x.read()"))


def test_a_process_that_never_ends_is_refused_for_an_op_that_nobody_holds_any_more():
    def blocked() -> Program[None]:
        x.write(1)
        yield x.wait_for("never")

    def daemon() -> Program[None]:
        while True:
            x.write(1)
            yield x.read()

    assert complaint(system(blocked)).startswith(line_of(blocked, "x.write(1)"))
    forgetful = System(objects=[x], processes=[Process("d", daemon, daemon=True)])
    assert complaint(forgetful).startswith(line_of(daemon, "x.write(1)"))


def test_a_daemon_that_restarts_is_refused_for_what_it_left_undone():
    def daemon() -> Program[None]:
        later = [x.write(1)]
        yield x.read()
        assert later

    assert complaint(System(objects=[x], processes=[Process("d", daemon, daemon=True)])).startswith(
        line_of(daemon, "x.write(1)")
    )


def test_a_program_that_raises_for_want_of_a_yield_is_told_of_it():
    def p() -> Program[bool]:
        seen = x.read()
        yield y.read()
        return seen < 3

    text = complaint(system(p))
    assert text.startswith(line_of(p, "seen < 3") + "the program raised TypeError") and "x.read() is made" in text


def test_an_op_as_a_result_or_as_an_argument_is_refused():
    def returns() -> Program[Op]:
        yield x.read()
        return x.read()

    def writes() -> Program[None]:
        yield x.write(y.read())

    assert "x.read() is made and never yielded" in complaint(system(returns))
    assert "write was given the op y.read(), which was not performed" in complaint(system(writes))


def test_a_method_that_is_not_called_is_refused_with_the_call():
    def p() -> Program[None]:
        yield x.read

    assert complaint(system(p)).endswith("did you mean to call it: `yield x.read(...)`?")


def pay() -> Program[None]:
    yield x.write(1)


def test_a_section_without_yield_from_is_refused_with_its_line():
    def dropped() -> Program[None]:
        yield x.read()
        section("pay", pay())

    def kept() -> Program[None]:
        later = section("pay", pay())
        yield x.read()
        assert later

    for program in (dropped, kept):
        text = always_refused(lambda program=program: system(program))
        assert text.startswith(line_of(program, "section(")) and "yield from" in text


def test_a_section_that_is_yielded_is_refused_with_yield_from():
    def p() -> Program[None]:
        yield section("pay", pay())

    assert complaint(system(p)).endswith("did you mean `yield from`?")


def test_a_section_of_a_function_that_is_not_called_is_refused():
    def p() -> Program[None]:
        yield from section("pay", pay)

    text = complaint(system(p))
    assert text.startswith(line_of(p, "section(")) and "`section('pay', body())`" in text


class Account:
    def pay(self) -> Program[None]:
        yield x.write(1)

    def forgets(self) -> Program[None]:
        yield x.read()
        self.pay()


def test_a_generator_that_never_begins_is_refused_with_its_line():
    def statement() -> Program[None]:
        yield x.read()
        pay()

    def variable() -> Program[None]:
        done = pay()
        yield x.read()
        if done:
            yield x.write(2)

    def test() -> Program[None]:
        yield x.read()
        while not pay():
            yield x.write(2)

    def inner() -> Program[None]:
        def own() -> Program[None]:
            yield x.write(3)

        yield x.read()
        own()

    for program, text in ((statement, "    pay()"), (variable, "done = "), (test, "not pay"), (inner, "    own()")):
        said = complaint(system(program))
        assert said.startswith(line_of(program, text)) and "never begins" in said and "yield from" in said
    assert complaint(system(Account().forgets)).startswith(line_of(Account.forgets, "self.pay()"))


def test_a_generator_as_a_result_or_as_an_argument_is_refused():
    def returns() -> Program[Any]:
        yield x.read()
        return pay()

    def writes() -> Program[None]:
        yield x.write(pay())

    assert "returned pay(), a generator that was not run" in complaint(system(returns))
    assert "write was given pay(), a generator that was not run" in complaint(system(writes))


READ_ONCE = x.read()


def test_ops_that_are_made_early_or_outside_or_handed_on_are_let_pass():
    def prepared() -> Program[int]:
        ops = [x.write(1), x.write(2)]
        yield y.read()
        yield from reversed(ops)
        return (yield READ_ONCE) + (yield READ_ONCE)

    def made_by(op: Op) -> Op:
        return op

    def handed_on() -> Program[int]:
        yield made_by(x.write(3))
        steps = (x.write(number) for number in range(3))
        yield from steps
        body = section("later", pay())
        yield y.read()
        yield from body
        jobs = [pay(), pay()]
        for job in jobs:
            yield from job
        return (yield (x.read() if coin else y.read()))

    for program, ends in ((prepared, 2), (handed_on, 1)):
        as_told = each_result("as told", lambda result, ends=ends: result == ends)
        report = explore(system(program, properties=[as_told]))
        assert report.verdict is Verdict.HOLDS


def test_ops_made_by_at_exit_and_by_predicates_are_let_pass():
    lock = Flock("lock")

    def p() -> Program[None]:
        yield lock.acquire()

    looks = at_end("looks", lambda _: x.read() is not None)
    assert explore(system(p, objects=[lock], copies=2, properties=[looks])).verdict is Verdict.HOLDS


def test_a_program_that_a_lock_refuses_may_leave_prepared_ops_undone():
    def p() -> Program[str]:
        later = [x.write(1)]
        yield from section("part", pay())
        yield later[0]
        return "done"

    asked = system(p, copies=2, sections=["part"], locks=[LockScope("l")], placement=Placement.parse("l?:part..exit"))
    assert explore(asked).verdict is Verdict.HOLDS


# --- clocks, random numbers, addresses, the order of a set


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


# --- what a program or an object keeps


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
        assert said.startswith(line_of(Job.run, "self.side = ")) and "give each process one of its own" in said
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


def test_a_cache_of_functools_and_a_cached_property_are_let_pass():
    class Table(SharedObject):
        @functools.cached_property
        def size(self) -> int:
            return 3

        @functools.cache  # noqa: B019 - a test
        def half(self, value: int) -> int:
            return value // 2

        def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
            return (Outcome(state, self.half(self.size)),)

    table = Table("table")

    def p() -> Program[int]:
        return (yield table.op("half"))

    assert explore(system(p, objects=[table])).verdict is Verdict.HOLDS


def test_what_a_predicate_collects_is_no_business_of_the_programs():
    found: list[int] = []

    def p() -> Program[int]:
        return (yield x.read())

    collects = each_result("collects", lambda result: found.append(result) or True)
    assert explore(system(p, properties=[collects])).verdict is Verdict.HOLDS and found


def test_the_second_question_is_not_asked_back_to_back():
    """An object that answers by turns, in a way that nothing shows, would pass if each question came twice in a row."""
    turns = itertools.cycle([0, 0, 1, 1])

    class Clockwork(int):
        def __floordiv__(self, other: int) -> int:
            return next(turns)

    class Turns(SharedObject):
        def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
            return (Outcome(state, Clockwork() // 1),)

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
