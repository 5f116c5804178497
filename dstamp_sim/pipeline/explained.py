"""The sentence of a trace, with the moments written as its pictures write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dstamp_sim.analyses.conflicts import Conflicts, Dependency
from dstamp_sim.analyses.explain import Explanation, depends, explain, step_number
from dstamp_sim.analyses.judged_trace import TraceJudgement, judged_trace
from dstamp_sim.analyses.speech import Speech, When
from dstamp_sim.core.holds import Held
from dstamp_sim.core.properties import Property
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.rendering.text import story
from dstamp_sim.rendering.timeline.annotations import MOST_LINKS, Annotations, DependencyLink, Missing
from dstamp_sim.rendering.timeline.axis import clock_time


def explained(
    system: System,
    trace: Trace,
    *,
    about: Property | None = None,
    process: str | None = None,
    origin: datetime | None = None,
) -> Explanation:
    """Why `trace` came out as it did, with moments written as in its picture.

    Moments of a timed trace are on the wall clock if `origin` is its second 0, else since its start (`0:08:25`). Raises
    ScheduleError when the trace is not one of the system.
    """
    return explain(system, trace, about=about, process=process, when=moments(trace, origin))


def moments(trace: Trace, origin: datetime | None) -> When:
    """Returns a function that writes the moment of a step as the trace's picture does."""

    def clock(number: int) -> str:
        return f"at {clock_time(trace.steps[number].time_s or 0.0, origin, seconds=True)}"

    return clock if trace.timed else step_number


@dataclass(frozen=True)
class Shown:
    """What a trace shows of one property: in a few words, and if it fails, why."""

    judgement: TraceJudgement
    words: str
    why: Explanation | None


def shown_by(
    system: System, trace: Trace, origin: datetime | None = None, *, known: Explanation | None = None
) -> tuple[Shown, ...]:
    """What `trace`, a trace of `system`, shows of each property.

    `known` is an explanation of the trace, if one exists already: its property is not explained again.
    """
    when = moments(trace, origin)
    return tuple(
        Shown(
            judgement,
            _in_words(judgement, when),
            _why(system, trace, judgement.prop, origin, known) if judgement.fails else None,
        )
        for judgement in judged_trace(system, trace)
    )


def _why(
    system: System, trace: Trace, prop: Property, origin: datetime | None, known: Explanation | None
) -> Explanation:
    if known is not None and known.fact is not None and known.fact.property == prop.name:
        return known
    return explained(system, trace, about=prop, origin=origin)


def _in_words(judgement: TraceJudgement, when: When) -> str:
    """`fails at step 3`, `holds so far`, or `never asked` where the trace reached no moment of asking."""
    wish = judgement.prop.is_wish
    if judgement.step is None:
        return ("not reached" if wish else "holds so far") if judgement.asked else "never asked"
    moment = when(judgement.step) if judgement.step >= 0 else "from the start"
    return f"{'reached' if wish else 'fails'} {moment}"


def annotations_of(trace: Trace, why: Explanation) -> Annotations:
    """The steps, locks and holders that an explanation points at, for pictures."""
    conflicts = why.conflicts or Conflicts(trace)
    cause = why.cause
    window = None
    if cause is not None and cause.opens is not None and cause.write is not None:
        window = (trace.steps[cause.opens].process, cause.opens, cause.closes)
    cycle = [_link(conflicts, edge) for edge in why.cycle.edges] if why.cycle else []
    if why.waits is not None:
        cycle = [_wants(trace, process, held) for process, held in why.waits.wants]
    return Annotations(
        sentence=why.sentence,
        proof=why.proof,
        window=window,
        write=cause.write if cause else None,
        reads=cause.read if cause else None,
        missing=Missing(why.gap.process, why.gap.lock, why.gap.first, why.gap.last) if why.gap else None,
        cycle=tuple(cycle),
        steps=steps_explained(why),
        nones=nones_explained(trace, why),
        sources=dict(conflicts.sources()),
        links=tuple(_link(conflicts, edge) for edge in _innermost(conflicts.dependencies[-MOST_LINKS:])),
    )


def steps_explained(why: Explanation) -> frozenset[int]:
    """The steps that an explanation speaks of, by its claims, its cause, its cycle and the holds of its deadlock."""
    cause = why.cause
    found = {n for claim in why.claims for n in claim.steps_named()}
    if cause is not None:
        found |= {n for n in (cause.opens, cause.write, cause.read, cause.closes, *cause.others) if n is not None}
    if why.cycle is not None:
        found |= {n for edge in why.cycle.edges for n in (edge.source, edge.target)}
    if why.waits is not None:
        found |= {held.since for _, held in why.waits.wants}
    return frozenset(n for n in found if n >= 0)


def explained_story(trace: Trace, why: Explanation, *, width: int = 150) -> list[str]:
    """The listing of a trace, with every answer that its explanation needs."""
    return story(trace, width=width, nones=nones_explained(trace, why))


def nones_explained(trace: Trace, why: Explanation) -> frozenset[int]:
    """The steps of an explanation that only looked at something, and got None."""
    accesses = (why.conflicts or Conflicts(trace)).accesses
    looks = (n for n in steps_explained(why) if trace.steps[n].result is None and trace.steps[n].touched is not None)
    return frozenset(n for n in looks if accesses[n].reads and not accesses[n].writes)


def _innermost(edges: Sequence[Dependency]) -> list[Dependency]:
    """Without what two steps share as a whole where they share, in the same way, a field of it: that says more."""

    def key(edge: Dependency, depth: int) -> tuple[object, ...]:
        return edge.kind, edge.source, edge.target, edge.location.target, edge.location.path[:depth]

    inside = {key(edge, depth) for edge in edges for depth in range(len(edge.location.path))}
    return [edge for edge in edges if key(edge, len(edge.location.path)) not in inside]


def _link(conflicts: Conflicts, edge: Dependency) -> DependencyLink:
    says = depends(edge, conflicts).words(Speech(conflicts.trace, step_number))
    return DependencyLink(edge.kind.value, edge.source, edge.target, says)


def _wants(trace: Trace, process: str, held: Held) -> DependencyLink:
    last = max((n for n, step in enumerate(trace.steps) if step.process == process), default=0)
    return DependencyLink("wants", last, held.since, f"{process} wants {held.name}")


def property_of(system: System, about: str) -> Property | None:
    """The property that a witness says it is about (`kind: name`); None if it names none."""
    return next((prop for prop in system.checked_properties if about == prop.title), None)
