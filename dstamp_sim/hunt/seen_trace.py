"""A watched trial as a `Trace`: sections are commands, ops calls, objects files by their content, holds seen locks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dstamp_sim.core.automaton import Hold
from dstamp_sim.core.holds import Held, Parting
from dstamp_sim.core.op import Op
from dstamp_sim.core.place import Place
from dstamp_sim.core.schedule import CRASH
from dstamp_sim.core.shared_object import SharedObject
from dstamp_sim.core.system import Lane
from dstamp_sim.core.trace import Change, Trace
from dstamp_sim.core.trace import Step as TraceStep
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.shrink import Shrunk
from dstamp_sim.hunt.story import numbers_of, sees
from dstamp_sim.hunt.trial_outcome import HeldStep, Sight, TrialOutcome

_MOST_LANES = 8


class SeenFile(SharedObject):
    """A file as trials saw it: it has values and no rules, so nothing can be asked of it."""


class SeenLock(SeenFile):
    """A file of which a lock was seen."""

    is_lock = True


@dataclass(frozen=True)
class SeenTrace(Trace):
    """A trace whose holds were seen by looking at the runs' open files after each step, and are not inferred."""

    seen: tuple[Held, ...] = ()

    def holds(self) -> tuple[Held, ...]:
        """Every lock that a run was seen to hold, from the step after which it was there to that after which not."""
        return self.seen

    @property
    def telling_nones(self) -> frozenset[int]:
        """None of its steps is known to have returned None."""
        return frozenset()


class FileLines:
    """A file's lines as the fields of a state, so that a page shows which of them a step changed."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lines = {str(number): line for number, line in enumerate(lines, start=1)}
        self._fields = tuple(self._lines)

    def __iter__(self) -> object:
        return iter(self._lines.values())

    def __getattr__(self, name: str) -> str:
        try:
            return self.__dict__["_lines"][name]  # type: ignore[no-any-return]  # a line of text
        except KeyError:
            raise AttributeError(name) from None


def trace_of(job: Job, outcome: TrialOutcome, *, line_by_line: bool = False) -> Trace:
    """A watched trial as a trace; files are told in a few characters, or `line_by_line`, as pages show them."""
    initial: dict[str, Sight] = {}
    for step in outcome.steps:
        for name in (step.call.object, *step.values):
            initial.setdefault(name, step.values.get(name, (Sight(), Sight()))[0])
    objects = _objects(outcome, initial)
    last_of = {step.run: number for number, step in enumerate(outcome.steps)}
    seen = _holds(outcome, objects)
    steps = []
    for number, step in enumerate(outcome.steps):
        code = outcome.exits.get(step.run) if last_of[step.run] == number else None
        steps.append(_trace_step(step, objects, seen, number, code, line_by_line=line_by_line))
    waiting = {name: _waits_for(outcome, name) for name in job.runs if name not in outcome.exits}
    results = {name: f"exit {code}" for name, code in outcome.exits.items()}
    begun = {name: _value(sight, line_by_line=line_by_line) for name, sight in initial.items()}
    return SeenTrace(tuple(job.runs), (), begun, tuple(steps), results, waiting, seen=seen)


def _objects(outcome: TrialOutcome, initial: Mapping[str, Sight]) -> dict[str, SharedObject]:
    locks = {name for step in outcome.steps for _, name in step.locks}
    return {
        **{name: SeenFile(name, sight.brief) for name, sight in initial.items()},
        **{name: SeenLock(name) for name in sorted(locks)},
    }


def _value(sight: Sight, *, line_by_line: bool) -> object:
    return FileLines(sight.lines) if line_by_line and sight.lines else sight.brief


def _holds(outcome: TrialOutcome, objects: Mapping[str, SharedObject]) -> tuple[Held, ...]:
    """Who held which lock, as it was seen after each step."""
    since: dict[tuple[str, str], int] = {}
    found: list[Held] = []
    for number, step in enumerate(outcome.steps):
        for run, name in sorted(since.keys() - step.locks):
            died = step.run == run and step.choice.outcome == CRASH
            parting = Parting.DIED if died else Parting.LET_GO
            begun = since.pop((run, name))
            found.append(Held(run, name, Hold(objects[name], run), begun, True, number, parting))
        for key in step.locks - since.keys():
            since[key] = number
    found += [Held(run, name, Hold(objects[name], run), begun, True) for (run, name), begun in since.items()]
    return tuple(sorted(found, key=lambda held: (held.since, held.process, held.name)))


def _trace_step(
    step: HeldStep,
    objects: Mapping[str, SharedObject],
    seen: tuple[Held, ...],
    number: int,
    code: int | None,
    *,
    line_by_line: bool,
) -> TraceStep:
    dies = step.choice.outcome == CRASH
    changes = tuple(
        Change(name, _value(old, line_by_line=line_by_line), _value(new, line_by_line=line_by_line))
        for name, (old, new) in step.values.items()
        if old != new
    )
    mine = [held for held in seen if held.process == step.run]
    return TraceStep(
        choice=step.choice,
        op=None if dies else Op(objects[step.call.object], step.call.name),
        touched=step.call.object,
        sections=(step.command,) if step.command else (),
        place=Place(step.command, 0),
        changes=changes,
        result=None if changes else sees(step) or None,
        label="",
        taken=next((held.hold for held in mine if held.since == number and held.name == step.call.object), None),
        dropped=tuple(held.hold for held in mine if held.until == number),
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
    return tuple(Lane(objects[name]) for name in names[:_MOST_LANES] if name in objects)
