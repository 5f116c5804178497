"""The sentence a colleague would say: who overwrote what, inside whose window, which lock did not help, what is right.

Nothing here knows a model: `causes` finds what decided it, `sentence` tells it; lock, order and cycle are added here.
"""

from __future__ import annotations

from dataclasses import dataclass

from dstamp_sim.analyses.accesses import Accesses
from dstamp_sim.analyses.causes import Cause, Causes, Story
from dstamp_sim.analyses.conflicts import Conflicts, Cycle, Dependency, Kind, act
from dstamp_sim.analyses.deadlock import Deadlock, deadlock_in
from dstamp_sim.analyses.held import Gap, gap_around, why_not_kept_out
from dstamp_sim.analyses.orders import write_after, write_before
from dstamp_sim.analyses.sentence import Teller, When, listed
from dstamp_sim.analyses.what_if import Fact, WhatIf
from dstamp_sim.core.properties import NO_DEADLOCK, Property
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace


@dataclass(frozen=True)
class Explanation:
    """Why a trace came out as it did: sentences for people, and the steps that they speak of for pictures.

    `gap` is where a lock was missing, `waits` are those of a deadlock.
    `cycle` is None when a serial order of the runs explains what they saw; `why_no_cycle` then says so. `cycle_says`
    has a sentence for each edge.
    """

    fact: Fact | None
    cause: Cause | None
    what: str
    lock: str
    right: str
    cycle: Cycle | None
    gap: Gap | None = None
    waits: Deadlock | None = None
    cycle_says: tuple[str, ...] = ()
    why_no_cycle: str = ""

    @property
    def sentence(self) -> str:
        """All of it as running text."""
        parts = [part for part in (self.what, self.lock, self.right) if part]
        return " ".join(part if part.endswith(".") else f"{part}." for part in parts)

    @property
    def proof(self) -> str:
        """The cycle's name and edges, or why there is none."""
        if self.waits is not None:
            return self.waits.proof
        if self.cycle is None:
            return f"No cycle: {self.why_no_cycle}." if self.why_no_cycle else ""
        return f"{self.cycle.name[0].upper()}{self.cycle.name[1:]}: {'; '.join(self.cycle_says)}."


def step_number(number: int) -> str:
    """The moment of a step of an untimed trace."""
    return f"at step {number + 1}"


def explain(
    system: System, trace: Trace, *, about: Property | None = None, process: str | None = None, when: When = step_number
) -> Explanation:
    """Why `trace`, a trace of `system`, came out as it did. Deterministic; effort bounded.

    It explains the first thing that came out wrong; of the property `about` if given (also a wish that was reached),
    and of the result of `process` if given. Raises ScheduleError when the trace is not one of the system.
    """
    accesses = Accesses(trace)
    asked = [prop for prop in system.checked_properties if not prop.is_wish or prop is about]
    what_if = WhatIf(system, trace, accesses, asked)
    facts = [
        fact
        for fact in what_if.facts
        if (about is None or fact.property == about.name) and (process is None or fact.process in (None, process))
    ]
    if not facts:
        return Explanation(None, None, "Nothing came out wrong in this trace", "", "", None)
    if facts[0].property == NO_DEADLOCK.name:
        return _deadlocked(trace, facts[0], when)
    return _Explainer(Causes(what_if, Conflicts(trace, accesses), facts[0]), when).explain()


def _deadlocked(trace: Trace, fact: Fact, when: When) -> Explanation:
    found = deadlock_in(trace)
    return Explanation(fact, None, found.sentence(when), "", found.remedy(), None, waits=found)


