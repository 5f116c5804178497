"""What an explanation says, claim by claim. A claim knows its words, here and nowhere else; `verify` tests it.

A claim is found by one means (accesses, conflicts, causes) and verified by another: nothing is said that was not.
Step numbers count from 0; None stands for the start of the trace where a writer is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dstamp_sim.analyses.accesses import Location, value_text
from dstamp_sim.analyses.conflicts import noun
from dstamp_sim.core.schedule import Choice
from dstamp_sim.core.trace import Trace

When = Callable[[int], str]
"""Writes the moment of a step (by number, from 0) as part of a sentence."""


@dataclass(frozen=True)
class Speech:
    """How the steps of a trace are called in a sentence, with moments written by `when`."""

    trace: Trace
    when: When

    def of(self, number: int) -> str:
        """Who moved."""
        return self.trace.steps[number].process

    def act(self, number: int) -> str:
        """What a step did, in a word or two of the model's own: its innermost section, else its verb; and its label."""
        step = self.trace.steps[number]
        what = "death" if step.op is None else step.section or step.op.verb
        return f"{what} ({step.label})" if step.label else what

    def at(self, number: int) -> str:
        """What a step did and when."""
        return f"{self.act(number)} {self.when(number)}"

    def does(self, number: int) -> str:
        """Who did what and when: `customer#2's write at step 3`."""
        return f"{self.of(number)}'s {self.at(number)}"

    def names(self, numbers: Iterable[int]) -> Mapping[int, str]:
        """Who did what, of some steps, without moments as far as that is clear: by section, by verb, or by moment.

        The verb is named where two of them lie in sections of one name, and the moment where that is not enough.
        """
        asked = list(dict.fromkeys(numbers))
        acts = Counter(self.act(n) for n in asked)
        named = {n: self.act(n) if acts[self.act(n)] == 1 else self._verb(n) for n in asked}
        full = Counter((self.of(n), named[n]) for n in asked)
        return {
            n: f"{self.of(n)}'s {what}" if full[self.of(n), what] == 1 else f"{self.of(n)}'s {what} {self.when(n)}"
            for n, what in named.items()
        }

    def _verb(self, number: int) -> str:
        op = self.trace.steps[number].op
        return "death" if op is None else op.verb


class Claim:
    """One thing that an explanation says of a trace. Subclasses are frozen dataclasses with their own `words`."""

    def words(self, say: Speech) -> str:
        """The claim as a clause, without a capital letter or a full stop."""
        raise NotImplementedError


@dataclass(frozen=True)
class Fails(Claim):
    """A property fails (a wish is reached) with step `step`, not before; -1: in the initial state.

    `process` is whose result breaks it; None where no single result does.
    """

    property: str
    process: str | None
    wish: bool
    step: int

    def words(self, say: Speech) -> str:
        """`'one at a time' fails at step 3`."""
        when = say.when(self.step) if self.step >= 0 else "at the start"
        return f"{self.property!r} {'is reached' if self.wish else 'fails'} {when}"


@dataclass(frozen=True)
class Read(Claim):
    """Step `step` read `value` in `place`, which step `writer` had written last; None: nobody, from the start."""

    step: int
    place: Location
    value: Any
    writer: int | None

    def words(self, say: Speech) -> str:
        """`b's read at step 3 saw x 1, which a's write at step 2 had written`."""
        read = "saw" if say.act(self.step) == "read" else "read"
        found = f"{say.does(self.step)} {read} {noun(self.place)} {value_text(self.value)}"
        if self.writer is None:
            return f"{found}, as it was from the start"
        own = say.of(self.writer) == say.of(self.step)
        who = f"{say.of(self.writer)}'s own {say.at(self.writer)}" if own else say.does(self.writer)
        return f"{found}, which {who} had written"


@dataclass(frozen=True)
class Overwrote(Claim):
    """Step `step` wrote over the `value` of step `over` in `place`: nobody wrote there between the two."""

    step: int
    place: Location
    value: Any
    over: int

    def words(self, say: Speech) -> str:
        """`b's write at step 2 had written over the 1 of a's write at step 1`."""
        return f"{say.does(self.step)} had written over the {value_text(self.value)} of {say.does(self.over)}"


@dataclass(frozen=True)
class Without:
    """A change: these steps are not performed."""

    steps: tuple[int, ...]


@dataclass(frozen=True)
class Moved:
    """A change: step `step` comes before step `other` where it came after it, or the other way round (`later`)."""

    step: int
    other: int
    later: bool


@dataclass(frozen=True)
class Trial:
    """A change of a trace and all the choices that were performed with it, to the end."""

    change: Without | Moved
    choices: Sequence[Choice]


@dataclass(frozen=True)
class TriedAndSafe(Claim):
    """Each of the trials came out without the failure `fails` and without one that the trace does not have."""

    fails: Fails
    trials: tuple[Trial, ...]

    def words(self, say: Speech) -> str:
        """`Tried and safe: customer#2's write before customer#1's read`."""
        tried = "Tried, and it did not come about" if self.fails.wish else "Tried and safe"
        return f"{tried}: {_changes(self.trials, say)}"


def _changes(trials: Sequence[Trial], say: Speech) -> str:
    """The changes of some trials; of steps moved, the one that moves is named once."""
    names = say.names(n for trial in trials for n in _steps_of(trial.change))
    words, moved = list[str](), -1
    for trial in trials:
        match trial.change:
            case Without(steps):
                words.append(f"without {' and '.join(names[n] for n in steps)}")
            case Moved(step, other, later):
                what = f"{'after' if later else 'before'} {names[other]}"
                words.append(what if step == moved else f"{names[step]} {what}")
                moved = step
    return ", or ".join(words)


def _steps_of(change: Without | Moved) -> tuple[int, ...]:
    return change.steps if isinstance(change, Without) else (change.step, change.other)
