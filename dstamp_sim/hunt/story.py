"""A failing trial in words: the calls at its switches, as many as there are reasons; and as a `Trace` to draw."""

from __future__ import annotations

from dataclasses import dataclass

from dstamp_sim.core.op import Op
from dstamp_sim.core.place import Place
from dstamp_sim.core.schedule import CRASH
from dstamp_sim.core.shared_object import SharedObject
from dstamp_sim.core.system import Lane
from dstamp_sim.core.trace import Change, Trace
from dstamp_sim.core.trace import Step as TraceStep
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.shrink import Shrunk
from dstamp_sim.hunt.trial import End, HeldStep, TrialOutcome
from dstamp_sim.rendering.timeline.annotations import Annotations

_WIDE = (26, 34)


@dataclass(frozen=True)
class StoryLine:
    """One step of a story. `number` counts from 1; `remark` says what it was too late for, or that it waits."""

    number: int
    run: str
    command: str
    does: str
    value: str
    remark: str


def lines_of(shrunk: Shrunk) -> list[StoryLine]:
    """The steps that matter, in their order."""
    return [_line(shrunk, number) for number in numbers_of(shrunk)]


def numbers_of(shrunk: Shrunk) -> list[int]:
    """The steps that matter: the last before each switch, the first that came too late, what came between, deaths."""
    between = [_between(shrunk, number) for number in shrunk.too_late]
    deaths = [number for number, step in enumerate(shrunk.outcome.steps) if step.choice.outcome == CRASH]
    return sorted({*shrunk.needed, *shrunk.too_late, *deaths, *(number for number in between if number is not None)})


def _between(shrunk: Shrunk, late: int) -> int | None:
    """The last change, by another run, of what a late step touches; or of what its run's last step before touched."""
    steps = shrunk.outcome.steps
    run = steps[late].run
    begin = max((n for n in shrunk.needed if n < late and steps[n].run == run), default=0)
    about = {*steps[late].values, *steps[begin].values}
    changes = [n for n in range(begin + 1, late) if steps[n].run != run and about & _changed(steps[n])]
    return changes[-1] if changes else None


def _changed(step: HeldStep) -> set[str]:
    return {name for name, (before, after) in step.values.items() if before != after}


def _line(shrunk: Shrunk, number: int) -> StoryLine:
    step = shrunk.outcome.steps[number]
    stuck = shrunk.outcome.end is End.STUCK and step.blocks
    remark = "waits for ever" if stuck else "too late" if number in shrunk.too_late else ""
    return StoryLine(number + 1, step.run, step.command, _does(step), _value(step), remark)


def _does(step: HeldStep) -> str:
    if step.choice.outcome == CRASH:
        return f"dies before {step.call.name} {step.call.object}"
    return f"{step.call.name} {step.call.object}"


def _value(step: HeldStep) -> str:
    if step.before != step.after:
        return f"{step.before} => {step.after}"
    seen = sees(step)
    return f"finds {seen}" if seen else ""


_READ = frozenset({"read", "mmap", "readlink", "sendfile", "copy_file_range"})


def sees(step: HeldStep) -> str:
    """What a step that changed nothing can have learnt: a value where it reads, else whether the name is there."""
    if step.choice.outcome == CRASH or step.before != step.after or step.goes_on or not step.before:
        return ""
    opened = step.call.name == "open" and step.call.touches[-1].how == "r"
    if opened or step.call.name in _READ or step.before == "absent":
        return step.before
    return "it there" if step.call.name in ("open", "stat", "access", "mkdir", "link") else ""


def story_text(shrunk: Shrunk) -> list[str]:
    """The story as text: a line for each step that matters, then what came of it."""
    lines = lines_of(shrunk)
    who = max((len(line.run) for line in lines), default=0)
    texts = [
        f"{line.number:4}  {line.run:<{who}}  {_cut(line.command, _WIDE[0])}  {_cut(line.does, _WIDE[1])}  "
        f"{line.value}{'    ' + line.remark if line.remark else ''}".rstrip()
        for line in lines
    ]
    return [*texts, f"then: {shrunk.outcome.why}"]


