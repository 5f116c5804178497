"""A swarm service: what DOMAIN.md says of versions, specs, updates, rollbacks and removal, fact by fact."""

import pytest

from dstamp_sim import (
    Process,
    Program,
    Service,
    Spec,
    Swarm,
    SwarmService,
    System,
    Verdict,
    at_end,
    delay,
    explore,
    reachable,
    replay,
)
from dstamp_sim.objects.swarm_service import MISSING, NAME_CONFLICT, NOT_FOUND, OUT_OF_SEQUENCE

BASE = Spec("base", "base content")
HEAD = Spec("head", "head content")
WRONG = Spec("base", "head content")
"""The redeploy's content under the base's stamp."""
PEER_BASE = Spec("base", "base content", "peer")

at_once = SwarmService("app")
versioned = SwarmService("app", versioned=True)
orchestrated = SwarmService("app", orchestrated=True)
pausing = SwarmService("app", orchestrated=True, failure_action="pause")

FAILS = "update failed, rolling back"
WORKS = "converged"
REDEPLOYED = (orchestrated.deploy(BASE), orchestrated.deploy(HEAD))
RELABEL = orchestrated.deploy(WRONG)


def after(swarm: SwarmService, *ops, state: Swarm = Swarm()) -> Swarm:  # noqa: B008 - immutable
    """The state after `ops`; an op with several outcomes is given as (op, label)."""
    for item in ops:
        op, label = item if isinstance(item, tuple) else (item, None)
        outcomes = [outcome for outcome in swarm.outcomes(state, op) if label in (None, outcome.label)]
        assert len(outcomes) == 1, f"{op}: {outcomes}"
        state = outcomes[0].state
    return state


def service_after(swarm: SwarmService, *ops) -> Service:
    service = after(swarm, *ops).service
    assert service is not None
    return service


def result(swarm: SwarmService, state: Swarm, op):
    (outcome,) = swarm.outcomes(state, op)
    return outcome.result


def failing(swarm: SwarmService, label: str):
    return (swarm.settle(may_fail=True), label)


# --- create, update, version


def test_a_first_deploy_creates_and_a_later_one_updates():
    created = after(at_once, at_once.deploy(BASE))
    assert result(at_once, Swarm(), at_once.deploy(BASE)) == "created"
    assert result(at_once, created, at_once.deploy(HEAD)) == "updated"


def test_a_created_service_has_no_previous_spec_and_no_update_status():
    service = service_after(at_once, at_once.deploy(BASE))
    assert (service.spec, service.previous, service.status) == (BASE, None, None)


def test_an_update_with_a_stale_version_fails_out_of_sequence_and_changes_nothing():
    created = after(versioned, versioned.deploy(BASE))
    version = result(versioned, created, versioned.version())
    updated = after(versioned, versioned.deploy(HEAD, version), state=created)
    (stale,) = versioned.outcomes(updated, versioned.deploy(WRONG, version))
    assert (stale.result, stale.state) == (OUT_OF_SEQUENCE, updated)


def test_creating_over_a_name_that_appeared_meanwhile_fails():
    created = after(versioned, versioned.deploy(BASE))
    (late,) = versioned.outcomes(created, versioned.deploy(HEAD, None))
    assert (late.result, late.state) == (NAME_CONFLICT, created)


def deploys(swarm: SwarmService, spec: Spec) -> Program[str]:
    version = yield swarm.version()
    return (yield swarm.deploy(spec, version))


def test_of_four_concurrent_deploys_of_one_service_one_to_three_can_fail_and_never_all():
    existing = SwarmService("app", after(versioned, versioned.deploy(BASE)), versioned=True)
    counts = set()
    collects = at_end("collects", lambda results: counts.add(list(results.values()).count(OUT_OF_SEQUENCE)) or True)
    processes = [Process("run", deploys, existing, HEAD, copies=4)]
    report = explore(System(objects=[existing], processes=processes, properties=[collects]))
    assert report.verdict is Verdict.HOLDS
    assert counts == {0, 1, 2, 3}  # 0: one after the other, which no real trial was


def test_a_deploy_is_not_atomic_a_create_may_slip_in_between_its_listing_and_its_writing():
    system = System(objects=[versioned], processes=[Process("run", deploys, versioned, BASE, copies=2)])
    trace = replay(system, "run#1 run#2*2 run#1")
    assert trace.results == {"run#1": NAME_CONFLICT, "run#2": "created"}


