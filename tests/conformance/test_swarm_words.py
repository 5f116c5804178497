"""Each fact of a swarm service, as one schedule of its own: what generated sequences might happen to miss."""

import pytest

from dstamp_sim import Process, Program, Spec, SwarmService, System
from dstamp_sim.conformance.play import follow
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.replay import replay_to_end
from tests.conformance.scripts import orchestrate

pytestmark = [
    pytest.mark.slow,  # each waits for tasks to come up
    pytest.mark.needs("dockerd", "busybox"),
]

BASE, HEAD, OTHER_LABEL = Spec("base", "base"), Spec("head", "head"), Spec("base", "head")


def services(*scripts, **kinds):
    """Processes p0, p1, … that perform these verbs on one service, and its orchestrator `swarm`."""
    service = SwarmService("service words", orchestrated=True, **kinds)
    users = [Process(f"p{k}", ask_of, service, script) for k, script in enumerate(scripts)]
    return System(objects=[service], processes=[*users, Process("swarm", orchestrate, service, daemon=True)])


def ask_of(service: SwarmService, script: tuple) -> Program[None]:
    """Performs the verbs; a Spec stands for its deploy, which goes by what was listed last."""
    listed = None
    for item in script:
        if isinstance(item, Spec):
            yield service.deploy(item, listed)
        elif item == "version":
            listed = yield service.version()
        else:
            yield service.op(item)


def told(trace):
    """What each deploy gave, and each UpdateStatus that a service showed, in order and without repetition."""
    deploys = [step.result for step in trace.steps if step.op is not None and step.op.verb == "deploy"]
    shown = [state["service words"].service for state in trace.states()]
    statuses = [service.status if service else "no service" for service in shown]
    return deploys, [now for now, before in zip(statuses, [None, *statuses], strict=False) if now != before]


WELL, BADLY = "swarm swarm", "swarm swarm:1"


@pytest.mark.parametrize(
    ("action", "schedule", "statuses"),
    [
        ("rollback", f"p0*2 {WELL}", ["updating", "completed"]),
        ("rollback", f"p0*2 {BADLY} {WELL}", ["updating", "rollback_started", "rollback_completed"]),
        ("rollback", f"p0*2 {BADLY} {BADLY}", ["updating", "rollback_started", "rollback_paused"]),
        ("pause", f"p0*2 {BADLY}", ["updating", "paused"]),
        ("rollback", f"p0*3 {WELL}", ["updating", None]),
        ("rollback", f"p0*3 {BADLY}", ["updating", None]),
        ("pause", f"p0*3 {BADLY}", ["updating", None]),
        ("pause", f"p0*3 {BADLY} p0 {WELL}", ["updating", None, "updating", "completed"]),
    ],
)
def test_update_status_goes_through_its_states(action, schedule, statuses, conform, engine):
    system = services((BASE, HEAD, HEAD, HEAD), failure_action=action)
    trace = conform(system, follow(schedule), engine, strict=True)
    assert told(trace)[1] == ["no service", None, *statuses]


def last(trace):
    *_, state = trace.states()
    return state["service words"].service


def test_a_rollback_brings_the_labels_back_and_forgets_the_previous_spec(conform, engine):
    service = last(conform(services((BASE, HEAD)), follow(f"p0*2 {BADLY} {WELL}"), engine, strict=True))
    assert (service.spec, service.previous) == (BASE, None)


def test_a_pause_keeps_the_new_spec_and_the_previous_one(conform, engine):
    paused = services((BASE, HEAD), failure_action="pause")
    service = last(conform(paused, follow(f"p0*2 {BADLY}"), engine, strict=True))
    assert (service.spec, service.previous) == (HEAD, BASE)


def test_a_label_only_update_replaces_spec_and_starts_no_task(conform, engine):
    system = services((BASE, HEAD, OTHER_LABEL))
    trace = conform(system, follow(f"p0*2 {WELL} p0"), engine, strict=True)
    assert (last(trace).spec, last(trace).previous, last(trace).status) == (OTHER_LABEL, HEAD, None)
    semantics = Semantics(system)
    _, end = replay_to_end(semantics, trace.schedule)
    swarm = semantics.names.index("swarm")
    assert semantics.node(end, swarm).op == system.objects[0].wait_update()
    assert semantics.outcomes(end, swarm) == ()


def test_a_label_only_update_during_an_update_does_not_end_it(conform, engine):
    trace = conform(services((BASE, HEAD, OTHER_LABEL)), follow(f"p0*3 {WELL}"), engine, strict=True)
    assert told(trace)[1] == ["no service", None, "updating", "completed"]


def test_of_two_deploys_by_one_listing_the_later_is_out_of_sequence(conform, engine):
    script = ("version", BASE, "version", HEAD)
    system = services(script, script[2:], versioned=True)
    trace = conform(system, follow("p0*3 p1 p0 p1"), engine, strict=True)
    assert told(trace)[0] == ["created", "updated", "update out of sequence"]


def test_a_removed_service_is_created_anew_and_an_older_listing_does_not_reach_it(conform, engine):
    system = services(("version", BASE, "version", HEAD), ("remove", HEAD), versioned=True)
    trace = conform(system, follow("p0*3 p1*2 p0"), engine, strict=True)
    assert told(trace)[0] == ["created", "created", "service not found"]
    assert (last(trace).spec, last(trace).previous) == (HEAD, None)
