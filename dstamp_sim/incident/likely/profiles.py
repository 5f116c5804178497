"""The profile of a mechanism: how the observed runs come out, over and over, under many settings of its unknowns."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.observable import Observable
from dstamp_sim.core.scenario import Priors, Timing
from dstamp_sim.engines.timed.sweep import Swept
from dstamp_sim.incident.likely.identifiability import Profile
from dstamp_sim.incident.likely.worlds import Sweepers, draw_worlds, sweep_worlds, worlds_of
from dstamp_sim.incident.possible.case import Case

AS_OBSERVED = "as observed"
"""The mark of a field that agrees with the evidence, so that outcomes are no finer than the observations."""


@dataclass
class Numbers:
    """Numbers for outcomes, in the order of their first use: one numbering for all profiles that are compared."""

    known: dict[Hashable, int] = field(default_factory=dict)

    def of(self, outcome: Hashable) -> int:
        """The number of an outcome."""
        return self.known.setdefault(outcome, len(self.known))


@dataclass(frozen=True)
class ProfileSize:
    """How large a profile is: settings of the unknowns, and repetitions under each."""

    settings: int
    repetitions: int


def episodes(timing: Timing, longest_s: float) -> list[list[int]]:
    """The observed runs, by number, in groups: a run that starts when all of a group must be over begins another."""
    groups: list[list[int]] = []
    starts = list(timing.starts_s.values())
    for number in sorted(range(len(starts)), key=lambda n: starts[n]):
        if groups and starts[number] < starts[groups[-1][-1]] + longest_s:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def profile(
    mechanism: Mechanism,
    hypotheses: Hypotheses,
    case: Case,
    timing: Timing,
    priors: Priors,
    size: ProfileSize,
    *,
    seed: int,
    needs: Mapping[str, Any],
    impossible: Sequence[Mapping[str, Any]],
    sweepers: Sweepers,
    numbers: Numbers,
) -> Profile:
    """The profile of a mechanism whose unknowns are drawn from `priors`; the same arguments return the same profile.

    Readings with the settings in `impossible` are left out. Outcomes are as fine as the fields observed in `case`.
    """
    groups = episodes(timing, priors.longest_run_s)
    ways = worlds_of(mechanism, hypotheses, case, priors)
    left = [(number, way) for number, way in enumerate(ways) if way[0] not in impossible]
    whole = sum(share for _, (_, _, share) in left)
    parts: list[list[NDArray[np.int64]]] = []
    for number, (settings, identities, share) in left:
        count = max(1, round(size.settings * share / whole))
        generator = np.random.default_rng([seed, number])
        drawn = draw_worlds(priors, timing, count, generator, alone=case.alone, repeats=size.repetitions)
        swept = sweep_worlds(mechanism, {**settings, **needs}, identities, drawn, timing, seed + number, sweepers)
        runs = np.column_stack(
            [_outcomes(swept, column, case, hypotheses.evidence, numbers) for column in range(len(case.runs))]
        )
        parts.append([_joint(runs[:, group], numbers).reshape(count, size.repetitions) for group in groups])
    return Profile(tuple(np.concatenate(part) for part in zip(*parts, strict=True)))


def observed_outcomes(case: Case, timing: Timing, longest_s: float, numbers: Numbers) -> list[int]:
    """The numbers of the outcomes that were observed, an episode each."""
    runs = [numbers.of(tuple(AS_OBSERVED for _ in run.fields)) for run in case.runs]
    return [numbers.of(("together", *(runs[number] for number in group))) for group in episodes(timing, longest_s)]


def flat_priors(priors: Priors) -> Priors:
    """The same beliefs with every failure probability as likely as any other: what can be, not what is believed."""
    return replace(priors, probabilities=dict.fromkeys(priors.probabilities, (1.0, 1.0)))


def _outcomes(swept: Swept, column: int, case: Case, evidence: Observable, numbers: Numbers) -> NDArray[np.int64]:
    """The number of one run's outcome, in every world."""
    ends, where = np.unique(swept.ends[:, column], return_inverse=True)
    fields = case.runs[column].fields
    codes = [numbers.of(_outcome_of(swept.results.get(int(end)), fields, evidence)) for end in ends]
    return np.array(codes, np.int64)[where]


def _outcome_of(result: Any, fields: Sequence[tuple[str, Any]], evidence: Observable) -> Hashable:
    if result is None:
        return "did not end"
    return tuple(
        AS_OBSERVED if evidence.agrees(result, [(name, value)]) else str(getattr(result, name, None))
        for name, value in fields
    )


def _joint(runs: NDArray[np.int64], numbers: Numbers) -> NDArray[np.int64]:
    """The number of the joint outcome of several runs, in every world."""
    kinds, where = np.unique(runs, axis=0, return_inverse=True)
    codes = [numbers.of(("together", *map(int, kind))) for kind in kinds]
    return np.array(codes, np.int64)[where.reshape(-1)]
