"""The least clever explorer: every state holds whole histories, and every program is re-run from its first line.

It shares the words with the package (ops, objects, systems, placements) and nothing that makes the package fast: no
automaton, no cache, no table. It decides properties in its own few lines. Slow on purpose; for small systems.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import dstamp_sim
from dstamp_sim.core.op import DELAYS, GAVE_UP, Op
from dstamp_sim.core.placement import lay_over
from dstamp_sim.core.properties import END_POSSIBLE, Property, PropertyKind
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.system import Instance, System

PACKAGE = Path(dstamp_sim.__file__).parent

RUNNING, ENDED, DEAD = "running", "ended", "dead"


class Local(NamedTuple):
    """One process: while it runs, its history of (result, takes, drops); when it ended, (its result, its holds)."""

    phase: str
    what: tuple[Any, ...]
    private: tuple[Any, ...]


class State(NamedTuple):
    """What every object and every process is, and how many processes died so far."""

    shared: tuple[Any, ...]
    local: tuple[Local, ...]
    deaths: int


class Offer(NamedTuple):
    """What a process may do next: its op (None: it ended or died) and what that may do (nothing: it is blocked)."""

    op: Op | None
    outcomes: tuple[Outcome, ...]
    holds: tuple[tuple[SharedObject, Any], ...]


class Standing(NamedTuple):
    """Where a program stands after a history: its next op (None: it ended), its result, holds and lines."""

    op: Op | None
    result: Any
    holds: tuple[tuple[SharedObject, Any], ...]
    lines: tuple[Any, ...]

    def spot(self) -> tuple[Any, ...]:
        """The place in the program, whatever its variables are: its lines, and what it is about to do to what."""
        return self.lines, self.op and (self.op.target, self.op.verb)


@dataclass
class Findings:
    """What the oracle found: verdicts and the steps to the nearest deciding state by property, counts, and sets."""

    states: int = 0
    transitions: int = 0
    verdicts: dict[str, str] = field(default_factory=dict)
    shortest: dict[str, int | None] = field(default_factory=dict)
    results_at_end: set[tuple[tuple[str, Any], ...]] = field(default_factory=set)
    deadlocks: list[State] = field(default_factory=list)
    blocked_states: int = 0
    traps: set[State] = field(default_factory=set)
    standstills: int = 0


def search(system: System, limit: int = 100_000) -> Findings:
    """Everything there is to know about a small system, breadth first. Raises AssertionError past `limit` states."""
    oracle = Oracle(system)
    asked = dict.fromkeys((prop.name for prop in system.checked_properties), 0)
    findings = Findings(shortest=dict.fromkeys(asked))
    level, depth_of, depth = oracle.initials(), dict.fromkeys(oracle.initials(), 0), 0
    before: dict[State, list[State]] = {state: [] for state in level}
    while level:
        below = []
        for state in level:
            offers = oracle.offers(state)
            _look_at(oracle, state, offers, depth, asked, findings)
            for after in oracle.successors(state, offers):
                findings.transitions += 1
                if after not in depth_of:
                    depth_of[after] = depth + 1
                    below.append(after)
                before.setdefault(after, []).append(state)
        assert len(depth_of) <= limit, f"more than {limit} states: too large for the oracle"
        level, depth = below, depth + 1
    findings.states = len(depth_of)
    findings.traps = before.keys() - _with_an_end(oracle, before)
    asked[END_POSSIBLE.name] = len(depth_of)
    findings.shortest[END_POSSIBLE.name] = min((depth_of[state] for state in findings.traps), default=None)
    for prop in system.checked_properties:
        findings.verdicts[prop.name] = _verdict(prop, findings.shortest[prop.name], asked[prop.name])
    if findings.standstills and not findings.deadlocks and all(i.process.daemon for i in oracle.instances):
        findings.verdicts["no deadlock"] = "UNDETERMINED"  # nobody must end, and nobody waits amid his work
    return findings


def _with_an_end(oracle: Oracle, before: dict[State, list[State]]) -> set[State]:
    """The states from which one can be reached in which all who must end have: backwards from there, move by move."""
    found = {state for state in before if oracle.all_ended(state)}
    waiting = list(found)
    while waiting:
        for state in before[waiting.pop()]:
            if state not in found:
                found.add(state)
                waiting.append(state)
    return found


def _look_at(
    oracle: Oracle, state: State, offers: list[Offer], depth: int, asked: dict[str, int], findings: Findings
) -> None:
    findings.blocked_states += any(offer.op is not None and not offer.outcomes for offer in offers)
    if oracle.all_ended(state):
        findings.results_at_end.add(tuple(sorted(oracle.results(state).items())))
    findings.standstills += not any(offer.outcomes for offer in offers)
    if oracle.stuck(state, offers):
        findings.deadlocks.append(state)
    for prop in oracle.system.checked_properties:
        answers = list(oracle.answers(prop, state, offers))
        asked[prop.name] += len(answers)
        decided = any(answers) if prop.kind is PropertyKind.REACHABLE else not all(answers)
        if decided and findings.shortest[prop.name] is None:
            findings.shortest[prop.name] = depth


def _verdict(prop: Property, shortest: int | None, asked: int) -> str:
    if prop.kind is PropertyKind.REACHABLE:
        return "VIOLATED" if shortest is None else "HOLDS"
    if shortest is not None:
        return "VIOLATED"
    return "HOLDS" if asked else "UNDETERMINED"


@dataclass
class Listed:
    """Complete interleavings, listed one by one: how many, and by property how many pass a state that decides it."""

    total: int = 0
    deciding: dict[str, int] = field(default_factory=dict)


def interleavings(system: System, limit: int = 5_000) -> Listed:
    """Every complete interleaving, walked to its end. Raises AssertionError past `limit` of them."""
    oracle = Oracle(system)
    listed = Listed(deciding={prop.name: 0 for prop in system.checked_properties})
    for start in oracle.initials():
        _walk_on(oracle, start, frozenset(), listed, limit)
    return listed


def _walk_on(oracle: Oracle, state: State, before: frozenset[str], listed: Listed, limit: int) -> None:
    offers = oracle.offers(state)
    decided = before | {prop.name for prop in oracle.system.checked_properties if _decides(oracle, prop, state, offers)}
    further = list(oracle.successors(state, offers))
    for after in further:
        _walk_on(oracle, after, decided, listed, limit)
    if not further:
        listed.total += 1
        assert listed.total <= limit, f"more than {limit} interleavings: too many for the oracle"
        for name in decided:
            listed.deciding[name] += 1


def _decides(oracle: Oracle, prop: Property, state: State, offers: list[Offer]) -> bool:
    answers = list(oracle.answers(prop, state, offers))
    return any(answers) if prop.kind is PropertyKind.REACHABLE else not all(answers)


class Oracle:
    """The transition relation, by re-running everything."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.instances: list[Instance] = system.instances()
        locks = {bound.lock.name: bound.lock for instance in self.instances for bound in instance.bound}
        objects = [*system.objects, *locks.values()]
        self.shared = [item for item in objects if not item.private]
        self.private = [item for item in objects if item.private]
        self.fresh = tuple(item.initial for item in self.private)

    def initials(self) -> list[State]:
        local = tuple(self._start(instance) for instance in self.instances)
        return [State(shared, local, 0) for shared in product(*(item.initials for item in self.shared))]

    def _start(self, instance: Instance) -> Local:
        return self._after(instance, (), self.fresh, restarts=False)

    def _after(self, instance: Instance, history: tuple[Any, ...], private: tuple[Any, ...], restarts: bool) -> Local:
        """The local state of a process with this history: an ended one keeps its result and holds, no history."""
        standing = stand(instance, history)
        if standing.op is not None:
            return Local(RUNNING, history, private)
        if restarts:
            return self._start(instance)
        return Local(ENDED, (standing.result, standing.holds), private)

    def offers(self, state: State) -> list[Offer]:
        """What each process may do."""
        return [self._offer(state, pid) for pid in range(len(state.local))]

    def _offer(self, state: State, pid: int) -> Offer:
        local = state.local[pid]
        if local.phase != RUNNING:
            return Offer(None, (), ())
        op, _, holds, _ = stand(self.instances[pid], local.what)
        assert op is not None
        if op.target is None:
            return Offer(op, (Outcome(None),), holds)
        value = self._value(state, pid, op.target)
        outcomes = tuple(op.target.outcomes(value, op))
        return Offer(op, outcomes or ((Outcome(value, GAVE_UP),) if op.patience else ()), holds)

    def successors(self, state: State, offers: list[Offer]) -> Iterator[State]:
        """The state after each possible move; equal states come once for each move."""
        for pid, offer in enumerate(offers):
            for outcome in offer.outcomes:
                yield self._performed(state, pid, offer, outcome)
        for pid, instance in enumerate(self.instances):
            running = state.local[pid].phase == RUNNING
            if running and instance.process.killable and state.deaths < self.system.crashes:
                yield self._died(state, pid, offers[pid])

    def _performed(self, state: State, pid: int, offer: Offer, outcome: Outcome) -> State:
        op, local, instance = offer.op, state.local[pid], self.instances[pid]
        assert op is not None
        shared, private = list(state.shared), list(local.private)
        if op.target is not None:
            row, items = (private, self.private) if op.target.private else (shared, self.shared)
            row[index_of(op.target, items)] = outcome.state
        history = (*local.what, (outcome.result, outcome.takes, outcome.drops))
        moved = self._after(instance, history, tuple(private), restarts=instance.process.daemon)
        return State(tuple(shared), replaced(state.local, pid, moved), state.deaths)

    def _died(self, state: State, pid: int, offer: Offer) -> State:
        shared, instance = list(state.shared), self.instances[pid]
        for target, token in reversed(offer.holds):
            if not target.private:
                slot = index_of(target, self.shared)
                shared[slot] = target.on_death(shared[slot], token)
        left = self._start(instance) if instance.process.daemon else Local(DEAD, (), self.fresh)
        return State(tuple(shared), replaced(state.local, pid, left), state.deaths + 1)

    def _value(self, state: State, pid: int, target: SharedObject) -> Any:
        if target.private:
            return state.local[pid].private[index_of(target, self.private)]
        return state.shared[index_of(target, self.shared)]

    def ended(self, state: State, pid: int) -> bool:
        """Whether the process ended or died."""
        return state.local[pid].phase != RUNNING

    def all_ended(self, state: State) -> bool:
        """Whether every process that must end did."""
        return all(self.ended(state, pid) or i.process.daemon for pid, i in enumerate(self.instances))

    def stuck(self, state: State, offers: list[Offer]) -> bool:
        """Whether nobody can move, and somebody must still end or is a daemon amid its work."""
        if any(offer.outcomes for offer in offers):
            return False
        return any(local.phase == RUNNING and not self._rests(state, pid) for pid, local in enumerate(state.local))

    def _rests(self, state: State, pid: int) -> bool:
        """Whether a daemon holds nothing and stands at its first op that is no delay."""
        instance, now = self.instances[pid], stand(self.instances[pid], state.local[pid].what)
        spots, history = set(), []
        while (first := stand(instance, history)).spot() not in spots and first.op is not None:
            spots.add(first.spot())
            if first.op.target is not None:
                break
            history.append((None, None, None))
        return instance.process.daemon and not now.holds and now.spot() in spots

    def results(self, state: State) -> dict[str, Any]:
        """Results of the processes that ended, by name."""
        pairs = zip(self.instances, state.local, strict=True)
        return {instance.name: local.what[0] for instance, local in pairs if local.phase == ENDED}

    def answers(self, prop: Property, state: State, offers: list[Offer]) -> Iterator[bool]:
        """What the property says of `state`, once for each time that it is asked there."""
        seen = {item: state.shared[index_of(item, self.shared)] for item in prop.reads}
        if prop.kind is PropertyKind.ALWAYS:
            yield bool(prop.predicate(seen))
        elif prop.kind is PropertyKind.EACH_RESULT:
            for instance, local in zip(self.instances, state.local, strict=True):
                if local.phase == ENDED and prop.of in (None, instance.process.name):
                    yield bool(prop.predicate(local.what[0]))
        elif prop.kind is PropertyKind.NO_DEADLOCK:
            yield not self.stuck(state, offers)
        elif prop.kind is PropertyKind.END_POSSIBLE:
            return  # `search` asks it of the whole space
        elif prop.kind is PropertyKind.REACHABLE or self.all_ended(state):
            views = [seen] if prop.reads else []
            yield bool(prop.predicate(self.results(state), *views))


