"""A lock of readers and writers: who gets in beside whom, who is preferred, and what a death leaves."""

import pytest

from dstamp_sim import (
    Process,
    Program,
    Register,
    RWLock,
    System,
    Verdict,
    WaitingLine,
    at_end,
    eventually,
    explore,
    replay,
)
from dstamp_sim.analyses.explain import explain
from dstamp_sim.objects.rwlock import Admitted

rw, line, x = RWLock("rw"), WaitingLine("line"), Register("x", 0)
EMPTY, READ_BY_ONE, WRITTEN = Admitted(), Admitted(readers=1), Admitted(writing=True)


def only(outcomes):
    (outcome,) = outcomes
    return outcome


def test_readers_get_in_beside_readers_and_not_beside_a_writer():
    assert only(rw.outcomes(READ_BY_ONE, rw.acquire_read())).state.readers == 2
    assert rw.outcomes(WRITTEN, rw.acquire_read()) == ()


def test_a_writer_gets_in_when_nobody_is_inside():
    entered = only(rw.outcomes(EMPTY, rw.acquire_write()))
    assert (entered.state, entered.result, entered.takes) == (WRITTEN, "write", "write")
    assert rw.outcomes(READ_BY_ONE, rw.acquire_write()) == ()
    assert rw.outcomes(WRITTEN, rw.acquire_write()) == ()


def test_no_reader_gets_in_while_a_writer_has_said_that_it_waits():
    wanted = only(rw.outcomes(READ_BY_ONE, rw.want_write())).state
    assert rw.outcomes(wanted, rw.acquire_read()) == ()
    left = only(rw.outcomes(wanted, rw.release("read"))).state
    assert only(rw.outcomes(left, rw.acquire_wanted())).state == WRITTEN


def test_each_release_lets_go_of_what_was_held():
    assert only(rw.outcomes(READ_BY_ONE, rw.release("read"))).state == EMPTY
    assert only(rw.outcomes(WRITTEN, rw.release("write"))).state == EMPTY


def read(fair: bool) -> Program[None]:
    held = (yield from line.take(rw.acquire_read())) if fair else (yield rw.acquire_read())
    yield x.read()
    yield rw.release(held)


def write(how: str) -> Program[None]:
    match how:
        case "fair":
            held = yield from line.take(rw.acquire_write())
        case "writers first":
            held = yield from rw.acquire_write_first()
        case _:
            held = yield rw.acquire_write()
    yield x.write(1)
    yield rw.release(held)


@pytest.mark.parametrize(
    ("how", "verdict"),
    [("readers first", Verdict.VIOLATED), ("writers first", Verdict.HOLDS), ("fair", Verdict.HOLDS)],
)
def test_readers_keep_a_writer_out_for_ever_only_where_they_are_preferred(how, verdict):
    readers = Process("reader", read, how == "fair", copies=2, daemon=True)
    written = eventually("the writer writes", lambda state: state[x] == 1, reads=[x])
    system = System(objects=[rw, line, x], processes=[readers, Process("writer", write, how)], properties=[written])
    assert explore(system).judgement("the writer writes").verdict is verdict


def test_increments_under_the_writing_side_are_not_lost_and_under_the_reading_side_are():
    def adds(side: str) -> Program[None]:
        held = yield rw.op(f"acquire_{side}")
        seen = yield x.read()
        yield x.write(seen + 1)
        yield rw.release(held)

    both = at_end("both", lambda _, state: state[x] == 2, reads=[x])
    for side, verdict in (("write", Verdict.HOLDS), ("read", Verdict.VIOLATED)):
        system = System(objects=[rw, x], processes=[Process("p", adds, side, copies=2)], properties=[both])
        assert explore(system).judgement("both").verdict is verdict


def test_two_readers_who_both_want_to_write_wait_for_each_other():
    def upgrades() -> Program[None]:
        yield rw.acquire_read()
        yield rw.acquire_write()

    system = System(objects=[rw], processes=[Process("p", upgrades, copies=2)])
    trace = explore(system).trace
    assert trace.waiting == {"p#1": "rw.acquire_write()", "p#2": "rw.acquire_write()"}
    assert "which p#1 (at step 1) and p#2 (at step 2) took and hold" in explain(system, trace).sentence


def test_a_death_leaves_the_lock_as_it_is():
    def writes() -> Program[None]:
        held = yield rw.acquire_write()
        yield rw.release(held)

    system = System(objects=[rw], processes=[Process("p", writes, copies=2)], crashes=1)
    trace = replay(system, "p#1 p#1!")
    assert trace.waiting == {"p#2": "rw.acquire_write()"}
