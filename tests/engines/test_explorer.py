"""The explorer: spaces counted by hand, shortest ways with the fewest context switches, and honest ways to stop."""

from functools import partial
from math import comb

import pytest

from dstamp_sim import (
    ANY,
    Chance,
    Counter,
    Flock,
    ModelError,
    Mutex,
    Process,
    Program,
    Register,
    ScheduleError,
    System,
    UsageError,
    Verdict,
    always,
    at_end,
    delay,
    each_result,
    reachable,
    replay,
    section,
)
from dstamp_sim import explore as explore_reduced
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.explore.explorer import WORTH_KNOWING
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from dstamp_sim.engines.explore.space import Space
from dstamp_sim.engines.tables.tables import Tables
from models.cc_ci import stack_race
from models.classic import bank, bank_fixed

# Counts by hand are of the whole space; tests/engines/test_reductions.py compares the reduced ones with it.
explore = partial(explore_reduced, reductions=NO_REDUCTION)

x = Register("x", 0)
y = Register("y", 0)
mutex = Mutex("mutex")
flock = Flock("lock")
coin = Chance("coin", "heads", "tails")


def rests(times: int) -> Program[str]:
    for _ in range(times):
        yield delay("rest")
    return "rested"


def locks_and_frees() -> Program[None]:
    yield mutex.acquire()
    yield mutex.release()


def size(*processes: Process, objects=(x, mutex, flock, coin), crashes: int = 0) -> tuple[int, int]:
    """States and transitions of the whole space."""
    coverage = explore(System(objects=objects, processes=processes, crashes=crashes), keep_going=True).coverage
    assert coverage.exhausted and not coverage.stopped
    return coverage.states, coverage.transitions


# --- known answers, worked out by hand


def test_two_customers_of_the_bank_have_11_states_and_12_transitions():
    # A customer is at its read (r), at its write (w), or done with True (t) or False (f); the balance follows.
    # rr wr rw ww | tr rt tw wt | tf ft tt: 11 states. rr, wr, rw and ww have two moves each, tr, rt, tw and wt one.
    coverage = explore(bank.build(), keep_going=True).coverage
    assert (coverage.states, coverage.transitions, coverage.depth) == (11, 12, 4)


def test_two_customers_of_the_fixed_bank_have_10_states_and_12_transitions():
    # As above, but the later write fails: tw and wt go to tf and ft (reached in three steps), so there is no tt.
    coverage = explore(bank_fixed.build(), keep_going=True).coverage
    assert (coverage.states, coverage.transitions, coverage.depth) == (10, 12, 3)


@pytest.mark.parametrize(("copies", "steps"), [(1, 1), (1, 5), (2, 2), (3, 1), (3, 4), (4, 2)])
def test_independent_processes_have_a_grid_of_states(copies, steps):
    # Each is at one of steps + 1 places; a transition is one process's step with the others anywhere.
    places = steps + 1
    expected = places**copies, copies * steps * places ** (copies - 1)
    assert size(Process("p", rests, steps, copies=copies)) == expected


def test_two_users_of_a_mutex_have_8_states_and_8_transitions():
    # Asking (a), holding (h), done (d): 9 pairs without hh. Moves: aa 2, ha 1, ah 1, hd 1, dh 1, da 1, ad 1, dd 0.
    assert size(Process("p", locks_and_frees, copies=2)) == (8, 8)


@pytest.mark.parametrize("users", [1, 2, 3, 4])
def test_any_number_of_users_of_a_mutex(users):
    # Without a holder each is asking or done, 2**n; with one, the others are: n * 2**(n-1).
    # Moves: without a holder, each that asks; with one, the holder's.
    free, held = 2**users, users * 2 ** (users - 1)
    asking = sum(k * comb(users, k) for k in range(users + 1))
    assert size(Process("p", locks_and_frees, copies=users)) == (free + held, asking + held)


def test_a_coin_forks_where_the_result_is_kept():
    def keeps() -> Program[str]:
        return (yield coin.draw())

    def forgets() -> Program[str]:
        yield coin.draw()
        return "done"

    assert size(Process("p", keeps)) == (3, 2)
    assert size(Process("p", forgets)) == (2, 2)  # both ways end with the same result: one state