def test_without_versions_the_later_deploy_silently_wins():
    system = System(
        objects=[at_once],
        processes=[Process("a", deploys, at_once, BASE), Process("b", deploys, at_once, HEAD)],
    )
    trace = replay(system, "a b*2 a")
    *_, last = trace.states()
    assert trace.results == {"a": "updated", "b": "created"} and last["app"].service.spec == BASE


# --- what an update does to Spec, PreviousSpec and UpdateStatus


def test_each_update_sets_the_previous_spec_to_the_spec():
    service = service_after(at_once, *map(at_once.deploy, (BASE, HEAD, WRONG)))
    assert (service.spec, service.previous) == (WRONG, HEAD)


def test_a_label_only_update_replaces_the_spec_and_starts_no_task():
    service = service_after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(PEER_BASE))
    assert (service.spec, service.previous, service.status) == (PEER_BASE, BASE, None)
    state = after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(PEER_BASE))
    assert orchestrated.outcomes(state, orchestrated.wait_update()) == ()


def test_a_label_only_update_clears_the_update_status():
    done = (orchestrated.deploy(BASE), orchestrated.deploy(HEAD), orchestrated.settle(may_fail=False))
    assert service_after(orchestrated, *done).status == "completed"
    assert service_after(orchestrated, *done, orchestrated.deploy(WRONG)).status is None


def test_a_label_only_change_during_an_update_replaces_spec_and_the_update_goes_on():
    running = after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD))
    relabelled = service_after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD), RELABEL)
    assert running.service.status == relabelled.status == "updating"
    assert (relabelled.spec, relabelled.previous) == (WRONG, HEAD)


def test_an_update_back_to_what_the_tasks_still_run_completes_at_once_and_cannot_fail():
    back = after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD), orchestrated.deploy(PEER_BASE))
    assert (back.service.status, back.service.previous) == ("completed", HEAD)
    (late,) = orchestrated.outcomes(back, orchestrated.settle(may_fail=True))
    assert (late.state, late.label) == (back, "superseded")


def test_the_spec_of_an_update_deployed_again_clears_its_status_and_it_goes_on_unseen():
    again = after(orchestrated, *REDEPLOYED, orchestrated.deploy(HEAD))
    assert (again.service.previous, again.service.status, again.service.unseen) == (HEAD, None, True)
    assert result(orchestrated, again, orchestrated.wait_settled()) is None
    assert len(orchestrated.outcomes(again, orchestrated.wait_update())) == 1


def test_an_unseen_update_ends_without_a_word_and_is_neither_rolled_back_nor_paused_if_it_fails():
    for service in (orchestrated, pausing):
        again = after(service, service.deploy(BASE), service.deploy(HEAD), service.deploy(HEAD))
        well, failed = service.outcomes(again, service.settle(may_fail=True))
        assert (well.label, well.result, well.state.service) == ("converged", None, Service(0, 0, HEAD, HEAD, None))
        assert (failed.label, failed.result) == ("update failed, unseen", None)
        assert failed.state.service == Service(0, 0, HEAD, HEAD, None, "mixed")


def test_an_unseen_end_takes_no_version():
    service = SwarmService("service", orchestrated=True, versioned=True)
    again = Swarm(Service(1, 3, Spec("head", "head"), Spec("head", "head"), None, "base", unseen=True), 3)
    assert {outcome.state.version_index for outcome in service.outcomes(again, service.settle(may_fail=True))} == {3}


def test_a_rollback_too_goes_on_unseen_when_its_spec_is_deployed_again():
    again = after(orchestrated, *REDEPLOYED, failing(orchestrated, FAILS), orchestrated.deploy(BASE))
    assert again.service == Service(0, 0, BASE, BASE, None, "mixed", unseen=True)


def test_another_spec_ends_what_goes_on_unseen():
    unseen = after(orchestrated, *REDEPLOYED, orchestrated.deploy(HEAD))
    for spec, status in ((WRONG, "updating"), (PEER_BASE, "completed")):
        now = after(orchestrated, orchestrated.deploy(spec), state=unseen).service
        assert (now.status, now.unseen) == (status, False)


@pytest.mark.parametrize("service", [orchestrated, pausing], ids=["rollback", "pause"])
def test_after_a_failed_update_some_tasks_run_either_content_so_any_deploy_starts_some(service):
    failed = [o.state for o in service.outcomes(after(service, *REDEPLOYED), service.settle(may_fail=True))][1]
    for spec in (PEER_BASE, Spec("peer", "head")):
        assert after(service, service.deploy(spec), state=failed).service.status == "updating"


