"""What the incident's model must show, and that it keeps to the facts of DOMAIN.md."""

import pytest

from dstamp_sim import ANY, GitCheckout, Placement, Verdict, explore, replay
from dstamp_sim.core.errors import UsageError
from dstamp_sim.inputs.model_file import load_model
from models.cc_ci import MECHANISMS, PLACEMENTS, checkout_race, stack_race, swarm_rollback
from models.cc_ci.naming import app_domain


def verdict(system, **options):
    return explore(system, **options).verdict


def stamps(report):
    return [result.stamp for result in report.trace.results.values()]


def test_two_runs_race_and_one_reads_the_bases_stamp():
    report = explore(stack_race(runs=2))
    assert report.verdict is Verdict.VIOLATED
    assert stamps(report) == ["eb96de94+U"]


def test_one_run_alone_is_safe_from_the_stack_race():
    assert verdict(stack_race(runs=1)) is Verdict.HOLDS


def test_with_a_pinned_base_the_stamp_of_the_incident_is_unreachable_by_the_stack_race():
    asked = explore(stack_race(base_deploy="pinned", question="base_stamp")).judgement("a check reads the base's stamp")
    assert asked.verdict is Verdict.VIOLATED
    assert asked.trace is None
    assert "in none of all" in asked.reason


def test_with_a_pinned_base_a_check_can_still_find_no_chaos_stamp_at_all():
    report = explore(stack_race(base_deploy="pinned"), keep_going=True)
    assert report.judgement("HC1 reads no wrong commit").verdict is Verdict.HOLDS
    assert report.judgement("HC1 finds a chaos stamp").verdict is Verdict.VIOLATED


def test_the_lock_from_deploy_app_to_the_check_makes_two_runs_safe():
    assert verdict(stack_race().with_locks(PLACEMENTS["deploy_app_to_check"])) is Verdict.HOLDS


def test_a_peers_teardown_outside_that_lock_can_still_take_the_stack_away_before_the_check():
    system = stack_race(question="live_stack").with_locks(PLACEMENTS["deploy_app_to_check"])
    assert verdict(system) is Verdict.VIOLATED


def test_a_swarm_rollback_needs_only_one_run():
    report = explore(swarm_rollback(runs=1))
    assert report.verdict is Verdict.VIOLATED
    assert stamps(report) == ["eb96de94+U"]


@pytest.mark.parametrize("placement", ["deploy_app_to_check", "deploy_app_to_exit", "merge_queue"])
def test_no_lock_cures_a_swarm_rollback(placement):
    assert verdict(swarm_rollback().with_locks(PLACEMENTS[placement])) is Verdict.VIOLATED


@pytest.mark.parametrize("runs", [2, 3, 4])
def test_in_a_closed_cluster_at_most_all_but_one_are_red_by_the_stack_race(runs):
    assert verdict(stack_race(runs=runs, question="all_red")) is Verdict.VIOLATED
    assert verdict(stack_race(runs=runs, question="all_but_one_red")) is Verdict.HOLDS


@pytest.mark.parametrize("runs", [2, 3, pytest.param(4, marks=pytest.mark.slow)])
def test_all_runs_can_be_red_by_the_checkout_race(runs):
    assert verdict(checkout_race(runs=runs, question="all_red")) is Verdict.HOLDS


def test_runs_of_different_pull_requests_share_no_stack_and_do_not_race_on_it():
    assert verdict(stack_race(pr=(1, 2))) is Verdict.HOLDS


def test_for_different_domains_on_a_shared_checkout_the_domain_lock_is_no_help_and_the_recipe_lock_is():
    system = checkout_race(pr=(1, 2))
    assert verdict(system.with_locks(PLACEMENTS["deploy_app_to_check"])) is Verdict.VIOLATED
    assert verdict(system.with_locks(PLACEMENTS["per_recipe"])) is Verdict.HOLDS


def test_the_documents_placement_is_the_default():
    assert stack_race().placement is PLACEMENTS["deploy_app"]


def test_a_placement_that_sets_parameters_is_built_with_them():
    placement = PLACEMENTS["stack_per_run"]
    assert verdict(stack_race(**placement.sets).with_locks(placement)) is Verdict.HOLDS


def test_a_wrong_stamp_carries_plus_u_from_the_overlay_and_none_without_it():
    assert stamps(explore(stack_race(overlay=False))) == ["eb96de94"]


def test_the_app_domain_is_the_same_for_the_same_recipe_pr_and_ref_only():
    same = app_domain("discourse", 7, "7ae7b0f76efb")
    assert same == app_domain("discourse", 7, "7ae7b0f76efb")
    assert same.startswith("disc-")
    assert same.endswith(".ci.commoninternet.net")
    assert same != app_domain("discourse", 8, "7ae7b0f76efb")


def test_abra_reads_head_then_dirtiness_then_the_compose_files_then_deploys():
    trace = explore(stack_race(runs=2)).trace
    redeploy = [s.op.verb for s in trace.steps if "chaos_redeploy" in s.sections and s.process == "run#1"]
    assert redeploy == ["delay", "add_overlay", "head", "is_dirty", "files", "deploy"]


def test_chaos_redeploy_takes_no_lock_and_deploy_app_does():
    trace = explore(stack_race(runs=2)).trace
    asked = {s.section for s in trace.steps if s.op.verb == "acquire"}
    assert asked == {"deploy_app"}


@pytest.mark.parametrize("name", MECHANISMS)
def test_every_witness_of_every_mechanism_replays(name):
    system = MECHANISMS[name].factory()
    for judgement in explore(system, keep_going=True).judgements:
        if judgement.trace is not None:
            assert replay(system, str(judgement.trace.schedule)) == judgement.trace


def test_a_crash_between_redeploy_and_check_leaves_the_peer_a_stack_but_no_lock():
    system = stack_race().with_locks(PLACEMENTS["deploy_app_to_check"]).with_crashes(1)
    report = explore(system)
    assert report.judgement("no deadlock").verdict is Verdict.HOLDS


def test_a_torn_checkout_gives_plus_u_without_any_overlay():
    report = explore(MECHANISMS["torn-checkout"].factory(question="base_stamp"))
    assert report.judgement("a check reads the base's stamp").verdict is Verdict.HOLDS


def test_the_checkout_is_private_only_where_every_run_has_its_own():
    def checkout_of(system):
        return next(item for item in system.objects if isinstance(item, GitCheckout))

    assert checkout_of(stack_race()).private
    assert not checkout_of(checkout_race()).private


def test_a_span_over_the_check_alone_is_not_enough():
    assert verdict(stack_race().with_locks(Placement.parse("app-domain:check_hc1"))) is Verdict.VIOLATED


def test_that_there_is_only_a_number_of_runs_with_an_id_each_is_said_as_the_model_says_it():
    with pytest.raises(UsageError, match=r"^runs=any: .*so there is only a number$"):
        load_model("cc_ci").build({"runs": ANY, "fencing": True})
