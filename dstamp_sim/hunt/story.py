"""A failing trial in words: the calls at its switches, as many as there are reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dstamp_sim.core.schedule import CRASH
from dstamp_sim.hunt.shrink import Shrunk
from dstamp_sim.hunt.trial_outcome import End, HeldStep

_COLUMNS = (26, 34)


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


READING_CALLS = frozenset({"read", "mmap", "readlink", "sendfile", "copy_file_range"})


def sees(step: HeldStep) -> str:
    """What a step that changed nothing can have learnt: a value where it reads, else whether the name is there."""
    if step.choice.outcome == CRASH or step.before != step.after or step.goes_on or not step.before:
        return ""
    opened = step.call.name == "open" and step.call.touches[-1].how == "r"
    if opened or step.call.name in READING_CALLS or step.before == "absent":
        return step.before
    return "it there" if step.call.name in ("open", "stat", "access", "mkdir", "link") else ""


def story_text(shrunk: Shrunk) -> list[str]:
    """The story as text: a line for each step that matters, then what came of it."""
    lines = lines_of(shrunk)
    who = max((len(line.run) for line in lines), default=0)
    texts = [
        f"{line.number:4}  {line.run:<{who}}  {_cut(line.command, _COLUMNS[0])}  {_cut(line.does, _COLUMNS[1])}  "
        f"{line.value}{'    ' + line.remark if line.remark else ''}".rstrip()
        for line in lines
    ]
    return [*texts, f"then: {shrunk.outcome.why}"]


def _cut(words: str, wide: int) -> str:
    words = " ".join(words.split())
    return f"{words if len(words) <= wide else words[: wide - 1] + '…':<{wide}}"


def window_of(shrunk: Shrunk) -> tuple[int, int, int] | None:
    """What a run had seen, what came between, and what it then did too late; None where there is no such pattern."""
    steps = shrunk.outcome.steps
    for late in shrunk.too_late:
        write = _between(shrunk, late)
        first = max((n for n in shrunk.needed if n < late and steps[n].run == steps[late].run), default=None)
        if write is not None and first is not None and first < write:
            return first, write, late
    return None


def sentence_of(shrunk: Shrunk) -> str:
    """The window in a sentence; empty where there is none."""
    window = window_of(shrunk)
    if window is None:
        return ""
    first, write, late = (step_words(shrunk.outcome.steps, number) for number in window)
    return f"{write}, between {first} and {late}, which was too late."


def step_words(steps: Sequence[HeldStep], number: int) -> str:
    """A step in a few words: b's write of f (step 7)."""
    step = steps[number]
    return f"{step.run}'s {step.call.name} of {step.call.object} (step {number + 1})"
