"""The words of an explanation: what happened, told by the steps that a cause names, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dstamp_sim.analyses.accesses import Accesses, value_text
from dstamp_sim.analyses.causes import Cause, Causes, Story
from dstamp_sim.analyses.conflicts import Conflicts, act, noun, reads
from dstamp_sim.core.trace import Trace

When = Callable[[int], str]
"""Writes the moment of a step (by number, from 0) as part of a sentence."""


@dataclass
class Teller:
    """Tells the causes of a trace's fact, with moments written by `when`."""

    causes: Causes
    when: When

    def __post_init__(self) -> None:
        self.trace: Trace = self.causes.trace
        self.accesses: Accesses = self.causes.accesses
        self.conflicts: Conflicts = self.causes.conflicts

    def what(self, cause: Cause) -> str:
        """What happened, and what came of it."""
        tell = {Story.CHANCE: self._by_chance, Story.STALE: self._stale, Story.EARLY: self._early}
        words = tell.get(cause.story, self._seen)(cause)
        if self.causes.through is not None:
            words += f"; before that, {self._seen(self.causes.through)}"
        return words + self._torn(cause) + self._so(cause) + self._as_far_as_tried()

    def unexplained(self) -> str:
        """What came out, where nothing is known to have decided it."""
        return f"{self._comes_out()}; no single reading decided it{self._as_far_as_tried()}"

    def _early(self, cause: Cause) -> str:
        assert cause.write is not None and cause.location is not None
        result = self.trace.steps[cause.read].result
        gave = f"gave {value_text(result)}, " if result is not None else "came "
        they = "they" if cause.others else "it"
        found = f"found {noun(cause.location)} {value_text(self.accesses.value(cause.read, cause.location.path))}"
        now = value_text(self.accesses.written(cause.write, cause.location))
        writer = f"{self._of(cause.write)}'s {act(self.trace.steps[cause.write])}"
        who = [self._doing(cause.read), *(f"{self._of(n)}'s {self.when(n)}" for n in cause.others)]
        return f"{listed(who)} {gave}too early: {they} {found}, which {writer} made {now} only {self.when(cause.write)}"

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

    def _so(self, cause: Cause) -> str:
        """What came of it, where the cause lies before the last look."""
        process = self.causes.fact.process
        if process is None:
            return f"; so {self._comes_out()}"
        later = [c.read for c in self.causes.all if c.read > cause.read and self._of(c.read) == process]
        looked = [(n, location) for n in later if (location := self.causes.looked_at(n)) is not None]
        if not looked:
            return (
                ""
                if cause.remedy or cause.story is Story.EARLY
                else "; no other answer to any reading would have helped"
            )
        number, location = looked[0]
        value = value_text(self.accesses.value(number, location.path))
        return f"; so {self._doing(number)} {reads(self.trace.steps[number])} {noun(location)} {value}"

    def _doing(self, number: int) -> str:
        return f"{self._of(number)}'s {self._act_at(number)}"

    def _act_at(self, number: int) -> str:
        return f"{act(self.trace.steps[number])} {self.when(number)}"

    def _comes_out(self) -> str:
        fact = self.causes.fact
        since = self.when(self.causes.what_if.since(fact))
        return f"{fact.property!r} {'is reached' if fact.wish else 'fails'} {since}"

    def _as_far_as_tried(self) -> str:
        gave_up = self.causes.what_if.gave_up
        return " (the trace is long: earlier readings were not all tried)" if gave_up else ""

    def _of(self, number: int) -> str:
        return self.trace.steps[number].process


def _came_out(result: object, label: str) -> str:
    """An outcome in words: its result with its label, or its label alone where it gives nothing."""
    if result is None and label:
        return repr(label)
    return f"{value_text(result)} ({label})" if label and label != result else value_text(result)


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
