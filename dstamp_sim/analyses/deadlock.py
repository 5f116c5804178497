"""Deadlocks and traps: who holds what and waits for whom since when, in claims; only verified ones are said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import TYPE_CHECKING, TypeVar

import dstamp_sim.analyses.verify_holds  # noqa: F401 - says how the claims below are verified
from dstamp_sim.analyses.claims import Claim, Fails, TriedAndSafe
from dstamp_sim.analyses.hold_claims import (
    CameBefore,
    EachWaits,
    MoreWait,
    NoneFree,
    OneOrder,
    StaysOpen,
    Waits,
    WaitsForHolders,
    WaitsForItself,
    WentTo,
)
from dstamp_sim.analyses.orders import begins
from dstamp_sim.analyses.reruns import AfterEnd, Rerun
from dstamp_sim.analyses.trap_claims import CannotEnd, GoesOn, NeverPast, OnlyADeath, WaitsInVain
from dstamp_sim.analyses.verify import Narrator
from dstamp_sim.analyses.what_if import Decision, WhatIf
from dstamp_sim.core.holds import Held, Parting
from dstamp_sim.core.op import Op
from dstamp_sim.core.properties import END_POSSIBLE

if TYPE_CHECKING:
    import networkx as nx

_AnyClaim = TypeVar("_AnyClaim", bound=Claim)

_Waiting = WaitsForHolders | Waits | WaitsInVain
_AnyWaiting = TypeVar("_AnyWaiting", WaitsForHolders | Waits | WaitsInVain, NeverPast)

_MOST_SAID = 3
"""How many waiting processes that block nobody are described; the rest are counted."""


@dataclass(frozen=True)
class Deadlock:
    """The standstill at the end, or the trap, in words; `wants` has, for pictures, who waits for which hold.

    `by_holds` is true if holds explain it: a circle, too few of something, a process that waits for itself, or one that
    ended and still holds something. Else `missed` are steps that would have helped, had they not come too soon or
    helped another. `right` are the changes that were tried and are safe, `proof` the circle by its processes.
    """

    what: str
    missed: tuple[CameBefore | WentTo, ...]
    right: str
    proof: str
    wants: tuple[tuple[str, Held], ...]
    by_holds: bool


def deadlock_in(what_if: WhatIf, fact: Decision, narrator: Narrator) -> Deadlock:
    """The standstill or the trap at the end of the trace, worded by `narrator`. Deterministic; bounded."""
    return _Standstill(what_if, fact, narrator).deadlock()


def never_past(names: Iterable[str], what_if: WhatIf, fact: Decision, narrator: Narrator) -> list[NeverPast]:
    """Of these processes those that can never end: the ops that each cannot get past, from the start or by now."""
    return _together([claim for name in names for claim in _never_past(name, what_if, fact, narrator)])


def _never_past(name: str, what_if: WhatIf, fact: Decision, narrator: Narrator) -> list[NeverPast]:
    firm = list[NeverPast]()
    for step in sorted({-1, what_if.since(fact)}, reverse=True):
        if not (found := list(_first(filter(narrator.would, _closes(name, step, what_if))))):
            return firm
        firm = found
    return firm


def _closes(name: str, step: int, what_if: WhatIf) -> Iterator[NeverPast]:
    """Where a process may stand for ever: at one op, perhaps for something that it holds itself, or at one of two."""
    ops = what_if.stands_at(name, step + 1)
    for op in ops:
        held = (op.target.name,) if op.target is not None else ()
        yield from (NeverPast((name,), (str(op),), step, one) for one in (*held, ""))
    yield NeverPast((name,), tuple(map(str, ops)), step, "")


class _Standstill:
    def __init__(self, what_if: WhatIf, fact: Decision, narrator: Narrator) -> None:
        self.what_if, self.fact, self.narrator = what_if, fact, narrator
        self.trace = what_if.trace
        self.holds = [held for held in self.trace.holds() if held.until is None]
        left = (Parting.DIED, Parting.RESTARTED)
        self.left = [held for held in self.trace.holds() if held.parting in left]
        self.trapped = fact.property == END_POSSIBLE.name
        self.ops = dict(self._waiting())

    def deadlock(self) -> Deadlock:
        itself, few = list(self._waits_for_itself()), list(self._too_few())
        circle = [] if itself or few else list(_first(self._circles()))
        knots: list[Claim] = [*itself, *few, *circle]
        in_knots = {process for claim in knots for process in _waiters(claim)}
        rest = [name for name in self.ops if name not in in_knots and name in self.trace.waiting]
        others = [self._last(claim) for claim in _together([self._waits(name) for name in rest])]
        missed = [claim for waits in others[:_MOST_SAID] for claim in _first(self._missed(waits))]
        more_waiting = tuple(name for claim in others[_MOST_SAID:] for name in claim.processes)
        more = [MoreWait(more_waiting)] if more_waiting else []
        waits = [*knots, *others[:_MOST_SAID], *more]
        return Deadlock(
            what=self._in_a_trap(waits) if self.trapped else self.narrator.tell(waits),
            missed=tuple(missed),
            right=self._right([*few, *circle]),
            proof=_proof(circle[0].holds) if circle else "",
            wants=tuple(pair for claim in [*knots, *others] for pair in _wants(claim)),
            by_holds=bool(knots) or (bool(others) and all(_is_kept(claim) for claim in others)),
        )

    def _in_a_trap(self, waits: Sequence[Claim]) -> str:
        """Who cannot end any more since when; who waits for what; and who goes on all the same.

        The first is left out where too much can follow to see it.
        """
        runs = [name for name in self.trace.processes if name not in self.trace.daemons]
        since = self.what_if.since(self.fact)
        each = [name for name in runs if self.narrator.would(CannotEnd((name,), since, together=False))]
        those = tuple(each or runs)
        leads = [*filter(self.narrator.would, [CannotEnd(those, since, together=not each), OnlyADeath(those, since)])]
        waits = [
            *waits,
            *never_past([name for name in runs if name not in self.ops], self.what_if, self.fact, self.narrator),
        ]
        free = [name for name in self.trace.processes if name not in self.ops]
        goes_on = [claim for name in free if self.narrator.would(claim := GoesOn((name,)))]
        if not goes_on and len(free) > 1 and self.narrator.would(claim := GoesOn(tuple(free))):
            goes_on = [claim]
        told = ": ".join(part for part in (self.narrator.tell(leads), self.narrator.tell(waits)) if part)
        return "; ".join(part for part in (told, self.narrator.tell(goes_on, between=", and ")) if part)

    def _waiting(self) -> Iterator[tuple[str, tuple[Op, str]]]:
        """The processes that wait for ever, daemons too, with the op that each waits for, and its object."""
        semantics, last = self.what_if.semantics, self.what_if.states[-1]
        for pid, name in enumerate(semantics.names):
            node = semantics.node(last, pid)
            if node is not None and node.op is not None and node.op.target is not None:
                target = node.op.target
                if self.trapped and not self.narrator.would(WaitsInVain((name,), str(node.op))):
                    continue
                yield name, (node.op, f"{target.name}@{name}" if target.private else target.name)

    def _holds_of(self, name: str) -> list[Held]:
        return [held for held in self.holds if held.name == name]

    def _waits_for_itself(self) -> Iterator[Claim]:
        """For each process that waits for something that it alone holds: that it does, and why it still holds it."""
        for process, (_, name) in self.ops.items():
            holds = self._holds_of(name)
            if len(holds) == 1 and holds[0].process == process and self.narrator.would(WaitsForItself(holds[0])):
                yield WaitsForItself(holds[0])
                yield from self._stays_open(holds[0])

    def _stays_open(self, held: Held) -> Iterator[Claim]:
        instance = next(one for one in self.what_if.system.instances() if one.name == held.process)
        for bound in instance.bound:
            if bound.lock is held.hold.target and self.narrator.would(StaysOpen(held, bound.span)):
                yield StaysOpen(held, bound.span)

    def _too_few(self) -> Iterator[NoneFree]:
        """For each object that is short: who holds how many and wants more."""
        for name in dict.fromkeys(name for _, name in self.ops.values()):
            holds = self._holds_of(name)
            holders = dict.fromkeys(held.process for held in holds)
            waiting = tuple(who for who in holders if who in self.ops and self.ops[who][1] == name)
            if len(holds) > 1 and waiting and self.narrator.would(NoneFree(tuple(holds), waiting)):
                yield NoneFree(tuple(holds), waiting)

    def _circles(self) -> Iterator[EachWaits]:
        """Circles of processes, each waiting for a hold of the next one; the first to take something comes first."""
        import networkx as nx  # noqa: PLC0415 - slow to import, and most explorations find nothing to explain

        graph: nx.DiGraph[str] = nx.DiGraph()
        for process, (_, name) in self.ops.items():
            others = [held for held in self._holds_of(name) if held.process != process]
            graph.add_edges_from((process, held.process, {"held": held}) for held in others)
        for first, second in list(graph.edges):
            if nx.has_path(graph, second, first):
                names = nx.shortest_path(graph, second, first)
                holds = [graph.edges[edge]["held"] for edge in pairwise([first, *names])]
                start = holds.index(min(holds, key=lambda held: held.since))
                if self.narrator.would(circle := EachWaits((*holds[start:], *holds[:start]))):
                    yield circle

    def _waits(self, process: str) -> _Waiting:
        """What one process waits for: its holders, also dead ones; or an op that nobody performs any more."""
        op, name = self.ops[process]
        live, left = self._holds_of(name), [held for held in self.left if held.name == name]
        for holds in (*((held,) for held in live), tuple(live), *((held,) for held in left)):
            if holds and self.narrator.would(claim := WaitsForHolders((process,), holds)):
                return claim
        return WaitsInVain((process,), str(op)) if self.trapped else Waits((process,), str(op), last=False)

    def _last(self, claim: _Waiting) -> _Waiting:
        """The same claim, and that all others have ended or died, if that is so."""
        last = replace(claim, last=True) if isinstance(claim, Waits) else claim
        return last if self.narrator.would(last) else claim

    def _missed(self, waits: _Waiting) -> Iterator[CameBefore | WentTo]:
        """The step that would have helped a process that waits for no hold, but came too soon, or went elsewhere."""
        if isinstance(waits, WaitsForHolders):
            return
        process = waits.processes[0]
        steps, (_, name) = self.trace.steps, self.ops[process]
        own = max((n for n, step in enumerate(steps) if step.process == process), default=-1)
        on_it = [n for n, step in enumerate(steps) if step.touched == name and step.process != process]
        for number in reversed(on_it):
            tries: list[CameBefore | WentTo] = [CameBefore(process, number, own)]
            tries += [WentTo(process, number, other) for other in on_it if other > number > own]
            yield from (claim for claim in tries if self.narrator.would(claim))

    def _right(self, knots: Sequence[NoneFree | EachWaits]) -> str:
        """The changes that were tried and are safe: a process waits until another has ended; one order."""
        fails = Fails(self.fact.property, None, False, self.what_if.since(self.fact))
        holds = [held for knot in knots for held in knot.holds]
        tried = self.narrator.tell(_first(self._trials(fails, holds)))
        circles = [knot for knot in knots if isinstance(knot, EachWaits)]
        order = self.narrator.tell(OneOrder(one.holds) for one in circles if len({h.name for h in one.holds}) > 1)
        return ". ".join(part for part in (tried, order) if part)

    def _trials(self, fails: Fails, holds: Sequence[Held]) -> Iterator[Claim]:
        for number, others in (*self._taken_later(holds), *self._closed_later()):
            for other in others:
                if choices := self.what_if.after_end(self.fact, number, other):
                    yield TriedAndSafe(fails, (Rerun(AfterEnd(number, other), choices),))

    def _taken_later(self, holds: Sequence[Held]) -> Iterator[tuple[int, Iterable[str]]]:
        """The step that took each hold, or the first with which its process took something, and the other holders."""
        for held in sorted(holds, key=lambda held: -held.since):
            others = dict.fromkeys(one.process for one in holds if one.process != held.process)
            yield from ((number, others) for number in dict.fromkeys((held.since, begins(self.trace, held.since))))

    def _closed_later(self) -> Iterator[tuple[int, Iterable[str]]]:
        """The step that led into a trap, and those who waited for ever then."""
        since = self.what_if.since(self.fact)
        if self.trapped and since >= 0 and self.trace.steps[since].op is not None:
            yield since, [name for name in self.ops if name != self.trace.steps[since].process]


def _together(claims: Sequence[_AnyWaiting]) -> list[_AnyWaiting]:
    """The same claims, one for all processes that wait alike."""
    groups: dict[_AnyWaiting, list[str]] = {}
    for claim in claims:
        groups.setdefault(replace(claim, processes=()), []).extend(claim.processes)
    return [replace(claim, processes=tuple(names)) for claim, names in groups.items()]


def _first(claims: Iterator[_AnyClaim]) -> Iterator[_AnyClaim]:
    return islice(claims, 1)


def _is_kept(claim: _Waiting) -> bool:
    """Whether it waits for something that a process still holds and that no death left taken."""
    return isinstance(claim, WaitsForHolders) and all(held.parting is None for held in claim.holds)


def _waiters(claim: Claim) -> tuple[str, ...]:
    match claim:
        case WaitsForItself(held):
            return (held.process,)
        case NoneFree(_, waiting):
            return waiting
        case EachWaits(holds):
            return tuple(held.process for held in holds)
    return ()


def _wants(claim: Claim) -> tuple[tuple[str, Held], ...]:
    match claim:
        case EachWaits(holds):
            return tuple((held.process, wanted) for held, wanted in pairwise([*holds, holds[0]]))
        case WaitsForHolders(processes, (held,)):
            return tuple((process, held) for process in processes)
    return ()


def _proof(holds: Sequence[Held]) -> str:
    return f"Wait-for cycle: {' → '.join(held.process for held in [*holds, holds[0]])}."
