"""Exact time by explicit ticking: too simple to be wrong. Whole seconds, closed intervals; programs are run anew.

At each second every state that is possible then is listed. Somebody who can move does, in one go until it waits; when
nobody must move any more, a second passes: whatever waits for time has waited a second longer.
"""

from dataclasses import dataclass
from typing import NamedTuple

from dstamp_sim import Mutex, Process, Register, System, always, at_end, delay, each_result, reachable, sleep
from dstamp_sim.core.op import GAVE_UP
from dstamp_sim.core.properties import PropertyKind
from dstamp_sim.random_systems import LETTERS, Coin, Interpreter, Writer, tree
from tests.oracle import Oracle


class Waiting(NamedTuple):
    """A global state of the oracle, who has not started, and how many seconds each process has waited for time."""

    state: object
    unstarted: frozenset
    waited: tuple


@dataclass
class Answer:
    """Of one property: is it decided in no behaviour, in some, in all; at which seconds; and is there no end of it."""

    verdict: str
    earliest: int | None = None
    latest: int | None = None
    endless: bool = False


class Ticking:
    """All behaviours of a system whose delays and starts are between two whole numbers of seconds."""

    def __init__(self, system, delays, starts):
        self.system, self.delays, self.starts = system, delays, starts
        self.oracle = Oracle(system)
        self.names = [instance.name for instance in self.oracle.instances]
        self.properties = [prop for prop in system.checked_properties if prop.kind is not PropertyKind.END_POSSIBLE]
        self._offers, self._moves, self._decided = {}, {}, {}

    def answer(self, prop):
        """What is true of `prop`."""
        state = self.oracle.initials()[0]
        now, second, moments, unfailed = set(), 0, [], False
        if prop in self.decides(state):
            moments.append(0)
        else:
            now = {Waiting(state, frozenset(range(len(self.names))), (0,) * len(self.names))}
        past = []
        while now and now not in past:
            past.append(now)
            everything, ahead = set(now), list(now)
            while ahead:
                here = ahead.pop()
                for after, decided in self.moves(here):
                    if prop in decided:
                        moments.append(second)
                    elif after not in everything:
                        everything.add(after)
                        ahead.append(after)
            resting = [here for here in everything if not self.must_move(here)]
            unfailed = unfailed or any(self.is_over(here) for here in resting)
            now = {self.later(here) for here in resting if not self.is_over(here)}
            second += 1
        if not moments:
            return Answer("impossible", endless=bool(now))
        surely = not unfailed and not now
        again = bool(now) and max(moments) >= past.index(now)
        return Answer("inevitable" if surely else "possible", min(moments), None if again else max(moments), bool(now))

    def moves(self, here):
        """The states after each move that is possible at once, and the properties that were decided on the way."""
        if here not in self._moves:
            self._moves[here] = list(self._listed(here))
        return self._moves[here]

    def _listed(self, here):
        for pid in range(len(self.names)):
            bounds = self.bounds(here, pid)
            if bounds is None or bounds[0] <= here.waited[pid] <= bounds[1]:
                sleeps = bounds is not None and pid not in here.unstarted
                for state, decided in self.goes_on(here.state, pid, sleeps):
                    waited = tuple(0 if other == pid else w for other, w in enumerate(here.waited))
                    after = Waiting(state, here.unstarted - {pid}, waited)
                    if after != here:
                        yield after, decided

    def goes_on(self, state, pid, sleeps):
        """Where process `pid` may stop to wait once it has begun to move, and what is decided on the way."""
        offer = self.offer(state, pid)
        if offer.op is None or not offer.outcomes or (self.waits(offer) and not sleeps):
            yield state, frozenset()
            return
        for outcome in offer.outcomes:
            after = self.oracle._performed(state, pid, offer, outcome)
            for end, decided in self.goes_on(after, pid, False):
                yield end, decided | self.decides(after)

    def bounds(self, here, pid):
        """The least and the greatest number of seconds that a process waits; None if it waits for no time."""
        if pid in here.unstarted:
            return self.starts[self.names[pid]]
        return self.waits(self.offer(here.state, pid))

    def waits(self, offer):
        """The bounds of a delay, and of the patience of who cannot get what it waits for; None for all else."""
        if offer.op is not None and offer.op.target is None:
            return self.delays[offer.op.args[0]]
        gives_up = any(outcome.result is GAVE_UP for outcome in offer.outcomes)
        return self.delays[offer.op.patience] if gives_up else None

    def must_move(self, here):
        """Whether somebody moves before time passes."""
        for pid in range(len(self.names)):
            bounds = self.bounds(here, pid)
            if here.waited[pid] == bounds[1] if bounds else bool(self.offer(here.state, pid).outcomes):
                return True
        return False

    def is_over(self, here):
        """Whether the run has ended: all who must have, or nobody waits for time."""
        unstarted = any(not self.oracle.instances[pid].process.daemon for pid in here.unstarted)
        nobody = all(self.bounds(here, pid) is None for pid in range(len(self.names)))
        return nobody or (not unstarted and self.oracle.all_ended(here.state))

    def later(self, here):
        """The same a second later."""
        waited = (w + 1 if self.bounds(here, pid) else 0 for pid, w in enumerate(here.waited))
        return here._replace(waited=tuple(waited))

    def offer(self, state, pid):
        if state not in self._offers:
            self._offers[state] = self.oracle.offers(state)
        return self._offers[state][pid]

    def decides(self, state):
        """The properties that a state decides."""
        if state not in self._decided:
            self.offer(state, 0)
            self._decided[state] = frozenset(prop for prop in self.properties if self._decides(prop, state))
        return self._decided[state]

    def _decides(self, prop, state):
        answers = list(self.oracle.answers(prop, state, self._offers[state]))
        return any(answers) if prop.kind is PropertyKind.REACHABLE else not all(answers)


