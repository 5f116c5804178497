"""The incident's lock placements, for 2 and 3 runs and for any number: the answers that a review must give."""

from functools import cache

import pytest

from dstamp_sim import ANY, Placement, Verdict, explore, prove
from dstamp_sim.lock_review.compare import JudgedPlacement, candidates, minimal_safe, no_cure
from models.cc_ci import MECHANISMS, checkout_race, stack_race, swarm_rollback
from models.cc_ci.system import SECTIONS

BROKEN = [
    "app-domain:deploy_app",
    "app-domain:chaos_redeploy",
    "app-domain:deploy_app,app-domain:chaos_redeploy",
    "app-domain:chaos_redeploy..check_hc1",
]
WRITE_TO_CHECK = range(SECTIONS.index("deploy_app"), SECTIONS.index("check_hc1") + 1)


def verdict_for_any(system):
    return prove(system, properties=[prop.name for prop in system.properties]).verdict


@pytest.mark.parametrize("written", BROKEN)
@pytest.mark.parametrize("runs", [2, 3, ANY])
def test_locks_on_single_writes_and_without_the_base_deploy_are_broken(written, runs):
    system = stack_race(runs=runs).with_locks(Placement.parse(written))
    judge = verdict_for_any if runs is ANY else lambda given: explore(given).verdict
    assert judge(system) is Verdict.VIOLATED


@cache
def judged():
    """Every placement of one or two spans of the app-domain lock, judged for any number of runs."""
    system = stack_race(runs=ANY)
    return [
        JudgedPlacement(placement, verdict_for_any(system.with_locks(placement)), "any number", deadlock=Verdict.HOLDS)
        for placement in candidates(SECTIONS, ["app-domain"], 2, "app-domain")
    ]


def test_the_safe_single_spans_are_those_from_the_base_deploy_to_the_check_or_longer():
    for one in judged():
        if len(one.placement.spans) == 1:
            span = one.placement.spans[0]
            covered = range(SECTIONS.index(span.first), SECTIONS.index(span.last) + 1)
            assert one.safe == (set(WRITE_TO_CHECK) <= set(covered)), one.shape


def test_the_smallest_safe_placements_are_one_span_and_two_pairs():
    assert {one.shape for one in minimal_safe(judged(), SECTIONS)} == {
        "app-domain:deploy_app..check_hc1",
        "app-domain:deploy_app, app-domain:chaos_redeploy..check_hc1",
        "app-domain:deploy_app..chaos_redeploy, app-domain:check_hc1",
    }


def test_the_pair_that_lets_go_between_redeploy_and_check_is_broken_when_a_run_dies_and_the_others_are_not():
    for one in minimal_safe(judged(), SECTIONS):
        system = stack_race(runs=ANY).with_locks(one.placement).with_crashes(1)
        lets_go = one.shape.endswith("chaos_redeploy, app-domain:check_hc1")
        assert verdict_for_any(system) is (Verdict.VIOLATED if lets_go else Verdict.HOLDS), one.shape


@pytest.mark.parametrize(
    ("written", "verdict"),
    [
        ("app-domain:deploy_app..check_hc1", Verdict.VIOLATED),
        ("app-domain:fetch_recipe..teardown", Verdict.VIOLATED),
        ("recipe:deploy_app..check_hc1", Verdict.HOLDS),
    ],
)
def test_a_lock_per_domain_does_not_help_runs_of_two_domains_that_share_a_checkout_and_one_per_recipe_does(
    written, verdict
):
    system = checkout_race(runs=ANY, pr=(1, 2)).with_locks(Placement.parse(written))
    assert verdict_for_any(system) is verdict


def test_every_placement_fails_with_one_run_where_the_swarm_itself_rolls_back():
    system, found = swarm_rollback(runs=ANY), []
    for placement in candidates(SECTIONS, ["app-domain"], 1, None):
        judgement = prove(system.with_locks(placement), properties=["HC1 reads no wrong commit"]).judgements[0]
        assert judgement.copies == {"run": 1}, placement.name
        found.append(JudgedPlacement(placement, judgement.verdict, "any", smallest=1, in_sections=1))
    assert no_cure(found).endswith("Locks are not the cure")


def test_any_number_of_runs_is_a_setting_of_every_mechanism():
    for name, mechanism in MECHANISMS.items():
        assert mechanism.factory(runs=ANY).any_number, name
