"""Published verdicts on what comes in the end, and on who starves, for models written here from their description."""

import pytest

from dstamp_sim import (
    Process,
    Register,
    System,
    Verdict,
    always_eventually,
    eventually,
    explore,
    leads_to,
)
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.explore.explorer import explore_tables
from dstamp_sim.engines.tables.tables import Tables
from tests.engines.test_published_counts import (
    World,
    actor,
    allocator,
    blocking_queue,
    chandy_misra,
    needs_frames,
    put,
    readers_writers,
)


def verdict(world, processes, prop):
    report = explore(System(objects=[world], processes=processes, properties=[prop]), properties=[prop.name])
    return report.judgement(prop.name).verdict.name


def without_fairness(processes, *names):
    """The processes; those of the names may stand still."""
    return [Process(p.name, p.program, daemon=p.daemon, fair="none" if p.name in names else p.fair) for p in processes]


@pytest.mark.parametrize("me", [0, 1])
def test_no_philosopher_of_chandy_and_misra_starves(me):
    """TLA+ DiningPhilosophers, 5: whoever is hungry eats, by weak fairness; not if a neighbour may stand still."""
    world, actors = chandy_misra()
    fed = leads_to("fed", lambda s: s[world][2][me], lambda s: s[world][1][me] == "eat", reads=[world])
    assert verdict(world, actors, fed) == "HOLDS"
    still = [f"{verb}_{(me + 1) % 5}" for verb in ("loop", "eat", "think")]
    assert verdict(world, without_fairness(actors, *still), fed) == "VIOLATED"


@pytest.mark.slow
def test_each_of_the_readers_and_writers_in_a_queue_gets_in():
    """TLA+ ReadersWriters, 3 actors: live by weak fairness."""
    world, actors = readers_writers()
    reads = always_eventually("0 reads", lambda s: 0 in s[world][0], reads=[world])
    writes = always_eventually("0 writes", lambda s: 0 in s[world][1], reads=[world])
    system = System(objects=[world], processes=actors, properties=[reads, writes])
    report = explore(system, properties=["0 reads", "0 writes"])
    assert [one.verdict for one in report.judgements] == [Verdict.HOLDS, Verdict.HOLDS]


@pytest.mark.parametrize(("fair", "expected"), [("strong", "HOLDS"), ("weak", "VIOLATED")])
def test_the_allocator_serves_all_by_strong_fairness_only(fair, expected):
    """TLA+ allocator/SimpleAllocator, 3 clients, 2 resources: all obtain what they want, with SF of the allocation."""
    world, actors = allocator(fair)
    obtained = leads_to("obtained", lambda s: 0 in s[world][0][0], lambda s: 0 in s[world][1][0], reads=[world])
    assert verdict(world, actors, obtained) == expected


@pytest.mark.parametrize("fair", ["weak", "strong"])
def test_a_producer_of_the_mended_blocking_queue_starves_even_so(fair):
    """TLC's BlockingQueue, mended, 4 producers, 3 consumers, capacity 3: no deadlock, but a producer may starve."""
    system = blocking_queue(4, 3, 3, wakes_anybody=False)
    [world] = system.objects
    processes = [Process(p.name, p.program, *p.args, fair=fair) for p in system.processes]
    puts = always_eventually("p0 puts", lambda s: 0 in s[world][0], reads=[world])
    assert verdict(world, processes, puts) == "VIOLATED"


@needs_frames
def test_the_prisoners_are_freed():
    """TLA+ Prisoners, 4: done in the end, by weak fairness of each; not if one may stay in his cell."""

    def begin(state):
        return [(a, b, 0, (0, 0, 0)) for a in (0, 1) for b in (0, 1)] if state is None else []

    def enter(state, who):
        if state is None:
            return []
        a, b, count, times = state
        if who == 3:
            return [(0, b, min(count + 1, 6), times)] if a else [(a, 1 - b, count, times)]
        if not a and times[who] < 2:
            return [(1, b, count, put(times, who, times[who] + 1))]
        return [(a, 1 - b, count, times)]

    world = World(None, begin=begin, enter=enter)
    prisoners = [actor(world, "begin"), *(actor(world, "enter", who) for who in range(4))]
    done = eventually("done", lambda s: s[world] is not None and s[world][2] == 6, reads=[world])
    assert verdict(world, prisoners, done) == "HOLDS"
    assert verdict(world, without_fairness(prisoners, "enter_0"), done) == "VIOLATED"


def test_peterson_is_free_of_starvation_and_a_naive_lock_is_not():
    """Both are safe; in Peterson's lock whoever wants in gets in, by weak fairness."""
    flags, turn = [Register("flag 0", False), Register("flag 1", False)], Register("turn", 0)
    inside, lock = Register("inside", None), Register("lock", False)

    def peterson(me):
        while True:
            yield flags[me].write(True)
            yield turn.write(1 - me)
            while (yield flags[1 - me].read()) and (yield turn.read()) != me:
                pass
            yield inside.write(me)
            yield inside.write(None)
            yield flags[me].write(False)

    def naive(me):
        while True:
            yield flags[me].write(True)
            while not (yield lock.compare_and_set(False, True)):
                pass
            yield inside.write(me)
            yield inside.write(None)
            yield flags[me].write(False)
            yield lock.write(False)

    reads = [flags[0], inside]
    gets_in = leads_to("gets in", lambda s: s[flags[0]], lambda s: s[inside] == 0, reads=reads)
    for program, expected in ((peterson, "HOLDS"), (naive, "VIOLATED")):
        processes = [Process(f"p{me}", program, me) for me in (0, 1)]
        system = System(objects=[*flags, turn, inside, lock], processes=processes, properties=[gets_in])
        assert explore(system, properties=["gets in"]).verdict.name == expected


def test_tables_with_reductions_never_call_it_green():
    world, actors = allocator("strong")
    obtained = leads_to("obtained", lambda s: 0 in s[world][0][0], lambda s: 0 in s[world][1][0], reads=[world])
    system = System(objects=[world], processes=actors, properties=[obtained])
    semantics = Semantics(system, by_value=True)
    tables = Tables(semantics, Judge(semantics, [obtained]), merge=True)
    tables.initial_row()
    found = explore_tables(tables).judgement("obtained")
    assert (found.verdict, found.reason) == (Verdict.UNDETERMINED, "not asked of a space with reductions")
