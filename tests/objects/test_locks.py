"""Locks: what DOMAIN.md says of flock(2), fact by fact, and a mutex beside it."""

import pytest

from dstamp_sim import (
    Counter,
    Flock,
    LockScope,
    ModelError,
    Mutex,
    Process,
    Program,
    Register,
    System,
    Verdict,
    always,
    at_end,
    explore,
    reachable,
    replay,
)
from dstamp_sim.objects.locks import LockFile

mutex = Mutex("mutex")
flock = Flock("lock")
FREE = LockFile(1, 1, ())
HELD = LockFile(1, 1, ((1, 1),))


def only(outcomes):
    (outcome,) = outcomes
    return outcome


def run(flock, state, *ops):
    """The state after `ops`, each of which must have one outcome."""
    for op in ops:
        state = only(flock.outcomes(state, op)).state
    return state


# --- mutex


def test_a_free_mutex_is_taken_and_a_held_one_blocks():
    assert only(mutex.outcomes(False, mutex.acquire())).takes is True
    assert mutex.outcomes(True, mutex.acquire()) == ()


def test_try_acquire_of_a_mutex_never_blocks():
    assert only(mutex.outcomes(False, mutex.try_acquire())).result is True
    refused = only(mutex.outcomes(True, mutex.try_acquire()))
    assert (refused.state, refused.result, refused.takes) == (True, None, None)


def test_releasing_a_mutex_frees_it():
    freed = only(mutex.outcomes(True, mutex.release()))
    assert freed.state is False and freed.drops is True


def test_releasing_a_mutex_that_another_holds_is_the_models_error():
    def takes() -> Program[None]:
        yield mutex.acquire()

    def releases() -> Program[None]:
        yield mutex.release()

    with pytest.raises(ModelError, match=r"test_locks\.py:\d+: mutex\.release\(True\) releases what this process does"):
        explore(System(objects=[mutex], processes=[Process("a", takes), Process("b", releases)]))


def test_a_mutex_stays_held_when_its_holder_ends_or_dies():
    def takes() -> Program[None]:
        yield mutex.acquire()

    system = System(objects=[mutex], processes=[Process("p", takes, copies=2)])
    assert explore(system).judgement("no deadlock").verdict is Verdict.VIOLATED

    def holds() -> Program[None]:
        yield mutex.acquire()
        yield mutex.release()

    safe = System(objects=[mutex], processes=[Process("p", holds, copies=2)])
    assert explore(safe).verdict is Verdict.HOLDS
    crashing = explore(safe.with_crashes(1)).judgement("no deadlock")
    assert crashing.verdict is Verdict.VIOLATED
    assert str(crashing.trace.schedule) == "p#1 p#1!"


# --- flock: one descriptor after the other


def test_a_flock_is_advisory_so_whoever_does_not_ask_is_not_held_up():
    x = Register("x", 0)

    def asks() -> Program[None]:
        descriptor = yield flock.acquire()
        yield x.write(1)
        yield flock.release(descriptor)

    def does_not_ask() -> Program[None]:
        yield x.write(2)

    between = reachable("written under the lock", lambda _, s: s[flock].locked != () and s[x] == 2, reads=[flock, x])
    system = System(
        objects=[flock, x], processes=[Process("a", asks), Process("b", does_not_ask)], properties=[between]
    )
    assert explore(system).verdict is Verdict.HOLDS


def test_a_second_open_in_the_same_process_blocks_itself():
    def opens_twice() -> Program[None]:
        yield flock.acquire()
        yield flock.acquire()

    system = System(objects=[flock], processes=[Process("p", opens_twice)])
    judgement = explore(system).judgement("no deadlock")
    assert judgement.verdict is Verdict.VIOLATED
    assert judgement.trace.waiting == {"p": "lock.acquire()"}


def test_try_acquire_of_a_held_flock_gives_none_at_once():
    refused = only(flock.outcomes(HELD, flock.try_acquire()))
    assert (refused.state, refused.result, refused.takes) == (HELD, None, None)
    assert only(flock.outcomes(FREE, flock.try_acquire())).result == 1


def test_opening_locks_nothing_and_locking_the_descriptor_does():
    assert run(flock, FREE, flock.open()) == FREE
    assert run(flock, FREE, flock.open(), flock.lock(1)) == HELD
    assert flock.outcomes(HELD, flock.lock(1)) == ()


def test_a_lock_inherited_over_fork_is_released_at_the_last_close():
    both = run(flock, HELD, flock.inherit(1))
    assert both.locked == ((1, 2),)
    one = run(flock, both, flock.release(1))
    assert flock.outcomes(one, flock.acquire()) == ()
    assert run(flock, one, flock.release(1)) == FREE


