"""Counts that are known without any explorer: worked out by hand, or published by the checkers that ship the model."""

from math import comb

import pytest

from dstamp_sim import (
    ANY,
    Chance,
    Inside,
    Mutex,
    Process,
    Register,
    System,
    Verdict,
    always,
    delay,
    each_result,
    explore,
    prove,
)
from dstamp_sim.core.suspended import shows_suspended
from dstamp_sim.engines.explore.settings import NO_REDUCTION, Reductions
from dstamp_sim.inputs.model_file import load_model

needs_frames = pytest.mark.skipif(not shows_suspended(), reason="this Python does not show suspended frames")

PAIR = ("two_phase_commit", "two_phase_commit_impatient")


def counted(system):
    coverage = explore(system, reductions=NO_REDUCTION, keep_going=True).coverage
    assert coverage.exhausted
    return coverage.states, coverage.transitions


@pytest.mark.parametrize(("managers", "published"), [(3, 288), (5, 8_832)])
def test_two_phase_commit_has_the_published_number_of_states(managers, published):
    """288 and 8,832: the tests of stateright's example 2pc, of the TLA+ specification TwoPhase."""
    states, _ = counted(load_model("classic/two_phase_commit").build({"managers": managers}))
    assert states == published == 6**managers + 4**managers + 2**managers


@pytest.mark.parametrize(("processes", "steps"), [(1, 5), (2, 3), (3, 4), (5, 2)])
def test_processes_that_share_nothing_are_counted_as_a_grid(processes, steps):
    """(k + 1)^n states; from each, every process that has not ended moves: n k (k + 1)^(n - 1) transitions."""

    def work():
        for _ in range(steps):
            yield delay("work")

    system = System(objects=[], processes=[Process("p", work, copies=processes)])
    grid = steps + 1
    assert counted(system) == (grid**processes, processes * steps * grid ** (processes - 1))


@pytest.mark.parametrize(("processes", "steps"), [(2, 1), (3, 2), (4, 3)])
def test_critical_sections_are_counted_by_who_is_inside(processes, steps):
    """Outside each process is before or after: 2^n states. One of n inside, at k + 1 places: n (k + 1) 2^(n - 1)."""
    lock = Mutex("lock")

    def enter():
        yield lock.acquire()
        for _ in range(steps):
            yield delay("work")
        yield lock.release()

    system = System(objects=[lock], processes=[Process("p", enter, copies=processes)])
    assert counted(system)[0] == 2**processes + processes * (steps + 1) * 2 ** (processes - 1)


@pytest.mark.parametrize("writers", [1, 2, 3, 6])
def test_writers_of_their_own_names_are_counted_by_who_has_written_and_who_was_last(writers):
    """Any set of writers has written, and any of them last: 1 + n 2^(n - 1) states."""
    register = Register("register", 0)

    def write(name):
        yield register.write(name)

    system = System(objects=[register], processes=[Process(f"p{i}", write, i) for i in range(1, writers + 1)])
    assert counted(system) == (1 + writers * 2 ** (writers - 1), writers * _ways(writers))


def _ways(n):
    """Moves of one writer: from every state in which it has not written."""
    return 1 + (n - 1) * 2 ** (n - 2) if n > 1 else 1


def test_symmetry_counts_multisets():
    """N copies that share nothing, at k + 1 places each: n + k choose k states."""

    def work():
        yield delay("one")
        yield delay("two")

    system = System(objects=[], processes=[Process("p", work, copies=7)])
    folded = explore(system, reductions=Reductions(merge=False, por=False)).coverage
    assert folded.states == comb(7 + 2, 2)


def test_a_patient_manager_is_what_makes_two_phase_commit_agree():
    patient, impatient = (load_model(f"classic/{name}").build({}) for name in PAIR)
    assert explore(patient).verdict is Verdict.HOLDS
    assert explore(impatient).verdict is Verdict.VIOLATED


# --- loops: programs whose local states are suspended programs by value