def _cut(words: str, wide: int) -> str:
    words = " ".join(words.split())
    return f"{words if len(words) <= wide else words[: wide - 1] + '…':<{wide}}"


class SeenFile(SharedObject):
    """A file as trials saw it: it has values and no rules, so nothing can be asked of it."""


def trace_of(job: Job, outcome: TrialOutcome) -> Trace:
    """A watched trial as a trace: sections are commands, ops calls, objects files by what is in them."""
    initial: dict[str, str] = {}
    for step in outcome.steps:
        for name in (step.call.object, *step.values):
            initial.setdefault(name, step.values.get(name, ("", ""))[0])
    objects = {name: SeenFile(name, value) for name, value in initial.items()}
    last_of = {step.run: number for number, step in enumerate(outcome.steps)}
    steps = tuple(
        _trace_step(step, objects, outcome.exits.get(step.run) if last_of[step.run] == number else None)
        for number, step in enumerate(outcome.steps)
    )
    waiting = {name: _waits_for(outcome, name) for name in job.runs if name not in outcome.exits}
    results = {name: f"exit {code}" for name, code in outcome.exits.items()}
    return Trace(tuple(job.runs), (), initial, steps, results, waiting)


def _trace_step(step: HeldStep, objects: dict[str, SeenFile], code: int | None) -> TraceStep:
    dies = step.choice.outcome == CRASH
    changes = tuple(Change(name, old, new) for name, (old, new) in step.values.items() if old != new)
    return TraceStep(
        choice=step.choice,
        op=None if dies else Op(objects[step.call.object], step.call.name),
        touched=step.call.object,
        sections=(step.command,) if step.command else (),
        place=Place(step.command, 0),
        changes=changes,
        result=None if changes else sees(step) or None,
        label="",
        taken=None,
        dropped=(),
        ended=code is not None,
        returned=None if code is None else f"exit {code}",
    )


def _waits_for(outcome: TrialOutcome, name: str) -> str:
    last = next((step for step in reversed(outcome.steps) if step.run == name), None)
    return f"{last.call.name} {last.call.object}" if last else "its turn"


def lanes_of(trace: Trace, shrunk: Shrunk) -> tuple[Lane, ...]:
    """The strips to draw: the files that the story is about, or that changed, at most eight."""
    about = [shrunk.outcome.steps[n].call.object for n in numbers_of(shrunk)]
    changed = [change.target for step in trace.steps for change in step.changes]
    names = [name for name in dict.fromkeys([*about, *changed]) if trace.initial[name]]
    objects = {step.op.target.name: step.op.target for step in trace.steps if step.op and step.op.target}
    return tuple(Lane(objects[name]) for name in names[:8] if name in objects)


def pointed_at(shrunk: Shrunk) -> Annotations:
    """What the timeline points at: from what a run had seen to what it did too late, and what came between."""
    steps = shrunk.outcome.steps
    numbers = frozenset(numbers_of(shrunk))
    for late in shrunk.too_late:
        write = _between(shrunk, late)
        first = max((n for n in shrunk.needed if n < late and steps[n].run == steps[late].run), default=None)
        if write is not None and first is not None and first < write:
            words = (
                f"{_step_words(shrunk, write)}, between {_step_words(shrunk, first)} and {_step_words(shrunk, late)}, "
                f"which was too late."
            )
            return Annotations(sentence=words, window=(steps[late].run, first, late), write=write, steps=numbers)
    return Annotations(steps=numbers)


def _step_words(shrunk: Shrunk, number: int) -> str:
    step = shrunk.outcome.steps[number]
    return f"{step.run}'s {step.call.name} of {step.call.object} (step {number + 1})"
