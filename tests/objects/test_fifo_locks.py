"""A lock that is FIFO serves in the order of asking; one that barges serves anybody. Facts, by every interleaving."""

import pytest

from dstamp_sim import (
    NOBODY_STARVES,
    Flock,
    LockScope,
    ModelError,
    Mutex,
    Outcome,
    Process,
    Register,
    System,
    Verdict,
    WaitingLine,
    always,
    explore,
    replay,
    section,
)
from dstamp_sim.core.placement import Placement
from dstamp_sim.core.scenario import Timing
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.timed.timed import run_timed

LOCKS = [Mutex("mutex", fifo=True), Flock("flock", fifo=True), Mutex("mutex"), Flock("flock")]


def takes_turns(lock, *, daemons=False):
    """Two workers and a run, each of which takes the lock and lets it go."""

    def works():
        held = yield lock.acquire()
        yield lock.release(held)

    processes = [Process("run", works), Process("worker", works, copies=2, daemon=daemons)]
    return System(objects=[lock], processes=processes, properties=[NOBODY_STARVES])


@pytest.mark.parametrize("lock", LOCKS, ids=repr)
def test_where_others_come_back_a_barging_lock_starves_and_a_fifo_one_does_not(lock):
    found = explore(takes_turns(lock, daemons=True), properties=["nobody starves"])
    assert found.verdict is (Verdict.HOLDS if lock.beside else Verdict.VIOLATED)
    if found.trace is not None:
        assert replay(takes_turns(lock, daemons=True), str(found.trace.schedule)).loop is not None


served = Register("served", ())


def orders(lock):
    """By every interleaving of two runs: who asked first, and who was served first."""

    def asks(me):
        held = yield lock.acquire()
        yield served.write((*(yield served.read()), me))
        yield lock.release(held)

    system = System(objects=[lock, served], processes=[Process(f"p{n}", asks, n) for n in range(2)])
    semantics = Semantics(system)
    slot, waiting = semantics.shared.index(served), [((), semantics.initial())]
    for movers, state in waiting:  # it grows
        if semantics.ended(state):
            yield movers[0], state.shared[slot][0]
        waiting += [((*movers, move.pid), semantics.perform(state, move)) for move in semantics.moves(state)]


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock.beside], ids=repr)
def test_who_asks_a_fifo_lock_first_is_served_first_in_every_interleaving(lock):
    assert set(orders(lock)) == {(0, 0), (1, 1)}


def test_a_line_in_which_anybody_may_go_first_is_seen(monkeypatch):
    honest = WaitingLine.outcomes

    def wrong(line, state, op):
        return (Outcome(state),) if op.verb == "wait_turn" else honest(line, state, op)

    monkeypatch.setattr(WaitingLine, "outcomes", wrong)
    assert (0, 1) in set(orders(Mutex("mutex", fifo=True)))


def test_who_only_tries_barges_in():
    lock = Mutex("mutex", fifo=True)
    assert lock.turn(lock.try_acquire()) is None and lock.turn(lock.acquire()) is not None


def test_all_three_are_served_whatever_dies_in_the_line():
    system = takes_turns(Flock("flock", fifo=True)).with_crashes(2)
    assert explore(system, properties=["no deadlock", "the end stays possible"]).verdict is Verdict.HOLDS


def test_the_line_comes_into_the_system_once_and_by_placements_too():
    lock = Mutex("mutex", fifo=True)
    assert [item.name for item in takes_turns(lock).all_objects] == ["mutex", "mutex line"]
    listed = System(objects=[lock, *lock.beside], processes=[])
    assert [item.name for item in listed.all_objects] == ["mutex", "mutex line"]

    x = Register("x", 0)

    def adds():
        yield x.write((yield x.read()) + 1)

    def program():
        yield from section("add", adds())

    lost = always("none lost", lambda s: s[x] <= 3, reads=[x])
    system = System(
        objects=[x], processes=[Process("p", program, copies=3)], sections=["add"],
        properties=[lost, NOBODY_STARVES], locks=[LockScope("turn", fifo=True)],
    ).with_locks(Placement.parse("turn:add"))  # fmt: skip
    assert explore(system).verdict is Verdict.HOLDS
    assert [item.name for item in system.all_objects] == ["x", "turn lock", "turn lock line"]
    ends = run_timed(system, Timing()).results
    assert len(ends) == 3


def test_a_private_lock_has_no_line():
    with pytest.raises(ModelError, match="nobody else asks"):
        Mutex("mutex", fifo=True, private=True)
    with pytest.raises(ModelError, match="True or False"):
        Flock("flock", fifo="yes")
