"""The serial orders of a system: each run from its first op to its end, or its death, before the next one begins.

Runs are the processes that must end. Daemons are none: they move between any two ops, as they always may, so a race
between a run and a daemon is not seen. Chance and deaths are as in any behaviour. An order in which a run waits for one
that comes later, or goes round for ever, has no end, and nothing is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from dstamp_sim.core.errors import UnboundedProgram
from dstamp_sim.core.numbers import many
from dstamp_sim.core.properties import Property
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.state_fields import innermost, path_text
from dstamp_sim.core.system import System
from dstamp_sim.core.value import text

MOST_IN_ORDER, MOST_OPS_IN_ORDER = 200_000, 100_000
"""How many states the serial orders may have together, and how many ops a run."""


TWO_RUNS = 2
"""The fewest runs of which an order says anything."""


class SerialEnd(NamedTuple):
    """An end of a serial order: its state, the results by name, and the runs in their order, if that was asked."""

    state: State
    results: tuple[tuple[str, Any], ...]
    order: tuple[str, ...] = ()


@dataclass(frozen=True)
class SerialEnds:
    """All ends of serial orders; `why_not` says why there is nothing to compare with, and is else empty."""

    ends: tuple[SerialEnd, ...] = ()
    why_not: str = ""


_ENDS_OF: WeakKeyDictionary[System, SerialEnds] = WeakKeyDictionary()


def serial_ends(system: System) -> SerialEnds:
    """The ends of all serial orders of a system, found once. Deterministic.

    Raises ModelError if the model breaks a rule.
    """
    if system not in _ENDS_OF:
        _ENDS_OF[system] = _found(system)
    return _ENDS_OF[system]


def _found(system: System) -> SerialEnds:
    if len(system.must_end) < TWO_RUNS:
        return SerialEnds(why_not=f"vacuous: {many(len(system.must_end), 'run')} must end, and an order needs two")
    if system.start is None and system.several:
        several = ", ".join(system.several)
        return SerialEnds(why_not=f"{several} may begin in several states: choose one (system.with_start)")
    semantics = Semantics(system, history_limit=MOST_OPS_IN_ORDER, by_value=True)
    try:
        ends = _walked(semantics, ordered=False)
    except UnboundedProgram as unbounded:
        return SerialEnds(why_not=f"in a serial order, {unbounded}")
    semantics.check()
    if ends is None:
        return SerialEnds(why_not=f"the serial orders have more than {MOST_IN_ORDER:,} states")
    return SerialEnds(ends, "" if ends else "no serial order comes to an end: in each, a run waits for a later one")


class _At(NamedTuple):
    """A state on a serial order: who is amid its run (-1: nobody), and who has begun, if that is to be told."""

    state: State
    amid: int
    begun: tuple[int, ...]


def _walked(semantics: Semantics, *, ordered: bool) -> tuple[SerialEnd, ...] | None:
    """The ends of all serial orders, with their orders if these are to be told; None past `MOST_IN_ORDER` states."""
    waiting = [_At(semantics.initial(), -1, ())]
    seen = dict.fromkeys(waiting)
    for at in waiting:  # it grows
        for after in _onward(semantics, at, ordered=ordered):
            if after not in seen:
                seen[after] = None
                waiting.append(after)
        if len(seen) > MOST_IN_ORDER:
            return None
    ends = (at for at in seen if semantics.ended(at.state))
    named = ((at, tuple(semantics.names[pid] for pid in at.begun)) for at in ends)
    return tuple(SerialEnd(at.state, tuple(semantics.results(at.state).items()), order) for at, order in named)


def _onward(semantics: Semantics, at: _At, *, ordered: bool) -> Iterator[_At]:
    """What follows: any move of a daemon, of the run that is amid, or, where none is, of one that has not begun."""
    for move in semantics.moves(at.state):
        pid = move.pid
        if semantics.processes[pid].daemon:
            yield at._replace(state=semantics.perform(at.state, move))
        elif at.amid in (pid, -1):
            after = semantics.perform(at.state, move)
            node = semantics.node(after, pid)
            begun = (*at.begun, pid) if ordered and at.amid < 0 else at.begun
            yield _At(after, -1 if node is None or node.ended else pid, begun)


MOST_RUNS_TOLD = 4
"""How many runs an account may have that tells each order; and how many orders it names."""


def orders_compared(system: System, prop: Property, results: Mapping[str, Any], left: Mapping[str, Any]) -> str:
    """How the nearest end of each serial order differs from an end that is none: its results, and what it left.

    Only what counts for the property is told. The orders that come nearest are named, `MOST_RUNS_TOLD` at most.
    """
    semantics = Semantics(system, by_value=True)
    runs = many(len(system.must_end), "run")
    ends = _walked(semantics, ordered=True) if len(system.must_end) <= MOST_RUNS_TOLD else None
    if ends is None:
        return f"None of the serial orders of the {runs} ends so"
    nearest = dict[tuple[str, ...], list[str]]()
    for end in ends:
        there = dict(zip((item.name for item in semantics.shared), end.state.shared, strict=True))
        differs = _differing(prop, dict(end.results), results, there, left)
        if end.order not in nearest or len(differs) < len(nearest[end.order]):
            nearest[end.order] = differs
    told = sorted(nearest.items(), key=lambda item: len(item[1]))
    named = [f"{', then '.join(order)}: {', '.join(differs)}" for order, differs in told[:MOST_RUNS_TOLD]]
    more = [f"and {many(len(told) - MOST_RUNS_TOLD, 'other order')}"] if len(told) > MOST_RUNS_TOLD else []
    return f"No serial order ends so: {'; '.join([*named, *more])}"


def _differing(
    prop: Property,
    theirs: Mapping[str, Any],
    results: Mapping[str, Any],
    there: Mapping[str, Any],
    left: Mapping[str, Any],
) -> list[str]:
    """What of an end counts and is not so here, in a few words each."""
    found = list[str]()
    for name in {**theirs, **results}:
        if name not in theirs or name not in results:
            found.append(f"{name} {'dies' if name in results else 'does not die'}")
        else:
            differing = innermost(prop.predicate(results[name]), prop.predicate(theirs[name]))
            parts = [f"{path_text(path)} {text(value)}".strip() for path, _, value in differing]
            found += [f"{name} returns {' and '.join(parts)}"] if parts else []
    for item in prop.reads:
        differing = innermost(left[item.name], there[item.name])
        found += [f"{path_text(path, item.name)} is {text(value)}" for path, _, value in differing]
    return found
