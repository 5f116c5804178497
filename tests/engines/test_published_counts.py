"""Counts of states and verdicts that other checkers' examples publish, for models written here from their description.

Raw explorations. TLC's "states generated" are the initial states and all transitions; an action is an op, and loops
that begin anew are daemons. The number of states is the one that the model's folder names.
"""

from itertools import chain, combinations, product

import pytest

from dstamp_sim import Mutex, Process, Register, SharedObject, System, Verdict, always, at_end, delay, explore
from dstamp_sim.core.shared_object import Outcome
from dstamp_sim.core.suspended import shows_suspended
from dstamp_sim.engines.explore.settings import ALL_REDUCTIONS, NO_REDUCTION, Reductions

needs_frames = pytest.mark.skipif(not shows_suspended(), reason="this Python does not show suspended frames")


class World(SharedObject):
    """All variables of a model as one object; an action is a verb, a function from state and arguments to states."""

    def __init__(self, initial, **actions):
        super().__init__("world", initial)
        self.actions = actions

    def outcomes(self, state, op):
        return tuple(Outcome(after) for after in self.actions[op.verb](state, *op.args))


def actor(world, verb, *args, fair="weak"):
    """A daemon that does one action again and again."""

    def act():
        yield world.op(verb, *args)

    return Process("_".join(map(str, (verb, *args))), act, daemon=True, fair=fair)


def put(row, index, value):
    return (*row[:index], value, *row[index + 1 :])


def subsets(items):
    """Every subset that is not empty."""
    items = sorted(items)
    return map(frozenset, chain.from_iterable(combinations(items, n + 1) for n in range(len(items))))


def counted(system):
    """The numbers of states and transitions; nothing may fail."""
    report = explore(system, reductions=NO_REDUCTION, keep_going=True)
    assert report.coverage.exhausted
    assert Verdict.VIOLATED not in {judgement.verdict for judgement in report.judgements}
    return report.coverage.states, report.coverage.transitions


def test_lock():
    """TLA+ locks_auxiliary_vars/Lock, 2 processes: 12 states, 21 generated."""
    lock = Mutex("lock")

    def work():
        yield delay("idle")
        yield lock.acquire()
        yield delay("critical")
        yield lock.release()

    assert counted(System(objects=[lock], processes=[Process("p", work, copies=2, daemon=True)])) == (12, 20)


def test_peterson():
    """TLA+ locks_auxiliary_vars/Peterson: 42 states, 77 generated. The wait looks at two variables in one action."""

    def may_enter(state, me):
        flags, turn = state
        return [state] if not flags[1 - me] or turn == me else []

    world = World(
        ((False, False), 0),
        flag=lambda state, me, up: [(put(state[0], me, up), state[1])],
        turn=lambda state, whose: [(state[0], whose)],
        wait=may_enter,
    )

    def work(me):
        yield delay("idle")
        yield world.op("flag", me, True)
        yield world.op("turn", 1 - me)
        yield world.op("wait", me)
        yield delay("critical")
        yield world.op("flag", me, False)

    processes = [Process(f"p{me}", work, me, daemon=True) for me in (0, 1)]
    assert counted(System(objects=[world], processes=processes)) == (42, 76)


def test_barrier():
    """TLA+ barriers/Barrier, N = 6: 64 states, 194 generated."""
    arrive = lambda state, me: [] if state[me] else [put(state, me, True)]  # noqa: E731
    world = World((False,) * 6, arrive=arrive, leave=lambda state: [(False,) * 6] if all(state) else [])
    actors = [*(actor(world, "arrive", n) for n in range(6)), actor(world, "leave")]
    assert counted(System(objects=[world], processes=actors)) == (64, 193)


def test_simple():
    """TLA+ TeachingConcurrency/Simple, N = 5: 723 states, 1,842 generated with a stay in each of the 31 ends."""
    world = World(
        ((0,) * 5, (0,) * 5),
        x=lambda state, n: [(put(state[0], n, 1), state[1])],
        y=lambda state, n: [(state[0], put(state[1], n, state[0][n - 1]))],
    )

    def work(n):
        yield world.op("x", n)
        yield world.op("y", n)

    someone = at_end("some y is 1", lambda _, state: any(state[world][1]), reads=[world])
    processes = [Process(f"p{n}", work, n) for n in range(5)]
    assert counted(System(objects=[world], processes=processes, properties=[someone])) == (723, 1_841 - 31)


