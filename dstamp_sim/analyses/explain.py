"""The sentence a colleague would say: who overwrote what, inside whose window, which lock did not help, what is right.

Nothing here knows a model. A cause is a reading without which the violation would not have happened (`what_if`); its
story is one of six:

- *overwritten*: the process had written a field itself, and read there what another wrote since;
- *stale*: it acted on what it had read, though another had changed that meanwhile;
- *environment*: the same as overwritten, by a daemon;
- *chance*: one of several outcomes that its environment decides;
- *own*: what it read it had written itself, or nobody had: no other process is needed;
- *told*: what it read another had written, and nothing else is remarkable about it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import islice

from dstamp_sim.analyses.accesses import Accesses, Location, value_text
from dstamp_sim.analyses.conflicts import Conflicts, Cycle, Dependency, Kind, act, noun, reads
from dstamp_sim.analyses.deadlock import Deadlock, deadlock_in
from dstamp_sim.analyses.held import Gap, Window, gap_around, why_not_kept_out
from dstamp_sim.analyses.what_if import Fact, Remedy, WhatIf
from dstamp_sim.core.properties import NO_DEADLOCK, Property
from dstamp_sim.core.schedule import Choice
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace

When = Callable[[int], str]
"""Writes the moment of a step (by number, from 0) as part of a sentence."""


class Story(Enum):
    """The kinds of cause, the most telling first."""

    OVERWRITTEN = "overwritten"
    STALE = "stale"
    ENVIRONMENT = "environment"
    CHANCE = "chance"
    OWN = "own"
    TOLD = "told"


@dataclass(frozen=True)
class Cause:
    """A reading that mattered (`read`), the field that it found, who had written that, and the window around it.

    `opens` is the process's own step before: its write that was lost, or the reading that went stale; `closes` the step
    at which it looked again or acted. Step numbers count from 0; None where there is no such step.
    """

    story: Story
    location: Location | None
    opens: int | None
    write: int | None
    read: int
    closes: int
    remedy: Remedy | None = None


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
    return _Explainer(system, trace, what_if, accesses, when).explain(facts[0])


def _deadlocked(trace: Trace, fact: Fact, when: When) -> Explanation:
    found = deadlock_in(trace)
    return Explanation(fact, None, found.sentence(when), "", found.remedy(), None, waits=found)


@dataclass
class _Explainer:
    system: System
    trace: Trace
    what_if: WhatIf
    accesses: Accesses
    when: When

    def explain(self, fact: Fact) -> Explanation:
        self.conflicts = Conflicts(self.trace, self.accesses)
        self._causes = causes = [self._cause(fact, remedy) for remedy in self.what_if.remedies(fact)]
        cause = _chosen([c for c in causes if self._telling(c)]) or self._last_look(fact)
        if cause is None:
            return Explanation(fact, None, self._unexplained(fact), "", "", None, why_no_cycle=self._alone(fact))
        through = self._through_environment(cause, causes)
        cycle = self._cycle(cause, through)
        return Explanation(
            fact=fact,
            cause=cause,
            what=self._what(cause, through, fact),
            lock=self._lock(cause, self.what_if.since(fact)),
            right=self._right(cause, fact),
            cycle=cycle,
            gap=self._gap(cause),
            cycle_says=tuple(self.conflicts.says(edge) for edge in cycle.edges) if cycle else (),
            why_no_cycle="" if cycle else self._alone(fact),
        )

    def _cause(self, fact: Fact, remedy: Remedy) -> Cause:
        number, step = remedy.number, self.trace.steps[remedy.number]
        if remedy.path is None:
            return Cause(Story.CHANCE, None, None, None, number, number, remedy)
        location = Location(str(step.touched), remedy.path)
        writer = self.conflicts.writer(number, location)
        own = list(islice(self.conflicts.own_writes(number, location), 2))
        if writer is not None and self._of(writer) != step.process and own:
            story = Story.ENVIRONMENT if self._of(writer) in self.trace.daemons else Story.OVERWRITTEN
            return Cause(story, location, own[0], writer, number, number, remedy)
        acted = self._acted(number, fact)
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

    def _last_look(self, fact: Fact) -> Cause | None:
        """The last reading of the process whose result it is, where no other answer would have helped."""
        for number in range(self.what_if.since(fact), -1, -1):
            location = self._looked_at(number)
            if self._of(number) == fact.process and location is not None and not self.accesses[number].writes:
                return Cause(Story.OWN, location, None, self.conflicts.writer(number, location), number, number)
        return None

    def _looked_at(self, number: int) -> Location | None:
        """The innermost field that a step reads, unless it is a lock's; None where there is none."""
        step = self.trace.steps[number]
        if step.taken is not None or step.dropped:
            return None
        return max(self.accesses[number].reads, key=lambda place: len(place.path), default=None)

    def _through_environment(self, cause: Cause, causes: list[Cause]) -> Cause | None:
        """What a daemon had been told by a run before it did what it did, if that mattered too."""
        if cause.story is not Story.ENVIRONMENT or cause.write is None:
            return None
        daemon, reader = self._of(cause.write), self._of(cause.read)
        told = [c for c in causes if self._of(c.read) == daemon and c.story is Story.TOLD and c.write is not None]
        return next((c for c in told if c.write is not None and self._of(c.write) != reader), None)

    def _overtaken(self, number: int, acted: int, location: Location) -> int | None:
        """The first step between `number` and `acted` with which another process wrote `location`."""
        writes = self.conflicts.writers(location)
        between = (n for n in writes[bisect_right(writes, number) : bisect_left(writes, acted)])
        return next((n for n in between if self._of(n) != self._of(number)), None)

    def _acted(self, number: int, fact: Fact) -> int:
        """The next step of the same process that changes something, or its last up to the fact."""
        last = number
        for n in range(number + 1, self.what_if.since(fact) + 1):
            if self._of(n) == self._of(number):
                last = n
                if self.accesses[n].writes:
                    break
        return last

    def _what(self, cause: Cause, through: Cause | None, fact: Fact) -> str:
        words = {Story.CHANCE: self._by_chance, Story.STALE: self._stale}.get(cause.story, self._seen)(cause)
        if through is not None:
            words += f"; before that, {self._seen(through)}"
        return words + self._torn(cause) + self._so(cause, fact) + self._as_far_as_tried()

    def _as_far_as_tried(self) -> str:
        return " (the trace is long: earlier readings were not all tried)" if self.what_if.gave_up else ""

    def _by_chance(self, cause: Cause) -> str:
        step = self.trace.steps[cause.read]
        verb = step.op.verb if step.op else ""
        gave = _came_out(step.result, step.label)
        other = _came_out(cause.remedy.told, cause.remedy.label) if cause.remedy else "another"
        where = f"{step.process}'s {step.section or 'program'} {self.when(cause.read)}"
        return f"{where}: {verb} gave {gave}, where it could as well have given {other}"

    def _stale(self, cause: Cause) -> str:
        assert cause.write is not None and cause.location is not None
        value = value_text(self.accesses.value(cause.read, cause.location.path))
        now = value_text(self.accesses.written(cause.write, cause.location))
        found = f"{self._doing(cause.read)} found {noun(cause.location)} {value}"
        mine = f"{self._of(cause.read)}'s {act(self.trace.steps[cause.closes])} {self.when(cause.closes)}"
        return f"{found}, {self._doing(cause.write)} made it {now}, and {mine} still acted on {value}"

    def _seen(self, cause: Cause) -> str:
        assert cause.location is not None
        value = value_text(self.accesses.value(cause.read, cause.location.path))
        read = f"{self._doing(cause.read)} {reads(self.trace.steps[cause.read])} {noun(cause.location)} {value}"
        if cause.write is None:
            return f"{read}, as it was from the start"
        mine = f"{self._of(cause.read)}'s own"
        who = self._doing(cause.write)
        if cause.story is Story.OWN:
            who = f"{mine} {act(self.trace.steps[cause.write])} {self.when(cause.write)}"
        if cause.opens is None:
            return f"{read}, which {who} had written"
        over = value_text(self.accesses.written(cause.opens, cause.location))
        return f"{read}, which {who} had written over the {over} of {mine} {self._act_at(cause.opens)}"

    def _torn(self, cause: Cause) -> str:
        """What the reader found beside it that was still of its own earlier writing: a torn read."""
        if cause.opens is None or cause.location is None or cause.story is not Story.OVERWRITTEN:
            return ""
        used = next((n for n in range(cause.read + 1, len(self.trace.steps)) if self._writes_as(n, cause.read)), 0)
        found = [torn for n in range(cause.read + 1, used) if (torn := self._still_own(n, cause, cause.opens))]
        return f"; {found[-1]}: a torn read" if found else ""

    def _still_own(self, number: int, cause: Cause, opened: int) -> str:
        """A step's reading of a field, beside the one of `cause`, that was written in the stretch of step `opened`."""
        assert cause.location is not None
        for location in self.accesses[number].reads if self._of(number) == self._of(opened) else ():
            writer = self.conflicts.writer(number, location)
            beside = location.target == cause.location.target and location != cause.location
            if not beside or writer is None or self._of(writer) != self._of(opened):
                continue
            if self.trace.steps[writer].sections == self.trace.steps[opened].sections != ():
                value = value_text(self.accesses.value(number, location.path))
                of = act(self.trace.steps[writer])
                return f"{self._doing(number)} found {noun(location)} still {value} from that {of}"
        return ""

    def _writes_as(self, number: int, reader: int) -> bool:
        return self._of(number) == self._of(reader) and bool(self.accesses[number].writes)

    def _so(self, cause: Cause, fact: Fact) -> str:
        """What came of it, where the cause lies before the last look."""
        if fact.process is None:
            return f"; so {self._comes_out(fact)}"
        later = [c.read for c in self._causes if c.read > cause.read and self._of(c.read) == fact.process]
        looked = [(n, location) for n in later if (location := self._looked_at(n)) is not None]
        if not looked:
            return "" if cause.remedy else "; no other answer to any reading would have helped"
        number, location = looked[0]
        value = value_text(self.accesses.value(number, location.path))
        return f"; so {self._doing(number)} {reads(self.trace.steps[number])} {noun(location)} {value}"

    def _doing(self, number: int) -> str:
        return f"{self._of(number)}'s {self._act_at(number)}"

    def _act_at(self, number: int) -> str:
        return f"{act(self.trace.steps[number])} {self.when(number)}"

    def _lock(self, cause: Cause, moment: int) -> str:
        if cause.opens is None or cause.write is None or cause.story is Story.OWN:
            return ""
        return why_not_kept_out(self.trace, Window(cause.opens, cause.write, cause.closes), moment, self.when)

    def _gap(self, cause: Cause) -> Gap | None:
        if cause.opens is None or cause.write is None or cause.story not in (Story.OVERWRITTEN, Story.STALE):
            return None
        return gap_around(self.trace, Window(cause.opens, cause.write, cause.closes))

    def _right(self, cause: Cause, fact: Fact) -> str:
        """Which orders would have been right: performed, and the violation was gone."""
        if cause.opens is None or cause.write is None or cause.story not in (Story.OVERWRITTEN, Story.STALE):
            return ""
        steps = self.trace.steps
        writer = f"{steps[cause.write].process}'s {act(steps[cause.write])}"
        after = self.what_if.is_gone(fact, self._moved_after(cause))
        before = self.what_if.is_gone(fact, self._moved_before(cause))
        mine = steps[cause.opens].process
        words = [
            *([f"before {mine}'s {act(steps[cause.opens])}"] if before else []),
            *([f"after {mine}'s {act(steps[cause.closes])}"] if after else []),
        ]
        other = "It would not have come about with" if fact.wish else "Right would have been"
        return f"{other} {writer} {', or '.join(words)}" if words else ""

    def _moved_after(self, cause: Cause) -> list[Choice]:
        """The schedule where the writer does nothing from its write on until the window has closed."""
        steps = self.trace.steps
        assert cause.write is not None
        writer = self._of(cause.write)
        before = [s.choice for s in steps[: cause.write]]
        window = [s.choice for s in steps[cause.write : cause.closes + 1] if s.process != writer]
        return before + window

    def _moved_before(self, cause: Cause) -> list[Choice]:
        """The schedule where the writer does all up to its write before the window opens."""
        steps = self.trace.steps
        assert cause.write is not None and cause.opens is not None
        writer = self._of(cause.write)
        before = [s.choice for s in steps[: cause.opens]]
        pulled = [s.choice for s in steps[cause.opens : cause.write + 1] if s.process == writer]
        rest = [s.choice for s in steps[cause.opens : cause.closes + 1] if s.process != writer]
        return before + pulled + rest

    def _cycle(self, cause: Cause, through: Cause | None) -> Cycle | None:
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

    def _alone(self, fact: Fact) -> str:
        """Why no cycle is told: alone, the run comes to the same (performed); or what the dependencies say."""
        keep = {fact.process, *self.trace.daemons}
        alone = [s.choice for s in self.trace.steps if s.process in keep]
        if fact.process is not None and self.what_if.comes_about(fact, alone):
            helpers = [n for n in self.trace.daemons if any(s.process == n for s in self.trace.steps)]
            return f"a single run suffices{', with ' + ' and '.join(helpers) if helpers else ''}"
        if self.conflicts.serial():
            return "no run depends on another one that depends on it"
        return "runs depend on each other here, but not through what is told"

    def _unexplained(self, fact: Fact) -> str:
        return f"{self._comes_out(fact)}; no single reading decided it{self._as_far_as_tried()}"

    def _comes_out(self, fact: Fact) -> str:
        return f"{fact.property!r} {'is reached' if fact.wish else 'fails'} {self.when(self.what_if.since(fact))}"

    def _of(self, number: int) -> str:
        return self.trace.steps[number].process


def _came_out(result: object, label: str) -> str:
    """An outcome in words: its result with its label, or its label alone where it gives nothing."""
    if result is None and label:
        return repr(label)
    return f"{value_text(result)} ({label})" if label and label != result else value_text(result)


def _chosen(causes: list[Cause]) -> Cause | None:
    """The most telling cause; of several of one story the latest, first those that lost a write of their own."""
    order = list(Story)
    return min(causes, key=lambda c: (order.index(c.story), c.opens is None), default=None)
