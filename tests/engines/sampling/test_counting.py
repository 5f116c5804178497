"""Counting interleavings: by hand, against the oracle's list of all of them, and where it is refused."""

from math import comb, factorial

import pytest

from dstamp_sim import Process, Register, System, UsageError, delay
from dstamp_sim.core.properties import END_POSSIBLE
from dstamp_sim.engines.sampling.counting import _Counting, count_interleavings
from dstamp_sim.engines.sampling.sampler import Settings, sample
from dstamp_sim.engines.tables.tables import Tables
from dstamp_sim.inputs.model_file import load_model
from tests.oracle import interleavings
from tests.random_systems import described, random_system
from tests.todays import todays

MOST = 1_000
ANY_PREEMPTIONS = 10_000


def steps(count):
    for _ in range(count):
        yield delay("step")


def independent(*lengths):
    return System(objects=[], processes=[Process(f"p{i}", steps, count) for i, count in enumerate(lengths)])


@pytest.mark.parametrize("lengths", [(3,), (2, 2), (1, 4), (2, 3, 4)])
def test_independent_processes_have_multinomially_many_interleavings(lengths):
    expected, left = 1, sum(lengths)
    for length in lengths:
        expected, left = expected * comb(left, length), left - length
    assert count_interleavings(independent(*lengths)).total == expected


def test_numbers_beyond_any_machine_word_are_exact():
    lengths = (7,) * 5
    assert count_interleavings(independent(*lengths)).total == factorial(35) // factorial(7) ** 5


def test_four_of_the_banks_six_interleavings_pay_twice():
    counted = count_interleavings(load_model("classic/bank").build({}))
    assert counted.total == 6
    assert counted.deciding["one withdrawal at most"][0] == 4


def test_progress_is_told_while_the_space_grows():
    told = []
    count_interleavings(independent(3, 3), progress=lambda *figures: told.append(figures))
    assert told[-1][:2] == (16, 24)
    assert told == sorted(told)


def countable(seeds):
    """(seed, system, counted) of the random systems whose interleavings the oracle can list."""
    for seed in seeds:
        system = random_system(seed)
        try:
            counted = count_interleavings(system)
        except UsageError:
            continue
        if counted.total <= MOST:
            yield seed, system, counted


def disagreements(seeds):
    """Where counting, listing by the oracle, and walking every schedule do not say the same."""
    for seed, system, counted in countable(seeds):
        listed = interleavings(system, MOST)
        counts = {name: sums[0] for name, sums in counted.deciding.items()}
        walked = sample(system, MOST + 1, Settings("preemption-bounded", {"preemptions": ANY_PREEMPTIONS}))
        of_one_way = {name: count for name, count in listed.deciding.items() if name != END_POSSIBLE.name}
        if (counted.total, counts) != (listed.total, of_one_way):
            yield f"counted {counted.total} {counts}, listed {listed}, seed {seed}\n{described(system)}"
        if (walked.schedules, walked.decided) != (listed.total, listed.deciding):
            yield f"walked {walked.schedules} {walked.decided}, listed {listed}, seed {seed}\n{described(system)}"


def test_counting_and_walking_agree_with_the_list_of_all_interleavings():
    seeds = range(60)
    assert sum(1 for _ in countable(seeds)) >= 5
    assert list(disagreements(seeds)) == []


@pytest.mark.slow
def test_counting_and_walking_agree_with_the_list_on_more_systems():
    assert list(disagreements(todays(range(60, 1_000)))) == []


def test_tables_that_forget_deaths_are_caught(monkeypatch):
    deaths = Tables.deaths
    monkeypatch.setattr(Tables, "deaths", lambda self: deaths(self)._replace(allowed=0))
    assert list(disagreements([38]))  # a system in which one process may die


def test_a_count_in_which_whoever_decides_early_is_one_interleaving_is_caught(monkeypatch):
    def one_each(self, sums, fixed, values):
        return right(self, sums, fixed, [1] * len(values))

    right = _Counting._sums
    monkeypatch.setattr(_Counting, "_sums", one_each)
    assert list(disagreements(range(60)))


def test_a_daemon_that_goes_round_for_ever_is_refused():
    x = Register("x", 0)

    def tick():
        yield x.write(1 - (yield x.read()))

    system = System(objects=[x], processes=[Process("clock", tick, daemon=True), Process("p", steps, 1)])
    with pytest.raises(UsageError, match=r"infinitely many interleavings: a daemon \(clock\)"):
        count_interleavings(system)


def test_who_polls_for_ever_is_refused():
    x = Register("x", 0)

    def polls():
        while (yield x.read()) != 1:
            pass

    with pytest.raises(UsageError, match=r"may be infinitely many interleavings: .*: this line was passed"):
        count_interleavings(System(objects=[x], processes=[Process("p", polls)]))


def test_more_states_than_allowed_are_refused():
    with pytest.raises(UsageError, match="more than 100 states"):
        count_interleavings(independent(9, 9, 9), limit=100)
