"""What a timeline shows of a trace, in axis units (seconds of a timed trace, steps of an untimed one)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dstamp_sim.core.holds import Parting
from dstamp_sim.core.state_fields import has_fields, innermost, path_text
from dstamp_sim.core.system import Lane
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.core.value import text


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step is drawn: the stretch that led to it, and the instant at which it takes effect."""

    start: float
    end: float
    at: float


@dataclass(frozen=True, slots=True)
class SectionBar:
    """A section of a process; `leaf` when no section is nested in it."""

    process: str
    name: str
    level: int
    start: float
    end: float
    leaf: bool = True


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a process's life: waiting for `name`, or holding `name` in its `row`; `lock`: it is one."""

    process: str
    name: str
    start: float
    end: float
    row: int = 0
    lock: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A value on an object's strip; `shown` is None for absent, `writer` the number of the step that made it.

    `change` is what that step changed of it, field by field, if it has fields and no lane says how to show it.
    """

    shown: str | None
    wrong: bool
    start: float
    end: float
    writer: int | None
    change: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """An object's values over time, without gaps."""

    name: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A process's last read of an object that has a strip: the step's number and the segment that it saw.

    `writer` is the step that had written what it saw: the segment's, or a later one that wrote the same value again.
    """

    process: str
    step: int
    at: float
    strip: str
    seen: Segment
    writer: int | None


@dataclass(frozen=True)
class Facts:
    """Everything that is drawn of a trace. `begin` and `end` bound what is drawn; `first` is the first step drawn."""

    moments: tuple[Moment, ...]
    lives: dict[str, tuple[float, float]]
    spans: tuple[SectionBar, ...]
    waits: tuple[Bar, ...]
    holds: tuple[Bar, ...]
    strips: tuple[Strip, ...]
    checks: tuple[Check, ...]
    begin: float
    end: float
    first: int


def facts_of(trace: Trace, lanes: Sequence[Lane], last_steps: int, sources: Mapping[int, int]) -> Facts:
    """The facts of `trace`, where at most its last `last_steps` steps are drawn. Cost: linear in the steps.

    `sources` has, by read, the last step that wrote the value, where that is known.
    """
    moments = moments_of(trace)
    first = max(0, len(moments) - last_steps)
    lives = _lives(trace, moments)
    end = max([m.end for m in moments] + [e for _, e in lives.values()], default=0.0)
    begin = moments[first].start if first else min((s for s, _ in lives.values()), default=0.0)
    if first and trace.timed:
        begin = moments[first].at
    end += _tail(trace, begin, end)
    strips = tuple(_strip(trace, moments, name, lane, (min(0.0, begin), end)) for name, lane in _laned(trace, lanes))
    return Facts(
        moments,
        {name: (max(a, begin), b) for name, (a, b) in lives.items() if b >= begin},
        tuple(s for s in _spans(trace, moments) if s.end >= begin),
        tuple(w for w in _waits(trace, moments, lives, end) if w.end > begin),
        tuple(h for h in _holds(trace, moments, end) if h.end >= begin),
        strips,
        tuple(c for c in _checks(trace, moments, strips, sources) if c.at >= begin),
        begin,
        end,
        first,
    )


def moments_of(trace: Trace) -> tuple[Moment, ...]:
    """Each step's moment. A timed step's stretch begins at its process's previous step, or start."""
    if trace.starts_s is None:
        return tuple(Moment(n, n + 1, n + 0.5) for n in range(len(trace.steps)))
    done, before = [], dict(trace.starts_s)
    for step in trace.steps:
        at = 0.0 if step.time_s is None else step.time_s
        done.append(Moment(min(before.get(step.process, at), at), at, at))
        before[step.process] = at
    return tuple(done)


def _tail(trace: Trace, begin: float, end: float) -> float:
    """Room at the end for processes that wait for ever."""
    if not trace.waiting:
        return 0.0
    return max(0.06 * (end - begin), 1.0)


def _lives(trace: Trace, moments: Sequence[Moment]) -> dict[str, tuple[float, float]]:
    lives: dict[str, tuple[float, float]] = {}
    starts = trace.starts_s or {}
    for name in trace.processes:
        if name in starts:
            lives[name] = (starts[name], starts[name])
    for step, moment in zip(trace.steps, moments, strict=True):
        start, end = lives.get(step.process, (moment.start, moment.end))
        lives[step.process] = (min(start, moment.start), max(end, moment.end))
    return lives


def _spans(trace: Trace, moments: Sequence[Moment]) -> list[SectionBar]:
    drawn = [
        SectionBar(span.process, span.section, span.level, moments[span.first].start, moments[span.last].end)
        for span in trace.spans()
    ]
    order = {name: n for n, name in enumerate(trace.processes)}
    return sorted(_lasting(drawn), key=lambda s: (order[s.process], s.start, s.level, s.end))


def _lasting(spans: Sequence[SectionBar]) -> list[SectionBar]:
    """The spans without nested sections that take no time: their outer section then shows as a separate box."""
    kept = [span for span in spans if span.level == 0 or span.end > span.start]
    return [replace(s, leaf=not any(_inside(other, s) for other in kept)) for s in kept]


