"""Who moves next in a trial: by a list of choices, or by anchors, which are calls and not counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from dstamp_sim.core.schedule import CRASH, Choice
from dstamp_sim.hunt.played_lock import ordinal
from dstamp_sim.hunt.touches import Call
from dstamp_sim.hunt.trial_outcome import HeldStep


class Follow:
    """Follows choices, then goes on with whoever moved last until it waits, sleeps or ends.

    Where a choice does not fit, it gives up; unless `loose`, then it goes on with the next one.
    """

    def __init__(self, choices: Sequence[Choice], order: Sequence[str], *, loose: bool = False) -> None:
        self.left, self.order, self.loose = list(choices), list(order), loose

    def __call__(self, calls: Mapping[str, Call], last: str | None) -> Choice | None:
        """The next choice; None where the list does not fit."""
        while self.left:
            choice = self.left.pop(0)
            if choice.process in calls:
                return choice
            if not self.loose:
                return None
        return Choice(next_of(calls, last, self.order))


def next_of(calls: Mapping[str, Call], last: str | None, order: Sequence[str]) -> str:
    """Whoever moved last if it can; else the next in order that can."""
    if last in calls:
        return str(last)
    at = order.index(last) + 1 if last is not None else 0
    return next(name for name in [*order[at:], *order[:at]] if name in calls)


class Stretch(NamedTuple):
    """A run moves until it is about to make its `nth` call named `call` on `object`; with no call, until it cannot.

    With `dies` it is killed there instead of making that call.
    """

    run: str
    call: str = ""
    object: str = ""
    nth: int = 0
    dies: bool = False

    def __str__(self) -> str:
        if not self.call:
            return f"{self.run} as far as it can"
        what = f"{self.run}'s {ordinal(self.nth)} {self.call} of {self.object}"
        return f"{self.run} dies at {what}" if self.dies else f"{self.run} up to before {what}"


class Anchored:
    """Follows stretches that end at calls, so that some calls more or fewer in between do not matter.

    `missed` counts the stretches whose run could not move any more before it made the call.
    """

    def __init__(self, stretches: Sequence[Stretch], order: Sequence[str]) -> None:
        self.left, self.order = list(stretches), list(order)
        self.count: Counter[tuple[str, str, str]] = Counter()
        self.missed = 0

    @property
    def in_place(self) -> bool:
        """Whether every stretch that ends at a call ended there."""
        return not self.missed and not any(stretch.call for stretch in self.left)

    def __call__(self, calls: Mapping[str, Call], last: str | None) -> Choice:
        """The next choice; who goes on after the last stretch is as in `Follow`."""
        while self.left:
            stretch = self.left[0]
            at_anchor = False
            if stretch.run in calls:
                call = calls[stretch.run]
                mine = (stretch.run, call.name, call.object)
                at_anchor = mine == stretch[:3] and self.count[mine] + 1 >= stretch.nth
                if not at_anchor:
                    return self._go(calls, stretch.run)
            self.left.pop(0)
            self.missed += bool(stretch.call) and not at_anchor
            last = self.left[0].run if self.left else None
            if at_anchor and stretch.dies:
                return Choice(stretch.run, CRASH)
        return self._go(calls, next_of(calls, last, self.order))

    def _go(self, calls: Mapping[str, Call], run: str) -> Choice:
        self.count[run, calls[run].name, calls[run].object] += 1
        return Choice(run)


def stretches_of(steps: Sequence[HeldStep]) -> list[Stretch]:
    """A trial's stretches, each up to the call that its run would have made next, or at which it died."""
    found: list[Stretch] = []
    count: Counter[tuple[str, str, str]] = Counter()
    for at, step in enumerate(steps):
        mine = (step.run, step.call.name, step.call.object)
        count[mine] += 1
        if step.choice.outcome == CRASH:
            found.append(Stretch(*mine, count[mine], dies=True))
        elif at + 1 < len(steps) and steps[at + 1].run != step.run:
            later = next((s for s in steps[at + 1 :] if s.run == step.run), None)
            if later is None:
                found.append(Stretch(step.run))
            elif later.choice.outcome != CRASH or steps[at + 1].run != step.run:
                name = (step.run, later.call.name, later.call.object)
                found.append(Stretch(*name, count[name] + 1))
    return [*found, Stretch(steps[-1].run)] if steps else []


RunPart = tuple[str, int, bool]
"""A run, how many calls it makes, and whether it dies at the next one."""


def parts_of(choices: Sequence[Choice]) -> list[RunPart]:
    """Choices as stretches of one run each."""
    found: list[RunPart] = []
    for run, same in groupby(choices, key=lambda choice: choice.process):
        mine = list(same)
        found.append((run, sum(c.outcome != CRASH for c in mine), mine[-1].outcome == CRASH))
    return found


def choices_of(parts: Sequence[RunPart]) -> list[Choice]:
    """The reverse of `parts_of`."""
    return [
        choice for run, count, dies in parts for choice in [*[Choice(run)] * count, *[Choice(run, CRASH)] * int(dies)]
    ]
