"""A lease: who has it, when its time is over, on the clock too, and what a token still allows."""

import pytest

from dstamp_sim import (
    Distribution,
    Inside,
    Lease,
    Process,
    Program,
    Shape,
    Store,
    System,
    Timing,
    Verdict,
    always,
    delay,
    explore,
    replay,
    run_timed,
)
from dstamp_sim.core.holds import Parting
from dstamp_sim.objects.lease import Term

lease, inside = Lease("lease"), Inside("inside")
FREE = Term()


def after(state, *ops):
    """The state after `ops` and the last result; each must have one outcome."""
    result = None
    for op in ops:
        (outcome,) = lease.outcomes(state, op)
        state, result = outcome.state, outcome.result
    return state, result


HELD, _ = after(FREE, lease.acquire())
COUNTED, _ = after(HELD, lease.watch())


def test_it_is_taken_by_one_and_tokens_count_up():
    assert (HELD.holder, HELD.issued) == (1, 1)
    assert lease.outcomes(HELD, lease.acquire()) == ()
    assert after(HELD, lease.try_acquire()) == (HELD, None)
    assert after(HELD, lease.release(1), lease.acquire())[1] == 2


def test_a_release_or_a_renewal_with_an_old_token_changes_nothing_and_says_so():
    later, _ = after(HELD, lease.release(1), lease.acquire())
    for op in (lease.release(1), lease.renew(1), lease.is_held(1)):
        assert after(later, op) == (later, False)
    assert after(later, lease.is_held(2)) == (later, True)


def test_a_delete_frees_it_whoever_holds_it():
    later, _ = after(HELD, lease.release(1), lease.acquire())
    assert after(later, lease.delete(1))[0].holder is None


def test_nobody_counts_the_time_of_a_free_lease_or_one_time_twice():
    assert lease.outcomes(FREE, lease.watch()) == ()
    assert after(HELD, lease.watch())[1] == 0
    assert lease.outcomes(COUNTED, lease.watch()) == ()


def test_it_is_free_when_its_time_is_over():
    lapsed, _ = after(COUNTED, lease.lapse(0))
    assert (lapsed.holder, lapsed.running) == (None, ())
    assert after(lapsed, lease.acquire())[1] == 2


def test_a_renewal_begins_another_time_and_the_end_of_the_one_before_is_nothing():
    renewed, held = after(COUNTED, lease.renew(1))
    assert held is True and renewed.term == 1
    assert after(renewed, lease.lapse(0))[0].holder == 1
    assert after(renewed, lease.watch(), lease.lapse(0), lease.lapse(1))[0].holder is None


def test_the_time_of_a_holder_before_does_not_end_the_next_ones():
    next_one, _ = after(COUNTED, lease.release(1), lease.acquire())
    assert after(next_one, lease.lapse(0))[0].holder == 2


def work(renews: int = 0) -> Program[bool]:
    token = yield lease.acquire()
    yield inside.enter()
    for _ in range(renews):
        yield delay("between")
        yield lease.renew(token)
    yield delay("work")
    yield inside.leave()
    return (yield lease.release(token))


def system(copies=2, renews=0, daemons=1, crashes=0) -> System:
    return System(
        objects=[lease, inside],
        processes=[
            Process("run", work, renews, copies=copies),
            Process("ttl", lease.lapses, daemon=True, copies=daemons),
        ],
        properties=[always("one at a time", lambda state: state[inside] <= 1, reads=[inside])],
        crashes=crashes,
    )


def test_where_time_is_not_told_it_lapses_under_its_holder_at_any_moment_and_never_without_a_daemon():
    assert explore(system()).judgement("one at a time").verdict is Verdict.VIOLATED
    never = System(objects=[lease, inside], processes=[Process("run", work, copies=2)], properties=system().properties)
    assert explore(never).verdict is Verdict.HOLDS


def test_a_death_releases_nothing_and_time_does():
    assert explore(system(crashes=1), keep_going=True).judgement("no deadlock").verdict is Verdict.HOLDS
    trace = replay(system(crashes=1), "run#1 run#1! ttl*3 run#2")
    assert trace.steps[-1].result == 2


def at(seconds: float, work_s: float, **arguments) -> dict[str, bool]:
    """The results of a run on the clock."""
    made = {"lease ttl": seconds, "work": work_s, "between": 20.0}
    delays = {name: Distribution(Shape.CONSTANT, (value,)) for name, value in made.items()}
    return run_timed(system(**arguments), Timing(delays=delays)).results


@pytest.mark.parametrize(("work_s", "kept"), [(10.0, True), (29.0, True), (31.0, False)])
def test_on_the_clock_it_lapses_when_its_time_is_over(work_s, kept):
    assert at(30.0, work_s, copies=1) == {"run": kept}


def test_on_the_clock_a_renewal_counts_anew_from_its_own_moment():
    """Taken at 0 and renewed at 20, it lapses at 50: work that lasts until 45 is within, until 55 is not."""
    assert at(30.0, 25.0, copies=1, renews=1, daemons=2) == {"run": True}
    assert at(30.0, 35.0, copies=1, renews=1, daemons=2) == {"run": False}


def test_a_hold_that_lapsed_is_known_as_such():
    trace = replay(system(), "run#1*2 ttl*3 run#2")
    (held, *_) = [held for held in trace.holds() if held.name == "lease"]
    assert (held.parting, held.until) == (Parting.LAPSED, 4)


def test_a_token_that_lapsed_is_refused_where_a_later_one_was_seen():
    file = Store("file")
    (newer,) = file.outcomes(file.initial, file.put_fenced(2, "b"))
    (older,) = file.outcomes(newer.state, file.put_fenced(1, "a"))
    assert (newer.result, older.result) == (True, False)
    assert older.state == newer.state
