"""Systems whose objects may fail only so many times."""

from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.explore.atlas import chart
from dstamp_sim.engines.replay import replay
from dstamp_sim.incident.possible.rations import failures, portions, rationed, unrationed
from models.cc_ci import MECHANISMS

FAILED = ("update failed, rolling back", "rollback failed", "update failed, paused")


def system():
    return MECHANISMS["swarm-rollback"].factory(runs=1)


def most_failures(asked):
    atlas = chart(asked, most_states=20_000)
    assert atlas.complete
    return len(atlas.states), {road.does.count("failed") for roads in atlas.roads for road in roads}


def service_of(asked):
    return next(item.name for item in asked.objects if item.name.startswith("service"))


def test_without_failures_nothing_fails_and_with_enough_of_them_everything_is_as_ever():
    asked = system()
    states, _ = most_failures(asked)
    none, labels = most_failures(rationed(asked, FAILED, {service_of(asked): 0}))
    assert none < states
    assert labels == {0}


def test_a_trace_of_the_rationed_system_is_one_of_the_system_itself():
    asked = system()
    limited = rationed(asked, FAILED, {service_of(asked): 1})
    atlas = chart(limited, most_states=20_000)
    moves = longest(atlas)
    trace = unrationed(asked, replay(limited, moves))
    again = replay(asked, trace.schedule)
    assert trace.results == again.results == replay(limited, moves).results
    assert failures(trace, FAILED).total() == failures(replay(limited, moves), FAILED).total() <= 1


def longest(atlas):
    """The choices that lead to the state that is farthest from the initial one."""
    ways, at = {0: []}, [0]
    for state in at:
        for road in atlas.roads[state]:
            if road.target is not None and road.target not in ways:
                ways[road.target] = [*ways[state], road.choice]
                at.append(road.target)
    return ways[at[-1]]


def test_failures_are_shared_out_among_shared_objects_in_every_way():
    asked = MECHANISMS["swarm-rollback"].factory(runs=2, pr=(1, 2))
    shared = [item for item in asked.objects if not item.private]
    ways = list(portions(asked, 2, in_each=2))
    assert len(ways) == len(shared) * (len(shared) + 1) // 2
    assert len(Semantics(asked).names) == 4
