"""A cause as claims: what happened, its result, and the change that was tried. The claims have the words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dstamp_sim.analyses.cause_kinds import Cause, CauseKind
from dstamp_sim.analyses.causes import Causes
from dstamp_sim.analyses.claims import (
    Alone,
    CameOut,
    Claim,
    Did,
    Died,
    Early,
    Fails,
    Lapsed,
    Lost,
    Overwrote,
    Read,
    Returned,
    Saw,
    Serially,
    Stale,
    StillFrom,
    TriedAndSafe,
    Undid,
)
from dstamp_sim.analyses.conflicts import DependencyKind
from dstamp_sim.analyses.reruns import Answered, Came, Rerun
from dstamp_sim.core.schedule import Choice


@dataclass(frozen=True)
class Account:
    """The claims of one cause: what happened, what before, the result, and why it is the cause.

    `because` is a rerun that was safe; or, if nothing keeps the failure away, that it happens without others.
    """

    happened: tuple[Claim, ...]
    before: tuple[Claim, ...]
    came_of: tuple[Claim, ...]
    because: Claim | None


class Teller:
    """Makes claims of the causes of a trace's fact."""

    def __init__(self, causes: Causes) -> None:
        self.causes, self.trace = causes, causes.trace
        self.accesses, self.conflicts = causes.accesses, causes.conflicts
        fact = causes.fact
        self.fails = Fails(fact.property, fact.process, fact.wish, causes.since)

    def account(self, cause: Cause) -> Account:
        """The claims of a cause."""
        through = self.causes.through(cause)
        happened = (*self._happened(cause), *self._torn(cause))
        before = tuple(self._happened(through)) if through is not None else ()
        came = self.causes.came_of(cause)
        found = [Saw(came[0], came[1], self.accesses.value(came[0], came[1]))] if came else []
        return Account(happened, before, (*found, self.fails), self._because(cause))

    def suffices(self) -> Claim | None:
        """That it also happens with one process alone, or with one after the other; None if neither was found."""
        if self.causes.alone is not None:
            return self._alone(self.causes.alone[1])
        if self.causes.serially is None:
            return None
        order, choices = self.causes.serially
        return Serially(self.fails, order, choices) if len(order) > 1 else self._alone(choices)

    def _alone(self, choices: Sequence[Choice]) -> Alone:
        movers = {choice.process for choice in choices}
        return Alone(self.fails, tuple(name for name in self.trace.daemons if name in movers), choices)

    def _because(self, cause: Cause) -> Claim | None:
        if cause.reruns:
            return TriedAndSafe(self.fails, cause.reruns)
        if cause.remedy is not None:
            number, outcome = cause.remedy.number, cause.remedy.outcome
            chance = cause.story is CauseKind.CHANCE and outcome is not None
            change = Came(number, outcome) if chance and outcome is not None else Answered(number, outcome)
            return TriedAndSafe(self.fails, (Rerun(change, cause.remedy.choices),))
        return self.suffices()

    def _happened(self, cause: Cause) -> Iterator[Claim]:
        match cause.story:
            case CauseKind.DEATH:
                yield self._died(cause.read)
            case CauseKind.TOGETHER:
                yield from (claim for part in cause.parts for claim in self._happened(part))
            case CauseKind.LAPSE:
                yield self._lapsed(cause)
            case CauseKind.ENVIRONMENT | CauseKind.OVERWRITTEN:
                assert cause.location is not None
                yield Lost(cause.read, cause.location, self.causes.chain(cause))
            case CauseKind.STALE:
                yield self._stale(cause)
            case CauseKind.CHANCE:
                assert cause.remedy is not None and cause.remedy.outcome is not None
                step = self.trace.steps[cause.read]
                yield CameOut(cause.read, step.result, step.label, cause.remedy.outcome)
            case CauseKind.EARLY if cause.write is not None and cause.write > cause.read:
                yield self._early(cause, (cause.read, *cause.others), cause.write)
            case CauseKind.ORDER:
                yield self._order(cause)
            case CauseKind.OWN | CauseKind.EARLY:
                yield self._own(cause)
            case CauseKind.DID:
                yield from self._did(cause)
            case CauseKind.TURN:
                return

    def _died(self, number: int) -> Claim:
        state, pid = self.causes.what_if.states[number], self.causes.what_if.pid(self.trace.steps[number].process)
        node = self.causes.what_if.semantics.node(state, pid)
        assert node is not None and node.op is not None
        return Died(number, node.op)

    def _lapsed(self, cause: Cause) -> Claim:
        assert cause.location is not None and cause.write is not None and cause.opens is not None
        place, now = cause.location, self.accesses.written(cause.write, cause.location)
        if self.trace.steps[cause.opens].taken is not None:
            return Lapsed(cause.write, place.target, cause.opens)
        return Undid(cause.write, place, self.accesses.value(cause.write, place), now, cause.opens)

    def _stale(self, cause: Cause) -> Claim:
        assert cause.location is not None and cause.write is not None and cause.remedy is not None
        value, now = (
            self.accesses.value(cause.read, cause.location),
            self.accesses.written(cause.write, cause.location),
        )
        return Stale(cause.read, cause.location, value, cause.write, now, cause.closes, cause.remedy.outcome)

    def _early(self, cause: Cause, reads: tuple[int, ...], write: int | None) -> Claim:
        assert cause.location is not None and write is not None
        value = self.accesses.value(reads[0], cause.location)
        result, now = self.trace.steps[reads[0]].result, self.accesses.written(write, cause.location)
        return Early(reads, cause.location, value, result, write, now)

    def _order(self, cause: Cause) -> Claim:
        """Step `write` came first, then step `read`."""
        assert cause.location is not None and cause.write is not None
        if cause.kind is DependencyKind.RW:
            return self._early(cause, (cause.write,), cause.read)
        value = self.accesses.value(cause.read, cause.location)
        if cause.kind is DependencyKind.WW:
            return Overwrote(cause.read, cause.location, value, cause.write)
        return Read(cause.read, cause.location, value, cause.write)

    def _own(self, cause: Cause) -> Claim:
        assert cause.location is not None
        if cause.opens is not None and cause.write is not None:
            return Lost(cause.read, cause.location, self.causes.chain(cause))
        return Read(cause.read, cause.location, self.accesses.value(cause.read, cause.location), cause.write)

    def _did(self, cause: Cause) -> Iterator[Claim]:
        step = self.trace.steps[cause.read]
        if cause.location is not None:
            yield Did(cause.read, cause.location, self.accesses.written(cause.read, cause.location))
        elif step.ended:
            yield Returned(cause.read, step.returned)

    def _torn(self, cause: Cause) -> Iterator[Claim]:
        """The part that the reader found still as it had written it itself: a torn read."""
        if cause.opens is None or cause.location is None or cause.story is not CauseKind.OVERWRITTEN:
            return
        mine = [n for n in range(cause.read + 1, len(self.trace.steps)) if self._of(n) == self._of(cause.read)]
        used = next((n for n in mine if self.accesses[n].writes), 0)
        found = [torn for n in mine if n < used for torn in self._still_own(n, cause, cause.opens)]
        yield from found[-1:]

    def _still_own(self, number: int, cause: Cause, opened: int) -> Iterator[Claim]:
        """A step's reading of a field, beside the one of `cause`, that was written in the stretch of step `opened`."""
        assert cause.location is not None
        for place in self.accesses[number].reads:
            writer = self.conflicts.writer(number, place)
            beside = place.target == cause.location.target and place != cause.location
            if not beside or writer is None or self._of(writer) != self._of(opened):
                continue
            if self.trace.steps[writer].sections == self.trace.steps[opened].sections != ():
                yield StillFrom(number, place, self.accesses.value(number, place), writer)
                return

    def _of(self, number: int) -> str:
        return self.trace.steps[number].process
