"""What happened: the list of performed ops. Every engine makes one, every analysis and picture reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import takewhile
from typing import Any

from dstamp_sim.core.automaton import Hold
from dstamp_sim.core.holds import Held, held_in
from dstamp_sim.core.op import GAVE_UP, Op
from dstamp_sim.core.place import Place
from dstamp_sim.core.schedule import Choice, Schedule
from dstamp_sim.core.value import text


@dataclass(frozen=True, slots=True)
class Change:
    """One object's state before and after a step. A private object is called `name@process`."""

    target: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Step:
    """One performed op, or one death (`op` is None).

    `changes` holds only what changed; `touched` is the object that the op was on, as `Change` calls it; `ended` is true
    when the process returned with this step (`returned` is then its result); `restarted` when it is a daemon that began
    anew with this step, and holds nothing any more; `time_s` is set by timed engines.
    """

    choice: Choice
    op: Op | None
    touched: str | None
    sections: tuple[str, ...]
    place: Place
    changes: tuple[Change, ...]
    result: Any
    label: str
    taken: Hold | None
    dropped: tuple[Hold, ...]
    ended: bool
    returned: Any
    restarted: bool = False
    time_s: float | None = None

    @property
    def process(self) -> str:
        """The process that moved."""
        return self.choice.process

    @property
    def section(self) -> str | None:
        """The innermost section it moved in."""
        return self.sections[-1] if self.sections else None

    def does(self, *, say_none: bool = False) -> str:
        """The op with its result and label, or the death, in words; the result None only with `say_none`."""
        if self.op is None:
            return "dies"
        quiet = self.result is GAVE_UP or (self.result is None and not say_none)
        gave = "" if quiet else f" -> {text(self.result)}"
        return f"{self.op}{gave}" + (f" [{self.label}]" if self.label else "")

    def changed(self) -> str:
        """What changed, object by object; empty when nothing did."""
        return "; ".join(f"{c.target}: {text(c.before)} => {text(c.after)}" for c in self.changes)


@dataclass(frozen=True, slots=True)
class SectionSpan:
    """One stay of a process in a section, from its step `first` in it to its `last`; `level` counts outer sections."""

    process: str
    section: str
    level: int
    first: int
    last: int


@dataclass(frozen=True)
class Trace:
    """The steps of one behaviour from the initial state. Immutable.

    `start` says which one of several initial states an object begins in, by name (0 is the first). `results` are
    those of the processes that ended, `waiting` the ops of those that did not and could not move; not of daemons at
    their first op (`Semantics.rests`). With `loop`, the steps from that number on lead back to the state before them,
    and are made for ever; if there are none, nobody moves any more.
    """

    processes: tuple[str, ...]
    daemons: tuple[str, ...]
    initial: Mapping[str, Any]
    steps: tuple[Step, ...]
    results: Mapping[str, Any]
    waiting: Mapping[str, str]
    starts_s: Mapping[str, float] | None = None
    loop: int | None = None
    start: Mapping[str, int] = field(default_factory=dict)

    @property
    def schedule(self) -> Schedule:
        """The choices that made this trace; `replay` makes it again."""
        return Schedule(tuple(step.choice for step in self.steps), self.loop, tuple(self.start.items()))

    @property
    def timed(self) -> bool:
        """Whether the steps carry times."""
        return self.starts_s is not None

    @cached_property
    def telling_nones(self) -> frozenset[int]:
        """The steps whose result None means something: elsewhere that verb of that object returned something else."""
        answers = {(s.touched, s.op.verb) for s in self.steps if s.op is not None and s.result is not None}
        return frozenset(
            number
            for number, step in enumerate(self.steps)
            if step.op is not None and step.result is None and (step.touched, step.op.verb) in answers
        )

    def states(self) -> Iterator[dict[str, Any]]:
        """Every object's state by name: initially, then after each step (len(steps) + 1 dictionaries)."""
        state = dict(self.initial)
        yield dict(state)
        for step in self.steps:
            state.update({change.target: change.after for change in step.changes})
            yield dict(state)

    def holds(self) -> tuple[Held, ...]:
        """Everything that a process held, locks and else, in order of taking, with how long; lapses are seen."""
        return self._holds

    @cached_property
    def _holds(self) -> tuple[Held, ...]:
        return held_in(self)

    def spans(self) -> tuple[SectionSpan, ...]:
        """Every stay of a process in a section, in order of processes and then of time, outer sections first.

        Two stays in one section between which the process does nothing are one.
        """
        done: list[SectionSpan] = []
        inside: dict[str, list[SectionSpan]] = {name: [] for name in self.processes}
        for number, step in enumerate(self.steps):
            stack = inside[step.process]
            kept = _common([span.section for span in stack], step.sections)
            done += stack[kept:]
            stack[:] = [replace(span, last=number) for span in stack[:kept]]
            for level, name in enumerate(step.sections[kept:], start=kept):
                stack.append(SectionSpan(step.process, name, level, number, number))
            if step.ended or step.restarted or step.op is None:
                done += stack
                stack.clear()
        done += [span for stack in inside.values() for span in stack]
        order = {name: n for n, name in enumerate(self.processes)}
        return tuple(sorted(done, key=lambda span: (order[span.process], span.first, span.level)))


def _common(names: Sequence[str], others: Sequence[str]) -> int:
    """How many names at the start of two lists are equal."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(names, others, strict=False)))
