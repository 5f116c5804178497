"""The steps of a trace in another order, performed: two steps the other way round, or one process after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from dstamp_sim.analyses.accesses import Accesses
from dstamp_sim.analyses.cause_kinds import Cause, CauseKind
from dstamp_sim.analyses.conflicts import Conflicts, DependencyKind, locks
from dstamp_sim.analyses.fields import Location
from dstamp_sim.analyses.held import RaceWindow
from dstamp_sim.analyses.orders import begins, hurries, lets_go, waits
from dstamp_sim.analyses.reruns import InTurn, Moved, Rerun
from dstamp_sim.analyses.what_if import Decision, WhatIf
from dstamp_sim.core.schedule import Choice
from dstamp_sim.core.trace import Trace

MOST_PAIRS = 60
"""How many pairs of steps are tried in the other order at most, the latest first."""
_MOST_TURNS = 12
"""How many orders of whole processes are tried at most."""


class Reversals:
    """Other orders of a trace's steps in which one fact of it is gone. Deterministic; bounded."""

    def __init__(self, what_if: WhatIf, conflicts: Conflicts, fact: Decision) -> None:
        self.what_if, self.conflicts, self.fact = what_if, conflicts, fact
        self.trace: Trace = what_if.trace
        self.accesses: Accesses = conflicts.accesses
        self.since = what_if.since(fact)

    def apart(self, window: RaceWindow) -> tuple[Rerun, ...]:
        """The orders that keep the write of a window out of it, as far as they were tried and safe."""
        opens, write = begins(self.trace, window.opens), begins(self.trace, window.write)
        first = opens if locks(self.trace.steps[window.opens]) else window.opens  # no process enters before a release
        before = hurries(self.trace, opens, lets_go(self.trace, window.write), window.closes), first
        after = waits(self.trace, write, window.closes), window.closes
        tried = (
            self._safe(Moved((window.write,), other, later=other == window.closes), numbers)
            for numbers, other in (before, after)
        )
        return tuple(rerun for rerun in tried if rerun is not None)

    def of_two(self, answers: Sequence[Cause], after: Collection[int] | None = None) -> Iterator[Cause]:
        """Two steps of different processes on one field that do no harm the other way round, the latest first.

        Those of single `answers` come before the others. With `after`, only those whose second step is in it.
        """
        candidates = [
            c for c in answers if c.story is CauseKind.ORDER and c.write is not None and c.location is not None
        ]
        pairs = dict.fromkeys((c.write, c.read, c.location, DependencyKind.WR) for c in candidates)
        pairs |= dict.fromkeys((first, last, place, kind) for first, last, place, kind in self.on_one_field())
        asked = (pair for pair in pairs if after is None or pair[1] in after)
        for first, last, place, kind in islice(asked, MOST_PAIRS):
            assert first is not None and place is not None
            if self.what_if.tired:
                return
            rerun = self._other_way(first, last)
            if rerun is not None:
                yield Cause(CauseKind.ORDER, place, None, first, last, last, reruns=(rerun,), kind=kind)

    def _other_way(self, first: int, last: int) -> Rerun | None:
        """Step `last` before step `first`, if that is possible and safe: one waits, or the other hurries."""
        start = begins(self.trace, first)
        later = self._safe(Moved((first,), last, later=True), waits(self.trace, start, last))
        sooner = hurries(self.trace, start, lets_go(self.trace, last), last)
        return later or self._safe(Moved((last,), first, later=False), sooner)

    def _safe(self, moved: Moved, numbers: Sequence[int]) -> Rerun | None:
        """The rerun of an order, if it is possible and safe and moves the right steps."""
        choices = self.what_if.in_order(self.fact, numbers)
        rerun = Rerun(moved, choices) if choices else None
        return rerun if rerun is not None and self.is_moved(rerun) else None

    def is_moved(self, rerun: Rerun) -> bool:
        """Whether the steps that are moved are performed at all, and in that order."""
        assert isinstance(rerun.change, Moved)
        where = [self.where(n, rerun.choices) for n in (*rerun.change.steps, rerun.change.other)]
        if None in where:
            return False
        *mine, its = [n for n in where if n is not None]
        return all((n > its) == rerun.change.later for n in mine)

    def where(self, number: int, choices: Sequence[Choice]) -> int | None:
        """The place of a step among other choices: after as many moves of its process; None if it is missing."""
        step = self.trace.steps[number]
        moves = sum(s.process == step.process for s in self.trace.steps[:number])
        places = islice((n for n, choice in enumerate(choices) if choice.process == step.process), moves, None)
        place = next(places, None)
        same = place is not None and choices[place] == step.choice and self.what_if.ops(choices)[place] == step.op
        return place if same else None

    def on_one_field(self) -> Iterator[tuple[int, int, Location, DependencyKind]]:
        """Steps of different processes, one after the other on one field, at least one of which writes it."""
        for last in range(self.since, -1, -1):
            access = self.accesses[last]
            for place in sorted(dict.fromkeys((*access.writes, *access.reads)), key=lambda p: -len(p.path)):
                writer = self.conflicts.writer(last, place)
                if writer is not None and self._process(writer) != self._process(last):
                    yield writer, last, place, DependencyKind.WR if place in access.reads else DependencyKind.WW
                if place in access.writes:
                    reader = self._reader(last, place, -1 if writer is None else writer)
                    if reader is not None and self.accesses.changes(last, place):
                        yield reader, last, place, DependencyKind.RW

    def _reader(self, number: int, place: Location, since: int) -> int | None:
        """The last step of another process between `since` and `number` that read a field; None if there is none."""
        between = range(number - 1, since, -1)
        others = (n for n in between if self._process(n) != self._process(number) and place in self.accesses[n].reads)
        return next((n for n in others if place not in self.accesses[n].writes), None)

    def in_turn(self) -> Iterator[Cause]:
        """One process after the other, if that is safe."""
        for order in self.turns():
            if choices := self.what_if.in_turn(self.fact, order):
                rerun = Rerun(InTurn(order), choices)
                yield Cause(CauseKind.TURN, None, None, None, self.since, self.since, reruns=(rerun,))

    def turns(self) -> Iterator[tuple[str, ...]]:
        """Orders of the processes that move in the trace, but for daemons: as they began, each first, each last."""
        began = tuple(dict.fromkeys(s.process for s in self.trace.steps if s.process not in self.trace.daemons))
        others = [tuple(name for name in began if name != one) for one in began]
        first = [(one, *rest) for one, rest in zip(began, others, strict=True)]
        last = [(*rest, one) for one, rest in zip(began, others, strict=True)]
        return islice(dict.fromkeys((began, *first, *last)), _MOST_TURNS if len(began) > 1 else 0)

    def _process(self, number: int) -> str:
        return self.trace.steps[number].process