def readers_writers():
    """Its world, and its actors: readers and writers in one queue, each at most once."""

    def ask(state, what, who):
        readers, writers, queue = state
        return [] if (what, who) in queue else [(readers, writers, (*queue, (what, who)))]

    def serve(state):
        readers, writers, queue = state
        if not queue or writers:
            return []
        (what, who), rest = queue[0], queue[1:]
        if what == "read":
            return [(readers | {who}, writers, rest)]
        return [] if readers else [(readers, writers | {who}, rest)]

    def stop(state, who):
        readers, writers, queue = state
        if who in readers:
            return [(readers - {who}, writers, queue)]
        return [(readers, writers - {who}, queue)] if who in writers else []

    world = World((frozenset(), frozenset(), ()), ask=ask, serve=serve, stop=stop)
    actors = [actor(world, "ask", what, who) for what in ("read", "write") for who in range(3)]
    actors += [actor(world, "serve"), *(actor(world, "stop", who) for who in range(3))]
    return world, actors


def test_readers_writers():
    """TLA+ ReadersWriters, 3 actors: 21,527 states, 59,674 generated."""
    world, actors = readers_writers()
    safe = always("one writer, or readers", lambda s: len(s[world][1]) + bool(s[world][0]) <= 1, reads=[world])
    assert counted(System(objects=[world], processes=actors, properties=[safe])) == (21_527, 59_673)


def allocator(fair="weak"):
    """Its world, and its actors, those that allocate as `fair` as said."""
    everything = frozenset({0, 1})

    def ask(state, who):
        wants, has = state
        return [] if wants[who] or has[who] else [(put(wants, who, some), has) for some in subsets(everything)]

    def get(state, who):
        wants, has = state
        free = (everything - frozenset().union(*has)) & wants[who]
        return [(put(wants, who, wants[who] - some), put(has, who, has[who] | some)) for some in subsets(free)]

    def give_back(state, who):
        wants, has = state
        return [(wants, put(has, who, has[who] - some)) for some in subsets(has[who])]

    nothing = (frozenset(),) * 3
    world = World((nothing, nothing), ask=ask, get=get, give_back=give_back)
    actors = [actor(world, verb, who) for verb in ("ask", "give_back") for who in range(3)]
    return world, [*actors, *(actor(world, "get", who, fair=fair) for who in range(3))]


def test_allocator():
    """TLA+ allocator/SimpleAllocator, 3 clients, 2 resources: 400 states, 1,633 generated."""
    world, actors = allocator()
    exclusive = always("nothing is held twice", lambda s: sum(map(len, s[world][1])) <= 2, reads=[world])
    assert counted(System(objects=[world], processes=actors, properties=[exclusive])) == (400, 1_632)


def blocking_queue(producers, consumers, capacity, *, wakes_anybody):
    """TLC's BlockingQueue: whoever finds no room or nothing waits; a put or get wakes one, maybe of the wrong kind."""

    def woken(waiting, others):
        those = waiting if wakes_anybody else waiting & others
        return [waiting - {one} for one in sorted(those)] or [waiting]

    def turn(state, who):
        buffer, waiting = state
        if who in waiting:
            return []
        puts = who in range(producers)
        if len(buffer) == capacity if puts else not buffer:
            return [(buffer, waiting | {who})]
        others = frozenset(range(producers, producers + consumers) if puts else range(producers))
        return [((*buffer, who) if puts else buffer[1:], left) for left in woken(waiting, others)]

    world = World(((), frozenset()), turn=turn)

    def work(who):
        while True:
            yield world.op("turn", who)

    return System(objects=[world], processes=[Process(f"p{n}", work, n) for n in range(producers + consumers)])


def deadlock(system, reductions=ALL_REDUCTIONS):
    return explore(system, properties=["no deadlock"], reductions=reductions)


@needs_frames
def test_blocking_queue_that_wakes_the_other_kind():
    """lemmy/BlockingQueue, 4 producers, 3 consumers, capacity 3: 1,600 states, 12,313 generated, no deadlock."""
    report = deadlock(blocking_queue(4, 3, 3, wakes_anybody=False), NO_REDUCTION)
    assert report.verdict is Verdict.HOLDS
    assert (report.coverage.states, report.coverage.transitions) == (1_600, 12_312)