def test_an_update_of_content_is_under_way_until_it_settles():
    running = after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD))
    assert orchestrated.outcomes(running, orchestrated.wait_settled()) == ()
    settled = after(orchestrated, orchestrated.settle(may_fail=False), state=running)
    assert result(orchestrated, settled, orchestrated.wait_settled()) == "completed"


def test_without_an_orchestrator_every_update_of_content_is_complete_at_once():
    assert service_after(at_once, at_once.deploy(BASE), at_once.deploy(HEAD)).status == "completed"


# --- failure


def test_an_update_that_may_fail_has_both_outcomes():
    running = after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD))
    labels = [outcome.label for outcome in orchestrated.outcomes(running, orchestrated.settle(may_fail=True))]
    assert labels == [WORKS, FAILS]


def test_a_rollback_restores_the_previous_spec_labels_included_and_forgets_it():
    service = service_after(
        orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD), failing(orchestrated, FAILS)
    )
    assert (service.spec, service.spec.stamp, service.previous) == (BASE, "base", None)
    assert service.status == "rollback_started"


def test_a_rollback_that_works_ends_as_rollback_completed():
    rolled_back = failing(orchestrated, FAILS), failing(orchestrated, "rolled back")
    service = service_after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD), *rolled_back)
    assert (service.spec, service.status) == (BASE, "rollback_completed")


def test_a_failed_rollback_pauses():
    failed_twice = failing(orchestrated, FAILS), failing(orchestrated, "rollback failed")
    service = service_after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD), *failed_twice)
    assert (service.spec, service.status) == (BASE, "rollback_paused")


def test_a_rollback_is_under_way_until_it_settles():
    state = after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD), failing(orchestrated, FAILS))
    assert orchestrated.outcomes(state, orchestrated.wait_settled()) == ()
    assert len(orchestrated.outcomes(state, orchestrated.wait_update())) == 1


def test_with_failure_action_pause_the_new_spec_stays():
    failed = failing(pausing, "update failed, paused")
    service = service_after(pausing, pausing.deploy(BASE), pausing.deploy(HEAD), failed)
    assert (service.spec, service.previous, service.status) == (HEAD, BASE, "paused")


def test_a_failing_update_without_a_previous_spec_pauses():
    rolled_back = failing(orchestrated, FAILS), failing(orchestrated, "rolled back")
    state = after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD), *rolled_back)
    bare = Swarm(state.service._replace(status="updating"), state.version_index)
    assert after(orchestrated, failing(orchestrated, "update failed, paused"), state=bare).service.spec == BASE


def redeploys_and_checks(*, settled: bool) -> Program[str]:
    yield orchestrated.deploy(BASE)
    yield orchestrated.deploy(HEAD)
    if settled:
        yield orchestrated.wait_settled()
    return (yield orchestrated.read_stamp())


def orchestrates() -> Program[None]:
    yield orchestrated.wait_update()
    yield delay("monitor")
    yield orchestrated.settle(may_fail=True)


def checked_by(program) -> System:
    return System(
        objects=[orchestrated],
        processes=[Process("run", program), Process("swarm", orchestrates, daemon=True)],
        properties=[
            reachable("reads head", lambda results: results.get("run") == "head"),
            reachable("reads base", lambda results: results.get("run") == "base"),
        ],
    )


def test_one_run_alone_may_read_the_bases_stamp_back_after_an_automatic_rollback():
    def early() -> Program[str]:
        return (yield from redeploys_and_checks(settled=False))

    def settled() -> Program[str]:
        return (yield from redeploys_and_checks(settled=True))

    assert explore(checked_by(early)).verdict is Verdict.HOLDS
    assert explore(checked_by(settled)).verdict is Verdict.HOLDS


# --- reading


def test_the_stamp_of_no_service_is_missing():
    assert result(at_once, Swarm(), at_once.read_stamp()) == MISSING
    assert result(at_once, Swarm(), at_once.read_spec()) is None
    assert result(at_once, Swarm(), at_once.exists()) is False


def test_the_stamp_is_the_label_in_spec():
    state = after(at_once, at_once.deploy(BASE), at_once.deploy(HEAD))
    assert result(at_once, state, at_once.read_stamp()) == "head"
    assert result(at_once, state, at_once.read_spec()) == HEAD


