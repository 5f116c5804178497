"""Chrome's trace events, as ui.perfetto.dev and chrome://tracing open them ("Trace Event Format", the object form).

A track per process with its sections and steps, a track per lock with who holds it, one per object with its value, and
a flow arrow per dependency. Times are whole microseconds; an untimed step lasts one second.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dstamp_sim.core.trace import Trace
from dstamp_sim.core.value import text
from dstamp_sim.export.words import printable
from dstamp_sim.rendering.timeline.facts import moments_of
from dstamp_sim.rendering.timeline.told import Told

RUNS, LOCKS, OBJECTS = 1, 2, 3
"""The three groups of tracks, as the format's process ids."""
_SECOND = 1_000_000

Event = dict[str, Any]


def perfetto(trace: Trace, told: Told) -> str:
    """The trace as one JSON document."""
    events = events_of(trace, told)
    about = {"sentence": printable(told.sentence), "proof": printable(told.proof), "schedule": str(trace.schedule)}
    document = {"traceEvents": events, "displayTimeUnit": "ms", "otherData": about}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def events_of(trace: Trace, told: Told) -> list[Event]:
    """The trace's events: names of tracks, slices and flows; times in whole microseconds."""
    at = _instants(trace)
    return [
        *_names(RUNS, "processes", trace.processes),
        *_steps(trace, at),
        *_sections(trace, at),
        *_locks(trace, at),
        *_objects(trace, at),
        *_flows(trace, told, at),
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


def _names(group: int, name: str, tracks: Sequence[str]) -> Iterator[Event]:
    yield {"ph": "M", "name": "process_name", "pid": group, "tid": 0, "args": {"name": name}}
    yield {"ph": "M", "name": "process_sort_index", "pid": group, "tid": 0, "args": {"sort_index": group}}
    for number, track in enumerate(tracks, start=1):
        yield {"ph": "M", "name": "thread_name", "pid": group, "tid": number, "args": {"name": printable(track)}}


def _slice(group: int, track: int, name: str, begin: int, end: int, **args: Any) -> Event:
    shown = {key: printable(str(value)) for key, value in args.items() if value not in (None, "")}
    span = {"ts": begin, "dur": max(end - begin, 1)}
    return {"ph": "X", "cat": "dstamp", "name": printable(name), "pid": group, "tid": track, **span, "args": shown}


def _steps(trace: Trace, at: Sequence[int]) -> Iterator[Event]:
    last = 1 if trace.timed else _SECOND
    for number, (step, begin) in enumerate(zip(trace.steps, at, strict=True)):
        track = trace.processes.index(step.process) + 1
        name = step.op.verb if step.op else "dies"
        args = {"step": number + 1, "does": step.does(), "changed": step.changed(), "source": step.place.source}
        yield _slice(RUNS, track, name, begin, begin + last, **args)


def _sections(trace: Trace, at: Sequence[int]) -> Iterator[Event]:
    last = 1 if trace.timed else _SECOND
    for track, process in enumerate(trace.processes, start=1):
        open_: list[tuple[str, int]] = []
        until = 0
        for number, step in enumerate(trace.steps):
            if step.process != process:
                continue
            names = [name for name, _ in open_]
            kept = next((n for n, (a, b) in enumerate(zip(names, step.sections, strict=False)) if a != b), None)
            kept = min(len(names), len(step.sections)) if kept is None else kept
            for name, begin in reversed(open_[kept:]):
                yield _slice(RUNS, track, name, begin, until)
            open_[kept:] = [(name, at[number]) for name in step.sections[kept:]]
            until = at[number] + last
        for name, begin in reversed(open_):
            yield _slice(RUNS, track, name, begin, until)


def _locks(trace: Trace, at: Sequence[int]) -> Iterator[Event]:
    held: dict[tuple[str, str, Any], int] = {}
    holds: list[tuple[str, str, int, int]] = []
    for number, step in enumerate(trace.steps):
        for hold in step.dropped:
            key = (hold.target.name, step.process, hold.token)
            if key in held:
                holds.append((key[0], key[1], held.pop(key), at[number]))
        if step.taken is not None and step.taken.target.is_lock:
            held[step.taken.target.name, step.process, step.taken.token] = at[number]
    holds += [(name, process, begin, _end(trace, at)) for (name, process, _), begin in held.items()]
    tracks = sorted({(name, process) for name, process, _, _ in holds})
    yield from _names(LOCKS, "locks", [f"{name}: {process}" for name, process in tracks])
    for name, process, begin, end in sorted(holds, key=lambda hold: hold[2]):
        yield _slice(LOCKS, tracks.index((name, process)) + 1, f"held by {process}", begin, end)


def _objects(trace: Trace, at: Sequence[int]) -> Iterator[Event]:
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


def _value(trace: Trace, track: int, state: Any, begin: int, end: int, writer: int | None) -> Event:
    by = "" if writer is None else f"{trace.steps[writer].process}, step {writer + 1}"
    return _slice(OBJECTS, track + 1, text(state), begin, end, written_by=by)


def _flows(trace: Trace, told: Told, at: Sequence[int]) -> Iterator[Event]:
    """A start and an end per dependency, each at the instant of its step's slice."""
    cycle = {(link.source, link.target) for link in told.cycle}
    for number, link in enumerate(link for link in told.links if link.kind != "wants"):
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
            yield flow | {"args": {"says": printable(link.says)}} | ({"bp": "e"} if phase == "f" else {})
