"""Whether a claim is true of a trace: by the steps, the objects and the semantics, never by the search for it.

Everything here is plain on purpose: a walk over the steps, one question to an object, or a whole schedule performed
from the start. Nothing is remembered from the search for a cause.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from itertools import pairwise
from typing import Any

from dstamp_sim.analyses.claims import (
    Alone,
    AtOnce,
    Began,
    CameOut,
    Circle,
    Claim,
    Depends,
    Did,
    Died,
    Early,
    Fails,
    Lapsed,
    Lost,
    Overwrote,
    Read,
    Returned,
    Saw,
    Serially,
    Stale,
    StillFrom,
    TriedAndSafe,
    Undid,
)
from dstamp_sim.analyses.conflicts import DependencyKind
from dstamp_sim.analyses.fields import Location
from dstamp_sim.analyses.reruns import AfterEnd, Answered, Came, InTurn, Moved, Rerun, Together, Without
from dstamp_sim.analyses.speech import Speech, When
from dstamp_sim.analyses.trace_record import Performance, Record, perform
from dstamp_sim.core.errors import ModelError, ScheduleError
from dstamp_sim.core.numbers import many
from dstamp_sim.core.properties import OF_WAITING
from dstamp_sim.core.schedule import CRASH
from dstamp_sim.core.shared_object import Outcome, may_do
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.value import text


class Narrator:
    """Says claims that are verified; `said` are these, `dropped` the others, each with the objection."""

    def __init__(self, record: Record, when: When) -> None:
        self.record, self.speech = record, Speech(record.trace, when)
        self.said: list[Claim] = []
        self.dropped: list[tuple[Claim, str]] = []

    def would(self, claim: Claim) -> bool:
        """Whether a candidate claim is verified; asking does not say it."""
        return not against(claim, self.record)

    def true(self, claim: Claim) -> bool:
        """Whether a claim is verified; it is then said, or else dropped."""
        why_not = against(claim, self.record)
        self.said.extend([] if why_not else [claim])
        self.dropped.extend([(claim, why_not)] if why_not else [])
        return not why_not

    def tell(self, claims: Iterable[Claim], between: str = "; ") -> str:
        """The words of the true claims, one after the other."""
        return between.join(claim.words(self.speech) for claim in claims if self.true(claim))


@singledispatch
def against(claim: Claim, record: Record) -> str:
    """The objection to a claim; empty if it is true."""
    raise NotImplementedError(f"no rule verifies a {type(claim).__name__}")


@against.register
def _fails(claim: Fails, record: Record) -> str:
    since = record.failures.get((claim.property, claim.process))
    if since is None:
        return f"{claim.property!r} does not fail"
    return "" if since == claim.step + 1 else f"{claim.property!r} fails with step {since}"


@against.register
def _began(claim: Began, record: Record) -> str:
    item = record.system.several.get(claim.target)
    if item is None:
        return f"{claim.target} can only begin in one way"
    semantics, first = record.performance.semantics, record.performance.states[0]
    was = dict(semantics.named(first))[claim.target]
    return "" if was == claim.value and was in item.initials else f"{claim.target} was {text(was)}"


@against.register
def _at_once(claim: AtOnce, record: Record) -> str:
    semantics, first = record.performance.semantics, record.performance.states[0]
    known = semantics.results(first) if claim.returned else record.trace.initial
    if claim.name not in known or known[claim.name] != claim.value:
        return f"{claim.name} has {text(known.get(claim.name))}"
    return ""


@against.register
def _found(claim: Saw, record: Record) -> str:
    return _not_found(record, claim.step, claim.place, claim.value)


@against.register
def _read(claim: Read, record: Record) -> str:
    found = _not_found(record, claim.step, claim.place, claim.value)
    return found or _not_by(record, claim.step, claim.place, claim.writer)


@against.register
def _overwrote(claim: Overwrote, record: Record) -> str:
    if not record.wrote(claim.step, claim.place):
        return f"step {claim.step + 1} does not write {claim.place}"
    if (found := record.value(claim.place, claim.step)) != claim.value:
        return f"step {claim.step + 1} wrote over {found!r} in {claim.place}"
    return _not_by(record, claim.step, claim.place, claim.over)


@against.register
def _lost(claim: Lost, record: Record) -> str:
    numbers = [*(n for n, _ in claim.writes), claim.step]
    if record.of(numbers[0]) != record.of(claim.step):
        return f"step {numbers[0] + 1} is another process's"
    values = [value for _, value in claim.writes]
    for (over, number), value in zip(pairwise(numbers), values, strict=True):
        if wrong := _not_by(record, number, claim.place, over):
            return wrong
        if (found := record.value(claim.place, number)) != value:
            return f"step {number + 1} found {found!r} in {claim.place}"
    return _not_found(record, claim.step, claim.place, values[-1])


@against.register
def _still(claim: StillFrom, record: Record) -> str:
    if record.of(claim.own) != record.of(claim.step):
        return f"step {claim.own + 1} is another process's"
    return _read(Read(claim.step, claim.place, claim.value, claim.own), record)


@against.register
def _stale(claim: Stale, record: Record) -> str:
    if wrong := _not_found(record, claim.read, claim.place, claim.value):
        return wrong
    if not claim.read < claim.write < claim.acts or record.of(claim.write) == record.of(claim.read):
        return f"step {claim.write + 1} is not another's between the two"
    if wrong := _not_left(record, claim.write, claim.place, claim.now):
        return wrong
    if claim.now == claim.value:
        return f"step {claim.write + 1} left it as it was"
    return _not_acting(claim, record)


def _not_acting(claim: Stale, record: Record) -> str:
    """The objection to step `acts` depending on the result of step `read`: it comes after another result too."""
    process, last = record.of(claim.read), record.trace.steps[claim.acts]
    if record.of(claim.acts) != process:
        return f"step {claim.acts + 1} is another process's"
    if claim.answer is None:
        return ""
    pid = record.performance.pid(process)
    automaton = record.performance.semantics.automata[pid]
    node = automaton.advance(record.performance.states[claim.read].local[pid].node, claim.answer)
    for number in range(claim.read + 1, claim.acts + 1):
        step = record.trace.steps[number]
        if step.process != process:
            continue
        if automaton.nodes[node].op != step.op:
            return ""
        node = automaton.advance(node, _told_by(record, number))
    return f"{last.does()} comes also after another answer to step {claim.read + 1}"


def _told_by(record: Record, number: int) -> Outcome:
    """The result of step `number`, by asking its object again."""
    step = record.trace.steps[number]
    assert step.op is not None
    if step.op.target is None or step.touched is None:
        return Outcome(None)
    return may_do(step.op, record.state(step.touched, number))[step.choice.outcome]


@against.register
def _early(claim: Early, record: Record) -> str:
    if len({record.of(n) for n in claim.reads} | {record.of(claim.write)}) <= len(claim.reads):
        return "they are not of different processes"
    for number in claim.reads:
        if wrong := _not_found(record, number, claim.place, claim.value):
            return wrong
        if record.trace.steps[number].result != claim.result:
            return f"step {number + 1} returned {record.trace.steps[number].result!r}"
        if any(record.wrote(n, claim.place) for n in range(number, claim.write)):
            return f"{claim.place} is written between step {number + 1} and step {claim.write + 1}"
    return _not_left(record, claim.write, claim.place, claim.now)


@against.register
def _died(claim: Died, record: Record) -> str:
    step = record.trace.steps[claim.step]
    if step.choice.outcome != CRASH:
        return f"step {claim.step + 1} is no death"
    node = record.performance.semantics.node(
        record.performance.states[claim.step], record.performance.pid(step.process)
    )
    return "" if node is not None and node.op == claim.op else f"step {claim.step + 1} is before {node and node.op}"


@against.register
def _undid(claim: Undid, record: Record) -> str:
    wrong = _overwrote(Overwrote(claim.step, claim.place, claim.value, claim.over), record)
    wrong = wrong or _not_left(record, claim.step, claim.place, claim.now)
    return wrong or ("" if record.of(claim.over) != record.of(claim.step) else "it is the same process")


@against.register
def _lapsed(claim: Lapsed, record: Record) -> str:
    taker, steps = record.of(claim.since), record.trace.steps
    if taker == record.of(claim.step) or not any(c.target == claim.target for c in steps[claim.step].changes):
        return f"step {claim.step + 1} does not change another's {claim.target}"
    taken = steps[claim.since].taken
    if taken is None or steps[claim.since].touched != claim.target:
        return f"step {claim.since + 1} does not take {claim.target}"
    dropped = [n for n in range(claim.since, claim.step) if record.of(n) == taker and taken in steps[n].dropped]
    return f"it lets go of it with step {dropped[0] + 1}" if dropped else ""


@against.register
def _came_out(claim: CameOut, record: Record) -> str:
    step = record.trace.steps[claim.step]
    if (step.result, step.label) != (claim.result, claim.label):
        return f"step {claim.step + 1} came out as {step.result!r} {step.label}"
    pid = record.performance.pid(step.process)
    possible = record.performance.semantics.outcomes(record.performance.states[claim.step], pid)
    others = [outcome for n, outcome in enumerate(possible) if n != step.choice.outcome]
    return "" if claim.other in others else f"{claim.other} is not possible there"


@against.register
def _did(claim: Did, record: Record) -> str:
    return _not_left(record, claim.step, claim.place, claim.value)


@against.register
def _returned(claim: Returned, record: Record) -> str:
    step = record.trace.steps[claim.step]
    return "" if step.ended and step.returned == claim.value else f"step {claim.step + 1} returned {step.returned!r}"


@against.register
def _depends(claim: Depends, record: Record) -> str:
    edge = claim.edge
    if record.of(edge.source) == record.of(edge.target):
        return "it is the same process"
    if edge.kind is DependencyKind.WR:
        return _read(Read(edge.target, edge.location, claim.value, edge.source), record)
    if edge.kind is DependencyKind.WW:
        return _overwrote(Overwrote(edge.target, edge.location, claim.value, edge.source), record)
    between = [n for n in range(edge.source, edge.target) if record.wrote(n, edge.location)]
    if between or not record.reads(edge.source, edge.location) or not record.wrote(edge.target, edge.location):
        return f"step {edge.target + 1} does not write over what step {edge.source + 1} had seen"
    return ""


@against.register
def _circle(claim: Circle, record: Record) -> str:
    edges = [link.edge for link in claim.links]
    for edge, following in pairwise([*edges, edges[0]]):
        if record.of(edge.target) != record.of(following.source):
            return f"step {edge.target + 1} and step {following.source + 1} are of different processes"
    runs = {record.of(edge.source) for edge in edges} - set(record.trace.daemons)
    if len(runs) < 2:
        return "it goes through one run only"
    return next((wrong for link in claim.links if (wrong := _depends(link, record))), "")


@against.register
def _alone(claim: Alone, record: Record) -> str:
    movers = {choice.process for choice in claim.choices}
    if len(movers - set(record.trace.daemons)) > 1 or movers & set(record.trace.daemons) != set(claim.helpers):
        return f"{sorted(movers)} move"
    return _not_failing(claim.fails, perform(record.system, claim.choices))


@against.register
def _serially(claim: Serially, record: Record) -> str:
    performance = perform(record.system, claim.choices)
    return _not_in_turn(record, InTurn(claim.processes), performance) or _not_failing(claim.fails, performance)


def _not_failing(fails: Fails, performance: Performance) -> str:
    failed = (fails.property, fails.process) in performance.failures()
    return "" if failed else f"{fails.property!r} does not fail"


@against.register
def _tried(claim: TriedAndSafe, record: Record) -> str:
    return next((no for rerun in claim.reruns if (no := _no_rerun(record, claim.fails, rerun))), "")


def _no_rerun(record: Record, fails: Fails, rerun: Rerun) -> str:
    """The objection to a rerun: it is not the stated change, not complete, or not safe."""
    answered = None
    if isinstance(rerun.change, Answered) and rerun.change.outcome is not None:
        answered = (rerun.change.step, rerun.change.outcome)
    try:
        performance = perform(record.system, rerun.choices, answered)
        failures = performance.failures()
    except (ScheduleError, ModelError) as error:
        return f"it cannot be performed: {error}"
    wishes = {prop.name for prop in record.system.checked_properties if prop.is_wish}
    held = isinstance(rerun.change, Answered) and rerun.change.outcome is None
    here = {(name, who) for name, who in failures if not (held and name in OF_WAITING)}
    fresh = {(name, who) for name, who in here - record.failures.keys() if name not in wishes}
    if (fails.property, fails.process) in here or fresh:
        return f"it ends with {sorted(name for name, _ in here)}"
    if not held and not performance.over:
        return "it stops before the end"
    return _no_change(record, rerun, performance)


def _no_change(record: Record, rerun: Rerun, performance: Performance) -> str:
    """The objection to a rerun's change; steps are known by their process and their number in it."""
    trace = record.trace
    match rerun.change:
        case Without(steps):
            left = [n for n in steps if performance.where(trace, n) is not None]
            return f"step {left[0] + 1} is not left out" if left else ""
        case Moved(steps, other, later):
            return next((no for n in steps if (no := _not_moved(trace, n, other, later, performance))), "")
        case Together(changes):
            parts = (_no_change(record, Rerun(change, rerun.choices), performance) for change in changes)
            return next(filter(None, parts), "")
        case Came(step, outcome):
            return _not_otherwise(record, step, performance, outcome)
        case Answered(step, outcome):
            if outcome is None and any(c.process == record.of(step) for c in rerun.choices[step:]):
                return f"{record.of(step)} moves on"
            return "" if tuple(rerun.choices[:step]) == trace.schedule.choices[:step] else "it differs before"
        case AfterEnd(step, process):
            return _not_after_end(trace, step, process, performance)
        case InTurn():
            return _not_in_turn(record, rerun.change, performance)


