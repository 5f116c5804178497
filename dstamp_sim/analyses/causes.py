"""The search for the causes of a failure: see `cause_kinds` for what they are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Any

from dstamp_sim.analyses.accesses import Accesses
from dstamp_sim.analyses.cause_kinds import Cause, CauseKind
from dstamp_sim.analyses.conflicts import Conflicts, DependencyKind, locks
from dstamp_sim.analyses.early import too_early
from dstamp_sim.analyses.fields import Location
from dstamp_sim.analyses.reruns import AfterEnd, Came, Moved, Rerun, Without
from dstamp_sim.analyses.reversals import Reversals
from dstamp_sim.analyses.together import SmallestSets
from dstamp_sim.analyses.what_if import Decision, Remedy, WhatIf
from dstamp_sim.core.properties import OF_WAITING, Property, PropertyKind
from dstamp_sim.core.schedule import CRASH, Choice
from dstamp_sim.core.trace import Trace

_MOST_LATE = 5
"""How many readings are tried after the end of another process at most, the latest first."""


class Causes:
    """The causes of one fact of a trace. Deterministic; bounded."""

    def __init__(self, what_if: WhatIf, conflicts: Conflicts, fact: Decision) -> None:
        self.what_if, self.conflicts, self.fact = what_if, conflicts, fact
        self.trace: Trace = what_if.trace
        self.accesses: Accesses = conflicts.accesses
        self.since = what_if.since(fact)
        self.reversals = Reversals(what_if, conflicts, fact)
        self.together = SmallestSets(self.reversals)

    @cached_property
    def answers(self) -> list[Cause]:
        """The causes that are single answers, latest first."""
        return [self._answer(remedy) for remedy in self.what_if.remedies(self.fact)]

    def found(self, took_help: Collection[int] = ()) -> Iterator[Cause]:
        """The causes, the most telling first; each is looked for only where those before it are not enough.

        `took_help` are steps to which went what somebody now waits for: what they found is asked of soon. Where one
        process alone, with the daemons, comes to the same, nothing of the others is a cause.
        """
        return (cause for cause in self._ranked(took_help) if self._concerns(cause))

    def _ranked(self, took_help: Collection[int]) -> Iterator[Cause]:
        yield from self._deaths()
        of_locks_last = sorted(self.answers, key=lambda cause: locks(self.trace.steps[cause.read]))
        windows = [self._apart(cause) for cause in of_locks_last if cause.window is not None]
        tried = [cause for cause in windows if cause.reruns]
        yield from _of_kind(CauseKind.ENVIRONMENT, tried)
        yield from self._lapses()
        yield from self.reversals.of_two(self.answers, took_help)
        yield from _of_kind(CauseKind.OVERWRITTEN, tried)
        stale = list(_of_kind(CauseKind.STALE, tried))
        yield from (cause for cause in stale if not self._waited(cause))
        yield from (cause for cause in self.answers if self._fault(cause))
        if self.alone is None:
            early = list(self._early())
            yield from (cause for cause in early if not self._waited(cause))
            yield from self._too_soon()
            yield from self.reversals.of_two(self.answers)
            yield from (cause for cause in (*stale, *early) if self._waited(cause))
        yield from self._environment()
        yield from self.together.left_out(self._suspects())
        if self.alone is None:
            yield from self.together.reversed()
            yield from self.reversals.in_turn()
        elif self.fact.process is not None:
            yield from (cause for cause in self.answers if cause.story is CauseKind.OWN and self._telling(cause))
        yield from _of_kind(CauseKind.CHANCE, self.answers)
        yield from self._did()

    def _concerns(self, cause: Cause) -> bool:
        """Whether a cause involves only processes without which the failure does not happen."""
        if self.alone is None:
            return True
        steps = [cause.read, cause.closes, *cause.others, *(n for n in (cause.opens, cause.write) if n is not None)]
        return {self._of(n) for n in steps if n >= 0} <= {self.alone[0], *self.trace.daemons}

    @cached_property
    def alone(self) -> tuple[str | None, tuple[Choice, ...]] | None:
        """A process of which, with the daemons, the same comes alone: it and all choices; None where there is none.

        In place of its name stands None where the daemons need nobody.
        """
        runs = [name for name in self.trace.processes if name not in self.trace.daemons]
        for name in [self.fact.process] if self.fact.process is not None else [None, *runs]:
            keep = {name, *self.trace.daemons}
            choices = tuple(step.choice for step in self.trace.steps[: self.since + 1] if step.process in keep)
            moves = any(choice.process == name for choice in choices) or (name is None and choices)
            if moves and (enough := self.what_if.brings_about(self.fact, choices)):
                return name, enough
        return None

    @property
    def _prop(self) -> Property:
        return next(prop for prop in self.what_if.asked if prop.name == self.fact.property)

    @cached_property
    def serially(self) -> tuple[tuple[str, ...], tuple[Choice, ...]] | None:
        """Processes that fail in the same way one after the other, and all choices; None if none were found.

        In such an order who is blocked comes later: where a serial order is asked for, it is none.
        """
        for order in () if self._prop.kind is PropertyKind.SERIAL else self.reversals.turns():
            if choices := self.what_if.serially(self.fact, order):
                return tuple(name for name in order if any(choice.process == name for choice in choices)), choices
        return None

    def through(self, cause: Cause) -> Cause | None:
        """The value that a daemon had got from a run before its step in `cause`, if that mattered too."""
        if cause.story is not CauseKind.ENVIRONMENT or cause.write is None:
            return None
        daemon, reader = self._of(cause.write), self._of(cause.read)
        daemons_orders = [
            c for c in self.answers if self._of(c.read) == daemon and c.story is CauseKind.ORDER and c.write is not None
        ]
        return next((c for c in daemons_orders if c.write is not None and self._of(c.write) != reader), None)

    def came_of(self, cause: Cause) -> tuple[int, Location] | None:
        """A later read that mattered, by the process with the result; or of a field that a daemon took back."""
        if cause.story is CauseKind.LAPSE and cause.location is not None and cause.write is not None:
            later = range(cause.write + 1, self.since + 1)
            place, write = cause.location, cause.write
            reads = (n for n in later if place in self.accesses[n].reads and self._of(n) != self._of(write))
            number = next(reads, None)
            same = number is not None and self.conflicts.writer(number, place) == write
            return (number, place) if number is not None and same else None
        for other in reversed(self.answers):
            location = self._looked_at(other.read)
            late = other.read > max(cause.closes, cause.read) and self._of(other.read) == self.fact.process
            if late and other.remedy is not None and location is not None:
                return other.read, location
        return None

    def chain(self, cause: Cause) -> tuple[tuple[int, Any], ...]:
        """The writes to the field of `cause` from the process's own to the one that was read, with their values."""
        assert cause.location is not None and cause.opens is not None and cause.write is not None
        writes = self.conflicts.writers(cause.location)
        numbers = writes[bisect_left(writes, cause.opens) : bisect_right(writes, cause.write)]
        return tuple((n, self.accesses.written(n, cause.location)) for n in numbers)

    def _deaths(self) -> Iterator[Cause]:
        for number in range(self.since, -1, -1):
            if self.trace.steps[number].choice.outcome == CRASH:
                yield from self._left_out(number, self._death(number))

    def _death(self, number: int) -> Cause:
        return Cause(CauseKind.DEATH, None, None, None, number, number)

    def _suspects(self) -> list[Cause]:
        """Every death, then every change that a daemon took back, the earliest first; none of them is tried."""
        steps = range(self.since + 1)
        deaths = [self._death(n) for n in steps if self.trace.steps[n].choice.outcome == CRASH]
        return [*deaths, *(cause for n in steps if (cause := self._lapse(n)) is not None)]

    def _lapses(self) -> Iterator[Cause]:
        """The changes of another process that daemons took back: a value restored, or a hold of the process changed.

        The daemon that does little else comes first: a clock before a worker.
        """
        candidates = [c for n in range(self.since, -1, -1) if (c := self._lapse(n)) is not None]
        does = Counter(self._of(n) for n in range(self.since + 1) if self.accesses[n].writes)
        for cause in sorted(candidates, key=lambda c: does[self._of(c.read)]):
            yield from self._left_out(cause.read, cause)

    def _environment(self) -> Iterator[Cause]:
        """Anything that a daemon did and that could be left out, the latest first."""
        for number in range(self.since, -1, -1):
            if (
                self._of(number) in self.trace.daemons
                and (place := self._wrote(number, self.trace.initial)) is not None
            ):
                yield from self._left_out(number, Cause(CauseKind.DID, place, None, number, number, number))

    def _wrote(self, number: int, targets: Collection[str]) -> Location | None:
        """The innermost field that a step changed in some objects and that is still there; None if there is none."""
        writes = sorted(self.accesses[number].writes, key=lambda place: -len(place.path))
        there = (place for place in writes if place.target in targets and self.accesses.is_there(number, place))
        return next((place for place in there if self.accesses.changes(number, place)), None)

    def _lapse(self, number: int) -> Cause | None:
        """The change that a daemon took back with a step, other than its own takes and releases; None if none."""
        step = self.trace.steps[number]
        if step.process not in self.trace.daemons or step.op is None or step.taken or step.dropped:
            return None
        for place in self.accesses[number].writes:
            over = self.conflicts.writer(number, place)
            if over is None or self._of(over) == step.process:
                continue
            states = self.accesses.value(over, place), self.accesses.written(over, place)
            if _took_back(*states, self.accesses.written(number, place)) or self._holds(over, number):
                return Cause(CauseKind.LAPSE, place, over, number, number, number)
        return None

    def _holds(self, taker: int, number: int) -> bool:
        """Whether the process of step `taker` took its object there and still holds it at step `number`."""
        held = (held for held in self.trace.holds() if held.since == taker)
        return any(one.until is None or one.until >= number for one in held)

    def _left_out(self, number: int, cause: Cause) -> Iterator[Cause]:
        if self.what_if.tired:
            return
        if choices := self.what_if.without(self.fact, (number,)):
            yield replace(cause, reruns=(Rerun(Without((number,)), choices),))

    def _answer(self, remedy: Remedy) -> Cause:
        number, step = remedy.number, self.trace.steps[remedy.number]
        if remedy.path is None:
            return Cause(CauseKind.CHANCE, None, None, None, number, number, remedy)
        location = Location(str(step.touched), remedy.path)
        writer = self.conflicts.writer(number, location)
        own = list(islice(self.conflicts.own_writes(number, location), 2))
        if writer is not None and self._of(writer) != step.process and own and self._at_once(own[0], writer, location):
            story = CauseKind.ENVIRONMENT if self._of(writer) in self.trace.daemons else CauseKind.OVERWRITTEN
            return Cause(story, location, own[0], writer, number, number, remedy)
        acts = None if remedy.blocked else self._acts(remedy)
        later = None if acts is None else self._overtaken(number, acts, location)
        if acts is not None and later is not None:
            return Cause(CauseKind.STALE, location, number, later, number, acts, remedy)
        if writer is not None and self._of(writer) != step.process:
            return Cause(CauseKind.ORDER, location, None, writer, number, number, remedy, kind=DependencyKind.WR)
        return Cause(CauseKind.OWN, location, self._over(own, location), writer, number, number, remedy)

    def _at_once(self, own: int, writer: int, location: Location) -> bool:
        """Whether `writer` changed what step `own` had written; one more step between them may have."""
        writes = self.conflicts.writers(location)
        between = writes[bisect_right(writes, own) : bisect_left(writes, writer)]
        return sum(self.accesses.changes(n, location) for n in between) <= 1

    def _acts(self, remedy: Remedy) -> int | None:
        """The step that acts on the result of step `number`: the first without whose effect all is well, or the first.

        None where none does.
        """
        found = self.what_if.acts(remedy.number, remedy.outcome, self.since)
        if found is None:
            return None
        process = self._of(found)
        later = (n for n in range(found, self.since + 1) if self._of(n) == process and self.accesses[n].writes)
        effective = (n for n in later if not locks(self.trace.steps[n]) and self.what_if.idle(self.fact, n))
        return next(effective, found)

    def _apart(self, cause: Cause) -> Cause:
        """The cause with the orders that keep its write out of its window, as far as they were tried and safe."""
        window = cause.window
        assert window is not None
        reruns = self.reversals.apart(window)
        if not reruns and cause.story is CauseKind.ENVIRONMENT:
            reruns = self._not_so(window.write)
        return replace(cause, reruns=reruns)

    def _not_so(self, number: int) -> tuple[Rerun, ...]:
        """A daemon's step with another outcome, or left out, where that helps."""
        other = next((c.remedy for c in self.answers if c.read == number and c.story is CauseKind.CHANCE), None)
        if other is not None and other.outcome is not None:
            return (Rerun(Came(number, other.outcome), other.choices),)
        choices = self.what_if.without(self.fact, (number,))
        return (Rerun(Without((number,)), choices),) if choices else ()

    def _fault(self, cause: Cause) -> bool:
        """Whether chance took another course than the usual one, the first."""
        return cause.story is CauseKind.CHANCE and self.trace.steps[cause.read].choice.outcome > 0

    def _telling(self, cause: Cause) -> bool:
        """Whether an own mistake is informative: not that a lock was free, or that an object existed.

        (A field that has fields itself says only that.)
        """
        assert cause.remedy is not None and cause.location is not None
        places = self.accesses.places(cause.read)
        whole = any(place.path[:-1] == cause.location.path and place != cause.location for place in places)
        return not cause.remedy.blocked and not whole

    def _early(self) -> Iterator[Cause]:
        """A reading that came too early, and those like it."""
        early = too_early(self.what_if, self.conflicts, self.fact, self._waited_for(), self._waiting)
        if early is not None:
            first, *others = early.readings
            rerun = Rerun(Moved(early.readings, early.write, later=True), early.choices)
            if self.reversals.is_moved(rerun):
                yield Cause(
                    CauseKind.EARLY, early.location, None, early.write, first, early.write,
                    others=tuple(others), reruns=(rerun,),
                )  # fmt: skip

    def _too_soon(self) -> Iterator[Cause]:
        """A reading that finds something else once another process has ended, which it had not when all failed."""
        if self.fact.property in OF_WAITING or self.since < 0:
            return
        going = [name for name in self.trace.processes if name not in {*self.trace.daemons, *self.trace.results}]
        reads = (n for n in range(self.since, -1, -1) if self._looked_at(n) and not self.accesses[n].writes)
        for number in islice(reads, _MOST_LATE):
            for name in going if self._of(number) not in self.trace.daemons else ():
                choices = self.what_if.after_end(self.fact, number, name) if name != self._of(number) else None
                if choices and self.what_if.answers_otherwise(number, choices):
                    place = self._looked_at(number)
                    assert place is not None
                    rerun, writer = Rerun(AfterEnd(number, name), choices), self.conflicts.writer(number, place)
                    yield Cause(CauseKind.EARLY, place, None, writer, number, number, reruns=(rerun,))

    def _waited(self, cause: Cause) -> bool:
        """Whether a reader stood waiting when the later write came: then what it had read was no mistake."""
        assert cause.write is not None
        return any(self._waiting(number, cause.write) for number in (cause.read, *cause.others))

    def _waiting(self, number: int, write: int) -> bool:
        """Whether the process of step `number` could not move before step `write`, and then went on.

        Who waits for a lock, or for something else to take, has not asked for news.
        """
        process, steps = self._of(number), self.trace.steps
        if self.what_if.can_move(process, write):
            return False
        following = next((step for step in steps[write:] if step.process == process), None)
        return following is not None and following.taken is None and not locks(following)

    def _waited_for(self) -> frozenset[str]:
        """The objects that a process waits for at the end, if that is the failure."""
        ops = self.trace.waiting.values() if self.fact.property in OF_WAITING else ()
        return frozenset(name for name in self.trace.initial for op in ops if op.startswith(f"{name}."))

    def _did(self) -> Iterator[Cause]:
        """The step that made it fail, or the last look before, if no order of processes prevents it."""
        if self.since < 0 or self.fact.property in OF_WAITING or (self.alone is None and self.serially is None):
            return
        yield from self._last_look()
        targets = {item.name for item in self._prop.reads}
        wrote = ((n, place) for n in range(self.since, -1, -1) if (place := self._wrote(n, targets)) is not None)
        for number, place in islice(wrote, 1):
            yield Cause(CauseKind.DID, place, None, number, number, number)
        returned = (n for n in range(self.since, -1, -1) if self.trace.steps[n].ended)
        yield from (Cause(CauseKind.DID, None, None, n, n, n) for n in islice(returned, 1))

    def _last_look(self) -> Iterator[Cause]:
        """The last reading of the process whose result it is that decides what the property looks at."""
        for number in range(self.since, -1, -1):
            location = self._looked_at(number)
            if (
                self._of(number) == self.fact.process
                and location is not None
                and not self.accesses[number].writes
                and self.what_if.is_told(self.fact, number)
            ):
                yield Cause(CauseKind.OWN, location, None, self.conflicts.writer(number, location), number, number)
                return

    def _looked_at(self, number: int) -> Location | None:
        """The innermost field that a step reads, unless it is a lock's; None where there is none."""
        if locks(self.trace.steps[number]):
            return None
        return max(self.accesses[number].reads, key=lambda place: len(place.path), default=None)

    def _over(self, own: list[int], location: Location) -> int | None:
        """The process's own write before its last one, if that one made a difference."""
        if len(own) < 2 or self.accesses.written(own[1], location) == self.accesses.written(own[0], location):
            return None
        return own[1]

    def _overtaken(self, number: int, acted: int, location: Location) -> int | None:
        """The first step between `number` and `acted` with which another process left something else in `location`."""
        writes = self.conflicts.writers(location)
        between = (n for n in writes[bisect_right(writes, number) : bisect_left(writes, acted)])
        found, others = (
            self.accesses.value(number, location),
            (n for n in between if self._of(n) != self._of(number)),
        )
        return next((n for n in others if self.accesses.written(n, location) != found), None)

    def _of(self, number: int) -> str:
        return self.trace.steps[number].process


def _of_kind(story: CauseKind, causes: Sequence[Cause]) -> Iterator[Cause]:
    return (cause for cause in causes if cause.story is story)


def _took_back(before: Any, between: Any, now: Any) -> bool:
    """Whether what changed from `between` to `now` is as it was `before`: the value, or these items of a tuple."""
    states = (before, between, now)
    if all(type(state) is tuple for state in states) and len({len(state) for state in states}) == 1:
        return between != now and all(n in (o, b) for b, o, n in zip(*states, strict=True))
    return bool(now == before != between)
