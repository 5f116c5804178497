"""Plans of experiments: what they tell together, what they leave at worst, and the cheapest that does so."""

import math
import random
from collections import Counter

import pytest

from dstamp_sim import Experiment
from dstamp_sim.incident.likely.experiments import Rated, entropy
from dstamp_sim.incident.likely.likelihood import Predicted
from dstamp_sim.incident.likely.plan import all_plans, joint_bits, plans, worst_case

WORLDS = 400
EVEN = {"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25}


def experiment(name, outcomes, *, runs=1, agree=True):
    """An experiment by what it gives in turn, by mechanism."""
    predicted = {
        mechanism: Predicted({one: n / WORLDS for one, n in Counter(found).items()}, WORLDS, agree, tuple(found))
        for mechanism, found in outcomes.items()
    }
    means = {outcome: "" for found in outcomes.values() for outcome in found}
    return Rated(name, Experiment(name, {}, (0.0,) * runs, str), predicted, 0.0, means)


def halves(first, **kwargs):
    """An experiment that tells these mechanisms from the others for certain."""
    return experiment(f"tells {first}", {name: ["yes" if name in first else "no"] * WORLDS for name in EVEN}, **kwargs)


def test_two_experiments_that_halve_four_mechanisms_tell_two_bits_and_leave_one():
    both = halves("ab"), halves("ac")
    assert joint_bits(EVEN, both[:1]) == pytest.approx(1, abs=0.02)
    assert joint_bits(EVEN, both) == pytest.approx(2, abs=0.05)
    assert (worst_case(both[:1]), worst_case(both)) == (2, 1)


def test_what_few_worlds_suggest_by_chance_earns_nothing():
    chance = random.Random(5)
    noise = experiment("noise", {name: [str(chance.randrange(200)) for _ in range(WORLDS)] for name in EVEN})
    assert joint_bits(EVEN, [noise]) < 0.02
    assert plugged_in(noise) > 0.2, "the estimate that asks the worlds from which it learned finds bits in noise"


def plugged_in(item):
    """Wrong on purpose: the information as it looks in the very worlds from which it was learned."""
    bits = entropy(list(EVEN.values()))
    for name, found in item.predicted.items():
        for outcome, share in found.shares.items():
            joint = {other: EVEN[other] * of.shares.get(outcome, 0.0) for other, of in item.predicted.items()}
            bits += EVEN[name] * share * math.log2(joint[name] / sum(joint.values()))
    return bits


def test_outcomes_of_one_world_are_taken_together():
    """Two coins that say nothing by themselves, and everything together: equal under one mechanism only."""
    coin = [str(number % 4 // 2) for number in range(WORLDS)]
    other = ["1" if side == "0" else "0" for side in coin]
    first = experiment("first", {"a": coin, "b": coin})
    second = experiment("second", {"a": coin, "b": other})
    even = {"a": 0.5, "b": 0.5}
    assert joint_bits(even, [first]) < 0.01 > joint_bits(even, [second])
    assert joint_bits(even, [first, second]) == pytest.approx(1, abs=0.05)


def test_of_plans_that_tell_the_same_the_cheapest_is_chosen_and_the_cheapest_part_comes_first():
    dear, cheap, free = halves("ab", runs=9), halves("ac", runs=2), halves("ab", runs=0)
    (found,) = plans(EVEN, [dear, cheap, free])
    assert (found.names, found.runs, found.stay) == (("tells ab", "tells ac"), 2, 1)


def test_the_surest_plan_does_not_hang_on_the_priors():
    """One of two is nearly sure before: telling it from the other is what tells most, not what leaves fewest."""
    priors = {"a": 0.98, "b": 0.01, "c": 0.005, "d": 0.005}
    weak = {name: ["yes" if name == "a" and turn < 390 else "no" for turn in range(WORLDS)] for name in EVEN}
    found = plans(priors, [experiment("mostly a", weak), halves("b")])
    assert min(plan.stay for plan in found) < 4
    assert plans(priors, []) == ()


def test_where_no_world_agreed_nothing_is_known_of_the_incident_itself():
    seen = {name: ["yes" if name == "a" else "no"] * WORLDS for name in EVEN}
    assert worst_case([experiment("look", seen, runs=0, agree=False)]) == 4
    assert worst_case([experiment("run", seen, runs=1, agree=False)]) == 3


def test_a_plan_tells_at_least_what_its_parts_do():
    """A third experiment with an outcome of its own in each world leaves nothing to learn from, and takes nothing."""
    useless = experiment("useless", {name: [f"{name}{turn}" for turn in range(WORLDS)] for name in EVEN}, runs=0)
    both = halves("ab"), halves("ac")
    assert joint_bits(EVEN, [*both, useless]) < 1
    bits = {plan.names: plan.bits for plan in all_plans(EVEN, [*both, useless])}
    assert bits["useless", "tells ab", "tells ac"] == bits["tells ab", "tells ac"] > 1.9


def test_an_outcome_speaks_against_no_mechanism_of_which_nothing_is_known():
    seen = {name: ["yes" if name == "a" else "no"] * WORLDS for name in EVEN}
    assert experiment("look", seen, runs=0, agree=False).unknown() == ("a", "b", "c", "d")
    assert experiment("run", seen, runs=1, agree=False).unknown() == ()
    assert experiment("look", seen, runs=0).unknown() == ()
