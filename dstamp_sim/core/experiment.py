"""An experiment: something to try next, how it can come out, and which words people have for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dstamp_sim.core.errors import ModelError, UsageError, unknown
from dstamp_sim.core.place import here
from dstamp_sim.core.typed import items, texts

BETWEEN = ", "
"""Stands between the parts of an outcome, and so in none."""

MOST_LISTED = 8
"""How many near outcomes an error message lists at most."""


@dataclass(frozen=True)
class Seen:
    """One run of a simulated experiment: its result (None: it did not end), its start and its end in seconds."""

    result: Any
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Experiment:
    """Something to do next: what, with which parameters, how many runs, and how their results make an outcome.

    `starts_s` are those of its runs; empty if the incident itself is looked at again, and then `outcome` takes its
    observed runs first. `cost` is in words. An outcome is a text, one of `outcomes` (if that is empty, any text is
    one), or, where several things are looked at, a text for each of `parts`, which lists the values that a part can
    have. `words` are other words for outcomes: each stands for any of those that it lists. Raises ModelError if a
    word stands for something that is no outcome, and if a part or its value has in it what stands between these.
    """

    story: str
    settings: Mapping[str, Any]
    starts_s: tuple[float, ...]
    outcome: Callable[[Sequence[Seen]], str | Mapping[str, str]]
    cost: str = ""
    outcomes: tuple[str, ...] = ()
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks the outcomes, the parts and the words."""
        figures = items("Experiment", "starts_s", self.starts_s, (int, float), "seconds")
        object.__setattr__(self, "starts_s", figures)
        object.__setattr__(self, "outcomes", texts("Experiment", "outcomes", self.outcomes))
        for what in ("parts", "words"):
            lists = {name: texts("Experiment", f"{what}[{name!r}]", of) for name, of in getattr(self, what).items()}
            object.__setattr__(self, what, lists)
        for text in (*self.parts, *(value for values in self.parts.values() for value in values)):
            if BETWEEN in text or "=" in text:
                raise ModelError(
                    f"{here()}experiment: {text!r} has ', ' or '=' in it, which stand between parts and values"
                )
        for word, meanings in self.words.items():
            try:
                for meaning in meanings:
                    self.check(meaning)
            except UsageError as error:
                raise ModelError(f"{here()}experiment: the word {word!r} stands for no outcome: {error}") from error

    def came(self, seen: Sequence[Seen]) -> str:
        """The outcome of these runs as a text: each part as `PART=VALUE`."""
        found = self.outcome(seen)
        return found if isinstance(found, str) else BETWEEN.join(f"{part}={value}" for part, value in found.items())

    def fits(self, observed: str, came: str) -> bool:
        """Whether runs that came out so are as `observed`: in these parts, or in one of the meanings of a word."""
        if observed == came:
            return True
        if observed in self.words:
            return any(self.fits(meaning, came) for meaning in self.words[observed])
        whole = came.split(BETWEEN)
        return bool(self.parts) and all(
            self.fits(item, came) if item in self.words else item in whole for item in observed.split(BETWEEN)
        )

    def check(self, observed: str) -> None:
        """Raises UsageError, with the nearest name, unless this can be observed."""
        if observed in self.words:
            return
        if self.parts:
            for item in observed.split(BETWEEN):
                self._check_part(item)
        elif self.outcomes and observed not in self.outcomes:
            raise UsageError(unknown("outcome", observed, (*self.outcomes, *self.words), MOST_LISTED))

    def _check_part(self, item: str) -> None:
        part, _, value = item.partition("=")
        if item in self.words:
            return
        if part not in self.parts:
            raise UsageError(unknown("part of the outcome", part, (*self.parts, *self.words), MOST_LISTED))
        if self.parts[part] and value not in self.parts[part]:
            raise UsageError(f"{part}: {unknown('value', value, self.parts[part], MOST_LISTED)}")

    def can_be(self) -> Iterator[str]:
        """What can be observed, in words: the outcomes, or each part with its values; then the words for them."""
        for part, values in self.parts.items():
            yield f"{part}={' | '.join(values) or 'any text'}"
        yield from self.outcomes
        for word, meanings in self.words.items():
            yield f"{word} (that is {' or '.join(meanings)})"
