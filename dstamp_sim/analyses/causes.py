"""What a violation came of: the reading, or the outcome of chance, without which it would not have happened.

Nothing here knows a model. A cause is one that mattered when the system was performed otherwise (`what_if`); its story
is one of seven:

- *overwritten*: the process had written a field itself, and read there what another wrote since;
- *stale*: it acted on what it had read, though another had changed that meanwhile;
- *environment*: the same as overwritten, by a daemon;
- *early*: it did not wait for what another wrote later, and neither did others that did the same;
- *chance*: one of several outcomes that its environment decides;
- *own*: what it read it had written itself, or nobody had: no other process is needed;
- *told*: what it read another had written, and nothing else is remarkable about it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import islice

from dstamp_sim.analyses.accesses import Accesses, Location
from dstamp_sim.analyses.conflicts import Conflicts
from dstamp_sim.analyses.early import too_early
from dstamp_sim.analyses.held import Window
from dstamp_sim.analyses.what_if import Fact, Remedy, WhatIf
from dstamp_sim.core.trace import Trace


class Story(Enum):
    """The kinds of cause, the most telling first."""

    OVERWRITTEN = "overwritten"
    STALE = "stale"
    ENVIRONMENT = "environment"
    EARLY = "early"
    CHANCE = "chance"
    OWN = "own"
    TOLD = "told"


_NO_DOUBT = (Story.OVERWRITTEN, Story.STALE, Story.ENVIRONMENT)
"""Stories beside which no reading that came too early is looked for."""


@dataclass(frozen=True)
class Cause:
    """A reading that mattered (`read`), the field that it found, who had written that, and the window around it.

    `opens` is the process's own step before: its write that was lost, or the reading that went stale; `closes` the step
    at which it looked again or acted. Step numbers count from 0; None where there is no such step. A reading that came
    too early has its `write` later, and beside it the readings of `others` that did the same.
    """

    story: Story
    location: Location | None
    opens: int | None
    write: int | None
    read: int
    closes: int
    remedy: Remedy | None = None
    others: tuple[int, ...] = ()

    @property
    def window(self) -> Window | None:
        """From `opens` to `closes`, with the write inside; None where there is none."""
        return None if self.opens is None or self.write is None else Window(self.opens, self.write, self.closes)


class Causes:
    """The causes of one fact of a trace; `all` of those that are single readings, latest first. Deterministic."""

    def __init__(self, what_if: WhatIf, conflicts: Conflicts, fact: Fact) -> None:
        self.what_if, self.conflicts, self.fact = what_if, conflicts, fact
        self.trace: Trace = what_if.trace
        self.accesses: Accesses = conflicts.accesses
        self.all = [self._cause(remedy) for remedy in what_if.remedies(fact)]

    @cached_property
    def told(self) -> Cause | None:
        """The most telling cause; None where no single reading decided anything."""
        cause = _chosen([c for c in self.all if self._telling(c)])
        return self._early(cause) or cause or self._last_look()

    @cached_property
    def through(self) -> Cause | None:
        """What a daemon had been told by a run before it did what `told` is about, if that mattered too."""
        cause = self.told
        if cause is None or cause.story is not Story.ENVIRONMENT or cause.write is None:
            return None
        daemon, reader = self._of(cause.write), self._of(cause.read)
        told = [c for c in self.all if self._of(c.read) == daemon and c.story is Story.TOLD and c.write is not None]
        return next((c for c in told if c.write is not None and self._of(c.write) != reader), None)

    def looked_at(self, number: int) -> Location | None:
        """The innermost field that a step reads, unless it is a lock's; None where there is none."""
        step = self.trace.steps[number]
        if step.taken is not None or step.dropped:
            return None
        return max(self.accesses[number].reads, key=lambda place: len(place.path), default=None)

    def _early(self, other: Cause | None) -> Cause | None:
        """A reading that came too early, where nothing more telling is known than `other`.

        A fault (an outcome of chance that is not its op's first) tells more than an order in which it does no harm.
        """
        fault = other is not None and other.story is Story.CHANCE and self.trace.steps[other.read].choice.outcome > 0
        if fault or (other is not None and other.story in _NO_DOUBT):
            return None
        early = too_early(self.what_if, self.conflicts, self.fact)
        if early is None:
            return None
        first, *others = early.readings
        return Cause(Story.EARLY, early.location, None, early.write, first, early.write, others=tuple(others))

    def _cause(self, remedy: Remedy) -> Cause:
        number, step = remedy.number, self.trace.steps[remedy.number]
        if remedy.path is None:
            return Cause(Story.CHANCE, None, None, None, number, number, remedy)
        location = Location(str(step.touched), remedy.path)
        writer = self.conflicts.writer(number, location)
        own = list(islice(self.conflicts.own_writes(number, location), 2))
        if writer is not None and self._of(writer) != step.process and own:
            story = Story.ENVIRONMENT if self._of(writer) in self.trace.daemons else Story.OVERWRITTEN
            return Cause(story, location, own[0], writer, number, number, remedy)
        acted = self._acted(number)
        later = self._overtaken(number, acted, location)
        if later is not None and not remedy.blocked:
            return Cause(Story.STALE, location, number, later, number, acted, remedy)
        if writer is not None and self._of(writer) != step.process:
            return Cause(Story.TOLD, location, None, writer, number, number, remedy)
        over = self._over(own, location)
        return Cause(Story.OWN, location, over, writer, number, number, remedy)

    def _telling(self, cause: Cause) -> bool:
        """Whether a cause without another process tells anything: not that a lock was free or an object there.

        Nor that chance took the ordinary course, the one without a label, where a fault would have been better luck.

        (The field of an object that has fields itself tells only that.)
        """
        if cause.story is Story.CHANCE:
            return bool(self.trace.steps[cause.read].label)
        if cause.story not in (Story.OWN, Story.TOLD) or cause.remedy is None or cause.location is None:
            return True
        places = self.accesses.places(cause.read)
        whole = any(place.path[:-1] == cause.location.path and place != cause.location for place in places)
        return not cause.remedy.blocked and not whole

    def _over(self, own: list[int], location: Location) -> int | None:
        """The process's own write before its last one, if that one made a difference."""
        if len(own) < 2 or self.accesses.written(own[1], location) == self.accesses.written(own[0], location):
            return None
        return own[1]

    def _last_look(self) -> Cause | None:
        """The last reading of the process whose result it is, where no other answer would have helped."""
        for number in range(self.what_if.since(self.fact), -1, -1):
            location = self.looked_at(number)
            if self._of(number) == self.fact.process and location is not None and not self.accesses[number].writes:
                return Cause(Story.OWN, location, None, self.conflicts.writer(number, location), number, number)
        return None

    def _overtaken(self, number: int, acted: int, location: Location) -> int | None:
        """The first step between `number` and `acted` with which another process wrote `location`."""
        writes = self.conflicts.writers(location)
        between = (n for n in writes[bisect_right(writes, number) : bisect_left(writes, acted)])
        return next((n for n in between if self._of(n) != self._of(number)), None)

    def _acted(self, number: int) -> int:
        """The next step of the same process that changes something, or its last up to the fact."""
        last = number
        for n in range(number + 1, self.what_if.since(self.fact) + 1):
            if self._of(n) == self._of(number):
                last = n
                if self.accesses[n].writes:
                    break
        return last

    def _of(self, number: int) -> str:
        return self.trace.steps[number].process


def _chosen(causes: list[Cause]) -> Cause | None:
    """The most telling cause; of several of one story the latest, first those that lost a write of their own."""
    order = list(Story)
    return min(causes, key=lambda c: (order.index(c.story), c.opens is None), default=None)
