"""The cause of a failure: the one thing without which it would not have happened, as a colleague would name it.

Nothing here knows a model. A cause mattered when the system was performed differently (`what_if`). Its story is the
first of these that applies:

- *death*: a process died, and all is well if it does not;
- *environment*: a process had written a field itself, and read there what a daemon wrote since;
- *lapse*: a daemon took back what another process had written, or changed what it held;
- *overwritten*: a process had written a field itself, and read there what another wrote since;
- *stale*: it acted on what it had read, though another had changed that meanwhile (who waited for that change comes
  after all that is single);
- *chance*: one of several outcomes that its environment decides; the usual one, its first, only where nothing else is;
- *early*: it did not wait for what another wrote later, and neither did others that did the same;
- *order*: two steps of different processes on one field, which in the other order do no harm;
- *own*: what it read it had written itself, or nobody had, and no other process is needed;
- *together*: the fewest deaths, or things that daemons took back, each of which is enough alone; or the fewest orders
  of two steps that do no harm the other way round, all at once;
- *turn*: nothing single; but with one process after the other all is well;
- *did*: a step of a daemon that could be left out; or the step with which it came about, where that comes about with
  one process after the other, too.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import combinations, islice, takewhile
from typing import Any

from dstamp_sim.analyses.accesses import Accesses
from dstamp_sim.analyses.conflicts import Conflicts, DependencyKind, locks
from dstamp_sim.analyses.early import too_early
from dstamp_sim.analyses.fields import Location
from dstamp_sim.analyses.held import RaceWindow
from dstamp_sim.analyses.orders import begins, hurries, lets_go, reversed_all, waits
from dstamp_sim.analyses.trials import Came, InTurn, Moved, Together, Trial, Without
from dstamp_sim.analyses.what_if import Decision, Remedy, WhatIf
from dstamp_sim.core.properties import OF_WAITING
from dstamp_sim.core.schedule import CRASH, Choice
from dstamp_sim.core.trace import Trace

MOST_PAIRS = 60
"""How many pairs of steps are tried in the other order at most, the latest first."""
_MOST_TURNS = 12
"""How many orders of whole processes are tried at most."""
MOST_SETS = 200
"""How many sets are tried at most, the smallest first; after them one set is made smaller while that helps."""
_MOST_CANDIDATES = 20
"""Of how many orders of two steps sets are made at most."""
_MOST_ORDERS = 3
"""How many orders a sentence has room for; where it takes more, one process after the other is said."""


class CauseKind(Enum):
    """The kinds of cause, the most telling first."""

    DEATH = "death"
    ENVIRONMENT = "environment"
    LAPSE = "lapse"
    OVERWRITTEN = "overwritten"
    STALE = "stale"
    CHANCE = "chance"
    EARLY = "early"
    ORDER = "order"
    OWN = "own"
    TOGETHER = "together"
    TURN = "turn"
    DID = "did"


@dataclass(frozen=True)
class Cause:
    """The decisive step `read` and the field that it read, the writer of that, and the window around it.

    `opens` is the process's own step before: its write that was lost, or the reading that went stale; `closes` the step
    at which it looked again or acted. Step numbers count from 0; None where there is no such step. A reading that came
    too early has its `write` later, and beside it the readings of `others` that did the same. `trials` were performed,
    and the failure was gone; without any, `remedy` is the answer with which it was. `parts` are causes that make a
    difference only together.
    """

    story: CauseKind
    location: Location | None
    opens: int | None
    write: int | None
    read: int
    closes: int
    remedy: Remedy | None = None
    others: tuple[int, ...] = ()
    trials: tuple[Trial, ...] = ()
    kind: DependencyKind | None = None
    parts: tuple[Cause, ...] = ()

    @property
    def window(self) -> RaceWindow | None:
        """From `opens` to `closes`, with the write inside; None where there is none."""
        if self.story not in (CauseKind.ENVIRONMENT, CauseKind.OVERWRITTEN, CauseKind.STALE):
            return None
        return None if self.opens is None or self.write is None else RaceWindow(self.opens, self.write, self.closes)


class Causes:
    """The causes of one fact of a trace. Deterministic; bounded."""

    def __init__(self, what_if: WhatIf, conflicts: Conflicts, fact: Decision) -> None:
        self.what_if, self.conflicts, self.fact = what_if, conflicts, fact
        self.trace: Trace = what_if.trace
        self.accesses: Accesses = conflicts.accesses
        self.since = what_if.since(fact)
        self.left_sets = False
        """Whether there were more sets of causes than were tried, so that a smaller one may be missed."""

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
        windows = [self._apart(cause) for cause in self.answers if cause.window is not None]
        tried = [cause for cause in windows if cause.trials]
        yield from _of_kind(CauseKind.ENVIRONMENT, tried)
        yield from self._lapses()
        yield from self._orders(took_help)
        yield from _of_kind(CauseKind.OVERWRITTEN, tried)
        stale = list(_of_kind(CauseKind.STALE, tried))
        yield from (cause for cause in stale if not self._waited(cause))
        yield from (cause for cause in self.answers if self._fault(cause))
        if self.alone is None:
            early = list(self._early())
            yield from (cause for cause in early if not self._waited(cause))
            yield from self._orders()
            yield from (cause for cause in (*stale, *early) if self._waited(cause))
        yield from self._environment()
        yield from self._together()
        if self.alone is None:
            yield from self._orders_together()
            yield from self._in_turn()
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
            if moves and self.what_if.comes_about(self.fact, choices):
                return name, choices
        return None

    @cached_property
    def serially(self) -> tuple[tuple[str, ...], tuple[Choice, ...]] | None:
        """An order of the processes, one after the other, that fails in the same way; None if none was found."""
        for order in self._turns():
            if choices := self.what_if.serially(self.fact, order):
                return order, choices
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
        return next((place for place in there if self._changes(number, place)), None)

    def _lapse(self, number: int) -> Cause | None:
        """The change that a daemon took back with a step, other than its own takes and releases; None if none."""
        step = self.trace.steps[number]
        if step.process not in self.trace.daemons or step.op is None or step.taken or step.dropped:
            return None
        for place in self.accesses[number].writes:
            over = self.conflicts.writer(number, place)
            if over is None or self._of(over) == step.process:
                continue
            undone = self.accesses.written(number, place) == self.accesses.value(over, place)
            if (undone and self._changes(over, place)) or self._holds(over, number):
                return Cause(CauseKind.LAPSE, place, over, number, number, number)
        return None

    def _changes(self, number: int, place: Location) -> bool:
        return bool(self.accesses.written(number, place) != self.accesses.value(number, place))

    def _holds(self, taker: int, number: int) -> bool:
        """Whether the process of step `taker` took its object there and still holds it at step `number`."""
        held = (held for held in self.trace.holds() if held.since == taker)
        return any(one.until is None or one.until >= number for one in held)

    def _left_out(self, number: int, cause: Cause) -> Iterator[Cause]:
        if self.what_if.tired:
            return
        if choices := self.what_if.without(self.fact, (number,)):
            yield replace(cause, trials=(Trial(Without((number,)), choices),))

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
        return sum(self._changes(n, location) for n in between) <= 1

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
        opens, write = begins(self.trace, window.opens), begins(self.trace, window.write)
        first = opens if locks(self.trace.steps[window.opens]) else window.opens  # no process enters before a release
        before = hurries(self.trace, opens, lets_go(self.trace, window.write), window.closes), first
        after = waits(self.trace, write, window.closes), window.closes
        trials = []
        for numbers, other in (before, after):
            moved = Moved((window.write,), other, later=other == window.closes)
            if trial := self._safe(moved, numbers):
                trials.append(trial)
        if not trials and cause.story is CauseKind.ENVIRONMENT:
            trials = self._not_so(window.write)
        return replace(cause, trials=tuple(trials))

    def _is_moved(self, trial: Trial) -> bool:
        """Whether the steps that are moved are performed at all, and in that order."""
        assert isinstance(trial.change, Moved)
        where = [self._where(n, trial.choices) for n in (*trial.change.steps, trial.change.other)]
        if None in where:
            return False
        *mine, its = [n for n in where if n is not None]
        return all((n > its) == trial.change.later for n in mine)

    def _where(self, number: int, choices: Sequence[Choice]) -> int | None:
        """The place of a step among other choices: after as many moves of its process; None if it is missing."""
        step = self.trace.steps[number]
        moves = sum(s.process == step.process for s in self.trace.steps[:number])
        places = islice((n for n, choice in enumerate(choices) if choice.process == step.process), moves, None)
        place = next(places, None)
        same = place is not None and choices[place] == step.choice and self.what_if.ops(choices)[place] == step.op
        return place if same else None

    def _not_so(self, number: int) -> list[Trial]:
        """A daemon's step with another outcome, or left out, where that helps."""
        other = next((c.remedy for c in self.answers if c.read == number and c.story is CauseKind.CHANCE), None)
        if other is not None and other.outcome is not None:
            return [Trial(Came(number, other.outcome), other.choices)]
        choices = self.what_if.without(self.fact, (number,))
        return [Trial(Without((number,)), choices)] if choices else []

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
            trial = Trial(Moved(early.readings, early.write, later=True), early.choices)
            if self._is_moved(trial):
                yield Cause(
                    CauseKind.EARLY, early.location, None, early.write, first, early.write,
                    others=tuple(others), trials=(trial,),
                )  # fmt: skip

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

    def _orders(self, after: Collection[int] | None = None) -> Iterator[Cause]:
        """Two steps of different processes on one field that do no harm the other way round, the latest first.

        With `after`, only those whose second step is in it.
        """
        candidates = [
            c for c in self.answers if c.story is CauseKind.ORDER and c.write is not None and c.location is not None
        ]
        pairs = dict.fromkeys((c.write, c.read, c.location, DependencyKind.WR) for c in candidates)
        pairs |= dict.fromkeys((first, last, place, kind) for first, last, place, kind in self._on_one_field())
        asked = (pair for pair in pairs if after is None or pair[1] in after)
        for first, last, place, kind in islice(asked, MOST_PAIRS):
            assert first is not None and place is not None
            if self.what_if.tired:
                return
            trial = self._other_way(first, last)
            if trial is not None:
                yield Cause(CauseKind.ORDER, place, None, first, last, last, trials=(trial,), kind=kind)

    def _other_way(self, first: int, last: int) -> Trial | None:
        """Step `last` before step `first`, if that is possible and safe: one waits, or the other hurries."""
        start = begins(self.trace, first)
        later = self._safe(Moved((first,), last, later=True), waits(self.trace, start, last))
        sooner = hurries(self.trace, start, lets_go(self.trace, last), last)
        return later or self._safe(Moved((last,), first, later=False), sooner)

    def _safe(self, moved: Moved, numbers: Sequence[int]) -> Trial | None:
        """The trial of an order, if it is possible and safe and moves the right steps."""
        choices = self.what_if.in_order(self.fact, numbers)
        trial = Trial(moved, choices) if choices else None
        return trial if trial is not None and self._is_moved(trial) else None

    def _on_one_field(self) -> Iterator[tuple[int, int, Location, DependencyKind]]:
        """Steps of different processes, one after the other on one field, at least one of which writes it."""
        for last in range(self.since, -1, -1):
            access = self.accesses[last]
            for place in sorted(dict.fromkeys((*access.writes, *access.reads)), key=lambda p: -len(p.path)):
                writer = self.conflicts.writer(last, place)
                if writer is not None and self._of(writer) != self._of(last):
                    yield writer, last, place, DependencyKind.WR if place in access.reads else DependencyKind.WW
                if place in access.writes:
                    reader = self._reader(last, place, -1 if writer is None else writer)
                    if reader is not None and self._changes(last, place):
                        yield reader, last, place, DependencyKind.RW

    def _reader(self, number: int, place: Location, since: int) -> int | None:
        """The last step of another process between `since` and `number` that read a field; None if there is none."""
        between = range(number - 1, since, -1)
        others = (n for n in between if self._of(n) != self._of(number) and place in self.accesses[n].reads)
        return next((n for n in others if place not in self.accesses[n].writes), None)

    def _together(self) -> Iterator[Cause]:
        """The fewest deaths, or things that daemons took back, each of which does harm alone."""
        deaths = [self._death(n) for n in range(self.since + 1) if self.trace.steps[n].choice.outcome == CRASH]
        taken = [cause for n in range(self.since + 1) if (cause := self._lapse(n)) is not None]
        for parts in self._sets([*deaths, *taken]):
            numbers = tuple(sorted(part.read for part in parts))
            if choices := self.what_if.without(self.fact, numbers):
                trial = Trial(Without(numbers), choices)
                first = numbers[0]
                yield Cause(CauseKind.TOGETHER, None, None, None, first, first, trials=(trial,), parts=parts)

    def _sets(self, single: Sequence[Cause], smallest: int = 2) -> Iterator[tuple[Cause, ...]]:
        """Sets of them, the smallest first; `left_sets` is set where there are more than may be tried."""
        sizes = range(smallest, len(single) + 1)
        sets = (parts for size in sizes for parts in combinations(single, size))
        for number, parts in enumerate(sets):
            if number == MOST_SETS or self.what_if.tired:
                self.left_sets = True
                return
            yield parts

    def _orders_together(self) -> Iterator[Cause]:
        """The fewest orders of two steps that do no harm the other way round, all at once.

        First those of which a safe order of whole processes is made, then the latest; whoever has not ended then goes
        on in that order, too. One is tried, then sets of two and of three; where these are too many, all of which that
        order is made, and then fewer while that is safe.
        """
        found = {(first, last): (place, kind) for first, last, place, kind in self._on_one_field()}
        turn = next(self._in_turn(), None)
        made = dict.fromkeys(self._reversed_in_turn(found, turn))
        orders = [
            Cause(CauseKind.ORDER, found[pair][0], None, pair[0], pair[1], pair[1], kind=found[pair][1])
            for pair in islice(dict.fromkeys((*made, *found)), _MOST_CANDIDATES)
        ]
        self.left_sets = self.left_sets or len(found) > _MOST_CANDIDATES
        sets = takewhile(lambda parts: len(parts) <= _MOST_ORDERS, self._sets(orders, smallest=1))
        together = (cause for parts in sets if (cause := self._all_at_once(parts, turn)) is not None)
        if (cause := next(together, None)) is None:
            cause = self._fewer([order for order in orders if (order.write, order.read) in made], turn)
        if cause is not None and len(cause.parts) <= _MOST_ORDERS:
            yield cause

    def _reversed_in_turn(self, pairs: Iterable[tuple[int, int]], turn: Cause | None) -> list[tuple[int, int]]:
        """Those pairs of steps that a safe order of whole processes has the other way round."""
        if turn is None:
            return []
        where = {n: self._where(n, turn.trials[0].choices) for n in range(self.since + 1)}
        performed = [(first, last, where[first], where[last]) for first, last in pairs]
        return [(first, last) for first, last, a, b in performed if a is not None and b is not None and b < a]

    def _all_at_once(self, parts: Sequence[Cause], turn: Cause | None) -> Cause | None:
        """These orders, where all of them the other way round are possible and safe."""
        change = turn.trials[0].change if turn is not None else None
        processes = change.processes if isinstance(change, InTurn) else ()
        parts = sorted(parts, key=lambda part: part.read)
        pairs = [(part.write, part.read) for part in parts if part.write is not None]
        numbers = reversed_all(self.trace, pairs)
        choices = self.what_if.as_far_as_can_be(self.fact, numbers, processes) if numbers is not None else None
        if choices is None:
            return None
        moved = tuple(Moved((last,), first, later=False) for first, last in pairs)
        if not all(self._is_moved(Trial(change, choices)) for change in moved):
            return None
        if len(parts) == 1:
            return replace(parts[0], trials=(Trial(moved[0], choices),))
        trial = Trial(Together(moved), choices)
        first = parts[0].read
        return Cause(CauseKind.TOGETHER, None, None, None, first, first, trials=(trial,), parts=tuple(parts))

    def _fewer(self, orders: Sequence[Cause], turn: Cause | None) -> Cause | None:
        """All of these orders, and then each left out without which the others are enough."""
        found = self._all_at_once(orders, turn) if orders else None
        for order in orders:
            if found is not None and not self.what_if.tired and len(found.parts) > 1:
                found = self._all_at_once([part for part in found.parts if part is not order], turn) or found
        return found

    def _in_turn(self) -> Iterator[Cause]:
        """One process after the other, if that is safe."""
        for order in self._turns():
            if choices := self.what_if.in_turn(self.fact, order):
                trial = Trial(InTurn(order), choices)
                yield Cause(CauseKind.TURN, None, None, None, self.since, self.since, trials=(trial,))

    def _turns(self) -> Iterator[tuple[str, ...]]:
        """Orders of the processes that move in the trace, but for daemons: as they began, each first, each last."""
        began = tuple(dict.fromkeys(s.process for s in self.trace.steps if s.process not in self.trace.daemons))
        others = [tuple(name for name in began if name != one) for one in began]
        first = [(one, *rest) for one, rest in zip(began, others, strict=True)]
        last = [(*rest, one) for one, rest in zip(began, others, strict=True)]
        return islice(dict.fromkeys((began, *first, *last)), _MOST_TURNS if len(began) > 1 else 0)

    def _did(self) -> Iterator[Cause]:
        """The step that made it fail, or the last look before, if no order of processes prevents it."""
        if self.since < 0 or self.fact.property in OF_WAITING or (self.alone is None and self.serially is None):
            return
        yield from self._last_look()
        prop = next(prop for prop in self.what_if.asked if prop.name == self.fact.property)
        targets = {item.name for item in prop.reads}
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