def _not_moved(trace: Trace, step: int, other: int, later: bool, performance: Performance) -> str:
    mine, its = performance.where(trace, step), performance.where(trace, other)
    if mine is None or its is None:
        return f"step {(step if mine is None else other) + 1} is not performed"
    if (step > other) == later or (mine > its) != later:
        return f"step {step + 1} does not come {'after' if later else 'before'} step {other + 1}"
    return ""


def _not_after_end(trace: Trace, step: int, process: str, performance: Performance) -> str:
    where = performance.where(trace, step)
    if where is None:
        return f"step {step + 1} is not performed"
    node = performance.semantics.node(performance.states[where], performance.pid(process))
    return "" if node is not None and node.ended else f"{process} has not ended before step {step + 1}"


def _not_otherwise(record: Record, step: int, performance: Performance, outcome: Outcome) -> str:
    """The objection to everything being unchanged before `step`, which then has `outcome`."""
    if tuple(performance.choices[:step]) != record.trace.schedule.choices[:step]:
        return "it differs before"
    choice = performance.choices[step]
    pid = performance.pid(choice.process)
    came = performance.semantics.outcomes(performance.states[step], pid)[choice.outcome]
    return "" if choice.process == record.of(step) and came == outcome else f"step {step + 1} comes out as {came}"


