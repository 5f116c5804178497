"""Samplers: their distributions with the arithmetic, what they find, and that they never say more than they know."""

import random
from collections import Counter
from itertools import permutations
from typing import Any

import pytest

from dstamp_sim import Outcome, Process, Register, SharedObject, System, UsageError, at_end, replay
from dstamp_sim.analyses.confidence import interval
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.replay import attempts
from dstamp_sim.engines.sampling import strategies, uniform
from dstamp_sim.engines.sampling.sampler import NAMES, Settings, sample
from dstamp_sim.engines.sampling.strategy import Strategy
from dstamp_sim.engines.tables.compiled import compiled
from dstamp_sim.engines.tables.tables import Tables
from dstamp_sim.inputs.model_file import load_model
from tests.random_systems import findings, random_system


class Log(SharedObject):
    """Remembers who wrote to it, in order."""

    def outcomes(self, state: Any, op: Any) -> tuple[Outcome, ...]:
        return (Outcome((*state, *op.args)),)


log = Log("log", ())


def write(name: str, times: int):
    for _ in range(times):
        yield log.op("add", name)


def order_of(**lengths: int) -> System:
    """Processes that write their names into a log, with a property per possible log that only this log violates."""
    orders = dict.fromkeys(permutations("".join(name * count for name, count in lengths.items())))
    return System(
        objects=[log],
        processes=[Process(name, write, name, count) for name, count in lengths.items()],
        properties=[
            at_end("".join(order), lambda _, state, order=order: state[log] != order, reads=[log]) for order in orders
        ],
    )


def orders_drawn(system: System, budget: int, settings: Settings) -> dict[str, int]:
    drawn = sample(system, budget, settings).decided
    return {name: count for name, count in drawn.items() if name not in ("no deadlock", "the end stays possible")}


def chi_square(counts: dict[str, int]) -> float:
    expected = sum(counts.values()) / len(counts)
    return sum((count - expected) ** 2 / expected for count in counts.values())


@pytest.mark.parametrize("bits", [62, 3])
@pytest.mark.parametrize(
    ("lengths", "orders", "limit"),
    [
        ({"a": 4, "b": 1}, 5, 18.47),  # chi-square quantile 0.999 for 5 - 1 degrees of freedom
        ({"a": 3, "b": 3}, 20, 43.82),  # for 19
        ({"a": 2, "b": 2, "c": 1}, 30, 58.30),  # for 29
    ],
)
def test_the_uniform_sampler_is_uniform_over_all_interleavings(lengths, orders, limit, bits):
    counts = orders_drawn(order_of(**lengths), 30_000 if bits == 62 else 6_000, Settings("uniform", bits=bits))
    assert len(counts) == orders
    assert chi_square(counts) < limit


def test_the_random_walk_is_not_uniform_and_the_test_sees_it():
    # b is first with probability 1/2, then 1/4, 1/8, and 1/16 twice: far from 1/5 each.
    counts = orders_drawn(order_of(a=4, b=1), 30_000, Settings("random-walk"))
    assert chi_square(counts) > 18.47
    assert counts["baaaa"] == pytest.approx(15_000, abs=4 * 87)  # four standard deviations of sqrt(30,000/4)


def test_a_boundary_decided_by_rounding_is_not_uniform_and_the_test_sees_it(monkeypatch):
    monkeypatch.setattr(uniform, "resolve", lambda shares, drawn, bits, *_: (drawn * len(shares)) >> bits)
    counts = orders_drawn(order_of(a=4, b=1), 6_000, Settings("uniform", bits=3))
    assert chi_square(counts) > 18.47


def test_resolving_a_boundary_gives_each_share_its_part_of_the_cell():
    # Shares 1 and 2 of 3, one bit: the cell 0 is [0, 1/2), of which 2/3 lie below the boundary 1/3.
    generator = random.Random(1)
    firsts = sum(uniform.resolve([1, 2], 0, 1, generator) == 0 for _ in range(9_000))
    assert firsts == pytest.approx(6_000, abs=4 * 45)  # standard deviation sqrt(9,000 * 2/9) = 44.7