def stand(instance: Instance, history: Sequence[tuple[Any, Any, Any]]) -> Standing:
    """Re-run a program from its first line with the answers it got; a returned one closes what it holds, op by op."""
    body = program = instance.process.program(*instance.process.args)
    if instance.bound:
        program = lay_over(body, instance.bound)
    holds: list[tuple[SharedObject, Any]] = []
    op, returned, value = _next_op(program, None)
    for result, takes, drops in history:
        performed = _closing(holds) if returned else op
        assert performed is not None
        if performed.target is not None and drops is not None:
            holds.remove((performed.target, drops))
        if performed.target is not None and takes is not None:
            holds.append((performed.target, takes))
        if not returned:
            op, returned, value = _next_op(program, result)
    return Standing(_closing(holds) if returned else op, value, tuple(holds), tuple(_lines(body)))


def _lines(body: Any) -> Iterator[tuple[Any, int]]:
    """The lines at which a generator, and those that it yields from, are suspended; those of the package left out."""
    while getattr(body, "gi_frame", None) is not None:
        if PACKAGE not in Path(body.gi_code.co_filename).parents:
            yield body.gi_code, body.gi_frame.f_lineno
        body = body.gi_yieldfrom


def _next_op(program: Any, answer: Any) -> tuple[Op | None, bool, Any]:
    """Send one answer; skip the marks of sections, which take no step. Gives (op, whether it returned, its result)."""
    try:
        op = program.send(answer)
        while op.target is None and op.verb not in DELAYS:
            op = program.send(None)
    except StopIteration as stop:
        return None, True, stop.value
    return op, False, None


def _closing(holds: list[tuple[SharedObject, Any]]) -> Op | None:
    for target, token in reversed(holds):
        op = target.at_exit(token)
        if op is not None:
            return op
    return None


def index_of(wanted: SharedObject, items: Sequence[SharedObject]) -> int:
    """Where an object is in a list, by identity."""
    return next(i for i, item in enumerate(items) if item is wanted)


def replaced(row: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    """`row` with one entry changed."""
    return tuple(value if i == index else old for i, old in enumerate(row))
