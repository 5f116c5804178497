"""Who held what, how long, and how that ended: the one place that every sentence and picture asks."""

import pytest

from dstamp_sim import Flock, Mutex, Process, Program, Register, System, replay, section
from dstamp_sim.core.holds import Parting
from tests.holders import Lease, Tokens

MUTEX, FILE, SEEN = Mutex("mutex"), Flock("file"), Register("seen", 0)


LEASE, TOKENS = Lease("lease", (0, 0)), Tokens("tokens", 1)


def holds(trace):
    return [(h.process, h.name, h.since, h.until, h.parting) for h in trace.holds()]


def system(*programs, daemons=(), crashes=0, **more):
    processes = [
        *(Process(f"p{n}", program) for n, program in enumerate(programs)),
        *(Process(f"d{n}", program, daemon=True, killable=True) for n, program in enumerate(daemons)),
    ]
    return System(objects=[MUTEX, FILE, SEEN, LEASE, TOKENS], processes=processes, crashes=crashes, **more)


def once(lock) -> Program[None]:
    token = yield lock.op("acquire")
    yield SEEN.read()
    yield lock.op("release", token)


def keeps(lock, *verbs: str) -> Program[None]:
    token = yield lock.op("acquire")
    for verb in verbs:
        yield lock.op(verb, token)
    yield SEEN.read()
    yield SEEN.read()


def lapse() -> Program[None]:
    yield LEASE.op("lapse")


def test_a_hold_lasts_from_its_taking_to_its_letting_go_or_to_the_end():
    made = system(lambda: once(MUTEX), lambda: keeps(FILE))
    trace = replay(made, "p0*2 p1 p0")
    assert holds(trace) == [("p0", "mutex", 0, 3, Parting.LET_GO), ("p1", "file", 2, None, None)]
    assert [held.over(2) for held in trace.holds()] == [True, False]


def test_a_death_ends_the_holds_of_the_dead_one_also_of_what_stays_taken():
    trace = replay(system(lambda: keeps(MUTEX), crashes=1), "p0 p0!")
    assert holds(trace) == [("p0", "mutex", 0, 1, Parting.DIED)]
    assert list(trace.states())[-1]["mutex"] is True


def test_a_process_that_ended_without_letting_go_of_a_mutex_has_it_still_and_of_a_flock_has_not():
    made = system(lambda: keeps(MUTEX), lambda: keeps(FILE))
    assert holds(replay(made, "p0*3 p1*4")) == [
        ("p0", "mutex", 0, None, None),
        ("p1", "file", 3, 6, Parting.LET_GO),
    ]


def test_a_daemon_that_begins_anew_holds_nothing_any_more():
    trace = replay(system(daemons=[lambda: keeps(MUTEX)]), "d0*3")
    assert [step.restarted for step in trace.steps] == [False, False, True]
    assert holds(trace) == [("d0", "mutex", 0, 2, Parting.RESTARTED)]


def both_of(tokens) -> Program[None]:
    for verb in ("get", "get", "put", "put"):
        yield tokens.op(verb)


def test_of_two_alike_the_later_one_is_let_go_of_first():
    tokens = Tokens("tokens", 2)
    made = System(objects=[tokens], processes=[Process("p", both_of, tokens)])
    assert [(since, until) for _, _, since, until, _ in holds(replay(made, "p*4"))] == [(0, 3), (1, 2)]


@pytest.mark.parametrize("schedule", ["p0 d0 p1", "p0 d0 p1*3", "p0 d0 p1*3 p0*2"])
def test_a_lease_that_lapsed_is_held_no_longer_whether_or_not_anybody_lets_go_of_it_in_the_trace(schedule):
    trace = replay(system(lambda: once(LEASE), lambda: once(LEASE), daemons=[lapse]), schedule)
    assert holds(trace)[0] == ("p0", "lease", 0, 1, Parting.LAPSED)
    assert [held.process for held in trace.holds()] == ["p0", "p1"]


def test_a_lease_that_was_renewed_after_it_lapsed_is_held_again_and_one_that_could_not_be_is_not():
    made = system(lambda: keeps(LEASE, "renew", "release"), lambda: once(LEASE), daemons=[lapse])
    assert holds(replay(made, "p0 d0 p0*2")) == [
        ("p0", "lease", 0, 1, Parting.LAPSED),
        ("p0", "lease", 2, 3, Parting.LET_GO),
    ]
    assert holds(replay(made, "p0 d0 p1 p0*2")) == [
        ("p0", "lease", 0, 1, Parting.LAPSED),
        ("p1", "lease", 2, None, None),
    ]


def test_a_token_does_not_lapse_because_there_is_another_one():
    def add() -> Program[None]:
        yield TOKENS.op("add")

    def get() -> Program[None]:
        yield TOKENS.op("get")
        yield SEEN.read()

    made = system(get, get, add)
    assert holds(replay(made, "p0 p2 p1")) == [("p0", "tokens", 0, None, None), ("p1", "tokens", 2, None, None)]


def test_a_flock_whose_path_was_unlinked_is_held_by_its_holder_as_before():
    def unlink() -> Program[None]:
        yield FILE.unlink()

    made = system(lambda: once(FILE), lambda: once(FILE), unlink)
    assert holds(replay(made, "p0 p2 p1")) == [("p0", "file", 0, None, None), ("p1", "file", 2, None, None)]


def test_a_private_object_is_held_under_the_name_that_traces_give_it():
    own = Mutex("own", private=True)
    made = System(objects=[own], processes=[Process("p", take_and_free, own, copies=2)])
    assert [name for _, name, *_ in holds(replay(made, "p#1 p#2"))] == ["own@p#1", "own@p#2"]


def take_and_free(lock) -> Program[None]:
    token = yield lock.op("acquire")
    yield lock.op("release", token)


def reading(times: int) -> Program[None]:
    for _ in range(times):
        yield SEEN.read()


def outer() -> Program[None]:
    yield SEEN.read()
    yield from section("inner", reading(2))
    yield SEEN.read()


def spans(trace):
    return [(s.process, s.section, s.level, s.first, s.last) for s in trace.spans()]


def test_a_stay_in_a_section_lasts_from_its_first_step_to_its_last_with_those_inside():
    made = system(lambda: section("outer", outer()), lambda: section("other", reading(1)))
    assert spans(replay(made, "p0*2 p1 p0*2")) == [
        ("p0", "outer", 0, 0, 4),
        ("p0", "inner", 1, 1, 3),
        ("p1", "other", 0, 2, 2),
    ]


def test_a_daemon_that_begins_anew_in_the_same_section_is_there_twice_and_so_is_one_that_died():
    made = system(daemons=[lambda: section("turn", reading(2))], crashes=1)
    assert spans(replay(made, "d0*3 d0! d0")) == [
        ("d0", "turn", 0, 0, 1),
        ("d0", "turn", 0, 2, 3),
        ("d0", "turn", 0, 4, 4),
    ]
