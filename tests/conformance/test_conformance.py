"""The objects against the real things: generated ops and schedules, each result, block and state compared."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dstamp_sim import Flock, GitCheckout, Outcome, Process, Spec, SwarmService, System
from dstamp_sim.core.errors import Disagreement
from tests.conformance.scripts import Ask, checkout_systems, flock_systems, orchestrate, service_systems, use_service

REAL = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


def drawn(data):
    """A chooser that draws every move, deaths and outcomes included, until nothing can move or 30 moves are made."""
    left = iter(range(30))

    def choose(semantics, state):
        moves = list(semantics.moves(state))
        if not moves or next(left, None) is None:
            return None
        return data.draw(st.sampled_from(moves))

    return choose


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_a_flock_does_what_flock_2_does(processes, conform, budget):
    @settings(REAL, max_examples=60 * budget)
    @given(flock_systems(processes), st.data())
    def check(system, data):
        conform(system, drawn(data))

    check()


@pytest.mark.needs("git")
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_a_checkout_does_what_git_does(processes, conform, budget):
    @settings(REAL, max_examples=20 * budget)
    @given(checkout_systems(processes), st.data())
    def check(system, data):
        conform(system, drawn(data))

    check()


@pytest.mark.slow
@pytest.mark.needs("dockerd", "busybox")
@pytest.mark.parametrize("orchestrated", [False, True])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_service_does_what_swarm_does(processes, orchestrated, conform, engine, budget):
    @settings(REAL, max_examples=12 * budget, phases=[Phase.generate])  # to shrink would take minutes
    @given(service_systems(processes, orchestrated=orchestrated), st.data())
    def check(system, data):
        conform(system, drawn(data), engine)

    check()


class SurvivesDeath(Flock):
    """A flock that stays locked when its holder dies."""

    def on_death(self, state, token):
        return state


class HeadFirst(GitCheckout):
    """A checkout by git that moves HEAD first, as go-git does."""

    def outcomes(self, state, op):
        if op.verb == "begin_checkout" and op.args[1] == "git" and not state.index_lock:
            return (Outcome(state._replace(head=op.args[0], index_lock=True), True),)
        return super().outcomes(state, op)


class KeepsLabels(SwarmService):
    """A service whose rollback brings the old tasks back, but not the old labels."""

    def _failed(self, service):
        failed, label = super()._failed(service)
        return failed._replace(spec=failed.spec._replace(stamp=service.spec.stamp)), label


def upgraded(service):
    """A service that is deployed at the base and updated to the head, which may fail."""
    asks = (Ask("deploy", (Spec("base", "base"),)), Ask("deploy", (Spec("head", "head"),)))
    daemon = Process("swarm", orchestrate, service, daemon=True)
    return System(objects=[service], processes=[Process("p0", use_service, service, asks), daemon])


@pytest.mark.parametrize(
    ("systems", "names"),
    [
        pytest.param(
            flock_systems(2, SurvivesDeath),
            r"the death of p\d, for 'lock', left",
            id="a flock survives death",
        ),
        pytest.param(
            checkout_systems(1, HeadFirst),
            r"p0's checkout.begin_checkout\('\w+', 'git'\) left Worktree",
            id="a checkout moves HEAD first",
            marks=pytest.mark.needs("git"),
        ),
        pytest.param(
            st.just(upgraded(KeepsLabels("service conform", orchestrated=True))),
            r"swarm's service conform.settle\(True\) left",
            id="a rollback keeps labels",
            marks=pytest.mark.needs("dockerd", "busybox"),
        ),
    ],
)
def test_a_broken_fact_is_caught_at_the_op(systems, names, request, real_forker, real_folder, conform):
    needed = request.getfixturevalue("engine") if "settle" in names else None

    @settings(REAL, max_examples=300, phases=[Phase.generate])
    @given(systems, st.data())
    def check(system, data):
        conform(system, drawn(data), needed, tally=None)

    with pytest.raises(Disagreement, match=names):
        check()
