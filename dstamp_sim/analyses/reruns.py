"""Changes of a trace that were performed and are safe, in words and with their choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dstamp_sim.analyses.fields import value_text
from dstamp_sim.analyses.speech import Speech, came_out, listed
from dstamp_sim.core.schedule import Choice
from dstamp_sim.core.shared_object import Outcome


@dataclass(frozen=True)
class Without:
    """A change: these steps are not performed."""

    steps: tuple[int, ...]


@dataclass(frozen=True)
class Moved:
    """A change: `steps` come before step `other` where they came after it, or the other way round (`later`)."""

    steps: tuple[int, ...]
    other: int
    later: bool


@dataclass(frozen=True)
class Together:
    """A change: all of these at once."""

    changes: tuple[Moved, ...]


@dataclass(frozen=True)
class Came:
    """A change: step `step`, whose outcome chance decides, has `outcome`."""

    step: int
    outcome: Outcome


@dataclass(frozen=True)
class Answered:
    """A change: step `step` gets `outcome`, though its object would not return it; None: it stays blocked there."""

    step: int
    outcome: Outcome | None


@dataclass(frozen=True)
class InTurn:
    """A change: the processes move one after the other, each after the last move of the previous one."""

    processes: tuple[str, ...]


@dataclass(frozen=True)
class AfterEnd:
    """A change: `process` has ended before step `step` is performed."""

    step: int
    process: str


Intervention = Without | Moved | Together | Came | Answered | InTurn | AfterEnd


@dataclass(frozen=True)
class Rerun:
    """A change of a trace and all choices of its performance, to the end."""

    change: Intervention
    choices: Sequence[Choice]


def changes_said(reruns: Sequence[Rerun], say: Speech, known: Mapping[int, str] | None = None) -> str:
    """The changes of some reruns, with names of steps where they are `known`; who is moved is said once."""
    names = known or say.names(n for rerun in reruns for n in _steps_of(rerun.change))
    words, moved = list[str](), tuple[int, ...]()
    for rerun in reruns:
        match rerun.change:
            case Without(steps):
                words.append(f"without {listed([names[n] for n in steps])}")
            case Moved(steps, other, later):
                what = f"{'after' if later else 'before'} {names[other]}"
                words.append(what if steps == moved else f"{_together([names[n] for n in steps])} {what}")
                moved = steps
            case Together(changes):
                parts = [changes_said([Rerun(change, ())], say, names) for change in changes]
                words.append(f"{', and '.join(parts)}, {'both' if len(parts) == 2 else 'all'} at once")
            case Came(step, outcome):
                words.append(f"{came_out(outcome.result, outcome.label)} from {names[step]}")
            case Answered(step, outcome):
                answer = "blocked" if outcome is None else f"told {value_text(outcome.result)}"
                words.append(f"{names[step]} {answer}")
            case AfterEnd(step, process):
                words.append(f"{names[step]} after {process} has ended")
            case InTurn(processes):
                words.append(f"one after the other, {', then '.join(processes)}")
    return ", or ".join(words)


def _together(names: Sequence[str]) -> str:
    """`a's and b's write`, if they did the same."""
    parts = [name.rpartition("'s ") for name in names]
    who, acts = [f"{process}'s" for process, _, _ in parts], {what for _, _, what in parts}
    return f"{listed(who)} {acts.pop()}" if len(names) > len(acts) == 1 else listed(names)


def _steps_of(change: Intervention) -> tuple[int, ...]:
    match change:
        case Without(steps):
            return steps
        case Moved(steps, other, _):
            return *steps, other
        case Together(changes):
            return tuple(n for change in changes for n in _steps_of(change))
        case Came(step, _) | Answered(step, _) | AfterEnd(step, _):
            return (step,)
    return ()
