"""Where no mechanism can have produced what was observed: the fewest observations that already conflict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from dstamp_sim.core.observable import Observable
from dstamp_sim.incident.possible.case import MechanismFinding, Possible

MOST_NAMES = 14
"""For up to this many observations, the smallest conflicting set is searched for; else one with none to spare."""

Refutes = Callable[[MechanismFinding, frozenset[str]], bool]
"""Whether these observations alone are refuted under a row's mechanism, for every number of partners that is tried."""


@dataclass(frozen=True)
class Conflict:
    """Observations that nothing can produce together, though without any one of them something can.

    `smallest` is whether no smaller set conflicts; `proved` whether this is so for any number of unseen partners (else
    for those numbers that are tried). `values` are the fields of an observation that conflict by themselves, if known.
    """

    names: tuple[str, ...]
    smallest: bool
    proved: bool
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def words(self, observable: Observable) -> str:
        """In words."""
        kind = "the fewest observations that conflict" if self.smallest else "observations that conflict, none to spare"
        bound = "with any number of unseen partners" if self.proved else "with the unseen partners that were tried"
        each = [
            f"{name} ({observable.worded(self.values[name])})" if name in self.values else name for name in self.names
        ]
        return f"{kind}, {bound}: {', '.join(each)}"


def conflict(rows: Sequence[MechanismFinding], names: Sequence[str], refutes: Refutes) -> Conflict | None:
    """A smallest set of the observations `names` that every row excludes; None if some row does not exclude all.

    A row excludes a set that holds an observation which it contradicts, or that `refutes` says is refuted jointly.
    Among equally small sets the first in the order of the observations.
    """
    if not rows or not all(row.verdict is Possible.IMPOSSIBLE or row.refuted for row in rows):
        return None
    excluded = _Excluded(rows, refutes)
    if len(names) <= MOST_NAMES:
        sets = (frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size))
        found = next(chosen for chosen in sets if excluded(chosen))
    else:
        found = frozenset(names)
        for name in names:
            found = found - {name} if excluded(found - {name}) else found
    proved = all(row.against & found for row in rows)
    return Conflict(tuple(name for name in names if name in found), len(names) <= MOST_NAMES, proved)


@dataclass
class _Excluded:
    """Whether every row excludes a set of observations; more observations never make a set possible again."""

    rows: Sequence[MechanismFinding]
    refutes: Refutes
    known: dict[tuple[int, frozenset[str]], bool] = field(default_factory=dict)

    def __call__(self, chosen: frozenset[str]) -> bool:
        by_itself = [row for row in self.rows if row.refuted]
        return all(row.against & chosen for row in self.rows if not row.refuted) and all(
            self._refuted(number, row, chosen) for number, row in enumerate(by_itself)
        )

    def _refuted(self, number: int, row: MechanismFinding, chosen: frozenset[str]) -> bool:
        key = (number, chosen)
        if key not in self.known:
            self.known[key] = self.refutes(row, chosen)
        return self.known[key]
