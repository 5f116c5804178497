"""Two mechanisms at once, for evidence that no single one can produce."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.incident.possible.abduction import Judging
from dstamp_sim.incident.possible.case import Case, Engines, MechanismFinding, Possible
from dstamp_sim.incident.possible.variant import pairs

MOST_OPEN_ROWS = 3
"""After so many undetermined pairs, pairs that are not refuted at little cost stay unjudged."""


@dataclass(frozen=True)
class Pairs:
    """The rows of pairs that were not refuted, how many were, and how many were not judged (each under a reading)."""

    rows: tuple[MechanismFinding, ...] = ()
    refuted: int = 0
    unjudged: int = 0

    def words(self) -> str:
        """In words; an empty text where none was judged."""
        possible = [row.mechanism for row in self.rows if row.verdict is Possible.POSSIBLE]
        undecided = len(self.rows) - len(possible)
        if not self.rows and not self.unjudged:
            return f"No two at once can, either ({self.refuted} settings of two refuted)" if self.refuted else ""
        words = [f"Two at once can: {', '.join(possible)}" if possible else "No two at once were shown to be possible"]
        words += [f"{self.refuted} settings of two are refuted"]
        words += [f"{undecided} not decided within the bounds"] if undecided else []
        words += [f"{self.unjudged} more not judged, after so many"] if self.unjudged else []
        return "; ".join(words)


def judge_pairs(
    mechanisms: Mapping[str, Mechanism],
    hypotheses: Hypotheses,
    case: Case,
    engines: Engines,
    contested: Collection[str] = (),
    excluded: Sequence[bool] = (),
) -> Pairs:
    """Judges every two mechanisms at once, until a pair is possible under some reading; deterministic.

    `contested` are observations that no single mechanism can produce together: a pair is judged by them first.
    `excluded` says of each pair whether little work refutes it, if that was asked before.
    """
    names = contested or case.names
    judgings = [Judging(variant, case, engines) for variant in pairs(mechanisms, hypotheses, case.constants)]
    known = excluded or [judging.excludes(names) for judging in judgings]
    left = [judging for judging, gone in zip(judgings, known, strict=True) if not gone]
    rows: list[MechanismFinding] = []
    refuted, unjudged = len(judgings) - len(left), 0
    for judging in left:
        if judging.variant.name in {row.mechanism for row in rows if row.verdict is Possible.POSSIBLE}:
            continue
        if sum(row.verdict is Possible.UNDETERMINED for row in rows) >= MOST_OPEN_ROWS:
            unjudged += 1
            continue
        row = judging.row(names)
        if row.verdict is Possible.IMPOSSIBLE:
            refuted += 1
        else:
            rows.append(row)
    return Pairs(tuple(rows), refuted, unjudged)
