"""Published verdicts on what comes in the end, and on who starves, for models written here from their description."""

from itertools import product

import pytest

from dstamp_sim import (
    Inside,
    Process,
    Register,
    System,
    Verdict,
    always,
    always_eventually,
    eventually,
    explore,
    leads_to,
)
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.explore.explorer import explore_tables
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from dstamp_sim.engines.tables.tables import Tables
from tests.engines.test_published_counts import (
    World,
    actor,
    allocator,
    blocking_queue,
    chandy_misra,
    counted,
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


def begun(world, starts):
    """The world before it begins in one of the states, and who begins: what comes in time is judged from one state."""
    actions = {
        verb: lambda s, *args, act=act: [] if s is None else act(s, *args) for verb, act in world.actions.items()
    }
    later = World(None, begin=lambda s: list(starts) if s is None else [], **actions)
    return later, actor(later, "begin")


def ring_step(c):
    """The next states of TLA+ ewd426/TokenRing with N = M nodes and values."""
    size = len(c)
    first = [put(c, 0, (c[-1] + 1) % size)] if c[0] == c[-1] else []
    return first + [put(c, i, c[i - 1]) for i in range(1, size) if c[i] != c[i - 1]]


def tokens(c):
    return (c[0] == c[-1]) + sum(c[i] != c[i - 1] for i in range(1, len(c)))


def test_a_ring_comes_to_have_one_token_for_good():
    """N = M = 6: 46,656 states, 248,832 generated; in the end one token for good, by WF(Next).

    That it comes is asked of a ring of four here: six take 40 s.
    """
    starts = list(product(range(6), repeat=6))
    assert (len(starts), len(starts) + sum(len(ring_step(c)) for c in starts)) == (46_656, 248_832)
    assert all(tokens(after) == 1 for c in starts if tokens(c) == 1 for after in ring_step(c))
    starts = list(product(range(4), repeat=4))
    world, begins = begun(World(starts, step=ring_step), starts)
    one = eventually("one token", lambda s: s[world] is not None and tokens(s[world]) == 1, reads=[world])
    assert verdict(world, [begins, actor(world, "step")], one) == "HOLDS"
    assert verdict(world, [begins, actor(world, "step", fair="none")], one) == "VIOLATED"


def ewd840():
    """TLA+ ewd840/EWD840, N = 3, from all its starts: active, black, the token's place, whether it is black."""

    def probe(s):
        active, black, at, token = s
        return [(active, put(black, 0, False), 2, False)] if at == 0 and (token or black[0]) else []

    def hand_on(s):
        active, black, at, token = s
        if at == 0 or (active[at] and not black[at] and not token):
            return []
        return [(active, put(black, at, False), at - 1, token or black[at])]

    def send(s, i, j):
        active, black, at, token = s
        return [(put(active, j, True), put(black, i, black[i] or j > i), at, token)] if active[i] else []

    def rest(s, i):
        active, black, at, token = s
        return [(put(active, i, False), black, at, token)] if active[i] else []

    flags = list(product((False, True), repeat=3))
    starts = [(active, black, at, True) for active in flags for black in flags for at in range(3)]
    world = World(starts, system=lambda s: probe(s) + hand_on(s), send=send, rest=rest)
    others = [("send", i, j) for i in range(3) for j in range(3) if i != j] + [("rest", i) for i in range(3)]
    return world, starts, others


@needs_frames
def test_termination_is_detected_in_a_ring():
    """302 states; terminated leads to detected, by WF(System) alone."""
    world, starts, others = ewd840()
    assert generated(world, [actor(world, "system"), *(actor(world, *one) for one in others)])[0] == 302

    def ended(s):
        return s[world] is not None and not any(s[world][0])

    def detected(s):
        return ended(s) and s[world][2] == 0 and not s[world][3] and not s[world][1][0]

    world, begins = begun(world, starts)
    found = leads_to("detected", ended, detected, reads=[world])
    for fair, expected in (("weak", "HOLDS"), ("none", "VIOLATED")):
        processes = [begins, actor(world, "system", fair=fair), *(actor(world, *one, fair="none") for one in others)]
        assert verdict(world, processes, found) == expected


def generated(world, processes):
    """The states, and the initial ones with all transitions."""
    states, transitions = counted(System(objects=[world], processes=processes))
    return states, transitions + len(world.initials)


@pytest.mark.slow
@needs_frames
def test_termination_is_detected_by_whoever_sees_all():
    """TLA+ ewd998/AsyncTerminationDetection, 4 nodes, at most 3 pending: 4,097 states; live by WF(Detect)."""
    nodes = range(4)

    def over(active, pending):
        return not any(active) and not any(pending)

    def rest(s, i):
        active, pending, known = s
        after = put(active, i, False)
        return [(after, pending, now) for now in sorted({known, over(after, pending)})] if active[i] else []

    def send(s, i, j):
        active, pending, known = s
        return [(active, put(pending, j, pending[j] + 1), known)] if active[i] and pending[j] < 3 else []

    def receive(s, i):
        active, pending, known = s
        return [(put(active, i, True), put(pending, i, pending[i] - 1), known)] if pending[i] else []

    starts = [
        (active, (0,) * 4, known)
        for active in product((False, True), repeat=4)
        for known in sorted({False, over(active, ())})
    ]
    world = World(
        starts, rest=rest, send=send, receive=receive, detect=lambda s: [(*s[:2], True)] if over(*s[:2]) else []
    )
    moves = [(verb, i) for verb in ("rest", "receive") for i in nodes] + [("send", i, j) for i in nodes for j in nodes]
    assert generated(world, [actor(world, "detect"), *(actor(world, *one) for one in moves)])[0] == 4_097
    world, begins = begun(world, starts)

    def ended(s):
        return s[world] is not None and over(*s[world][:2])

    found = leads_to("detected", ended, lambda s: s[world] is not None and s[world][2], reads=[world])
    for fair, expected in (("weak", "HOLDS"), ("none", "VIOLATED")):
        processes = [begins, actor(world, "detect", fair=fair), *(actor(world, *one, fair="none") for one in moves)]
        assert verdict(world, processes, found) == expected


@pytest.mark.slow
@needs_frames
def test_chameneos_meet_as_often_as_they_may():
    """TLA+ Chameneos, 4 creatures, 4 meetings: 34,534 states, 104,697 generated; 8 meetings at the end."""

    def move(s, me):
        creatures, place, met = s
        colour, times = creatures[me]
        if colour is None or place == me:
            return []
        if place is None:
            faded = put(creatures, me, (None, times))
            return [(creatures, me, met)] if met < 4 else [(faded, None, met)]
        other, theirs = creatures[place]
        both = colour if colour == other else 3 - colour - other
        return [(put(put(creatures, me, (both, times + 1)), place, (both, theirs + 1)), None, met + 1)]

    starts = [(tuple((colour, 0) for colour in colours), None, 0) for colours in product(range(3), repeat=4)]
    world = World(starts, move=move)

    def all_met(s):
        creatures = s[world][0]
        return any(colour is not None for colour, _ in creatures) or sum(times for _, times in creatures) == 8

    met = always("8 meetings", all_met, reads=[world])
    processes = [actor(world, "move", me) for me in range(4)]
    report = explore(System(objects=[world], processes=processes, properties=[met]), reductions=NO_REDUCTION)
    assert report.judgement("8 meetings").verdict is Verdict.HOLDS
    assert (report.coverage.states, report.coverage.transitions + len(starts)) == (34_534, 104_697)


def alternating_bit():
    """TLA+ SpecifyingSystems/TLC AlternatingBit, 2 data, queues of 2: messages, acks, three bits, sent, received."""

    def new(s, datum):
        messages, acks, bit, ack, r_bit, _, received = s
        return [((*messages, (1 - bit, datum)), acks, 1 - bit, ack, r_bit, datum, received)] if ack == bit else []

    def again(s):
        messages, acks, bit, ack, r_bit, sent, received = s
        return [((*messages, (bit, sent)), acks, bit, ack, r_bit, sent, received)] if ack != bit else []

    def receive(s):
        messages, acks, bit, ack, _, sent, _ = s
        return [(messages[1:], acks, bit, ack, *(messages[0][:1]), sent, messages[0][1])] if messages else []

    def acknowledge(s):
        return [put(s, 1, (*s[1], s[4]))]

    def receive_ack(s):
        return [put(put(s, 1, s[1][1:]), 3, s[1][0])] if s[1] else []

    def lose(s):
        return [put(s, q, s[q][:n] + s[q][n + 1 :]) for q in (0, 1) for n in range(len(s[q]))]

    def short(act):
        return lambda s, *args: [after for after in act(s, *args) if len(after[0]) <= 2 and len(after[1]) <= 2]

    starts = [((), (), bit, bit, bit, sent, got) for bit in (0, 1) for sent in (0, 1) for got in (0, 1)]
    actions = (new, again, receive, acknowledge, receive_ack, lose)
    return World(starts, **{act.__name__: short(act) for act in actions}), starts


@needs_frames
def test_what_is_sent_is_received_if_receiving_is_strongly_fair():
    """240 states; what is sent and not acknowledged leads to its being received, with SF of receiving."""
    world, starts = alternating_bit()

    def processes(fair):
        strong, weak = [actor(world, verb, fair=fair) for verb in ("receive", "receive_ack")], ("again", "acknowledge")
        others = [actor(world, *one, fair="none") for one in (("new", 0), ("new", 1), ("lose",))]
        return [*strong, *(actor(world, verb) for verb in weak), *others]

    assert generated(world, processes("weak"))[0] == 240
    world, begins = begun(world, starts)
    found = leads_to(
        "received", lambda s: s[world] is not None and s[world][5] == 0 and s[world][2] != s[world][3],
        lambda s: s[world] is not None and s[world][6] == 0, reads=[world],
    )  # fmt: skip
    assert verdict(world, [begins, *processes("strong")], found) == "HOLDS"
    assert verdict(world, [begins, *processes("weak")], found) == "VIOLATED"


@needs_frames
@pytest.mark.parametrize(("fair", "expected"), [("weak", "HOLDS"), ("none", "VIOLATED")])
def test_who_waits_in_peterson_s_lock_of_three_gets_in_by_fairness_only(fair, expected):
    """DIVINE peterson-naive: exclusion holds; who waits gets in fails without fairness. The verdict, not its count."""
    pos, turn, inside = (
        [Register(f"pos {i}", 0) for i in range(3)],
        [Register(f"turn {j}", 0) for j in range(2)],
        Inside("in"),
    )

    def enters(me):
        while True:
            for j in (1, 2):
                yield pos[me].write(j)
                yield turn[j - 1].write(me)
                k = 0
                while k < 3:
                    if k == me or (yield pos[k].read()) < j:
                        k += 1
                    elif (yield turn[j - 1].read()) != me:
                        break
                    else:
                        k = 0
            yield inside.enter()
            yield inside.leave()
            yield pos[me].write(0)

    alone = always("one at a time", lambda s: s[inside] <= 1, reads=[inside])
    gets_in = leads_to("gets in", lambda s: s[pos[0]] == 1, lambda s: s[pos[0]] == 0, reads=[pos[0]])
    processes = [Process(f"p{me}", enters, me, fair=fair) for me in range(3)]
    system = System(objects=[*pos, *turn, inside], processes=processes, properties=[alone, gets_in])
    report = explore(system, properties=["one at a time", "gets in"], keep_going=True)
    assert [one.verdict.name for one in report.judgements] == ["HOLDS", expected]


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