@needs_frames
@pytest.mark.parametrize(
    ("producers", "consumers", "capacity", "steps"),
    [(1, 2, 1, 7), (2, 1, 1, 8), (2, 2, 1, 8), (2, 3, 2, 21), (3, 2, 2, 23), (4, 3, 3, 46)],
)
def test_blocking_queue_that_wakes_anybody(producers, consumers, capacity, steps):
    """lemmy/BlockingQueue R/TraceLength.csv: the shortest way into a deadlock."""
    report = deadlock(blocking_queue(producers, consumers, capacity, wakes_anybody=True))
    assert len(report.trace.steps) == steps


@needs_frames
@pytest.mark.parametrize("capacity", [1, 2])
@pytest.mark.parametrize(("producers", "consumers"), list(product([1, 2, 3], repeat=2)))
def test_blocking_queue_is_deadlocked_where_it_is_too_small(producers, consumers, capacity):
    """Deadlock if and only if twice the capacity is less than the number of processes."""
    report = deadlock(blocking_queue(producers, consumers, capacity, wakes_anybody=True))
    too_small = 2 * capacity < producers + consumers
    assert report.verdict is (Verdict.VIOLATED if too_small else Verdict.HOLDS)


def increments(threads):
    """A model of stateright, increment.rs: a thread keeps what it has read."""
    x = Register("x", 0)

    def add():
        seen = yield x.read()
        yield x.write(seen + 1)
        return seen

    exact = at_end("nothing is lost", lambda _, state: state[x] == threads, reads=[x])
    return System(objects=[x], processes=[Process("t", add, copies=threads)], properties=[exact])


@pytest.mark.parametrize(("threads", "symmetry", "states"), [(2, False, 13), (2, True, 8), (3, False, 84)])
def test_increment(threads, symmetry, states):
    """13 states of two threads, 8 with symmetry; 84 of three; two are violated in 4 steps."""
    raw = Reductions(merge=False, por=False, symmetry=symmetry)
    report = explore(increments(threads), reductions=raw, keep_going=True)
    assert report.coverage.states == states
    assert len(report.judgement("nothing is lost").trace.steps) == 2 * threads


@pytest.mark.slow
def test_shuffle():
    """DIVINE's shuffle.dve: ten states of filling, then a 3x3 sliding puzzle: 181,450 states, 483,850 transitions."""
    sides = {n: [m for m in range(9) if abs(n // 3 - m // 3) + abs(n % 3 - m % 3) == 1] for n in range(9)}

    def move(state):
        if len(state) < 10:  # the last one is no tile, but the move from filling to sliding
            return [(*state, len(state))]
        at = state.index(0)
        return [put(put(state, at, state[n]), n, 0) for n in sides[at]]

    world = World((), move=move)
    assert counted(System(objects=[world], processes=[actor(world, "move")])) == (181_450, 483_850)


def chandy_misra():
    """Its world, and its actors. A fork is its holder's, clean or not."""

    def neighbours(me):
        return me, (me + 1) % 5

    def loop(state, me):
        forks, places, hungry = state
        if places[me] != "loop":
            return []
        left, right = neighbours(me)
        clean = forks[left] == forks[right] == (me, True)
        place = ("eat" if clean else "loop") if hungry[me] else "think"
        if forks[left] == (me, False):
            forks = put(forks, left, ((me - 1) % 5, True))
        elif forks[right] == (me, False):
            forks = put(forks, right, ((me + 1) % 5, True))
        return [(forks, put(places, me, place), hungry)]

    def eat(state, me):
        forks, places, hungry = state
        if places[me] != "eat":
            return []
        for fork in neighbours(me):
            forks = put(forks, fork, (forks[fork][0], False))
        return [(forks, put(places, me, "loop"), put(hungry, me, False))]

    def think(state, me):
        forks, places, hungry = state
        return [(forks, put(places, me, "loop"), put(hungry, me, True))] if places[me] == "think" else []

    forks = tuple((0 if n == 1 else n, False) for n in range(5))
    world = World((forks, ("loop",) * 5, (True,) * 5), loop=loop, eat=eat, think=think)
    return world, [actor(world, verb, me) for verb in ("loop", "eat", "think") for me in range(5)]


def test_chandy_misra():
    """TLA+ DiningPhilosophers, 5: 67 states, 336 generated."""
    world, actors = chandy_misra()
    apart = always(
        "no neighbours eat",
        lambda state: not any(state[world][1][n - 1] == state[world][1][n] == "eat" for n in range(5)),
        reads=[world],
    )
    assert counted(System(objects=[world], processes=actors, properties=[apart])) == (67, 335)
