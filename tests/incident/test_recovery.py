"""The true mechanism is recovered from evidence that it made, or the tool says from which others it cannot be told."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest

from dstamp_sim.incident.likely.cluster import Cluster
from dstamp_sim.incident.likely.identifiability import Profile
from dstamp_sim.incident.likely.profiles import ProfileSize
from dstamp_sim.incident.possible.case import Case, Observation
from models.cc_ci import HYPOTHESES, MECHANISMS
from tests.incident.recovery import (
    ELSEWHERE,
    EVERYTHING,
    RESULTS,
    SCENARIO,
    laboratory,
    log_likelihoods,
    trials,
    winners,
)
from tests.todays import todays

GIVES_THE_BASES_STAMP_AT_SOME_RATE = ["swarm-rollback", "env-recheckout", "redeploy-not-applied", "abra-regression"]


def recovered(cluster, seen, profiles, told_apart):
    """By mechanism, in how many trials it won, or one that the tool says cannot be told from it."""
    return {
        name: sum(winner in {name, *told_apart[name]} for winner in winners(profiles, seen[name])) for name in profiles
    }


READ = {"with console and fingerprints": EVERYTHING, "results alone": RESULTS}
TODAYS = [[*READ][number] for number in todays(range(len(READ)), parts=len(READ))]


@pytest.mark.slow(minutes=2)
@pytest.mark.parametrize("fields", [READ[name] for name in TODAYS], ids=TODAYS)
def test_in_95_of_100_trials_the_true_mechanism_wins_or_one_that_the_tool_cannot_tell_from_it(fields):
    cluster = laboratory(fields)
    told = cluster.twins(SCENARIO.priors, ProfileSize(60, 1000))
    profiles = cluster.profiles(SCENARIO.priors, ProfileSize(300, 1000))
    found = recovered(cluster, trials(cluster, 100, 1000, seed=99), profiles, told)
    assert {name: count for name, count in found.items() if count < 95} == {}
    identifiable = {name for name, others in told.items() if not others}
    if fields == EVERYTHING:
        assert identifiable >= {
            "stack-race",
            "recreate",
            "env-recheckout",
            "abra-regression",
            "overlay-dirt",
            "short-sha",
        }
    else:
        assert identifiable == {"stack-race", "recreate", "overlay-dirt", "short-sha"} | (
            identifiable & {"torn-checkout"}
        )


IDENTIFIABLE = {
    "the DNS automation": {"deleted-by-hand"},
    "the index migrations": {"no-lock", "blocking-lock", "left-invalid"},
}


def recovered_elsewhere(incident, settings, number, observations):
    """In how many trials of another incident the true mechanism won, or one that cannot be told from it; the latter."""
    asked = ELSEWHERE[incident]
    cluster, priors = asked.cluster(), asked.priors
    told = cluster.twins(priors, ProfileSize(settings // 2, observations))
    profiles = cluster.profiles(priors, ProfileSize(settings, observations))
    return recovered(cluster, trials(cluster, number, observations, 99, priors), profiles, told), told


@pytest.mark.slow
@pytest.mark.parametrize("incident", ELSEWHERE)
def test_of_the_other_incidents_too_95_of_100_trials_recover_it_and_these_are_identifiable(incident):
    found, told = recovered_elsewhere(incident, 100, 100, 1000)
    assert {name: count for name, count in found.items() if count < 95} == {}
    assert {name for name, others in told.items() if not others} == IDENTIFIABLE[incident]


def test_of_the_index_migrations_each_is_recovered_from_few_observations():
    found, told = recovered_elsewhere("the index migrations", 40, 20, 200)
    assert all(count >= 19 for count in found.values()), found
    assert IDENTIFIABLE["the index migrations"] <= {name for name, others in told.items() if not others}


def test_with_console_and_fingerprints_these_are_told_apart_and_each_is_recovered():
    names = ["stack-race", "swarm-rollback", "env-recheckout", "redeploy-not-applied", "abra-regression"]
    cluster = laboratory(EVERYTHING, names)
    told = cluster.twins(SCENARIO.priors, ProfileSize(30, 500))
    assert told == {name: {} for name in names}
    profiles = cluster.profiles(SCENARIO.priors, ProfileSize(100, 500))
    found = recovered(cluster, trials(cluster, 20, 300, seed=99), profiles, told)
    assert all(count >= 19 for count in found.values()), found


def test_from_results_alone_those_that_give_the_bases_stamp_at_some_rate_are_not_told_apart():
    cluster = laboratory(RESULTS, GIVES_THE_BASES_STAMP_AT_SOME_RATE)
    told = cluster.twins(SCENARIO.priors, ProfileSize(30, 500))
    assert {"env-recheckout", "redeploy-not-applied", "abra-regression"} <= set(told["swarm-rollback"])
    assert {"abra-regression", "redeploy-not-applied"} <= set(told["env-recheckout"])


def test_a_judge_who_mistakes_one_mechanism_for_another_does_not_pass():
    names = ["stack-race", "env-recheckout"]
    cluster = laboratory(EVERYTHING, names)
    profiles = cluster.profiles(SCENARIO.priors, ProfileSize(40, 300))
    mistaken = dict(zip(names, reversed(profiles.values()), strict=True))
    found = recovered(cluster, trials(cluster, 10, 100, seed=99), mistaken, {name: {} for name in names})
    assert all(count <= 1 for count in found.values()), found


@pytest.mark.parametrize("name", ["env-recheckout", "swarm-rollback"])
def test_the_profile_and_the_drawn_worlds_are_two_ways_to_the_same_likelihood(name):
    """Both estimate P(evidence | mechanism); the profile takes episodes as independent given the unknowns."""
    red = (("stamp", "eb96de94+U"), ("level", 1), ("upgrade", "fail"))
    runs = [Observation("a", red, {"pr": 1}), Observation("b", red, {"pr": 1})]
    timing = replace(SCENARIO.timing, starts_s={"a": 0.0, "b": 86400.0})
    cluster = Cluster(HYPOTHESES, Case(runs, (), (), ()), timing, {name: MECHANISMS[name]})
    drawn = cluster.weighed(replace(SCENARIO.priors, runs=20_000)).weighed[name].likelihood
    profile = cluster.profiles(SCENARIO.priors, ProfileSize(400, 200))[name]
    seen = Profile(tuple(np.array([[code]]) for code in cluster.observed(SCENARIO.priors)))
    low, high = drawn.interval
    assert low * 0.85 < exp(log_likelihoods(profile, seen)[0]) < high * 1.15