def _not_in_turn(record: Record, turn: InTurn, performance: Performance) -> str:
    """The objection to each process going as far as it can before the next, in this order."""
    daemons = set(record.trace.daemons)
    began = tuple(dict.fromkeys(c.process for c in performance.choices if c.process not in daemons))
    if [name for name in began if name in turn.processes] != [name for name in turn.processes if name in began]:
        return f"they begin in the order {', '.join(began)}"
    for number, (choice, then) in enumerate(pairwise(performance.choices), start=1):
        leaves = choice.process != then.process and choice.process not in daemons
        if leaves and performance.can_move(choice.process, number):
            return f"{choice.process} could go on after {many(number, 'step')}"
    return ""


def _not_found(record: Record, number: int, place: Location, value: Any) -> str:
    """The objection to step `number` having read `value` in a field."""
    if not record.reads(number, place):
        return f"step {number + 1} does the same whatever is in {place}"
    found = record.value(place, number)
    return "" if found == value else f"step {number + 1} found {found!r} in {place}"


def _not_left(record: Record, number: int, place: Location, value: Any) -> str:
    """The objection to step `number` having written `value` into a field."""
    if not record.wrote(number, place):
        return f"step {number + 1} does not write {place}"
    left = record.value(place, number + 1)
    return "" if left == value else f"step {number + 1} left {left!r} in {place}"


def _not_by(record: Record, number: int, place: Location, writer: int | None) -> str:
    """The objection to `writer` having last written the value that a step found; empty if it did."""
    found = record.writer(number, place)
    by = "nobody" if found is None else f"step {found + 1}"
    return "" if found == writer else f"what step {number + 1} found in {place} was written by {by}"
