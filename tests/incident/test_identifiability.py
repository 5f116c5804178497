"""What outcomes can tell apart: answers worked out by hand."""

from math import log, sqrt

import numpy as np
import pytest

from dstamp_sim.incident.likely.identifiability import CLOSE, Profile, affinity, twin_share, twins
from tests.incident.recovery import log_likelihoods


def profile(*settings):
    """A profile of one episode: for each setting, how often outcomes 0, 1, 2, … came."""
    return Profile((np.array([np.repeat(np.arange(len(counts)), counts) for counts in settings]),))


def test_equal_outcomes_have_affinity_1_and_disjoint_ones_0():
    even, one, other = profile([2, 2]), profile([4, 0]), profile([0, 4])
    assert affinity(even, even) == pytest.approx(1)
    assert affinity(one, other) == pytest.approx(0)
    assert affinity(even, one) == pytest.approx(sqrt(1 / 2))


def test_episodes_multiply():
    both = Profile(profile([2, 2]).episodes * 2), Profile(profile([4, 0]).episodes * 2)
    assert affinity(*both) == pytest.approx(1 / 2)


def test_at_the_threshold_fifty_repetitions_leave_5_wrong_guesses_in_100():
    assert (1 - sqrt(1 - CLOSE**100)) / 2 == pytest.approx(0.05)


def test_what_is_one_of_many_settings_of_another_has_a_twin_there_and_not_the_other_way_round():
    rare, any_rate = profile([90, 10]), profile([90, 10], [50, 50], [10, 90])
    assert twin_share(rare, any_rate) == 1
    assert twin_share(any_rate, rare) == pytest.approx(1 / 3)
    assert twins({"rare": rare, "any": any_rate}, least=0.5) == {"rare": {"any": 1.0}, "any": {}}


def test_a_likelihood_is_the_mean_over_settings_of_what_they_give_all_observations_together():
    always, never = [9, 0], [0, 9]
    told = log_likelihoods(profile(always, never), profile([2, 0]))
    sure, smoothed = 9.5 / 10, 0.5 / 10
    assert told == pytest.approx(log((sure**2 + smoothed**2) / 2))


def test_an_outcome_that_the_profile_never_gave_makes_it_unlikely_and_not_impossible():
    told = log_likelihoods(profile([1000, 0]), profile([0, 1]))
    assert told == pytest.approx(log(0.5 / 1001))


def test_only_settings_that_gave_what_was_observed_are_asked_about():
    mixed, never = profile([10, 0], [5, 5]), profile([10, 0])
    assert twins({"mixed": mixed, "never": never}, least=0.1) == {"mixed": {"never": 0.5}, "never": {"mixed": 1.0}}
    assert twins({"mixed": mixed, "never": never}, observed=[1], least=0.1) == {"mixed": {}}
