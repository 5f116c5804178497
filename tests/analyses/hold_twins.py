"""Wrong twins of the claims about holds, waits, traps and lassos: like a true one, and not so."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

from dstamp_sim.analyses import hold_claims as says
from dstamp_sim.analyses.claims import Claim
from dstamp_sim.analyses.going_round import GoRound, NeverComes, PutOff, StandStill
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.trap_claims import CannotEnd, GoesOn, NeverPast, OnlyADeath, WaitsInVain
from dstamp_sim.core.holds import Held
from dstamp_sim.core.placement import Span
from dstamp_sim.core.properties import PropertyKind


def wrong_holds(claim: Claim, record: Record) -> Iterator[Claim]:
    """The claim with each of its holds a step late, or by another process, where that is no hold of the trace."""
    for field in fields(claim) if is_dataclass(claim) else ():
        value = getattr(claim, field.name)
        for n, held in enumerate(value if isinstance(value, tuple) else (value,)):
            for wrong in _wrong(held, record) if isinstance(held, Held) else ():
                other = (*value[:n], wrong, *value[n + 1 :]) if isinstance(value, tuple) else wrong
                yield replace(claim, **{field.name: other})
        if isinstance(value, Claim):
            yield from (replace(claim, **{field.name: twin}) for twin in HOLD_TWINS[type(value)](value, record))


def _wrong(held: Held, record: Record) -> Iterator[Held]:
    steps = record.trace.steps
    if held.since + 1 < len(steps) and steps[held.since + 1].taken != held.hold:
        yield replace(held, since=held.since + 1)
    yield from (replace(held, process=name) for name in record.trace.processes if name != held.process)


def _not_waiting(record: Record) -> list[str]:
    """Those who have ended, are dead or can move: a daemon at rest waits too, though the trace does not list it."""
    performance = record.performance
    stand = {
        name: performance.semantics.node(performance.states[-1], performance.pid(name))
        for name in record.trace.processes
    }
    end = len(performance.choices)
    return [n for n, node in stand.items() if node is None or node.ended or performance.can_move(n, end)]


def _ended(record: Record) -> list[str]:
    return list(record.trace.results)


def _asked_before(record: Record, process: str, last: int) -> list[str]:
    """The objects that a process did something on up to a step."""
    steps = record.trace.steps[: last + 1]
    return [str(step.touched) for step in steps if step.process == process and step.touched]


HOLD_TWINS = {
    says.WaitsForItself: wrong_holds,
    says.StaysOpen: lambda c, r: [*wrong_holds(c, r), replace(c, span=Span(c.span.lock, c.span.first, c.span.first))],
    says.EachWaits: lambda c, r: [*wrong_holds(c, r), replace(c, holds=c.holds[:1])],
    says.OneOrder: lambda c, r: [*wrong_holds(c, r), replace(c, holds=c.holds[:1])],
    says.NoneFree: lambda c, r: [*wrong_holds(c, r), replace(c, holds=c.holds[1:]), replace(c, waiting=())],
    says.WaitsForHolders: lambda c, r: [
        *wrong_holds(c, r),
        *(replace(c, processes=(*c.processes, n)) for n in _not_waiting(r)),
    ],
    says.Waits: lambda c, r: [
        replace(c, op=f"{c.op}?"),
        *(replace(c, processes=(*c.processes, n)) for n in _not_waiting(r)),
    ],
    says.MoreWait: lambda c, r: [replace(c, processes=(*c.processes, n)) for n in _not_waiting(r)],
    says.CameBefore: lambda c, _: [replace(c, step=c.own), replace(c, own=c.step)],
    says.WentTo: lambda c, _: [replace(c, step=c.other, other=c.step), replace(c, other=c.step)],
    says.HeldInVain: lambda c, r: [*wrong_holds(c, r), replace(c, write=c.held.since)],
    says.HeldAllTheWhile: lambda c, r: [*wrong_holds(c, r), replace(c, write=c.held.since)],
    says.BothHeld: lambda c, r: [*wrong_holds(c, r), replace(c, second=c.first), replace(c, moment=c.second.since)],
    says.TookOnly: lambda c, r: [*wrong_holds(c, r), replace(c, first=c.held.since)],
    says.HadLetGo: lambda c, r: [*wrong_holds(c, r), replace(c, first=c.held.since)],
    says.LetGoBetween: lambda c, r: [*wrong_holds(c, r), replace(c, last=c.first)],
    says.HadLapsed: lambda c, r: [*wrong_holds(c, r), replace(c, held=replace(c.held, until=c.held.since))],
    says.Refused: lambda c, r: [
        replace(c, step=n) for n, step in enumerate(r.trace.steps) if step.taken is not None or step.touched is None
    ],
    says.HeldAnother: lambda c, r: [*wrong_holds(c, r), replace(c, name=c.held.name)],
    says.NeverAsked: lambda c, r: [replace(c, name=name) for name in _asked_before(r, c.process, c.last)],
    says.AsksForNone: lambda c, r: [replace(c, daemon=n) for n in r.trace.processes if n not in r.trace.daemons],
    says.NeitherUnder: lambda c, r: [
        replace(c, opens=n, closes=n) for n in range(len(r.trace.steps)) if _has(r, n, c.name)
    ],
    says.NoLockHeld: lambda c, r: [
        replace(c, processes=(h.process,), last=h.since + 1) for h in r.trace.holds() if h.is_lock
    ],
    CannotEnd: lambda c, r: [replace(c, step=n) for n in (c.step - 1, c.step + 1) if -1 <= n < len(r.trace.steps)],
    OnlyADeath: lambda c, r: [
        replace(c, step=n) for n in (c.step - 1, c.step + 1) if not 0 <= n < len(r.trace.steps) or r.trace.steps[n].op
    ],
    WaitsInVain: lambda c, r: [replace(c, op="nothing()"), *(replace(c, processes=(n,)) for n in _not_waiting(r))],
    NeverPast: lambda c, r: [
        replace(c, ops=(*c.ops, "nothing()")),
        replace(c, held="nothing"),
        replace(c, processes=()),
        *(replace(c, processes=(n,)) for n in _ended(r)),
    ],
    GoesOn: lambda c, r: [replace(c, processes=()), *(replace(c, processes=(n,)) for n in _ended(r))],
    NeverComes: lambda c, _: [replace(c, step=0)] if c.kind is PropertyKind.EVENTUALLY else [],
    GoRound: lambda c, _: [replace(c, processes=c.processes[1:]), replace(c, last=c.last - 1)],
    StandStill: lambda c, _: [replace(c, steps=c.steps + 1)],
    PutOff: lambda c, _: [replace(c, op=f"{c.op}?")],
}
"""By kind of claim, what makes wrong ones of a true one."""


def _has(record: Record, number: int, name: str) -> bool:
    """Whether who performs a step holds something at it."""
    return any(
        held.name == name and held.process == record.of(number) and held.over(number) for held in record.trace.holds()
    )