class _Explainer:
    def __init__(self, causes: Causes, when: When) -> None:
        self.causes, self.when = causes, when
        self.trace, self.fact = causes.trace, causes.fact
        self.conflicts, self.what_if = causes.conflicts, causes.what_if

    def explain(self) -> Explanation:
        teller, cause = Teller(self.causes, self.when), self.causes.told
        if cause is None:
            return Explanation(self.fact, None, teller.unexplained(), "", "", None, why_no_cycle=self._alone())
        cycle = self._cycle(cause)
        return Explanation(
            fact=self.fact,
            cause=cause,
            what=teller.what(cause),
            lock=self._lock(cause),
            right=self._right(cause),
            cycle=cycle,
            gap=self._gap(cause),
            cycle_says=tuple(self.conflicts.says(edge) for edge in cycle.edges) if cycle else (),
            why_no_cycle="" if cycle else self._alone(),
        )

    def _lock(self, cause: Cause) -> str:
        if cause.window is None or cause.story is Story.OWN:
            return ""
        return why_not_kept_out(self.trace, cause.window, self.what_if.since(self.fact), self.when)

    def _gap(self, cause: Cause) -> Gap | None:
        if cause.window is None or cause.story not in (Story.OVERWRITTEN, Story.STALE):
            return None
        return gap_around(self.trace, cause.window)

    def _right(self, cause: Cause) -> str:
        """Which orders would have been right: performed, and the violation was gone."""
        words = self._had_waited(cause) if cause.story is Story.EARLY else self._kept_apart(cause)
        other = "It would not have come about with" if self.fact.wish else "Right would have been"
        return f"{other} {words}" if words else ""

    def _had_waited(self, cause: Cause) -> str:
        """The order that made it a reading that came too early."""
        assert cause.write is not None
        who = listed([f"{self._of(n)}'s" for n in (cause.read, *cause.others)])
        op = self.trace.steps[cause.read].op
        return f"{who} {op.verb if op else ''} after {self._of(cause.write)}'s {act(self.trace.steps[cause.write])}"

    def _kept_apart(self, cause: Cause) -> str:
        """The writer before the window, or after it."""
        window, steps = cause.window, self.trace.steps
        if window is None or cause.story not in (Story.OVERWRITTEN, Story.STALE):
            return ""
        mine = steps[window.opens].process
        after = self.what_if.is_gone(self.fact, write_after(self.trace, window))
        before = self.what_if.is_gone(self.fact, write_before(self.trace, window))
        words = [
            *([f"before {mine}'s {act(steps[window.opens])}"] if before else []),
            *([f"after {mine}'s {act(steps[window.closes])}"] if after else []),
        ]
        writer = f"{self._of(window.write)}'s {act(steps[window.write])}"
        return f"{writer} {', or '.join(words)}" if words else ""

    def _cycle(self, cause: Cause) -> Cycle | None:
        through = self.causes.through
        if cause.location is None or cause.write is None or cause.opens is None:
            return None
        reader, writer = self._of(cause.read), self._of(cause.write)
        if cause.story is Story.STALE:
            first = Dependency(Kind.RW, cause.location, cause.read, cause.write)
            path = self.conflicts.back(writer, reader, cause.location)
            return self.conflicts.cycle((first, *path)) if path is not None else None
        last = Dependency(Kind.WR, cause.location, cause.write, cause.read)
        if through is None or through.write is None or through.location is None:
            return self.conflicts.cycle((*self.conflicts.chain(cause.location, cause.opens, cause.write), last))
        told = Dependency(Kind.WR, through.location, through.write, through.read)
        path = self.conflicts.back(reader, self._of(through.write))
        return self.conflicts.cycle((*path, told, last)) if path is not None else None

    def _alone(self) -> str:
        """Why no cycle is told: alone, the run comes to the same (performed); or what the dependencies say."""
        keep = {self.fact.process, *self.trace.daemons}
        alone = [s.choice for s in self.trace.steps if s.process in keep]
        if self.fact.process is not None and self.what_if.comes_about(self.fact, alone):
            helpers = [n for n in self.trace.daemons if any(s.process == n for s in self.trace.steps)]
            return f"a single run suffices{', with ' + ' and '.join(helpers) if helpers else ''}"
        if self.conflicts.serial():
            return "no run depends on another one that depends on it"
        return "runs depend on each other here, but not through what is told"

    def _of(self, number: int) -> str:
        return self.trace.steps[number].process
