"""Sections that are left by an exception or by closing a generator: the laid lock is the lock that one writes by hand.

The oracle lays locks over programs by the package's own `lay_over`, so it cannot see a fault in it. These tests write
the same lock by hand, with `try` and `finally`, and compare: verdicts, and the number of states without any reduction.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from dstamp_sim import (
    REJECTED,
    Flock,
    LockScope,
    Mutex,
    Placement,
    PlacementError,
    Process,
    Program,
    Register,
    System,
    Verdict,
    always,
    at_end,
    each_result,
    explore,
    replay,
    section,
)
from dstamp_sim.core.op import SectionMark
from dstamp_sim.core.placement import Span
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from tests.todays import todays

r = Register("r", 0)
NAMES = ("first", "second")


class Retry(Exception):
    pass


class Out(BaseException):
    """A refusal, written by hand."""


class Run:
    """One run of random code; where `span` is given, its lock is written by hand."""

    def __init__(self, span: Span | None, lock: Flock) -> None:
        self.span, self.lock, self.held, self.last = span, lock, None, 0

    def run(self, code: Any) -> Program[None]:
        for what, *rest in code:
            yield from getattr(self, what)(*rest)

    def read(self) -> Program[None]:
        self.last = yield r.read()

    def add(self) -> Program[None]:
        yield r.write((self.last + 1) % 4)

    def fail(self) -> Program[None]:
        yield from ()
        raise Retry

    def fail_at(self, value: int) -> Program[None]:
        yield from ()
        if self.last == value:
            raise Retry

    def attempt(self, code: Any) -> Program[None]:
        try:
            yield from self.run(code)
        except Retry:
            yield from self.read()

    def ensure(self, code: Any) -> Program[None]:
        try:
            yield from self.run(code)
        finally:
            yield from self.add()

    def stay(self, name: str, code: Any) -> Program[None]:
        if self.span is None:
            yield from section(name, self.run(code))
            return
        try:
            yield from self.enter(name)
            yield from self.run(code)
        finally:
            yield from self.leave(name)

    def cut(self, name: str, code: Any, ops: int) -> Program[None]:
        """A section driven by hand for some ops, and then closed."""
        yield from self.enter(name)
        body = self.run(code) if self.span is not None else section(name, self.run(code))
        try:
            answer = None
            while ops >= 0:
                op = body.send(answer)
                answer = yield op
                if not isinstance(op, SectionMark):
                    ops -= 1
        except StopIteration:
            pass
        finally:
            body.close()
            yield from self.leave(name)

    def enter(self, name: str) -> Program[None]:
        if self.span is not None and self.span.first == name:
            taken = yield (self.lock.acquire() if self.span.waits else self.lock.try_acquire())
            if taken is None:
                raise Out
            self.held = taken

    def leave(self, name: str) -> Program[None]:
        if self.span is not None and self.span.last == name and self.held is not None:
            held, self.held = self.held, None
            yield self.lock.release(held)


def written(code: Any, span: Span | None, lock: Flock) -> Program[str]:
    try:
        yield from Run(span, lock).run(code)
    except Retry:
        return "gave up"
    except Out:
        return REJECTED
    return "done"


def random_code(rng: random.Random, depth: int = 0) -> Any:
    return tuple(instruction(rng, depth) for _ in range(rng.randint(1, 3 - depth // 2)))


def instruction(rng: random.Random, depth: int) -> Any:
    kind = rng.choice(["read", "add", "read", "fail_at"] if depth > 2 else ["read", "add", *KINDS])
    code = random_code(rng, depth + 1) if kind in ("attempt", "ensure", "stay", "cut") else ()
    if kind == "cut":  # a closed generator cannot yield in `finally`
        return (kind, rng.choice(NAMES), tuple(item for item in code if item[0] in ("read", "add")), rng.randint(0, 2))
    given = {"attempt": (code,), "ensure": (code,), "stay": (rng.choice(NAMES), code), "fail_at": (rng.randint(0, 2),)}
    return (kind, *given.get(kind, ()))


KINDS = ["fail", "fail_at", "attempt", "attempt", "ensure", "stay", "stay", "stay", "cut"]


def placed(code: Any, span: Span) -> System:
    lock = Flock("unused")
    return System(
        objects=[r],
        processes=[Process("p", written, code, None, lock, copies=2)],
        properties=properties(),
        sections=NAMES,
        locks=[LockScope("l")],
        placement=Placement("laid", (span,)),
    )


def by_hand(code: Any, span: Span) -> System:
    lock = Flock("l lock")
    return System(
        objects=[r, lock],
        processes=[Process("p", written, code, span, lock, copies=2)],
        properties=properties(),
    )


def properties() -> list[Any]:
    return [
        always("never 3", lambda state: state[r] != 3, reads=[r]),
        at_end("2 at the end", lambda _, state: state[r] == 2, reads=[r]),
        each_result("nobody gives up", lambda result: result != "gave up"),
        each_result("nobody is refused", lambda result: result != REJECTED),
    ]


SPANS = [
    Span("l", *ends, waits=waits) for waits in (True, False) for ends in (NAMES, ("first", "first"), ("first", "exit"))
]


def shown(system: System) -> Any:
    report = explore(system, keep_going=True, reductions=replace(NO_REDUCTION, by_value=False))
    return report.coverage.states, {judged.prop.name: judged.verdict for judged in report.judgements}


def agree(seeds: range) -> dict[str, int]:
    seen = {"entered": 0, "VIOLATED": 0}
    for seed in seeds:
        rng = random.Random(seed)
        code, span = random_code(rng), rng.choice(SPANS)
        laid, hand = shown(placed(code, span)), shown(by_hand(code, span))
        assert laid == hand, f"seed {seed}: {code} under {span}"
        seen["entered"] += "first" in str(code) and "fail" in str(code)
        seen["VIOLATED"] += Verdict.VIOLATED in laid[1].values()
    return seen


def test_a_laid_lock_is_the_lock_written_by_hand():
    seen = agree(range(60))
    assert seen["entered"] > 10 and seen["VIOLATED"] > 10


@pytest.mark.slow
def test_a_laid_lock_is_the_lock_written_by_hand_on_two_thousand_programs():
    agree(todays(range(1000, 3000)))


# --- one by one


def fails() -> Program[None]:
    yield r.read()
    raise Retry


def retries() -> Program[None]:
    with suppress(Retry):
        yield from section("first", fails())
    n = yield r.read()
    yield r.write(n + 1)


def system(program: Any, written: str, copies: int = 2, **more: Any) -> System:
    return System(
        objects=[r],
        processes=[Process("p", program, copies=copies)],
        properties=[at_end("no lost update", lambda _, state: state[r] == copies, reads=[r])],
        sections=NAMES,
        locks=[LockScope("l")],
        placement=Placement.parse(written),
        **more,
    )


def ops(system: System, schedule: str) -> list[str]:
    return [f"{'/'.join(step.sections)}: {step.op}" for step in replay(system, schedule).steps]


def test_an_exception_that_leaves_a_section_releases_its_lock():
    laid = system(retries, "l:first")
    assert explore(laid).judgement("no lost update").verdict is Verdict.VIOLATED


def test_later_steps_are_not_in_the_section_that_an_exception_left():
    laid = system(retries, "l:first", copies=1)
    assert ops(laid, "p*5") == [
        "first: l lock.acquire()",
        "first: r.read()",
        "first: l lock.release(1)",
        ": r.read()",
        ": r.write(1)",
    ]


def test_a_section_that_an_exception_left_can_be_entered_again():
    def again() -> Program[None]:
        for _ in range(2):
            try:
                yield from section("first", fails())
            except Retry:
                continue

    judged = explore(system(again, "l:first"), properties=["no deadlock"]).judgement("no deadlock")
    assert judged.verdict is Verdict.HOLDS


def test_closing_a_sections_generator_releases_its_lock_as_soon_as_the_program_goes_on():
    def closes() -> Program[None]:
        stretch = section("first", fails())
        mark = next(stretch)
        yield mark
        yield stretch.send(None)
        stretch.close()
        yield r.write(1)

    laid = system(closes, "l:first", copies=1)
    assert ops(laid, "p*4") == ["first: l lock.acquire()", "first: r.read()", ": l lock.release(1)", ": r.write(1)"]


def test_closing_it_at_the_very_end_releases_too():
    def closes() -> Program[None]:
        stretch = section("first", fails())
        yield next(stretch)
        yield stretch.send(None)
        stretch.close()

    laid = system(closes, "l:first", copies=1)
    assert ops(laid, "p*3") == ["first: l lock.acquire()", "first: r.read()", ": l lock.release(1)"]


def test_what_finally_yields_is_performed_when_a_span_refuses():
    def cleans() -> Program[None]:
        try:
            yield from section("first", fails())
        except Retry:
            pass
        finally:
            yield r.write("cleaned")
            yield r.read()

    trace = replay(system(cleans, "l?:first"), "p#1 p#2*3 p#1*4")
    assert trace.results["p#2"] == REJECTED
    assert [str(step.op) for step in trace.steps if step.choice.process == "p#2"] == [
        "l lock.try_acquire()",
        "r.write('cleaned')",
        "r.read()",
    ]


def test_a_program_with_yields_in_finally_is_dropped_without_a_word(capsys):
    mutex = Mutex("m")

    def locks() -> Program[None]:
        yield mutex.acquire()
        try:
            yield r.write(1)
        finally:
            yield r.write(2)
            yield mutex.release()

    explore(System(objects=[r, mutex], processes=[Process("p", locks, copies=2)]))
    assert capsys.readouterr().err == ""


# --- daemons

m = Mutex("m")


def inside(*steps: Any) -> Program[None]:
    for op in steps:  # noqa: UP028 - a tuple cannot be sent results
        yield op


def job() -> Program[None]:
    yield from section("first", inside(m.acquire(), m.release()))


def cares() -> Program[None]:
    yield m.acquire()
    yield from section("first", inside(r.read()))
    yield m.release()


def with_daemon(daemon: Any, *args: Any, of: Any = None) -> System:
    return System(
        objects=[r, m],
        processes=[Process("job", job), Process("daemon", daemon, *args, daemon=True)],
        sections=NAMES,
        locks=[LockScope("l", of)],
        placement=Placement.parse("l:first"),
    )


def test_placements_are_laid_over_daemons_too():
    judged = explore(with_daemon(cares)).judgement("no deadlock")
    assert judged.verdict is Verdict.VIOLATED and len(judged.trace.steps) == 2


def test_a_daemon_that_enters_no_section_needs_no_key():
    def ticks(every: int) -> Program[None]:
        yield r.read()

    assert explore(with_daemon(ticks, 3, of=lambda: "d")).judgement("no deadlock").verdict is Verdict.HOLDS


def test_a_daemon_that_enters_a_section_whose_lock_nothing_says_is_refused_by_name():
    def enters(every: int) -> Program[None]:
        yield from section("first", inside(r.read()))

    with pytest.raises(PlacementError, match=r"lock 'l': its key fails for process 'daemon'\(3,\)"):
        explore(with_daemon(enters, 3, of=lambda: "d"))