def test_only_a_lagging_read_during_an_update_may_see_the_previous_stamp():
    running = after(orchestrated, orchestrated.deploy(BASE), orchestrated.deploy(HEAD))
    settled = after(orchestrated, orchestrated.settle(may_fail=False), state=running)

    def stamps(state: Swarm, *, lagging: bool) -> list:
        return [outcome.result for outcome in orchestrated.outcomes(state, orchestrated.read_stamp(lagging=lagging))]

    assert stamps(running, lagging=False) == ["head"]
    assert stamps(running, lagging=True) == ["head", "base"]
    assert stamps(settled, lagging=True) == ["head"]


# --- removal


def test_removing_says_whether_there_was_a_service():
    assert result(at_once, Swarm(), at_once.remove()) is False
    state = after(at_once, at_once.deploy(BASE))
    assert result(at_once, state, at_once.remove()) is True
    assert after(at_once, at_once.remove(), state=state).service is None


def test_a_service_that_is_removed_and_created_again_has_a_new_id_and_no_past():
    first = after(versioned, versioned.deploy(BASE))
    again = after(versioned, versioned.remove(), versioned.deploy(HEAD), state=first)
    assert again.service.id != first.service.id
    assert (again.service.previous, again.service.status) == (None, None)


def test_an_update_keeps_the_id():
    first = after(versioned, versioned.deploy(BASE))
    updated = after(versioned, versioned.deploy(HEAD, first.service.version), state=first)
    assert updated.service.id == first.service.id and updated.service.version > first.service.version


def test_a_version_listed_before_a_removal_does_not_update_the_service_created_after_it():
    first = after(versioned, versioned.deploy(BASE))
    again = after(versioned, versioned.remove(), versioned.deploy(BASE), state=first)
    assert result(versioned, again, versioned.deploy(HEAD, first.service.version)) == NOT_FOUND


# --- the fingerprint table

SETTLES = orchestrated.settle(may_fail=False)
FINGERPRINTS = {
    "automatic rollback, under way": (
        (*REDEPLOYED, failing(orchestrated, FAILS)),
        ("base", None, "rollback_started"),
    ),
    "automatic rollback, completed": (
        (*REDEPLOYED, failing(orchestrated, FAILS), SETTLES),
        ("base", None, "rollback_completed"),
    ),
    "automatic rollback, paused": (
        (*REDEPLOYED, failing(orchestrated, FAILS), failing(orchestrated, "rollback failed")),
        ("base", None, "rollback_paused"),
    ),
    "another run's base deploy came after, updating": (
        (*REDEPLOYED, SETTLES, orchestrated.deploy(PEER_BASE)),
        ("base", "head", "updating"),
    ),
    "another run's base deploy came after, completed": (
        (*REDEPLOYED, SETTLES, orchestrated.deploy(PEER_BASE), SETTLES),
        ("base", "head", "completed"),
    ),
    "another run's base deploy of the same content came after, unset": (
        (*REDEPLOYED, SETTLES, orchestrated.deploy(WRONG)),
        ("base", "head", None),
    ),
    "wrong stamp written by the redeploy itself, updating": (
        (orchestrated.deploy(BASE), orchestrated.deploy(WRONG)),
        ("base", "base", "updating"),
    ),
    "wrong stamp written by the redeploy itself, completed": (
        (orchestrated.deploy(BASE), orchestrated.deploy(WRONG), SETTLES),
        ("base", "base", "completed"),
    ),
    "redeploy never applied": (
        (orchestrated.deploy(BASE),),
        ("base", None, None),
    ),
}


@pytest.mark.parametrize("row", FINGERPRINTS)
def test_the_fingerprint_table_reads_as_the_domain_says(row):
    ops, (stamp, previous, status) = FINGERPRINTS[row]
    service = service_after(orchestrated, *ops)
    assert service.spec.stamp == stamp
    assert (service.previous.stamp if service.previous else None) == previous
    assert service.status == status


def test_no_two_rows_of_the_fingerprint_table_look_the_same():
    assert len({fingerprint for _, fingerprint in FINGERPRINTS.values()}) == len(FINGERPRINTS)


def test_an_update_of_a_service_that_was_removed_meanwhile_fails():
    service = SwarmService("service", versioned=True)
    outcomes = service.outcomes(Swarm(None, 3), service.deploy(Spec("head", "head"), 3))
    assert [outcome.result for outcome in outcomes] == ["service not found"]


def test_every_change_of_a_service_takes_the_next_version_the_orchestrators_too():
    service = SwarmService("service", versioned=True, orchestrated=True)
    updating = Swarm(Service(1, 2, Spec("head", "head"), Spec("base", "base"), "updating"), 2)
    for outcome in service.outcomes(updating, service.settle(may_fail=True)):
        assert outcome.state.service.version == outcome.state.version_index == 3