def _inside(span: SectionBar, outer: SectionBar) -> bool:
    nested = span.process == outer.process and span.level > outer.level
    return nested and outer.start <= span.start and span.end <= outer.end


def _waits(trace: Trace, moments: Sequence[Moment], lives: dict[str, tuple[float, float]], end: float) -> list[Bar]:
    """Daemons wait most of the time; what they wait for is shown only at the end, amid their work."""
    runs = [name for name in trace.processes if name not in trace.daemons]
    done = []
    if trace.timed:
        for step, moment in zip(trace.steps, moments, strict=True):
            if step.process in runs and moment.end > moment.start and step.op and not step.op.is_delay:
                done.append(Bar(step.process, str(step.op), moment.start, moment.end))
    for name, op in trace.waiting.items():
        done.append(Bar(name, op, lives.get(name, (0.0, 0.0))[1], end))
    return done


def _holds(trace: Trace, moments: Sequence[Moment], end: float) -> list[Bar]:
    """Every hold in the first row of its process's lane that is free by then."""
    done: list[Bar] = []
    busy: dict[str, list[float]] = {name: [] for name in trace.processes}
    for held in trace.holds():
        rows, start = busy[held.process], moments[held.since].at
        until = end if held.until is None else moments[held.until].at
        row = next((n for n, free in enumerate(rows) if free <= start), len(rows))
        rows[row : row + 1] = [until]
        name = f"{held.name} (lapses)" if held.parting is Parting.LAPSED else held.name
        done.append(Bar(held.process, name, start, until, row, held.is_lock))
    return done


def _laned(trace: Trace, lanes: Sequence[Lane]) -> list[tuple[str, Lane | None]]:
    """The names of the objects that get a strip, with how to show them (None: as text); private ones that changed."""
    changed = {change.target for step in trace.steps for change in step.changes}
    if lanes:
        named = [
            (lane.target.name, {f"{lane.target.name}@{p}" for p in trace.processes} & changed, lane) for lane in lanes
        ]
        return [
            (name, lane) for own, private, lane in named for name in trace.initial if name == own or name in private
        ]
    locks = {step.op.target.name for step in trace.steps if step.op and step.op.target and step.op.target.is_lock}
    return [(name, None) for name in trace.initial if name in changed and name not in locks and "@" not in name]


def _strip(trace: Trace, moments: Sequence[Moment], name: str, lane: Lane | None, bounds: tuple[float, float]) -> Strip:
    done: list[Segment] = []
    state = trace.initial[name]
    now = Segment(*_shown(lane, state), bounds[0], bounds[1], None)
    for number, step in enumerate(trace.steps):
        for change in step.changes:
            if change.target != name or (shown := _shown(lane, change.after)) == (now.shown, now.wrong):
                continue
            done.append(replace(now, end=moments[number].at))
            difference = _changed(state, change.after) if lane is None else ""
            now, state = Segment(*shown, moments[number].at, bounds[1], number, difference), change.after
    return Strip(name, (*done, now))


def _changed(before: Any, after: Any) -> str:
    """The changes of a state with fields: `txns[0].status: 'running' → 'deciding'`."""
    if not has_fields(after):
        return ""
    fields = innermost(before, after)
    return ", ".join(f"{path_text(path)}: {text(old)} → {text(new)}".removeprefix(": ") for path, old, new in fields)


def _shown(lane: Lane | None, state: Any) -> tuple[str | None, bool]:
    if lane is None:
        return text(state), False
    return lane.show(state), lane.wrong is not None and bool(lane.wrong(state))


def _checks(
    trace: Trace, moments: Sequence[Moment], strips: Sequence[Strip], sources: Mapping[int, int]
) -> list[Check]:
    """Each process's last read that returned more than yes or no; its last read at all if there is none."""
    last: dict[str, int] = {}
    named = {strip.name: strip for strip in strips}
    for number, step in enumerate(trace.steps):
        if step.touched in named and step.process not in trace.daemons and _reads(step):
            old = last.get(step.process)
            if old is None or not isinstance(step.result, bool) or isinstance(trace.steps[old].result, bool):
                last[step.process] = number
    done = []
    for name in trace.processes:
        if name in last:
            number = last[name]
            strip = named[str(trace.steps[number].touched)]
            seen, present = _seen(strip, number, trace.steps[number])
            writer = seen.writer if seen.writer is None or not present else max(seen.writer, sources.get(number, 0))
            done.append(Check(name, number, moments[number].at, strip.name, seen, writer))
    return done


def _reads(step: Step) -> bool:
    return step.op is not None and step.result is not None and not any(c.target == step.touched for c in step.changes)


def _seen(strip: Strip, number: int, step: Step) -> tuple[Segment, bool]:
    """The segment that step `number` saw, and whether it was the present one: by step order, as steps share instants.

    A read whose outcome was drawn ("read too early") may have seen an earlier value than the present one.
    """
    past = [seg for seg in strip.segments if seg.writer is None or seg.writer < number]
    as_read = [seg for seg in past if step.label and seg.shown == step.result]
    seen = (as_read or past)[-1]
    return seen, seen is past[-1]
