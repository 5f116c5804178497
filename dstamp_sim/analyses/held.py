"""The holds around a window, and why they did not keep a write out of it: as claims to verify."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dstamp_sim.analyses.accesses import Accesses
from dstamp_sim.analyses.claims import Claim
from dstamp_sim.analyses.fields import Location
from dstamp_sim.analyses.hold_claims import (
    AsksForNone,
    BothHeld,
    HadLapsed,
    HadLetGo,
    HeldAllTheWhile,
    HeldAnother,
    HeldInVain,
    LetGoBetween,
    NeitherUnder,
    NeverAsked,
    NoLockHeld,
    Refused,
    TookOnly,
)
from dstamp_sim.core.holds import Held, Parting
from dstamp_sim.core.trace import Trace


@dataclass(frozen=True)
class RaceWindow:
    """The window to protect, from step `opens` to step `closes` of a process, and the `write` inside."""

    opens: int
    write: int
    closes: int


@dataclass(frozen=True)
class Gap:
    """Where a lock was missing: whose steps from `first` to `last` were not under `lock` ("": there was none)."""

    process: str
    lock: str
    first: int
    last: int


class KeepingOut:
    """The holds of a window's two processes around it: locks, and other holds that kept others out when taken."""

    def __init__(self, trace: Trace, window: RaceWindow) -> None:
        self.trace, self.window = trace, window
        self.mine, self.other = trace.steps[window.opens].process, trace.steps[window.write].process
        self.all = [held for held in trace.holds() if held.is_lock or held.keeps_out]
        self.holds = [held for held in self.all if held.name != trace.steps[window.write].touched]

    def claims(self, accesses: Accesses, moment: int) -> Iterator[Claim]:
        """Why the holds did not keep the write out, the most telling first: the first true claim is the one to say.

        `moment` is the step after which the property had failed.
        """
        yield from self._not_the_same(moment)
        window, other_asks_for_none = self.window, AsksForNone(self.other)
        for held in self._over(self.other, window.write):
            why = self._why_without(self.mine, held.name, window.opens, window.closes)
            yield from (HeldInVain(held, window.write, claim) for claim in why)
        for held in self._over(self.mine, window.write):
            yield HeldAllTheWhile(held, window.write, other_asks_for_none)
            why = self._why_without(self.other, held.name, window.write, window.write)
            yield from (HeldAllTheWhile(held, window.write, claim) for claim in why)
        if self.other in self.trace.daemons:
            yield from [other_asks_for_none] * any(held.is_lock for held in self.holds)
            return
        for held in self.holds:
            if held.process in (self.mine, self.other) and held.since < window.closes:
                yield from self._had_lapsed(held)
                yield NeitherUnder(held.name, window.opens, window.write, window.closes)
        if not self._may_have_its_own(accesses):
            yield NoLockHeld((self.mine, self.other), window.closes)

    def gap(self, accesses: Accesses) -> Gap | None:
        """Where the lock against the write was missing; None if the writer is a daemon, or it is unknown."""
        window = self.window
        if self.other in self.trace.daemons:
            return None
        throughout = [held for held in self._over(self.mine, window.closes) if held.since < window.opens]
        if throughout:
            return Gap(self.other, throughout[0].name, window.write, window.write)
        name = next((held.name for held in self._over(self.other, window.write)), "")
        if not name and (self._may_have_its_own(accesses) or any(map(self._is_in_the_window, self.all))):
            return None
        before = (h.until for h in self.holds if (h.process, h.name) == (self.mine, name) and h.since < window.opens)
        begin = max([window.opens, *(until for until in before if until is not None and until < window.closes)])
        return Gap(self.mine, name, begin, window.closes)

    def _is_in_the_window(self, held: Held) -> bool:
        """Whether the process of the window held this lock in a part of it."""
        before_it_closes = held.since < self.window.closes
        after_it_opens = held.until is None or held.until > self.window.opens
        return held.is_lock and held.process == self.mine and before_it_closes and after_it_opens

    def _over(self, process: str, number: int) -> list[Held]:
        return [held for held in self.holds if held.process == process and held.over(number)]

    def _not_the_same(self, moment: int) -> Iterator[Claim]:
        """Two processes that hold the same at once, as with an unlinked lock file."""
        now = [held for held in self.all if held.over(moment)]
        for first in now:
            for second in now:
                alike = first.name == second.name and first.since < second.since
                if alike and first.hold.token != second.hold.token:
                    yield BothHeld(first, second, moment)

    def _why_without(self, process: str, name: str, first: int, last: int) -> Iterator[Claim]:
        """Why a process was not under `name` from step `first` to step `last`."""
        own = [h for h in self.holds if (h.process, h.name) == (process, name) and h.since < last]
        at_first = next((held for held in own if held.over(first)), own[-1] if own else None)
        yield from self._how_it_went(at_first, first, last) if at_first else self._how_without_any(process, name, last)

    def _how_it_went(self, held: Held, first: int, last: int) -> Iterator[Claim]:
        yield from self._had_lapsed(held)
        if held.until is not None and held.until <= first:
            yield HadLetGo(held, first)
        elif held.until is not None and held.until < last:
            yield LetGoBetween(held, first, last)
        elif held.since > first:
            yield TookOnly(held, first)

    def _how_without_any(self, process: str, name: str, last: int) -> Iterator[Claim]:
        on_it = [n for n, s in enumerate(self.trace.steps[:last]) if (s.process, s.touched) == (process, name)]
        yield from (Refused(n) for n in on_it[-1:])
        for held in self._over(process, last):
            yield HeldAnother(held, name, last)
        yield NeverAsked(process, name, last)

    def _had_lapsed(self, held: Held) -> Iterator[Claim]:
        if held.parting is Parting.LAPSED and held.until is not None:
            yield HadLapsed(held)

    def _may_have_its_own(self, accesses: Accesses) -> bool:
        """Whether one of the two may have taken a lock that the model itself defines."""
        target, both = self.trace.steps[self.window.write].touched, (self.mine, self.other)
        return any(
            step.process in both and step.touched != target and step.changes and self._might_be_refused(accesses, n)
            for n, step in enumerate(self.trace.steps[: self.window.closes])
        )

    def _might_be_refused(self, accesses: Accesses, number: int) -> bool:
        """Whether a step would have been blocked, or refused without a change, if it had found another value."""
        step = self.trace.steps[number]
        shared = step.op is not None and step.op.target is not None and not step.op.target.private
        return shared and any(
            all(outcome.state == variant.state and outcome.result != step.result for outcome in variant.outcomes)
            for variant in accesses.variants(number)
            if Location(str(step.touched), variant.path) in accesses[number].writes
        )
