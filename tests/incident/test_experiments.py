"""An experiment of the catalogue re-ranks the mechanisms as its outcome should; a rule is judged by what it proves."""

from dataclasses import replace

import pytest

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.mechanism import Rule
from dstamp_sim.incident.evidence import Evidence, ExperimentOutcome
from dstamp_sim.incident.likely.cluster import Cluster
from dstamp_sim.incident.likely.experiments import judged_rule, observed_since
from dstamp_sim.incident.likely.likelihood import Predicted
from models.cc_ci import HYPOTHESES, MECHANISMS
from tests.incident.recovery import SCENARIO
from tests.incident.test_drawn import CASE, likely_reading, others_than

NAMES = ("stack-race", "swarm-rollback", "env-recheckout", "redeploy-not-applied")

ROLLED_BACK = "red, early previous=eb96de94+U, early status=updating, late status=rollback_completed"
NEVER_APPLIED = "red, early previous=absent, early status=unset, late previous=absent, late status=unset"


@pytest.fixture(scope="module")
def survivors():
    mechanisms = {name: MECHANISMS[name] for name in NAMES}
    impossible = {name: others_than(name, likely_reading(name)) for name in NAMES}
    cluster = Cluster(HYPOTHESES, CASE, SCENARIO.timing, mechanisms, impossible)
    return cluster.weighed(replace(SCENARIO.priors, runs=30_000))


def since(survivors, *outcomes):
    told = tuple(
        ExperimentOutcome(experiment=experiment, outcome=outcome, source="test") for experiment, outcome in outcomes
    )
    return observed_since(Evidence(runs=(), outcomes=told), HYPOTHESES, survivors)


def after(survivors, experiment, outcome):
    return since(survivors, (experiment, outcome))[1]


@pytest.mark.parametrize(
    ("experiment", "outcome", "first", "last"),
    [
        ("isolated run", "drift", "env-recheckout", "stack-race"),
        ("isolated run", "red", "env-recheckout", "stack-race"),
        ("isolated run", "green", "stack-race", "env-recheckout"),
        ("ten isolated runs", "all drift", "env-recheckout", "stack-race"),
        ("ten isolated runs", "no drift", "stack-race", "env-recheckout"),
        ("two at a barrier", "no drift", "stack-race", "env-recheckout"),
        ("isolated run, pause", "drift", "env-recheckout", None),
        ("isolated run, pause", "green", None, "env-recheckout"),
        ("isolated run, inspected", ROLLED_BACK, "swarm-rollback", None),
        ("isolated run, inspected", NEVER_APPLIED, "redeploy-not-applied", None),
        ("two at a barrier, inspected", "green", "stack-race", "env-recheckout"),
        ("load without sharing", "drift", "env-recheckout", "stack-race"),
        ("consoles of the red runs", "abra took the base in the drifted runs", "env-recheckout", None),
        ("consoles of the red runs", "abra took no chaos version in the drifted runs", "redeploy-not-applied", None),
        ("harness of the red runs", "a call between them", "env-recheckout", None),
        ("harness of the red runs", "no call between them", None, "env-recheckout"),
        ("times of the cluster", "every drifted run overlapped another", "stack-race", None),
        ("times of the cluster", "some drifted run was alone", None, "stack-race"),
    ],
)
def test_an_outcome_raises_who_predicts_it_and_lowers_who_does_not(survivors, experiment, outcome, first, last):
    found = after(survivors, experiment, outcome)
    if first:
        assert max(found, key=found.get) == first
    if last:
        assert min(found, key=found.get) == last


def test_every_experiment_of_the_catalogue_gives_only_outcomes_that_it_is_said_to_have(survivors):
    for experiment in HYPOTHESES.experiments.values():
        for told in survivors.predict(experiment).values():
            for outcome in told.shares:
                experiment.check(outcome)
            assert sum(told.shares.values()) == pytest.approx(1)


def test_consoles_say_what_abra_took_also_where_no_run_drifted(survivors):
    told = survivors.predict(HYPOTHESES.experiments["consoles of the red runs"])
    outcomes = {outcome for one in told.values() for outcome in one.shares}
    assert all(outcome.startswith("abra took ") for outcome in outcomes)


def test_ten_outcomes_of_one_world_are_no_less_likely_than_the_experiment_that_is_ten_of_them(survivors):
    # An unknown rate is the same in all ten: 0.6 ** 10 = 0.6 % if they were independent, 2 % as one experiment.
    at_once = after(survivors, "ten isolated runs", "no drift")["swarm-rollback"]
    once = after(survivors, "isolated run", "green")["swarm-rollback"]
    one_by_one = since(survivors, *[("isolated run", "green")] * 10)[1]["swarm-rollback"]
    assert one_by_one == pytest.approx(at_once, rel=0.5)
    assert one_by_one > 3 * once**10


def test_what_was_observed_is_predicted_from_then_on(survivors):
    experiment = HYPOTHESES.experiments["ten isolated runs"]
    before = survivors.predict(experiment)["env-recheckout"].shares["all drift"]
    later, _ = since(survivors, *[("isolated run", "drift")] * 3)
    assert later.predict(experiment)["env-recheckout"].shares["all drift"] > 1.3 * before


def test_an_outcome_that_was_looked_up_is_known_from_then_on(survivors):
    name, outcome = "consoles of the red runs", "abra took the base in the drifted runs"
    later, chances = since(survivors, (name, outcome), (name, outcome))
    assert chances["env-recheckout"] > 0.99
    assert later.predict(HYPOTHESES.experiments[name])["env-recheckout"].shares == {outcome: 1.0}


def test_the_same_arguments_give_the_same_numbers(survivors):
    experiment = HYPOTHESES.experiments["two at a barrier"]
    assert survivors.predict(experiment) == survivors.predict(experiment)


def test_an_outcome_that_an_experiment_cannot_have_is_refused_with_the_nearest(survivors):
    with pytest.raises(UsageError, match="did you mean 'green'"):
        after(survivors, "isolated run", "grene")


def test_green_raises_the_odds_of_those_who_need_company_by_no_more_than_the_others_miss_it():
    rule = Rule("isolated run", "green", "drift", "green: the cluster", "a document")
    told = {
        "race": Predicted({"green": 1.0}, 400),
        "rollback": Predicted({"green": 0.5, "drift": 0.5}, 400),
        "fault": Predicted({"green": 0.25, "drift": 0.75}, 400),
    }
    judged = judged_rule(rule, told)
    assert (judged.company, judged.factor) == (("race",), 4.0)
    assert "proves none of them" in judged.sentences[1]
    alone = judged_rule(rule, {"race": told["race"]})
    assert (alone.factor, len(alone.sentences)) == (None, 1)
