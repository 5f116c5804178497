"""Properties in time: the explorer finds the fair lassos that the least clever search finds, and wrong twins do not."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from dstamp_sim import Process, explore, replay
from dstamp_sim.engines.explore import in_time
from dstamp_sim.engines.live import fair, way
from tests.live_systems import OWN, Drawn, drawn, explored, least_lasso, objection, system, verdict
from tests.todays import in_parts

FAST, ALL = 100, 2100
FEW_STATES = 40
"""Up to so many states, the shortest lasso is looked for by the oracle, too."""


def differences(found: Drawn) -> Iterator[str]:
    made = system(found)
    report = explore(made, properties=[prop.name for prop in made.properties], keep_going=True)
    for asked, judgement in zip(found.asked, report.judgements, strict=True):
        expected = verdict(found, asked)
        if judgement.verdict.name != expected:
            yield f"{asked}: {judgement.verdict.name}, but the oracle has {expected}"
        elif judgement.trace is not None:
            schedule = replay(made, str(judgement.trace.schedule)).schedule
            if why := objection(found, asked, schedule.choices, schedule.loop):
                yield f"{asked}: {schedule}: {why}"
            if len(explored(found).moves) <= FEW_STATES and len(schedule) != (least := least_lasso(found, asked)):
                yield f"{asked}: {schedule}: {len(schedule)} steps, but {least} are enough"


def check(seeds: range) -> None:
    for seed in seeds:
        found = list(differences(drawn(seed)))
        assert not found, f"seed {seed}: {found}\n{drawn(seed)}"


@pytest.mark.parametrize("first", range(0, FAST, 25))
def test_properties_in_time_are_judged_as_the_oracle_judges_them(first):
    check(range(first, first + 25))


@pytest.mark.slow
@pytest.mark.parametrize("seeds", in_parts(range(FAST, ALL), 50), ids=str)
def test_properties_in_time_of_two_thousand_more_systems_are_judged_as_the_oracle_judges_them(seeds):
    check(seeds)


def test_the_random_systems_are_not_trivial():
    tally = Counter()
    for seed in range(FAST):
        found = drawn(seed)
        tally.update((asked[0], verdict(found, asked)) for asked in found.asked)
        tally["more than 30 states"] += len(explored(found).moves) > 30
        tally["deaths"] += found.crashes > 0
        tally["strong"] += "strong" in found.fair
        tally["by op"] += any(found.fair_waits)
    kinds = [(kind, name) for kind in ("eventually", "leads_to", "always_eventually") for name in ("HOLDS", "VIOLATED")]
    wanted = [*kinds, "more than 30 states", "deaths", "strong", "by op"]
    built_in = [(kind, name) for kind in ("nobody_starves", "no_livelock") for name in ("HOLDS", "VIOLATED")]
    assert min(tally[what] for what in built_in) >= 0.05 * FAST, tally
    assert min(tally[what] for what in wanted) >= 0.1 * FAST, tally
    assert all(tally[kind, "UNDETERMINED"] > 0 for kind in ("leads_to", "nobody_starves"))


def weak_fairness_is_forgotten(monkeypatch):
    """Nobody is owed a move that stays possible."""
    honest = in_time.demands_of

    def wrong(space, graph):
        demands = honest(space, graph)
        return demands._replace(weak=np.zeros_like(demands.weak))

    monkeypatch.setattr(in_time, "demands_of", wrong)


def strong_fairness_is_weak(monkeypatch):
    """Who can move again and again is owed no more than who always can."""
    honest = in_time.demands_of

    def wrong(space, graph):
        weak, strong = honest(space, graph)
        return fair.Demands(weak | strong, np.zeros_like(strong))

    monkeypatch.setattr(in_time, "demands_of", wrong)


def nobody_is_unfair(monkeypatch):
    """Who says that it may stand still is owed its moves all the same."""
    nothing = np.zeros_like
    monkeypatch.setattr(in_time, "demands_of", lambda _, graph: fair.Demands(graph.enabled, nothing(graph.enabled)))


def a_component_is_dropped_whole(monkeypatch):
    """What is left of a component where somebody is starved is not looked at again."""
    honest = fair._starved

    def wrong(*args):
        starved, cut = honest(*args)
        return starved, np.ones_like(cut)

    monkeypatch.setattr(fair, "_starved", wrong)


def components_need_no_way_back(monkeypatch):
    """States are in one component though nothing leads back."""
    honest = fair.connected_components
    monkeypatch.setattr(
        fair, "connected_components", lambda moves, **_: honest(moves, directed=True, connection="weak")
    )


def standing_still_is_no_way_on(monkeypatch):
    """A behaviour that ends is none."""
    honest = fair.fair_components

    def wrong(graph, within, demands):
        found = honest(graph, within, demands)
        alone = np.bincount(found[found >= 0], minlength=1 + found.max(initial=-1)) == 1
        still = (found >= 0) & ~graph.enabled.any(axis=1)
        found[still & alone[found]] = -1
        return found

    monkeypatch.setattr(in_time, "fair_components", wrong)


def partial_order_is_left_on(monkeypatch):
    """Where a process is about to touch what nobody else touches, the others wait, even round a cycle."""
    honest = in_time.graph_of

    def wrong(space):
        graph = honest(space)
        own = [n for n, item in enumerate(space.tables.objects) if item.name in OWN]
        columns = space.columns(range(space.objects, space.objects + space.processes), 0, space.count)
        alone = np.isin(space.tables.target.data[columns], own) & graph.enabled
        first = np.where(alone.any(axis=1), alone.argmax(axis=1), -1)[graph.source]
        kept = (first < 0) | (first == graph.pid)
        return graph._replace(**{name: getattr(graph, name)[kept] for name in ("source", "target", "pid", "outcome")})

    monkeypatch.setattr(in_time, "graph_of", wrong)


def fairness_of_an_op_is_forgotten(monkeypatch):
    """Each process is treated alike wherever it stands."""
    monkeypatch.setattr(Process, "fairness", lambda process, _: process.fair)


def who_starves_may_move(monkeypatch):
    """A wait goes on though whoever waits gets on in between."""
    monkeypatch.setattr(fair.Graph, "without", lambda graph, _: graph)


def whoever_asks_a_lock_waits(monkeypatch):
    """Who stands before an op on a lock waits, though it is possible."""
    honest = in_time._waits_for_locks

    def wrong(space, graph):
        yield from honest(space, graph._replace(enabled=np.zeros_like(graph.enabled)))

    monkeypatch.setattr(in_time, "_waits_for_locks", wrong)


def the_first_who_waits_is_the_only_one(monkeypatch):
    """Nobody but the first process that ever waits for a lock is looked at."""
    honest = in_time._waits_for_locks
    monkeypatch.setattr(in_time, "_waits_for_locks", lambda *about: list(honest(*about))[:1])


def the_dead_never_end(monkeypatch):
    """Only who has a result has ended."""
    honest = in_time.ends_of

    def wrong(space):
        columns = space.columns(range(space.objects, space.objects + space.processes), 0, space.count)
        dead = np.isin(columns, list(space.tables.dead)).any(axis=1)
        return honest(space) & ~dead

    monkeypatch.setattr(in_time, "ends_of", wrong)


def the_first_lasso_is_kept(monkeypatch):
    """No shorter lasso is looked for than the one to the nearest component and greedily round in it."""
    monkeypatch.setattr(way, "EFFORT_MOVES", 0)


def only_the_nearest_state_begins_a_cycle(monkeypatch):
    """A shorter cycle is looked for from the end of the shortest stem only."""
    honest, begun = way.Rounds.by_length, set()

    def wrong(rounds, start):
        first = rounds not in begun
        begun.add(rounds)
        return honest(rounds, start) if first else iter(())

    monkeypatch.setattr(way.Rounds, "by_length", wrong)


TWINS = [
    the_first_lasso_is_kept,
    only_the_nearest_state_begins_a_cycle,
    fairness_of_an_op_is_forgotten,
    who_starves_may_move,
    whoever_asks_a_lock_waits,
    the_first_who_waits_is_the_only_one,
    the_dead_never_end,
    weak_fairness_is_forgotten,
    strong_fairness_is_weak,
    nobody_is_unfair,
    a_component_is_dropped_whole,
    components_need_no_way_back,
    standing_still_is_no_way_on,
    partial_order_is_left_on,
]


@pytest.mark.parametrize("twin", TWINS)
def test_a_deliberately_wrong_twin_is_caught_by_the_gate(twin, monkeypatch):
    known = [drawn(seed) for seed in range(FAST)]
    twin(monkeypatch)
    for found in known:
        try:
            if any(True for _ in differences(found)):
                return
        except Exception:
            return
    pytest.fail(f"{twin.__name__} passed {FAST} random systems")
