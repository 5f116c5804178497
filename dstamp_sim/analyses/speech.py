"""The names of a trace's steps in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dstamp_sim.analyses.conflicts import act
from dstamp_sim.analyses.fields import Location, value_text, with_value
from dstamp_sim.core.op import GAVE_UP
from dstamp_sim.core.trace import Trace

When = Callable[[int], str]
"""Writes the moment of a step (by number, from 0) as part of a sentence."""


@dataclass(frozen=True)
class Speech:
    """The names of a trace's steps in a sentence, with moments written by `when`."""

    trace: Trace
    when: When

    def of(self, number: int) -> str:
        """The process that moved."""
        return self.trace.steps[number].process

    def act(self, number: int) -> str:
        """What a step did, in a word or two of the model's own: its innermost section, else its verb; and its label."""
        return act(self.trace.steps[number])

    def at(self, number: int) -> str:
        """What a step did and when."""
        return f"{self.act(number)} {self.when(number)}"

    def does(self, number: int) -> str:
        """Who did what and when: `customer#2's write at step 3`."""
        return f"{self.of(number)}'s {self.at(number)}"

    def found(self, number: int, place: Location, value: Any) -> str:
        """Who read what, and when: `a's read at step 3 saw x 1`; or who found a lock taken."""
        seen = "saw" if self.act(number) == "read" else "read"
        is_answer = isinstance(value, bool) or value is None
        return f"{self.does(number)} {'found' if is_answer else seen} {with_value(place, value)}"

    def who(self, number: int, reader: int) -> str:
        """`b's write at step 2`, or `a's own write at step 2` if that process reads."""
        own = "own " if self.of(number) == self.of(reader) else ""
        return f"{self.of(number)}'s {own}{self.at(number)}"

    def takes(self, number: int, place: Location) -> bool:
        """Whether a step takes the lock of `place`."""
        taken = self.trace.steps[number].taken
        return taken is not None and taken.target.is_lock and self.trace.steps[number].touched == place.target

    def names(self, numbers: Iterable[int]) -> Mapping[int, str]:
        """Who did what, of some steps, without moments if that is clear: by section, by verb, or by moment.

        The verb is named where two of one process lie in one section, and the moment if that is not enough.
        """
        asked = list(dict.fromkeys(numbers))
        twice = {act for (_, act), count in Counter((self.of(n), self.act(n)) for n in asked).items() if count > 1}
        named = {n: self._verb(n) if self.act(n) in twice else self.act(n) for n in asked}
        full = Counter((self.of(n), named[n]) for n in asked)
        return {
            n: f"{self.of(n)}'s {what}" if full[self.of(n), what] == 1 else f"{self.of(n)}'s {what} {self.when(n)}"
            for n, what in named.items()
        }

    def _verb(self, number: int) -> str:
        op = self.trace.steps[number].op
        return "death" if op is None else op.verb


def listed(words: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def came_out(result: object, label: str) -> str:
    """An outcome in words: its result with its label, or its label alone where it returns nothing."""
    if (result is None or result is GAVE_UP) and label:
        return repr(label)
    return f"{value_text(result)} ({label})" if label and label != result else value_text(result)
