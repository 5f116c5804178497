"""Chrome's trace events, as ui.perfetto.dev and chrome://tracing open them ("Trace Event Format", the object form).

A track per process with its sections and steps, a track per lock with who holds it, one per object with its value, and
a flow arrow per dependency. Times are whole microseconds; an untimed step lasts one second.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dstamp_sim.core.escaping import on_one_line
from dstamp_sim.core.holds import Held
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.value import text
from dstamp_sim.rendering.timeline.annotations import Annotations
from dstamp_sim.rendering.timeline.facts import moments_of

RUNS, LOCKS, OBJECTS, HOLDS = 1, 2, 3, 4
"""The groups of tracks, as the format's process ids."""
_SECOND = 1_000_000

TraceEvent = dict[str, Any]


def perfetto(trace: Trace, annotations: Annotations) -> str:
    """The trace as one JSON document."""
    events = events_of(trace, annotations)
    about = {
        "sentence": on_one_line(annotations.sentence),
        "proof": on_one_line(annotations.proof),
        "schedule": str(trace.schedule),
    }
    document = {"traceEvents": events, "displayTimeUnit": "ms", "otherData": about}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def events_of(trace: Trace, annotations: Annotations) -> list[TraceEvent]:
    """The trace's events: names of tracks, slices and flows; times in whole microseconds."""
    at = _instants(trace)
    return [
        *_names(RUNS, "processes", trace.processes),
        *_steps(trace, at),
        *_sections(trace, at),
        *_holds(trace, at),
        *_objects(trace, at),
        *_flows(trace, annotations, at),
    ]


def _instants(trace: Trace) -> list[int]:
    """When each step begins; those of one process that share an instant follow one another by a microsecond."""
    last: dict[str, int] = {}
    done = []
    for step, moment in zip(trace.steps, moments_of(trace), strict=True):
        begun = round((moment.at if trace.timed else moment.start) * _SECOND)
        last[step.process] = max(begun, last.get(step.process, -1) + 1)
        done.append(last[step.process])
    return done


def _end(trace: Trace, at: Sequence[int]) -> int:
    return max(at, default=0) + (1 if trace.timed else _SECOND)


def _names(group: int, name: str, tracks: Sequence[str]) -> Iterator[TraceEvent]:
    yield {"ph": "M", "name": "process_name", "pid": group, "tid": 0, "args": {"name": name}}
    yield {"ph": "M", "name": "process_sort_index", "pid": group, "tid": 0, "args": {"sort_index": group}}
    for number, track in enumerate(tracks, start=1):
        yield {"ph": "M", "name": "thread_name", "pid": group, "tid": number, "args": {"name": on_one_line(track)}}


def _slice(group: int, track: int, name: str, begin: int, end: int, **args: Any) -> TraceEvent:
    shown = {key: on_one_line(str(value)) for key, value in args.items() if value not in (None, "")}
    span = {"ts": begin, "dur": max(end - begin, 1)}
    return {"ph": "X", "cat": "dstamp", "name": on_one_line(name), "pid": group, "tid": track, **span, "args": shown}


def _steps(trace: Trace, at: Sequence[int]) -> Iterator[TraceEvent]:
    last = 1 if trace.timed else _SECOND
    for number, (step, begin) in enumerate(zip(trace.steps, at, strict=True)):
        track = trace.processes.index(step.process) + 1
        name = step.op.verb if step.op else "dies"
        args = {"step": number + 1, "does": step.does(), "changed": step.changed(), "source": step.place.source}
        yield _slice(RUNS, track, name, begin, begin + last, **args)


def _sections(trace: Trace, at: Sequence[int]) -> Iterator[TraceEvent]:
    last = 1 if trace.timed else _SECOND
    for span in trace.spans():
        track = trace.processes.index(span.process) + 1
        yield _slice(RUNS, track, span.section, at[span.first], at[span.last] + last)


def _holds(trace: Trace, at: Sequence[int]) -> Iterator[TraceEvent]:
    """A track per lock (or other hold) and holder; holds that are not locks have a separate group."""
    for group, name, is_lock in ((LOCKS, "locks", True), (HOLDS, "holds", False)):
        holds = [held for held in trace.holds() if held.is_lock is is_lock]
        tracks = sorted({_track(held) for held in holds})
        if tracks or is_lock:
            yield from _names(group, name, [f"{what}: {process}" for what, process, _ in tracks])
        for held in holds:
            until = _end(trace, at) if held.until is None else at[held.until]
            how = {"ended": held.parting.value} if held.parting else {}
            track = tracks.index(_track(held)) + 1
            yield _slice(group, track, f"held by {held.process}", at[held.since], until, **how)


def _track(held: Held) -> tuple[str, str, str]:
    """Holds of one track are nested or follow one another; holds with other tokens may overlap."""
    return held.name, held.process, text(held.hold.token)


def _objects(trace: Trace, at: Sequence[int]) -> Iterator[TraceEvent]:
    names = list(trace.initial)
    yield from _names(OBJECTS, "objects", names)
    since = dict.fromkeys(names, 0)
    now, writers = dict(trace.initial), dict[str, int | None].fromkeys(names)
    for number, step in enumerate(trace.steps):
        for change in step.changes:
            name = change.target
            end = max(at[number], since[name] + 1)  # values that replace each other at one instant follow one another
            yield _value(trace, names.index(name), now[name], since[name], end, writers[name])
            since[name], now[name], writers[name] = end, change.after, number
    for name in names:
        yield _value(trace, names.index(name), now[name], since[name], _end(trace, at), writers[name])


def _value(trace: Trace, track: int, state: Any, begin: int, end: int, writer: int | None) -> TraceEvent:
    by = "" if writer is None else f"{trace.steps[writer].process}, step {writer + 1}"
    return _slice(OBJECTS, track + 1, text(state), begin, end, written_by=by)


def _flows(trace: Trace, annotations: Annotations, at: Sequence[int]) -> Iterator[TraceEvent]:
    """A start and an end per dependency, each at the instant of its step's slice."""
    cycle = {(link.source, link.target) for link in annotations.cycle}
    for number, link in enumerate(link for link in annotations.links if link.kind != "wants"):
        category = "cycle" if (link.source, link.target) in cycle else "dependency"
        for phase, step in (("s", link.source), ("f", link.target)):
            track = trace.processes.index(trace.steps[step].process) + 1
            flow = {
                "ph": phase,
                "cat": category,
                "name": link.kind,
                "id": number,
                "pid": RUNS,
                "tid": track,
                "ts": at[step],
            }
            yield flow | {"args": {"says": on_one_line(link.says)}} | ({"bp": "e"} if phase == "f" else {})