def test_a_child_keeps_its_parents_lock_after_the_parent_ended():
    told = Register("told")

    def parent() -> Program[None]:
        descriptor = yield flock.acquire()
        yield told.write(descriptor)
        yield told.wait_for("forked")

    def child() -> Program[None]:
        yield told.wait_for(1)
        yield flock.inherit(1)
        yield told.write("forked")

    system = System(objects=[flock, told], processes=[Process("parent", parent), Process("child", child)])
    trace = replay(system, "parent*2 child*3 parent*2")
    *_, after_parent = trace.states()
    assert trace.results == {"parent": None} and after_parent["lock"].locked == ((1, 1),)
    *_, after_both = replay(system, "parent*2 child*3 parent*2 child").states()
    assert after_both["lock"] == FREE


def test_a_flock_is_released_when_its_holder_ends_without_releasing():
    def takes() -> Program[str]:
        yield flock.acquire()
        return "done"

    system = System(objects=[flock], processes=[Process("p", takes, copies=2)])
    assert explore(system).verdict is Verdict.HOLDS
    last = replay(system, "p#1*2").steps[-1]
    assert str(last.op) == "lock.release(1)" and last.ended and last.returned == "done"


def test_a_flock_is_released_when_its_holder_dies():
    def holds() -> Program[None]:
        descriptor = yield flock.acquire()
        yield flock.release(descriptor)

    system = System(objects=[flock], processes=[Process("p", holds, copies=2)], crashes=1)
    assert explore(system).verdict is Verdict.HOLDS
    death = replay(system, "p#1 p#1!").steps[-1]
    assert [(hold.target.name, hold.token) for hold in death.dropped] == [("lock", 1)]
    assert [(change.before, change.after) for change in death.changes] == [(HELD, FREE)]


def test_any_waiter_may_be_next_and_a_releaser_that_asks_again_may_barge():
    order = Register("order", ())

    def takes(name: str, times: int) -> Program[None]:
        for _ in range(times):
            descriptor = yield flock.acquire()
            seen = yield order.read()
            yield order.write((*seen, name))
            yield flock.release(descriptor)

    orders = set()
    collects = at_end("collects", lambda _, state: orders.add(state[order]) or True, reads=[order])
    processes = [Process("a", takes, "a", 2), Process("b", takes, "b", 1), Process("c", takes, "c", 1)]
    explore(System(objects=[flock, order], processes=processes, properties=[collects]))
    assert len(orders) == 12  # every arrangement of a, a, b, c: 4! / 2!
    assert ("a", "a", "b", "c") in orders and ("a", "c", "b", "a") in orders


# --- flock: unlinking


def test_unlinking_keeps_the_lock_on_the_inode_and_the_next_open_makes_a_new_one():
    unlinked = run(flock, HELD, flock.unlink())
    assert unlinked == LockFile(None, 1, ((1, 1),))
    fresh = only(flock.outcomes(unlinked, flock.acquire()))
    assert fresh.result == 2 and fresh.state == LockFile(2, 2, ((1, 1), (2, 1)))


def test_is_current_says_whether_the_path_still_names_the_descriptor():
    assert only(flock.outcomes(HELD, flock.is_current(1))).result is True
    unlinked = run(flock, HELD, flock.unlink())
    assert only(flock.outcomes(unlinked, flock.is_current(1))).result is False
    assert only(flock.outcomes(run(flock, unlinked, flock.open()), flock.is_current(1))).result is False


def test_unlinking_the_file_while_others_wait_makes_two_holders():
    inside = Counter("inside")

    def works() -> Program[None]:
        descriptor = yield flock.open()
        yield flock.lock(descriptor)
        yield inside.add(1)
        yield inside.add(-1)
        yield flock.unlink()

    alone = always("one at a time", lambda state: state[inside] <= 1, reads=[inside])
    two = System(objects=[flock, inside], processes=[Process("p", works, copies=2)], properties=[alone])
    assert explore(two).verdict is Verdict.HOLDS  # with two, the one that unlinks has left before the other works
    three = System(objects=[flock, inside], processes=[Process("p", works, copies=3)], properties=[alone])
    judgement = explore(three).judgement("one at a time")
    assert judgement.verdict is Verdict.VIOLATED
    *_, last = judgement.trace.states()
    assert last["inside"] == 2 and len(last["lock"].locked) == 2


# --- scopes


def test_a_scope_without_a_key_is_one_lock_for_all():
    assert LockScope("host").lock((1,)).name == LockScope("host").lock((2,)).name == "host lock"


def test_a_scope_with_a_key_is_one_lock_for_each_key_and_none_where_the_key_is_none():
    scope = LockScope("domain", lambda domain, _: domain)
    assert scope.lock(("a", 1)).name == scope.lock(("a", 2)).name == "domain lock a"
    assert scope.lock(("b", 1)).name == "domain lock b"
    assert scope.lock((None, 1)) is None


def test_closing_a_descriptor_through_which_nothing_was_locked_changes_nothing():
    lock = Flock("lock")
    state = LockFile(1, 1, ((1, 1),))
    assert [outcome.state for outcome in lock.outcomes(state, lock.close(1))] == [state]