def stack_race(runs=2):
    return load_model("cc_ci").build({"runs": runs})


RACE = "HC1 reads no wrong commit"


def test_pct_finds_a_b_a_with_two_workers_as_often_as_its_bound_says():
    # Depth 3, 2 processes, 46 steps: at least 1/(2 * 46^2) = 0.000236 a schedule, so that 40,000 schedules find nothing
    # with probability (1 - 0.000236)^40,000 = 0.00008 or less.
    drawn = sample(stack_race(), 40_000, Settings("pct", {"depth": 3}))
    assert drawn.guarantee == pytest.approx(1 / (2 * 46**2))
    assert interval(drawn.decided[RACE], drawn.schedules).high >= drawn.guarantee
    assert drawn.decided[RACE] >= 1


def reference_pct(system: System, schedules: int, length: int, *, shuffled: bool) -> int:
    """PCT of depth 3 in plain Python: how many schedules violate. Not shuffled: later points have higher priority."""
    semantics, rng, shows = Semantics(system), random.Random(5), attempts(system, system.properties_named([RACE])[0])
    hits = 0
    for _ in range(schedules):
        priority = rng.sample(range(10, 10 + len(semantics.names)), len(semantics.names))
        points = [rng.randint(1, length) for _ in range(2)]
        points = points if shuffled else sorted(points)
        state, choices = semantics.initial(), []
        while movers := [pid for pid in range(len(priority)) if semantics.outcomes(state, pid)]:
            mover = max(movers, key=lambda pid: priority[pid])
            move = next(move for move in semantics.moves(state) if move.pid == mover)
            choices.append(semantics.choice(move))
            state = semantics.perform(state, move)
            for lowered, point in enumerate(points):
                if point == len(choices):
                    priority[mover] = lowered
        hits += shows(choices) is not None
    return hits


def test_pct_draws_like_a_plain_reference_and_the_twin_with_sorted_points_never_finds_it():
    drawn = sample(stack_race(), 40_000, Settings("pct", {"depth": 3}))
    low, high = interval(drawn.decided[RACE], drawn.schedules, 0.999)
    found = reference_pct(stack_race(), 1_000, 46, shuffled=True)
    assert interval(found, 1_000, 0.999).high >= low
    assert interval(found, 1_000, 0.999).low <= high
    assert found > 0
    assert reference_pct(stack_race(), 1_000, 46, shuffled=False) == 0


def test_pos_gives_every_order_of_two_racing_steps_the_same_chance():
    counts = orders_drawn(order_of(a=1, b=1), 10_000, Settings("pos"))
    assert chi_square(counts) < 10.83  # chi-square quantile 0.999 for 1 degree of freedom


@pytest.mark.parametrize(("bound", "schedules"), [(0, 2), (1, 4), (2, 6), (3, 6)])
def test_two_processes_of_two_steps_have_so_many_schedules_within_a_bound(bound, schedules):
    # aabb and bbaa preempt nobody; abba and baab once; abab and baba twice.
    drawn = sample(order_of(a=2, b=2), 100, Settings("preemption-bounded", {"preemptions": bound}))
    assert drawn.schedules == schedules
    assert ("those with more were not" in drawn.stopped) is (bound < 2)
    assert not drawn.independent


def test_a_bound_too_small_finds_nothing_and_says_what_was_not_tried():
    drawn = sample(stack_race(), 100_000, Settings("preemption-bounded", {"preemptions": 1}))
    assert drawn.decided[RACE] == 0
    assert drawn.stopped == "every schedule with at most 1 preemptions was tried; those with more were not"
    assert sample(stack_race(), 100_000, Settings("preemption-bounded", {"preemptions": 2})).decided[RACE] > 0


