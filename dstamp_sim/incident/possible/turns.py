"""Observed runs as processes of a system: who waits for whose end, and how many came out as they were observed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

from dstamp_sim.core.observable import Observable
from dstamp_sim.core.op import Op, Program
from dstamp_sim.core.properties import always
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.system import Process, System

ALL_SEEN = "not all came out as observed"
"""The property whose counterexample has everything come out as observed."""


class MatchCount(SharedObject):
    """How many observed runs have ended as they were observed, of `most`; a run that has not never goes on.

    It counts no further than `most`, which no schedule does: the closure of the tables would, and never end.
    """

    def __init__(self, name: str, most: int) -> None:
        super().__init__(name, 0)
        self._most = most

    def note(self, *, matches: bool) -> Op:
        """One more; blocks for ever when the run does not match."""
        return self.op("note", matches)

    def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
        """Deterministic."""
        return (Outcome(min(state + 1, self._most)),) if op.args[0] else ()


class Turns(SharedObject):
    """How many of each group are over; a group begins when the groups that it follows are. Death is an end, too."""

    def __init__(self, name: str, sizes: Mapping[str, int], follows: Mapping[str, frozenset[str]]) -> None:
        super().__init__(name, tuple(0 for _ in sizes))
        self._sizes, self._follows, self._names = tuple(sizes.values()), follows, tuple(sizes)

    def begin(self, group: str) -> Op:
        """Blocks until every group that this one follows is over."""
        return self.op("begin", group)

    def outcomes(self, state: tuple[int, ...], op: Op) -> tuple[Outcome, ...]:
        """Deterministic."""
        group = op.args[0]
        if op.verb == "end":
            return (Outcome(self.on_death(state, group), drops=group),)
        over = {name for name, count, size in zip(self._names, state, self._sizes, strict=True) if count == size}
        return (Outcome(state, takes=group),) if self._follows[str(group)] <= over else ()

    def on_death(self, state: tuple[int, ...], token: Hashable) -> tuple[int, ...]:
        """One more process of the group is over."""
        return tuple(
            count + (name == token and count < size)
            for name, count, size in zip(self._names, state, self._sizes, strict=True)
        )

    def at_exit(self, token: Hashable) -> Op:
        """The end is visible to those who wait."""
        return self.op("end", token)


@dataclass(frozen=True)
class Role:
    """The role of one run of a system: a name, what was observed of it (None: nobody saw it), and its group."""

    name: str
    observed: tuple[tuple[str, Any], ...] | None
    group: str = ""


def with_roles(
    system: System, roles: Sequence[Role], follows: Mapping[str, frozenset[str]], evidence: Observable
) -> System:
    """`system` whose runs, in order, have these roles; the question is whether all can come out as observed.

    `evidence` says how a result is compared with what was observed.
    Groups that nobody follows and that follow nobody get no turns. Runs of equal role and program stay copies.
    """
    plain = [instance.process for instance in system.instances() if not instance.process.daemon]
    bound = {group for group, first in follows.items() if first} | {g for first in follows.values() for g in first}
    sizes = {group: sum(role.group == group for role in roles) for group in sorted(bound)}
    turns = Turns("turns", sizes, {group: follows.get(group, frozenset()) for group in sizes})
    count = sum(role.observed is not None for role in roles)
    tally = MatchCount("as observed", count)
    programs: dict[Hashable, Callable[..., Program[Any]]] = {}
    processes: list[Process] = []
    wanted = [(_key(process, role, bound), process, role) for process, role in zip(plain, roles, strict=False)]
    for key, same in groupby(wanted, key=lambda item: item[0]):
        members = list(same)
        _, process, role = members[0]
        came_so = partial(evidence.agrees, observed=role.observed or ())
        waits = partial(turns.begin, role.group) if role.group in bound else None
        note = tally if role.observed is not None else None
        watched = programs.setdefault(key, partial(_watched, process.program, waits, note, came_so))
        seen = role.observed is not None
        name = role.name if len(members) == 1 else " | ".join(role.name for _, _, role in members)
        processes.append(Process(name, watched, *process.args, copies=len(members), killable=not seen))
    rest = plain[len(roles) :]
    daemons = [process for process in system.processes if process.daemon]
    return replace(
        system,
        objects=[*system.objects, tally, *([turns] if sizes else [])],
        processes=[*processes, *rest, *daemons],
        properties=[always(ALL_SEEN, lambda state: state[tally] < count, reads=[tally])],
    )


def alike(roles: Sequence[Role], follows: Mapping[str, frozenset[str]]) -> tuple[list[Role], dict[str, frozenset[str]]]:
    """The same roles with those groups made one that follow the same groups and are followed by the same."""
    followed = {group: frozenset(g for g, first in follows.items() if group in first) for group in follows}
    kind = {group: (follows[group], followed[group]) for group in follows}
    named = {group: next(other for other in follows if kind[other] == kind[group]) for group in follows}
    merged = {group: frozenset(named[g] for g in follows[group]) for group in follows if named[group] == group}
    return [replace(role, group=named.get(role.group, role.group)) for role in roles], merged


def watched(system: System) -> list[str]:
    """The names of the processes that stand for observed runs: they end only when they came out as observed."""
    return [item.name for item in system.instances() if not item.process.killable and not item.process.daemon]


def _key(process: Process, role: Role, bound: set[str]) -> Hashable:
    return process.program, process.args, role.observed, role.group if role.group in bound else ""


def _watched(
    program: Callable[..., Program[Any]],
    waits: Callable[[], Op] | None,
    tally: MatchCount | None,
    came_so: Callable[[Any], bool],
    *args: Any,
) -> Program[Any]:
    """The program in its turn, and at its end the note whether it came out as observed."""
    if waits is not None:
        yield waits()
    result = yield from program(*args)
    if tally is not None:
        yield tally.note(matches=came_so(result))
    return result
