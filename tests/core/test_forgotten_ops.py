"""An op or a section that a program makes and never yields is an error with its line; what is handed on is let pass."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from dstamp_sim import (
    Flock,
    LockScope,
    Op,
    Placement,
    Process,
    Program,
    System,
    Verdict,
    at_end,
    delay,
    each_result,
    explore,
    section,
)
from dstamp_sim.core.automaton import Automaton
from dstamp_sim.core.made import _ALONE, check_python, counts_references
from tests.core.refusals import always_refused, coin, complaint, line_of, system, x, y
from tests.patience import PATIENCE_S


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


def test_a_python_that_does_not_show_who_refers_to_an_op_is_warned_of():
    assert counts_references(), "this Python does: the tests above show it"
    with pytest.warns(RuntimeWarning, match="an op that is made and never yielded is not noticed. Use CPython"):
        check_python(kept=_ALONE)


def test_an_op_that_one_thread_makes_is_not_charged_to_a_program_that_another_thread_runs():
    """Free runs on real parts advance one program per thread."""
    first_runs, second_runs, made = Event(), Event(), Event()

    def first() -> Program[int]:
        first_runs.set()
        assert second_runs.wait(PATIENCE_S)
        op = x.read()
        made.set()
        return (yield op)

    def second() -> Program[None]:
        second_runs.set()
        assert made.wait(PATIENCE_S)
        if second_runs.is_set():
            return
        yield x.write(1)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(Automaton, first, (), (), [x])
        assert first_runs.wait(PATIENCE_S)
        other = pool.submit(Automaton, second, (), (), [x])
        assert not one.result().nodes[0].ended and other.result().nodes[0].ended