class Sleeper(Interpreter):
    """One run of a program that also sleeps."""

    def _sleep(self, name):
        yield sleep(name) if name == "pause" else delay(name)
        return False

    def _hold_soon(self, name, patience, code):
        token = yield self.objects[name].op("acquire").within(patience)
        self.last = "held" if token else "refused"
        returned = bool(token) and (yield from self.run(code))
        if token and not returned:
            yield self.objects[name].op("release", token)
        return returned

    def _await(self, name, letter, patience):
        got = yield self.objects[name].op("wait_for", letter).within(patience)
        self.last = "refused" if got is GAVE_UP else letter
        return False


def sleep_on(code, objects):
    """The program of every random timed system."""
    sleeper = Sleeper({item.name: item for item in objects})
    yield from sleeper.run(code)
    return sleeper.last if sleeper.last in (*LETTERS, "refused") else "done"


class TimedWriter(Writer):
    """Writes random code, a third of it sleeps, and much of it about one register."""

    def _instruction(self, depth):
        draw = self.rng.random()
        if draw < 0.35:
            return ("sleep", self.rng.choice(["short", "long", "pause"]))
        if draw < 0.5:
            return ("do", "x", "write", self.rng.choice("abc"))
        return super()._instruction(depth)


class PatientWriter(TimedWriter):
    """The same, and some of it waits for a lock or a letter, not for long."""

    def _instruction(self, depth):
        draw, lasting = self.rng.random(), self.rng.choice(["short", "long", "pause"])
        if draw < 0.2 and depth < 2 and "mutex" in self.names:
            return ("hold_soon", "mutex", lasting, self.code(self.rng.randint(1, 2), depth + 1))
        if draw < 0.25:
            return ("await", "x", self.rng.choice(LETTERS), lasting)
        return super()._instruction(depth)


def random_timed_system(rng, writer=TimedWriter):
    """A small random system, and the bounds of its delays and of its processes' starts in whole seconds."""
    objects = [Register("x", "a"), *rng.sample([Register("y", "a"), Mutex("mutex"), Coin("coin")], rng.randint(1, 2))]
    processes = []
    while sum(p.copies for p in processes) not in (2, 3) or all(p.daemon for p in processes):
        processes = [_process(rng, f"p{n}", objects, writer) for n in range(rng.randint(1, 3))]
    delays = {name: _bounds(rng, most) for name, most in (("short", 2), ("pause", 4), ("long", 7))}
    x, bad = objects[0], rng.choice(LETTERS[1:])
    properties = [
        always("x is not bad", lambda state: state[x] != bad, reads=[x]),
        each_result("result is not bad", lambda result: result != bad),
        at_end("x at end", lambda _, state: state[x] != bad, reads=[x]),
        reachable("two agree", lambda results: len(set(results.values())) < len(results)),
    ]
    system = System(objects=objects, processes=processes, properties=properties, sections=("first", "second", "third"))
    return (
        system,
        delays,
        {name: _start(rng) for name in system.with_crashes(0).must_end}
        | {instance.name: (0, 0) for instance in system.instances() if instance.process.daemon},
    )


def _start(rng):
    at = rng.choice([0, 0, 1, 3])
    return at, at + rng.choice([0, 0, 1, 4])


def _process(rng, name, objects, writer):
    daemon = rng.random() < 0.12
    code = ()
    while not 2 < tree(code)[0] < 16 or "sleep" not in str(code):
        code = writer(rng, frozenset(item.name for item in objects), daemon=daemon).code(rng.randint(3, 6))
    code = (("sleep", "pause"), *code) if daemon else code
    return Process(name, sleep_on, code, tuple(objects), copies=rng.choice([1, 1, 2]), daemon=daemon)


def _bounds(rng, most):
    low = rng.randint(0, most // 2)
    return low, rng.randint(low, most)
