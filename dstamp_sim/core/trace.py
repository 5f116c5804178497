"""What happened: the list of performed ops. Every engine makes one, every analysis and picture reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dstamp_sim.core.automaton import Hold, Place
from dstamp_sim.core.op import Op
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
    when the process returned with this step (`returned` is then its result); `time_s` is set by timed engines.
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
    time_s: float | None = None

    @property
    def process(self) -> str:
        """The process that moved."""
        return self.choice.process

    @property
    def section(self) -> str | None:
        """The innermost section it moved in."""
        return self.sections[-1] if self.sections else None

    def does(self) -> str:
        """The op with its result and label, or the death, in words."""
        if self.op is None:
            return "dies"
        gave = "" if self.result is None else f" -> {text(self.result)}"
        return f"{self.op}{gave}" + (f" [{self.label}]" if self.label else "")

    def changed(self) -> str:
        """What changed, object by object; empty when nothing did."""
        return "; ".join(f"{c.target}: {text(c.before)} => {text(c.after)}" for c in self.changes)


@dataclass(frozen=True)
class Trace:
    """The steps of one behaviour from the initial state. Immutable.

    `results` are those of the processes that ended, `waiting` the ops of those that did not and could not move.
    """

    processes: tuple[str, ...]
    daemons: tuple[str, ...]
    initial: Mapping[str, Any]
    steps: tuple[Step, ...]
    results: Mapping[str, Any]
    waiting: Mapping[str, str]
    starts_s: Mapping[str, float] | None = None

    @property
    def schedule(self) -> Schedule:
        """The choices that made this trace; `replay` makes it again."""
        return Schedule(tuple(step.choice for step in self.steps))

    @property
    def timed(self) -> bool:
        """Whether the steps carry times."""
        return self.starts_s is not None

    def states(self) -> Iterator[dict[str, Any]]:
        """Every object's state by name: initially, then after each step (len(steps) + 1 dictionaries)."""
        state = dict(self.initial)
        yield dict(state)
        for step in self.steps:
            state.update({change.target: change.after for change in step.changes})
            yield dict(state)
