"""What refutes a mechanism in a few words: the fewest observed values that no run of it can have, in any reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from dstamp_sim.incident.possible.abduction import Judging
from dstamp_sim.incident.possible.case import MechanismFinding, Observation, Possible

MOST_VALUES = 2
"""More values than this are not tried together."""


class Never(NamedTuple):
    """A run, and what was observed of it, by field, that a mechanism cannot produce."""

    run: str
    values: Mapping[str, Any]


def never(judgings: Sequence[Judging], rows: Sequence[MechanismFinding]) -> dict[str, Never]:
    """By mechanism that is impossible under every reading, the fewest values of one observed run that are unreachable.

    Only those of which this is known at little cost; a mechanism without such values is left out.
    """
    found: dict[str, Never] = {}
    for name in dict.fromkeys(row.mechanism for row in rows):
        own = [(judging, row) for judging, row in zip(judgings, rows, strict=True) if row.mechanism == name]
        if all(row.verdict is Possible.IMPOSSIBLE for _, row in own):
            against = frozenset.intersection(*(row.against for _, row in own))
            run = next((run for run in own[0][0].case.runs if run.name in against), None)
            values = run and _fewest([judging for judging, _ in own], run)
            found |= {name: Never(run.name, dict(values))} if run and values else {}
    return found


def conflicting(
    judgings: Sequence[Judging], rows: Sequence[MechanismFinding], names: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    """Of the observed runs among `names`, the fewest values that all rows exclude which contradict the run.

    Those of which this is known at little cost.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for run in judgings[0].case.runs if judgings else ():
        against = [judging for judging, row in zip(judgings, rows, strict=True) if run.name in row.against]
        if run.name in names and against and (values := _fewest(against, run)):
            found[run.name] = dict(values)
    return found


def _fewest(judgings: Sequence[Judging], run: Observation) -> tuple[tuple[str, Any], ...] | None:
    """The fewest values of a run that all these exclude, given that they exclude the run."""
    sets = (chosen for count in range(1, MOST_VALUES + 1) for chosen in combinations(run.fields, count))
    known = (chosen for chosen in sets if all(one.excludes_values(run, chosen) for one in judgings))
    return next(known, tuple(run.fields) if len(run.fields) <= MOST_VALUES else None)
