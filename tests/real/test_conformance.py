"""The objects against the real things: generated ops and schedules, each result, block and state compared."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.real.scripts import checkout_systems, flock_systems, service_systems

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
        if not moves or semantics.ended(state) or next(left, None) is None:
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


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_a_checkout_does_what_git_does(processes, conform, budget):
    @settings(REAL, max_examples=20 * budget)
    @given(checkout_systems(processes), st.data())
    def check(system, data):
        conform(system, drawn(data))

    check()


@pytest.mark.parametrize("orchestrated", [False, True])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_service_does_what_swarm_does(processes, orchestrated, conform, engine, budget):
    @settings(REAL, max_examples=12 * budget, phases=[Phase.generate])  # to shrink would take minutes
    @given(service_systems(processes, orchestrated=orchestrated), st.data())
    def check(system, data):
        conform(system, drawn(data), engine)

    check()