def test_a_process_without_ops_has_ended_in_the_one_state():
    assert size(Process("p", rests, 0)) == (1, 0)


def test_no_processes_at_all_are_one_state():
    assert size() == (1, 0)


def test_the_marks_of_sections_are_no_steps():
    def marked() -> Program[str]:
        return (yield from section("outer", section("inner", rests(2))))

    assert size(Process("p", marked)) == size(Process("p", rests, 2)) == (3, 2)


# --- crashes


def test_one_process_that_may_crash_has_one_state_more_for_all_its_deaths():
    # before, after, dead
    assert size(Process("p", rests, 1), crashes=1) == (3, 2)
    # Dying at the first or at the second op leads to the same state: 0, 1, 2 and dead.
    assert size(Process("p", rests, 2), crashes=1) == (4, 4)


def test_two_processes_of_which_one_may_crash_have_8_states_and_10_transitions():
    # Before (b), ended (e), dead (x), not both dead: 8. Moves: bb 4, be 2, eb 2, bx 1, xb 1, ee, ex and xe none.
    assert size(Process("p", rests, 1, copies=2), crashes=1) == (8, 10)


def test_an_ended_process_does_not_die():
    system = System(objects=[], processes=[Process("p", rests, 1)], crashes=1)
    with pytest.raises(ScheduleError, match="step 2, p!: p has ended"):
        replay(system, "p p!")


def test_a_process_that_is_not_killable_does_not_die():
    assert size(Process("p", rests, 1, killable=False), crashes=1) == (2, 1)


def test_a_crash_between_two_writes_is_found():
    def writes_both() -> Program[None]:
        yield x.write(1)
        yield y.write(1)

    torn = at_end("both or none", lambda _, state: state[x] == state[y], reads=[x, y])
    system = System(objects=[x, y], processes=[Process("p", writes_both)], properties=[torn])
    assert explore(system).verdict is Verdict.HOLDS
    judgement = explore(system.with_crashes(1)).judgement("both or none")
    assert judgement.verdict is Verdict.VIOLATED and str(judgement.trace.schedule) == "p p!"


def test_a_mutex_of_a_dead_holder_blocks_for_ever_and_a_flock_does_not():
    def locks_file() -> Program[None]:
        descriptor = yield flock.acquire()
        yield flock.release(descriptor)

    def deadlock(program) -> Verdict:
        system = System(objects=[mutex, flock], processes=[Process("p", program, copies=2)], crashes=1)
        return explore(system).judgement("no deadlock").verdict

    assert deadlock(locks_and_frees) is Verdict.VIOLATED
    assert deadlock(locks_file) is Verdict.HOLDS


@pytest.mark.parametrize(("crashes", "verdict"), [(1, Verdict.HOLDS), (2, Verdict.VIOLATED)])
def test_no_more_processes_die_than_the_system_allows(crashes, verdict):
    lives = at_end("somebody lives", bool)
    system = System(objects=[], processes=[Process("p", rests, 1, copies=2)], properties=[lives], crashes=crashes)
    assert explore(system).judgement("somebody lives").verdict is verdict


# --- daemons


def test_a_daemon_restarts_for_ever_in_a_finite_space():
    count = Counter("count")

    def ticks() -> Program[None]:
        yield count.add(1)
        yield count.add(-1)

    assert size(Process("d", ticks, daemon=True), objects=[count]) == (2, 2)


def test_a_daemon_begins_again_with_fresh_private_objects():
    mine = Register("mine", "fresh", private=True)

    def uses() -> Program[None]:
        found = yield mine.read()
        yield x.write(found)
        yield mine.write("used")

    fresh = always("fresh", lambda state: state[x] in (0, "fresh"), reads=[x])
    system = System(objects=[x, mine], processes=[Process("d", uses, daemon=True)], properties=[fresh])
    assert explore(system).verdict is Verdict.HOLDS


def test_a_daemon_that_ends_with_a_flock_gives_it_back():
    def locks() -> Program[None]:
        yield flock.acquire()

    assert size(Process("d", locks, daemon=True)) == (2, 2)