def peterson(rounds: int) -> System:
    """Peterson's lock with its loop of two reads, an op each."""
    flags, turn, inside = [Register("flag 0", 0), Register("flag 1", 0)], Register("turn", 0), Inside("inside")

    def run(me):
        for _ in range(rounds):
            yield flags[me].write(1)
            yield turn.write(1 - me)
            while (yield flags[1 - me].read()) == 1 and (yield turn.read()) == 1 - me:
                pass
            yield inside.enter()
            yield inside.leave()
            yield flags[me].write(0)

    return _two(run, flags, turn, inside)


def dekker(rounds: int) -> System:
    """Dekker's lock, with its two loops."""
    flags, turn, inside = [Register("flag 0", 0), Register("flag 1", 0)], Register("turn", 0), Inside("inside")

    def run(me):
        for _ in range(rounds):
            yield flags[me].write(1)
            while (yield flags[1 - me].read()) == 1:
                if (yield turn.read()) != me:
                    yield flags[me].write(0)
                    while (yield turn.read()) != me:
                        pass
                    yield flags[me].write(1)
            yield inside.enter()
            yield inside.leave()
            yield turn.write(1 - me)
            yield flags[me].write(0)

    return _two(run, flags, turn, inside)


def _two(run, flags, turn, inside) -> System:
    return System(
        objects=[*flags, turn, inside],
        processes=[Process(f"p{me}", run, me) for me in (0, 1)],
        properties=[always("one at a time", lambda state: state[inside] <= 1, reads=[inside])],
    )


SPIN = {(peterson, 1): 154, (peterson, 5): 2_818, (dekker, 2): 1_222, (dekker, 5): 8_932}
"""States that SPIN 6.5.2 stores for the same algorithm."""


@needs_frames
@pytest.mark.parametrize(
    ("lock", "rounds", "states"), [(peterson, 1, 102), (peterson, 5, 2_342), (dekker, 2, 445), (dekker, 5, 3_583)]
)
def test_locks_that_wait_in_loops_have_no_more_states_than_spin_stores(lock, rounds, states):
    system = lock(rounds)
    assert explore(system).verdict is Verdict.HOLDS
    assert counted(system)[0] == states <= SPIN[lock, rounds]


def polls(word):
    while not (yield word.compare_and_set("free", "taken")):
        pass
    yield word.write("free")
    return "done"


@needs_frames
@pytest.mark.parametrize(("copies", "states"), [(1, 3), (2, 8), (3, 20)])
def test_processes_that_poll_a_lock_file_are_found_free_of_faults_in_every_state_that_a_hand_counts(copies, states):
    """Nobody has it, and each has ended or not: 2^n. One has it: n 2^(n - 1). Each poll is one of two instructions, as
    the compiler writes the condition of a `while` down twice, so a process that has polled in vain stands elsewhere.
    """  # noqa: D205
    word = Register("lockfile", "free")
    done = each_result("done", lambda result: result == "done")
    system = System(objects=[word], processes=[Process("p", polls, word, copies=copies)], properties=[done])
    assert explore(system).verdict is Verdict.HOLDS
    assert states == 2**copies + copies * 2 ** (copies - 1)
    assert states <= counted(system)[0] <= states * 2 ** (copies - 1)


@needs_frames
def test_a_spin_lock_is_proved_for_every_number_of_processes():
    word = Register("lockfile", "free")
    done = each_result("done", lambda result: result == "done")
    system = System(objects=[word], processes=[Process("p", polls, word, copies=ANY)], properties=[done])
    assert prove(system).judgement("done").verdict is Verdict.HOLDS


@needs_frames
def test_twenty_coins_that_a_process_draws_and_forgets_are_twenty_states_and_the_end():
    coin = Chance("coin", "heads", "tails")

    def draws():
        for _ in range(20):
            yield coin.draw()

    assert counted(System(objects=[coin], processes=[Process("p", draws)])) == (21, 40)
