"""Exact time: a failure is impossible, possible or inevitable within a scenario's bounds, from when until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from dstamp_sim.core.errors import UnboundedProgram, UsageError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.numbers import many
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.scenario import Timing
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.verdict import Coverage, Judgement, Report, certify
from dstamp_sim.engines.zones.bursts import Bursts
from dstamp_sim.engines.zones.performed import performed
from dstamp_sim.engines.zones.ticks import clockwork
from dstamp_sim.engines.zones.zones import ZoneQuestion, ZoneSearch

MOST_ZONES = 100_000
"""How many zones of one search are kept unless another limit is given."""

BY_HAND = "interrupted"
"""Why a search stopped: Ctrl-C."""

MOST_PROPERTIES = 60
"""How many properties are judged at once: each is a bit."""


class Possibility(Enum):
    """What the bounds say of a failure, or of what a wish wants."""

    IMPOSSIBLE = "impossible"
    POSSIBLE = "possible"
    INEVITABLE = "inevitable"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Occurrence:
    """When something happens within the bounds, in seconds since the beginning.

    `earliest_s` and `latest_s` are bounds of all behaviours in which it does, each of its first time; `earliest_in`
    and `latest_in` say whether that moment is reached, or only come near to. None: not known. `open_question` says
    what the search left open.
    """

    possibility: Possibility
    earliest_s: float | None = None
    latest_s: float | None = None
    earliest_in: bool = True
    latest_in: bool = True
    open_question: str = ""

    def words(self) -> str:
        """All of it, in a few words."""
        if self.possibility in (Possibility.IMPOSSIBLE, Possibility.UNKNOWN):
            return f"{self.possibility.value} within these bounds"
        early, late = "at" if self.earliest_in else "just after", "at" if self.latest_in else "just before"
        told = [f"at the earliest {early} {self.earliest_s:.12g} s"] if self.earliest_s is not None else []
        told += [f"at the latest {late} {self.latest_s:.12g} s"] if self.latest_s is not None else []
        told += [self.open_question] if self.open_question else []
        return ", ".join([f"{self.possibility.value} within these bounds", *told])


@dataclass(frozen=True)
class TimedReport:
    """A report, and by property when what decides it happens."""

    report: Report
    when: dict[str, Occurrence]


def explore_within(
    system: System,
    timing: Timing,
    *,
    properties: Sequence[str] = (),
    limit: int = MOST_ZONES,
    ops: int | None = None,
) -> TimedReport:
    """Judges the named properties (all, if none are named) over all behaviours on the clock within a scenario's bounds.

    A behaviour is what `run_timed` performs with some durations and outcomes that the scenario allows, and some order
    of what comes at one instant. Each failure's trace is the earliest, performed by the timed engine. Without names,
    what looks ahead of a state or along endless behaviours is not asked; asked by name, it is UNDETERMINED. Raises
    UsageError and ScenarioError for what is not supported, with the remedy, ModelError if the model breaks a rule.
    """
    asked = system.properties_named(properties)
    asked = asked if properties else tuple(prop for prop in asked if is_of_a_state(prop))
    judged = tuple(prop for prop in asked if is_of_a_state(prop))
    bursts = timed_bursts(system, timing, judged, ops)
    judge = bursts.judge
    whole = _ran(ZoneSearch(bursts, ZoneQuestion(), limit))
    left_out = [prop.name for prop in system.checked_properties if not properties and not is_of_a_state(prop)]
    coverage = _coverage(whole, judge, left_out)
    when: dict[str, Occurrence] = {}
    traces: dict[str, Trace] = {}
    for index, prop in enumerate(judged):
        when[prop.name], trace = _when(whole, index, prop)
        traces |= {} if trace is None else {prop.name: trace}
    judge.check()
    judgements = tuple(_judgement(prop, coverage, traces.get(prop.name), when.get(prop.name), judge) for prop in asked)
    return TimedReport(Report(judgements, coverage), when)


def timed_bursts(system: System, timing: Timing, judged: Sequence[Property], ops: int | None = None) -> Bursts:
    """The bursts of a system within a scenario's bounds, with a judge of these properties. Raises UsageError."""
    if not system.must_end:
        raise UsageError(
            "every process is a daemon, and a run on the clock ends when all who must end have: none lasts"
        )
    semantics = Semantics(system, history_limit=ops, by_value=True)
    if len(judged) > MOST_PROPERTIES:
        raise UsageError(f"exact time judges at most {MOST_PROPERTIES} properties at once: name some with --property")
    return Bursts(semantics, Judge(semantics, judged), timing, clockwork(semantics, timing))