def test_a_killable_daemon_starts_again_after_its_death():
    def waits_then_writes() -> Program[None]:
        yield delay("rest")
        yield x.write(1)

    system = System(objects=[x], processes=[Process("d", waits_then_writes, daemon=True, killable=True)], crashes=1)
    *_, last = replay(system, "d d! d*2").states()
    assert last == {"x": 1}


# --- which counterexample


def test_a_counterexample_is_shortest_and_has_the_fewest_context_switches():
    # Both read before either writes takes 4 steps; A B B A changes process twice, A B A B three times.
    trace = explore(bank.build()).trace
    assert str(trace.schedule) == "customer#1 customer#2*2 customer#1"
    assert trace.schedule.switches == 2


def test_of_equal_ways_the_processes_declared_first_go_first():
    both = reachable("both", lambda results: len(results) == 2)
    system = System(objects=[], processes=[Process("b", rests, 2), Process("a", rests, 2)], properties=[both])
    assert str(explore(system).judgement("both").trace.schedule) == "b*2 a*2"


def test_a_counterexample_replays_to_the_same_trace():
    system = bank.build(customers=3)
    trace = explore(system).trace
    assert replay(system, str(trace.schedule)) == trace


def test_two_explorations_say_the_same():
    first, second = (explore(bank.build(customers=3), keep_going=True) for _ in range(2))
    assert first.coverage == second.coverage
    assert [j.trace for j in first.judgements] == [j.trace for j in second.judgements]


# --- when it stops


def test_it_stops_at_the_first_violation_and_leaves_the_rest_undetermined():
    report = explore(bank.build(customers=3))
    assert not report.coverage.exhausted and "stopped at the first violation" in report.coverage.stopped
    verdicts = {judgement.prop.name: judgement.verdict for judgement in report.judgements}
    assert verdicts == {
        "never overdrawn": Verdict.UNDETERMINED,
        "one withdrawal at most": Verdict.VIOLATED,
        "no deadlock": Verdict.UNDETERMINED,
        "the end stays possible": Verdict.UNDETERMINED,
    }


def test_with_keep_going_it_judges_every_property():
    verdicts = {j.prop.name: j.verdict for j in explore(bank.build(customers=3), keep_going=True).judgements}
    assert verdicts == {
        "never overdrawn": Verdict.HOLDS,
        "one withdrawal at most": Verdict.VIOLATED,
        "no deadlock": Verdict.HOLDS,
        "the end stays possible": Verdict.HOLDS,
    }


def test_a_granted_wish_does_not_stop_the_search_for_violations():
    early = reachable("early", lambda _: True)
    late = each_result("late", lambda result: result != "rested")
    report = explore(System(objects=[], processes=[Process("p", rests, 5)], properties=[early, late]))
    assert report.judgement("late").verdict is Verdict.VIOLATED


def test_only_wishes_stop_as_soon_as_all_are_granted():
    early = reachable("early", lambda _: True)
    system = System(objects=[], processes=[Process("p", rests, 5)], properties=[early])
    report = explore(system, properties=["early"])
    assert report.verdict is Verdict.HOLDS and report.coverage.states == 1


def test_the_limit_leaves_undetermined_what_was_not_decided():
    report = explore(bank.build(customers=3), limit=10)
    assert report.verdict is Verdict.UNDETERMINED
    assert not report.coverage.exhausted and report.coverage.stopped == "the limit of 10 states was reached"
    assert {judgement.reason for judgement in report.judgements} == {report.coverage.stopped}


def test_a_space_of_exactly_the_limit_is_exhausted():
    assert explore(bank_fixed.build(), limit=10).verdict is Verdict.HOLDS
    assert explore(bank_fixed.build(), limit=9).verdict is Verdict.UNDETERMINED


def test_a_violation_found_before_the_limit_counts():
    bad = always("never 1", lambda state: state[x] != 1, reads=[x])

    def writes() -> Program[None]:
        yield x.write(1)
        yield from rests(50)

    system = System(objects=[x], processes=[Process("p", writes, copies=2)], properties=[bad])
    report = explore(system, limit=20, keep_going=True)
    assert report.verdict is Verdict.VIOLATED and not report.coverage.exhausted


