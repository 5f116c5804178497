"""Every object does what its plain twin does, op by op, along random sequences of ops and deaths."""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from dstamp_sim import (
    Channel,
    Condition,
    Counter,
    Lease,
    Op,
    Outcome,
    Queue,
    RWLock,
    Semaphore,
    SharedObject,
    Store,
    WaitingLine,
)
from tests.objects import plain


class Walk:
    """What one random sequence knows: the random numbers, and what processes hold and were answered."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.held: list[Any] = []
        self.asleep: list[int] = []

    def some(self, *ops: Op) -> Op:
        """One of these ops."""
        return self.rng.choice(ops)


class Pair(NamedTuple):
    """An object, its plain twin, and how the next op is drawn; None: a holder dies."""

    real: SharedObject
    twin: Any
    draw: Callable[[Any, Walk], Op | None]


def of_semaphore(item: Semaphore, walk: Walk) -> Op | None:
    free = [item.acquire(), item.try_acquire(), item.post()]
    return walk.some(*free, *[item.release(), None] * bool(walk.held))


def of_rwlock(item: RWLock, walk: Walk) -> Op | None:
    asks = [item.acquire_read(), item.acquire_read(), item.acquire_write()]
    wanted = [item.want_write()] if not walk.asleep else [item.acquire_wanted()]
    return walk.some(*asks, *wanted, *[item.release(held) for held in walk.held], *[None] * bool(walk.held))


def of_condition(item: Condition, walk: Walk) -> Op | None:
    mine = [item.release(), item.sleep(), item.sleep(), None] if walk.held else [item.acquire()]
    return walk.some(*mine, item.notify(), item.notify(), item.notify_all(), *map(item.wake, walk.asleep))


def of_line(item: WaitingLine, walk: Walk) -> Op | None:
    waits = [one for ticket in walk.held for one in (item.wait_turn(ticket), item.leave(ticket))]
    return walk.some(item.line_up(), item.line_up(), *waits, *[None] * bool(walk.held))


def of_counter(item: Counter, walk: Walk) -> Op | None:
    return walk.some(item.read(), item.add(2), item.fetch_and_add(), item.fetch_and_add(3))


def of_store(item: Store, walk: Walk) -> Op | None:
    value, number = walk.rng.choice([None, "a", 1]), walk.rng.randint(0, 12)
    sets = [item.compare_and_set("a", value), item.compare_and_delete(value), item.put_fenced(number, value)]
    return walk.some(item.get(), item.get(strong=True), item.put(value), item.put_if(number, value), *sets)


def of_channel(item: Channel, walk: Walk) -> Op | None:
    message = walk.rng.randint(0, 2)
    return walk.some(item.send(message), item.try_send(message), item.receive(), item.try_receive())


def of_lease(item: Lease, walk: Walk) -> Op | None:
    asks = [one for token in walk.held for one in (item.renew(token), item.is_held(token), item.release(token))]
    asks += [item.delete(token) for token in walk.held[:1]]
    timers = [item.watch(), *map(item.lapse, walk.asleep)]
    return walk.some(item.acquire(), item.try_acquire(), *asks, *timers, *[None] * bool(walk.held))


def of_queue(item: Queue, walk: Walk) -> Op | None:
    answers = [one for held in walk.held for one in (item.acknowledge(held), item.give_back(held), item.abandon(held))]
    timers = [item.watch(), item.watch(), *map(item.redeliver, walk.asleep)]
    asks = [item.receive(), item.receive(), item.try_receive(), item.send("c")]
    return walk.some(*asks, *answers, *timers, *[None] * bool(walk.held))


PAIRS: dict[str, Callable[[], Pair]] = {
    "semaphore": lambda: Pair(Semaphore("s", 2), plain.PlainSemaphore(2), of_semaphore),
    "semaphore that is undone": lambda: Pair(Semaphore("s", 1, undo=True), plain.PlainUndoSemaphore(1), of_semaphore),
    "readers and writers": lambda: Pair(RWLock("rw"), plain.PlainRWLock(), of_rwlock),
    "condition": lambda: Pair(Condition("c", fifo=False), plain.PlainCondition(False, False), of_condition),
    "fifo condition": lambda: Pair(Condition("c"), plain.PlainCondition(True, False), of_condition),
    "spurious": lambda: Pair(Condition("c", spurious=True), plain.PlainCondition(True, True), of_condition),
    "line": lambda: Pair(WaitingLine("l"), plain.PlainLine(), of_line),
    "counter": lambda: Pair(Counter("n"), plain.PlainCounter(), of_counter),
    "store": lambda: Pair(Store("s"), plain.PlainStore(0), of_store),
    "stale store": lambda: Pair(Store("s", stale=2), plain.PlainStore(2), of_store),
    "channel": lambda: Pair(Channel("c", capacity=2), plain.PlainChannel(2), of_channel),
    "bad network": lambda: Pair(
        Channel("c", fifo=False, loses=True, doubles=True), plain.PlainChannel(None, False, True, True), of_channel
    ),
    "full doubling channel": lambda: Pair(
        Channel("c", capacity=2, doubles=True), plain.PlainChannel(2, doubles=True), of_channel
    ),
    "lease": lambda: Pair(Lease("l"), plain.PlainLease(), of_lease),
    "queue": lambda: Pair(Queue("q", ("a", "b")), plain.PlainQueue(("a", "b"), False), of_queue),
    "queue that requeues": lambda: Pair(
        Queue("q", ("a", "b"), requeues=True), plain.PlainQueue(("a", "b"), True), of_queue
    ),
}


def noted(walk: Walk, op: Op, outcome: Outcome) -> None:
    """Notes what the process holds now, and the tickets of sleepers and of writers that wait."""
    if outcome.drops is not None:
        walk.held.remove(outcome.drops)
    if outcome.takes is not None:
        walk.held.append(outcome.takes)
    match op.verb:
        case "sleep" | "watch":
            walk.asleep.append(outcome.result)
        case "want_write":
            walk.asleep.append(0)
        case "wake" | "lapse" | "redeliver":
            walk.asleep.remove(op.args[0])
        case "acquire_wanted":
            walk.asleep.pop()


def walked(pair: Pair, seed: int, ops: int = 60) -> str:
    """The first difference between an object and its twin along one random sequence; empty if there is none."""
    item, twin, draw = pair
    state, walk = item.initial, Walk(seed)
    for _ in range(ops):
        op = draw(item, walk)
        if op is None:
            token = walk.held.pop(walk.rng.randrange(len(walk.held)))
            state = item.on_death(state, token)
            twin.died(token)
        else:
            outcomes, ways = item.outcomes(state, op), twin.ways(op.verb, *op.args)
            if item.outcomes(state, op) != outcomes:
                return f"{op} in {state} had other outcomes when it was asked again"
            if [outcome.result for outcome in outcomes] != [result for result, _ in ways]:
                return f"{op} in {state}: {outcomes}, but the twin has {[result for result, _ in ways]}"
            if not outcomes:
                continue
            picked = walk.rng.randrange(len(outcomes))
            state = outcomes[picked].state
            ways[picked][1]()
            noted(walk, op, outcomes[picked])
        if state != twin.shown():
            return f"after {op}: {state}, but the twin has {twin.shown()}"
    return ""


@pytest.mark.parametrize("name", PAIRS)
def test_an_object_does_what_its_plain_twin_does(name):
    for seed in range(150):
        assert walked(PAIRS[name](), seed) == "", f"seed {seed}"


@pytest.mark.parametrize("name", PAIRS)
def test_an_object_that_forgets_a_change_differs_from_its_twin(name, monkeypatch):
    """A walk would notice an object that does not change when something is taken or given back."""
    kind = type(PAIRS[name]().real)
    honest = kind.outcomes

    def forgetful(self: Any, state: Any, op: Op) -> tuple[Outcome, ...]:
        found = honest(self, state, op)
        return tuple(Outcome(state, one.result, one.label, one.takes, one.drops) for one in found)

    monkeypatch.setattr(kind, "outcomes", forgetful)
    assert any(walked(PAIRS[name](), seed) for seed in range(10))


@pytest.mark.parametrize("name", PAIRS)
def test_an_unknown_verb_is_refused_by_name(name):
    item = PAIRS[name]().real
    with pytest.raises(NotImplementedError, match=f"{type(item).__name__} '.*' has no verb 'fly'"):
        item.outcomes(item.initial, item.op("fly"))
