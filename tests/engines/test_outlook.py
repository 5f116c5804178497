"""The outlook holds every place that a process can come to; a twin that forgets new states does not."""

import pytest

from dstamp_sim.core.semantics import DEAD, Semantics
from dstamp_sim.engines.atlas import chart
from dstamp_sim.engines.outlook import Outlook
from models.cc_ci import MECHANISMS
from tests.random_systems import random_system


class Forgetful(Outlook):
    """Wrong on purpose: a state that an object takes on later is met by nobody who has asked before."""

    def _met(self, target, state):
        if state == target.initial:
            super()._met(target, state)


def missed(system, kind=Outlook):
    """How many local states the atlas of a system has that its outlook lacks; None where either has no end."""
    atlas = chart(system, most_states=300)
    outlook = kind(Semantics(system))
    if not atlas.complete or not outlook.spread():
        return None
    seen = {_told(outlook.node(place), place[1].private) for place in outlook.places}
    semantics = atlas.semantics
    there = {
        _told(semantics.node(state, pid), local.private)
        for state in atlas.states
        for pid, local in enumerate(state.local)
        if local.node != DEAD
    }
    return len(there - seen)


def _told(node, private):
    return str(node.op), repr(node.result), node.depth, tuple(hold.token for hold in node.holds), private


def test_what_is_reachable_is_in_the_outlook_of_random_systems():
    found = [missed(random_system(seed)) for seed in range(12)]
    assert set(found) <= {0, None}
    assert found.count(0) > 2


def test_the_twin_that_forgets_new_states_is_caught():
    assert any(missed(random_system(seed), Forgetful) for seed in range(12))


@pytest.mark.parametrize("name", ["stack-race", "checkout-race", "swarm-rollback"])
def test_so_it_is_of_the_incident(name):
    assert missed(MECHANISMS[name].factory(runs=1)) == 0