def test_an_interruption_leaves_undetermined_what_was_not_decided():
    def interrupts(states: int, transitions: int, depth: int) -> None:
        if depth == 2:
            raise KeyboardInterrupt

    report = explore(bank.build(customers=3), progress=interrupts)
    assert report.verdict is Verdict.UNDETERMINED
    assert report.coverage.stopped == "interrupted" and not report.coverage.exhausted


def test_an_interruption_of_the_first_brief_search_does_not_begin_the_long_one():
    told = []

    def interrupts_once(states: int, transitions: int, depth: int) -> None:
        told.append(states)
        if states > WORTH_KNOWING and max(told[:-1], default=0) <= WORTH_KNOWING:
            raise KeyboardInterrupt

    x = Register("x", 0)

    def adds(step: int) -> Program[None]:
        for _ in range(4):
            yield x.write(10 * (yield x.read()) % 10_007 + step)

    system = System(objects=[x], processes=[Process(f"p{step}", adds, step) for step in range(4)])
    report = explore(system, progress=interrupts_once)
    assert report.coverage.stopped == "interrupted"
    assert told[-1] > WORTH_KNOWING == max([WORTH_KNOWING, *told[:-1]])


def test_progress_tells_growing_numbers_up_to_the_final_ones():
    told = []
    coverage = explore(bank.build(), keep_going=True, progress=lambda *numbers: told.append(numbers)).coverage
    assert told == sorted(told)
    assert told[-1][:2] == (coverage.states, coverage.transitions)


def test_any_number_of_copies_is_refused():
    with pytest.raises(UsageError, match="process 'p' has copies=ANY: this engine needs a number of copies"):
        explore(System(objects=[], processes=[Process("p", rests, 1, copies=ANY)]))


def test_sections_that_were_never_entered_are_listed():
    def enters() -> Program[None]:
        yield from section("entered", rests(1))

    system = System(objects=[], processes=[Process("p", enters)], sections=["entered", "forgotten"])
    assert explore(system).coverage.sections_never_entered == ("forgotten",)


def test_an_error_of_the_model_is_an_error_wherever_in_the_space_it_is():
    def divides() -> Program[int]:
        seen = yield x.read()
        return 1 // (1 - seen)

    def writes() -> Program[None]:
        yield x.write(1)

    with pytest.raises(ModelError, match="ZeroDivisionError"):
        explore(System(objects=[x], processes=[Process("d", divides), Process("w", writes)]))


def test_a_violation_beside_a_loop_without_bound_is_still_found():
    def counts_up():
        while True:
            seen = yield x.read()
            yield x.write((seen + 1) % 7)

    small = always("small", lambda state: state[x] < 6, reads=[x])
    system = System(objects=[x], processes=[Process("p", counts_up, copies=2)], properties=[small])
    report = explore_reduced(system)
    assert report.judgement("small").verdict is Verdict.VIOLATED
    assert report.judgement("no deadlock").verdict is Verdict.UNDETERMINED


def test_a_state_of_eight_runs_of_the_incident_takes_less_than_48_bytes():
    """Rows, parents and visited set, just after they have grown: the most that they ever take by state."""
    semantics = Semantics(stack_race(runs=8))
    space = Space(Tables(semantics, Judge(semantics, ()), merge=False), False, None, 1 << 30)
    while space.count < 100_000:
        begin, end = space.levels[-2:]
        while begin < end:
            begin = space.expand(begin, end)
        space.close_level()
    grown = space.bytes_in_use / (len(space.rows) // 2 + 1)
    assert space.rows.shape[1] == 1
    assert grown < 48


def test_the_memory_limit_counts_what_the_objects_values_take_beside_the_states():
    coin, told = Chance("coin", *map(str, range(3_000))), Register("told", "")

    def tell() -> Program[None]:
        drawn = yield coin.draw()
        yield told.write(drawn)

    system = System(objects=[coin, told], processes=[Process("teller", tell)])
    small = explore(system, memory_mb=16)
    assert small.judgement("no deadlock").verdict is Verdict.UNDETERMINED
    assert "the limit of 16 MB was reached" in small.judgement("no deadlock").reason
    assert explore(system).judgement("no deadlock").verdict is Verdict.HOLDS
