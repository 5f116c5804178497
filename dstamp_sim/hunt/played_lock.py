"""A lock that the supervisor plays: no program is changed, and no system call more is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from dstamp_sim.hunt.touches import Call


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


class CallAnchor(NamedTuple):
    """A run's `nth` call named `call` on `object`."""

    call: str
    object: str
    nth: int

    def __str__(self) -> str:
        return f"its {ordinal(self.nth)} {self.call} of {self.object}"


class LockedStretch(NamedTuple):
    """What a run does under the lock: everything from before its `first` call until after its `last`."""

    first: CallAnchor
    last: CallAnchor

    def __str__(self) -> str:
        return f"from {self.first} to {self.last}" if self.first != self.last else f"at {self.first}"


LockedStretches = Mapping[str, LockedStretch]
"""By run; a run without one never takes the lock."""


class PlayedLock:
    """One lock in one trial. Who ends or dies lets go of it, even where it never made the last call of its stretch."""

    def __init__(self, stretches: LockedStretches) -> None:
        self.stretches = stretches
        self.holder: str | None = None
        self._at_last = False
        self._made: Counter[tuple[str, str, str]] = Counter()

    def keeps_out(self, run: str, call: Call) -> bool:
        """Whether a run must wait with its next call, as that begins its stretch and another one has the lock."""
        stretch = self.stretches.get(run)
        return self.holder not in (None, run) and stretch is not None and self._next(run, call) == stretch.first

    def goes(self, run: str, call: Call) -> None:
        """Notes that a run makes a call that was not kept out."""
        stretch, anchor = self.stretches.get(run), self._next(run, call)
        self._made[run, call.name, call.object] += 1
        if stretch is not None and anchor == stretch.first:
            self.holder = run
        self._at_last |= self.holder == run and stretch is not None and anchor == stretch.last

    def returns(self, run: str) -> None:
        """Notes that a run is about to make another call, so that its last one, which may have waited, is over."""
        if self.holder == run and self._at_last:
            self.ends(run)

    def ends(self, run: str) -> None:
        """Lets go of the lock, if the run has it."""
        if self.holder == run:
            self.holder, self._at_last = None, False

    def _next(self, run: str, call: Call) -> CallAnchor:
        return CallAnchor(call.name, call.object, self._made[run, call.name, call.object] + 1)