def is_of_a_state(prop: Property) -> bool:
    """Whether exact time judges it: single states decide it."""
    return not prop.in_time and prop.kind is not PropertyKind.END_POSSIBLE


def _ran(search: ZoneSearch) -> ZoneSearch:
    """The search, run until it is done, its limit is reached, a program goes on without end, or Ctrl-C."""
    try:
        return search.run()
    except KeyboardInterrupt:
        search.stopped = BY_HAND
    except UnboundedProgram as unbounded:
        search.stopped = str(unbounded)
    return search


def _when(whole: ZoneSearch, index: int, prop: Property) -> tuple[Occurrence, Trace | None]:
    """When a property is decided, with the trace that decides it first, as far as it is known."""
    if not whole.seen >> index & 1:
        return Occurrence(Possibility.UNKNOWN if whole.stopped else Possibility.IMPOSSIBLE), None
    every = first = _ran(ZoneSearch(whole.bursts, ZoneQuestion(1 << index, moments=True), whole.limit))
    if every.stopped and every.stopped != BY_HAND:
        question = ZoneQuestion(1 << index, moments=True, only_earlier=True)
        first = _ran(ZoneSearch(whole.bursts, question, whole.limit))
    if first.earliest is None:
        return Occurrence(Possibility.UNKNOWN), None
    per_s, late = whole.bursts.clockwork.per_s, None if every.stopped else every.latest
    when = Occurrence(
        Possibility.POSSIBLE if every.stopped or every.unfailed else Possibility.INEVITABLE,
        first.earliest.ticks / per_s,
        None if late is None else late.ticks / per_s,
        first.earliest.reached,
        late is None or late.reached,
        _left_open(every, first),
    )
    return when, _trace(first, prop)


def _left_open(every: ZoneSearch, first: ZoneSearch) -> str:
    """What the searches for all moments and for the first one leave open."""
    left = [f"whether it is inevitable is not known ({every.stopped})"] if every.stopped and not every.unfailed else []
    left += [f"its latest moment is not known ({every.stopped})"] if every.stopped else []
    left += [f"its earliest moment may be earlier ({first.stopped})"] if first.stopped else []
    return ", ".join(left)


def _trace(first: ZoneSearch, prop: Property) -> Trace:
    """The trace that decides a property at its earliest moment, or near it."""
    way = first.way_to_the_earliest()
    if way:
        return performed(first.bursts, way, prop)
    semantics = first.bursts.semantics
    judge = Judge(semantics, [prop])
    begins = next(initial for initial in semantics.initials() if any(True for _ in judge.decides(initial)))
    started = semantics.started(semantics.start_of(begins))
    return replace(started.trace([], begins), starts_s=dict.fromkeys(semantics.names, 0.0))


def _coverage(whole: ZoneSearch, judge: Judge, left_out: Sequence[str]) -> Coverage:
    return Coverage(
        states=whole.states,
        transitions=whole.transitions,
        depth=whole.depth,
        exhausted=not whole.stopped,
        stopped=whole.stopped,
        exercised={prop.name: whole.asks >> n & 1 for n, prop in enumerate(judge.properties)},
        reductions=(
            f"{many(whole.count, 'zone')} of durations; no reductions",
            "what a process does without waiting happens in one go, as on the clock",
            *([f"not asked, as it looks ahead of a state: {', '.join(left_out)}"] if left_out else []),
        ),
    )


def _judgement(
    prop: Property, coverage: Coverage, trace: Trace | None, when: Occurrence | None, judge: Judge
) -> Judgement:
    if when is None:
        why = "exact time judges states, and this is about what comes after them: ask without --within"
        return certify(prop, replace(coverage, exhausted=False, stopped=why), None)
    if trace is None and (when.possibility is Possibility.UNKNOWN or judge.why_not(prop)):
        why = judge.why_not(prop) or coverage.stopped or "its trace was not found"
        return certify(prop, replace(coverage, exhausted=False, stopped=why), None)
    judged = certify(prop, coverage, trace)
    asked = trace is not None or coverage.exercised.get(prop.name, 0) > 0 or prop.is_wish
    return replace(judged, reason=when.words(), minimal=False) if asked else judged