@pytest.mark.parametrize("strategy", NAMES)
def test_on_random_systems_nothing_is_seen_that_the_oracle_does_not_know(strategy):
    for seed in range(12):
        system = random_system(seed)
        known = findings(seed)
        try:
            drawn = sample(system, 200, Settings(strategy, seed=seed, most_steps=200))
        except UsageError as refused:
            assert "infinitely many" in str(refused)  # noqa: PT017 - a daemon that goes round; only `uniform` refuses it
            continue
        for prop in system.checked_properties:
            if drawn.decided[prop.name]:
                assert known.shortest[prop.name] is not None
                assert attempts(system, prop)(drawn.first[prop.name]) is not None
                replay(system, drawn.first[prop.name])
        if not drawn.cut:
            ends = {tuple(sorted(end.items())) for end, _ in drawn.ends if len(end) == len(Semantics(system).names)}
            assert ends <= known.results_at_end
        assert sum(count for _, count in drawn.ends) == drawn.schedules


@pytest.mark.parametrize("strategy", NAMES)
def test_the_same_seed_draws_the_same_and_a_longer_budget_begins_alike(strategy):
    short, again = (sample(stack_race(), 300, Settings(strategy, seed=3)) for _ in range(2))
    assert short == again
    longer = sample(stack_race(), 3_000, Settings(strategy, seed=3))
    assert all(longer.first[name] == schedule for name, schedule in short.first.items())


def test_another_seed_draws_others():
    one, other = (sample(stack_race(), 300, Settings("random-walk", seed=seed)) for seed in (1, 2))
    assert one.decided != other.decided


def test_deaths_and_deadlocks_are_drawn_too():
    system = random_system(7)
    assert system.crashes == 1
    assert sample(system, 2_000, Settings("random-walk")).decided["no deadlock"] > 0


def test_a_daemon_that_goes_on_for_ever_is_cut_off_and_counted():
    seen = [sample(random_system(seed), 20, Settings(most_steps=300)) for seed in range(60)]
    assert any(drawn.cut for drawn in seen)


def test_an_interruption_gives_what_there_is():
    def interrupt(schedules):
        if schedules:
            raise KeyboardInterrupt

    drawn = sample(stack_race(), 100_000, progress=interrupt)
    assert drawn.stopped == "interrupted"
    assert 0 < drawn.schedules < 100_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings("pkt"), "unknown strategy 'pkt'; did you mean 'pct'"),
        (Settings("pct", {"depth": 0}), "depth=0, but it must be 1 or more"),
        (Settings("preemption-bounded", {"preemptions": -1}), "preemptions=-1, but it must be 0 or more"),
        (Settings(most_steps=0), "most_steps=0, but it must be 1 or more"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        sample(stack_race(), 10, settings)


def test_a_local_state_is_looked_at_once_however_many_there_come_to_be(monkeypatch):
    x, looked = Register("x", 0), Counter[int]()

    def polls():
        while (yield x.read()) != 1:
            pass

    honest = Tables.rests
    monkeypatch.setattr(Tables, "rests", lambda tables, n: looked.update([n]) or honest(tables, n))
    system = System(objects=[x], processes=[Process("p", polls)])
    assert sample(system, 3, Settings(most_steps=200)).cut == 3
    assert len(looked) > 200 and set(looked.values()) == {1}


def test_a_line_in_the_table_is_all_that_compiled_code_needs_to_call_a_strategy(monkeypatch):
    first = Strategy("first", "the memory", compiled(lambda *asked: (asked[0], asked[1])))
    mine = Strategy("mine", "the offer", compiled(lambda *asked: (asked[2], asked[1])))
    monkeypatch.setattr(strategies, "STRATEGIES", (first, mine))
    choose = strategies.by_place("choose", "memory", "step", "offer")
    assert [choose(place, 1, 2, 3) for place in range(2)] == [(1, 2), (3, 2)]
