"""The sentence a colleague would say: the cause, the lock that did not help, and the change that was tried and is safe.

Nothing here knows a model: `causes` finds the cause, `sentence` makes claims of it, `verify` tests them, and only
verified claims are said; lock and cycle are added here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice

from dstamp_sim.analyses.accesses import Accesses
from dstamp_sim.analyses.cause_kinds import Cause, CauseKind
from dstamp_sim.analyses.causes import Causes
from dstamp_sim.analyses.claims import AtOnce, Began, CameOut, Claim, Depends, TriedAndSafe, circle
from dstamp_sim.analyses.conflicts import Conflicts, Cycle, Dependency, DependencyKind, locks
from dstamp_sim.analyses.deadlock import Deadlock, deadlock_in, never_past
from dstamp_sim.analyses.fields import Location
from dstamp_sim.analyses.going_round import told
from dstamp_sim.analyses.held import Gap, KeepingOut
from dstamp_sim.analyses.hold_claims import WentTo
from dstamp_sim.analyses.reruns import Answered
from dstamp_sim.analyses.sentence import Account, Teller
from dstamp_sim.analyses.speech import When
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.trap_claims import NeverPast
from dstamp_sim.analyses.verify import Narrator
from dstamp_sim.analyses.what_if import Decision, WhatIf
from dstamp_sim.core.properties import OF_WAITING, Property, PropertyKind
from dstamp_sim.core.serial import orders_compared
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace


@dataclass(frozen=True)
class Explanation:
    """Why a trace came out as it did: sentences for people, and the steps that they speak of for pictures.

    `gap` is where a lock was missing, `waits` are those of a deadlock. `cycle` is the one in `proof`, if any.
    `claims` are all verified claims, `dropped` the others, which are not said, each with the objection.
    `conflicts` are the trace's conflicts, for pictures.
    """

    fact: Decision | None
    cause: Cause | None
    what: str
    lock: str = ""
    right: str = ""
    proof: str = ""
    cycle: Cycle | None = None
    gap: Gap | None = None
    waits: Deadlock | None = None
    claims: tuple[Claim, ...] = ()
    dropped: tuple[tuple[Claim, str], ...] = field(default=(), repr=False)
    conflicts: Conflicts | None = field(default=None, repr=False, compare=False)

    @property
    def sentence(self) -> str:
        """All of it as running text."""
        return " ".join(_stopped(part) for part in (self.what, self.lock, self.right) if part)


def step_number(number: int) -> str:
    """The moment of a step of an untimed trace."""
    return f"at step {number + 1}"


def explain(
    system: System, trace: Trace, *, about: Property | None = None, process: str | None = None, when: When = step_number
) -> Explanation:
    """Why `trace`, a trace of `system`, came out as it did. Deterministic; effort bounded.

    It explains the first failure; the failure of the property `about` if set (also a wish that was reached), and of the
    result of `process` if set. Raises ScheduleError when the trace is not one of the system.
    """
    system = system.with_start(trace.start)
    if trace.loop is not None and (about is None or about.in_time):
        return _going_round(system, trace, about, when)
    accesses = Accesses(trace)
    asked = [prop for prop in system.checked_properties if prop is about or not (prop.is_wish or prop.asks_ahead)]
    if about is None:
        asked += [prop for prop in system.checked_properties if prop.asks_ahead and not prop.in_time]
    what_if = WhatIf(system, trace, accesses, asked)
    facts = [
        fact
        for fact in what_if.facts
        if (about is None or fact.property == about.name) and (process is None or fact.process in (None, process))
    ]
    if not facts and about is not None and about.asks_ahead and not about.in_time:
        return Explanation(None, None, "Too much can follow this trace to see whether it ends in a trap")
    if not facts:
        return Explanation(None, None, "Nothing went wrong in this trace")
    ahead = {prop.name for prop in asked if prop.asks_ahead}
    first = min(facts, key=lambda fact: fact.property in ahead)  # what failed, before what cannot come any more
    causes = Causes(what_if, Conflicts(trace, accesses), first)
    narrator = Narrator(Record(system, trace), when)
    explained = _with_start(_Explainer(causes, narrator, when).explain(), trace, narrator)
    return _with_orders(explained, what_if, next(prop for prop in asked if prop.name == first.property))


def _with_start(explanation: Explanation, trace: Trace, narrator: Narrator) -> Explanation:
    """The explanation, and how it began where that was not given."""
    began = narrator.tell((Began(name, trace.initial[name]) for name in trace.start), between=". ")
    if not began:
        return explanation
    what = ". ".join(part for part in (explanation.what, began) if part)
    return replace(explanation, what=what, claims=tuple(narrator.said))


def _with_orders(explanation: Explanation, what_if: WhatIf, prop: Property) -> Explanation:
    """The explanation, and the serial orders that were compared where the property asks for one."""
    if prop.kind is not PropertyKind.SERIAL:
        return explanation
    semantics, last = what_if.semantics, what_if.states[-1]
    left = dict(zip((item.name for item in semantics.shared), last.shared, strict=True))
    orders = orders_compared(semantics.system, prop, semantics.results(last), left)
    return replace(explanation, what=". ".join(part for part in (explanation.what, orders) if part))


def _going_round(system: System, trace: Trace, about: Property | None, when: When) -> Explanation:
    """What a lasso shows of the property in time that it is about, or of the first one that it breaks."""
    narrator = Narrator(Record(system, trace), when)
    for prop in (about,) if about is not None else system.checked_properties:
        if prop.in_time and (what := told(narrator.record, prop, narrator)):
            said, dropped = tuple(narrator.said), tuple(narrator.dropped)
            return Explanation(Decision(prop.name, None), None, what, claims=said, dropped=dropped)
    return Explanation(None, None, "Nothing that must come in time is put off in this trace")


class _Explainer:
    """Tells the first cause that is verified, and what belongs to it."""

    def __init__(self, causes: Causes, narrator: Narrator, when: When) -> None:
        self.causes, self.narrator, self.when = causes, narrator, when
        self.trace, self.fact = causes.trace, causes.fact
        self.conflicts = causes.conflicts
        self.teller = Teller(causes)
        stuck = self.fact.property in OF_WAITING
        self.waits = deadlock_in(causes.what_if, self.fact, narrator) if stuck else None

    def explain(self) -> Explanation:
        waits = self.waits
        if waits is not None and waits.by_holds:
            return Explanation(
                self.fact,
                None,
                what=waits.what,
                right=waits.right,
                proof=waits.proof,
                waits=waits,
                claims=tuple(self.narrator.said),
                dropped=tuple(self.narrator.dropped),
                conflicts=self.conflicts,
            )
        cause, account = self._verified()
        cycle = self._cycle(cause) if cause is not None else None
        proof = self._proof(cycle)
        what, lock = self._what(cause, account), self._lock(cause)
        return Explanation(
            fact=self.fact,
            cause=cause,
            what=self._stuck(waits, cause, what) if waits is not None else what,
            lock=lock,
            right=self._right(account) or (waits.right if waits is not None else ""),
            proof=proof,
            cycle=cycle if proof else None,
            gap=self._gap(cause) if lock else None,
            waits=waits,
            claims=tuple(self.narrator.said),
            dropped=tuple(self.narrator.dropped),
            conflicts=self.conflicts,
        )

    def _stuck(self, waits: Deadlock, cause: Cause | None, what: str) -> str:
        """Who waits for what; the missed help, unless the cause is about that step; and the cause."""
        of_cause = (cause.read, cause.write) if cause is not None else ()
        missed = self.narrator.tell(claim for claim in waits.missed if claim.step not in of_cause)
        stuck = "; ".join(part for part in (waits.what, missed) if part)
        return ". ".join(part for part in (stuck, what or self._never(cause)) if part)

    def _never(self, cause: Cause | None) -> str:
        """Where nothing that was tried helps those who wait: the ops that they can never get past."""
        if self.causes.since < 0:  # then who waits in vain, has so from the start
            return ""
        told = {name for claim in self.narrator.said if isinstance(claim, NeverPast) for name in claim.processes}
        names = [name for name in self.trace.waiting if name not in told]
        claims = never_past(names, self.causes.what_if, self.fact, self.narrator) if cause is None else []
        return self.narrator.tell(claim for claim in claims if claim.step < 0)

    def _verified(self) -> tuple[Cause | None, Account | None]:
        """The most telling cause of which all is verified, with its claims; none if there is none."""
        missed = self.waits.missed if self.waits is not None else ()
        for cause in self.causes.found({claim.other for claim in missed if isinstance(claim, WentTo)}):
            account = self.teller.account(cause)
            if account.because is not None and self._all_true((account.because, *account.happened, *account.before)):
                return cause, account
        return None, None

    def _all_true(self, claims: Iterable[Claim]) -> bool:
        return all(self.narrator.true(claim) for claim in claims)

    def _what(self, cause: Cause | None, account: Account | None) -> str:
        """What happened, and what came of it."""
        tried = self._as_far_as_tried(cause)
        if account is None and self.waits:
            return ""
        if account is None:
            return ": ".join(filter(None, (self.narrator.tell([self.teller.fails]) + tried, self._at_once())))
        say = self.narrator.speech
        before = [f"before that, {claim.words(say)}" for claim in account.before]
        happened = "; ".join([*(claim.words(say) for claim in account.happened), *before])
        came = self.narrator.tell(account.came_of, between=", and ")
        if self.waits:
            return happened + tried if happened else tried.removeprefix("; ").capitalize()
        return (f"{happened}; so {came}" if happened else came) + tried

    def _at_once(self) -> str:
        """What fails before any step: the result of its process; or all results, and the objects that it reads."""
        if self.causes.since >= 0:
            return ""
        results = self.causes.what_if.semantics.results(self.causes.what_if.states[0])
        if self.fact.process is not None:
            return self.narrator.tell([AtOnce(self.fact.process, results[self.fact.process], returned=True)])
        prop = next(prop for prop in self.causes.what_if.asked if prop.name == self.fact.property)
        names = [item.name for item in prop.reads if item.name in self.trace.initial]
        ended = results.items() if prop.kind is PropertyKind.AT_END else ()
        returned = [AtOnce(name, value, returned=True) for name, value in ended]
        return self.narrator.tell([*returned, *(AtOnce(n, self.trace.initial[n], returned=False) for n in names)])

    def _as_far_as_tried(self, cause: Cause | None) -> str:
        """Where nothing single is the cause: that it is so, and whether all was tried."""
        several = cause is not None and cause.story is CauseKind.TOGETHER
        if self.causes.since < 0 or (cause is not None and cause.story is not CauseKind.TURN and not several):
            return ""
        bounded = self.causes.together.left_sets or self.causes.what_if.gave_up
        if several:
            return " (not all smaller sets of steps were tried)" if bounded else ""
        return "; no single step that was tried decides it" + (" (not all could be tried)" if bounded else "")

    def _right(self, account: Account | None) -> str:
        """The change that was tried and is safe, or that prevents a wish."""
        tried = account.because if account is not None else None
        said = account is not None and any(isinstance(claim, CameOut) for claim in account.happened)
        if said or not isinstance(tried, TriedAndSafe) or any(isinstance(t.change, Answered) for t in tried.reruns):
            return ""
        return tried.words(self.narrator.speech)

    def _lock(self, cause: Cause | None) -> str:
        if cause is None or cause.window is None or locks(self.trace.steps[cause.window.write]) or self.waits:
            return ""
        claims = KeepingOut(self.trace, cause.window).claims(self.causes.accesses, self.causes.since)
        return self.narrator.tell(islice((claim for claim in claims if self.narrator.would(claim)), 1))

    def _gap(self, cause: Cause | None) -> Gap | None:
        if cause is None or cause.window is None or cause.story is CauseKind.ENVIRONMENT:
            return None
        return KeepingOut(self.trace, cause.window).gap(self.causes.accesses)

    def _proof(self, cycle: Cycle | None) -> str:
        """The cycle's name and edges; or that one process alone suffices, or one after the other."""
        if cycle is not None:
            claim: Claim | None = circle(cycle, self._found)
        else:
            claim = self.teller.suffices()
        words = self.narrator.tell([claim] if claim is not None else [])
        return _stopped(words) if words else ""

    def _found(self, edge: Dependency) -> object:
        """The value that the target of a dependency found in its field."""
        return self.causes.accesses.value(edge.target, edge.location)

    def _cycle(self, cause: Cause) -> Cycle | None:
        if cause.location is None or cause.write is None or cause.opens is None or cause.window is None:
            return None
        if locks(self.trace.steps[cause.write]):
            return None
        if cause.story is CauseKind.STALE:
            return self._stale_cycle(cause.read, cause.location)
        last = Dependency(DependencyKind.WR, cause.location, cause.write, cause.read)
        through = self.causes.through(cause)
        if through is None or through.write is None or through.location is None:
            return self.conflicts.cycle((*self.conflicts.chain(cause.location, cause.opens, cause.write), last))
        first = Dependency(DependencyKind.WR, through.location, through.write, through.read)
        path = self.conflicts.back(self._of(cause.read), self._of(through.write))
        return self.conflicts.cycle((*path, first, last)) if path is not None else None

    def _stale_cycle(self, read: int, place: Location) -> Cycle | None:
        """A cycle through the next write over the value that was read, if another process wrote it."""
        write = next((n for n in self.conflicts.writers(place) if n > read), None)
        if write is None or self._of(write) == self._of(read):
            return None
        path = self.conflicts.back(self._of(write), self._of(read), place)
        return (
            self.conflicts.cycle((Dependency(DependencyKind.RW, place, read, write), *path))
            if path is not None
            else None
        )

    def _of(self, number: int) -> str:
        return self.trace.steps[number].process


def depends(edge: Dependency, conflicts: Conflicts) -> Depends:
    """The claim that a dependency is."""
    return Depends(edge, conflicts.accesses.value(edge.target, edge.location))


def _stopped(words: str) -> str:
    return words if words.endswith(".") else f"{words}."
