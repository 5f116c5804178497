"""How likely a wrong result is, against the time between the starts of two runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dstamp_sim.analyses.confidence import interval
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.scenario import Timing
from dstamp_sim.core.system import System
from dstamp_sim.engines.timed.sweep import Sweeper, Varied
from dstamp_sim.incident.possible.identities import another


@dataclass(frozen=True)
class OffsetCurve:
    """By offset in seconds, how likely a wrong result is: (low, estimate, high), a 95 % interval."""

    name: str
    offsets_s: tuple[float, ...]
    shares: tuple[tuple[float, float, float], ...]


def judged_by(system: System) -> Property | None:
    """The property by which a result is wrong: the first of each result; None if there is none."""
    return next((prop for prop in system.properties if prop.kind is PropertyKind.EACH_RESULT), None)


def pair_of(mechanism: Mechanism, settings: Mapping[str, Any], hypotheses: Hypotheses) -> System:
    """Two runs that share whatever runs can share, under a mechanism in this reading."""
    alike = {name: (another((), hypotheses.kind(name)),) * 2 for name in hypotheses.identity}
    return mechanism.factory(**{**alike, **settings, "runs": 2})


def offset_curve(
    system: System, name: str, timing: Timing, offsets_s: Sequence[float], *, runs: int = 4000
) -> OffsetCurve | None:
    """How often one of the first two runs breaks the property by which results are judged.

    Each share has its exact 95 % interval. `runs` pairs are run on the clock for each offset; the same arguments give
    the same curve. None where the system has no two runs that end, or no such property.
    """
    names, about = system.must_end[:2], judged_by(system)
    if len(names) != 2 or about is None:
        return None
    offsets = np.repeat(np.asarray(offsets_s, float), runs)
    swept = Sweeper(system).sweep(
        replace(timing, starts_s={}), len(offsets), varied=Varied({names[0]: np.zeros_like(offsets), names[1]: offsets})
    )
    wrong = np.zeros(len(offsets), bool)
    for run in names:
        wrong |= swept.where(run, lambda result: not about.predicate(result))
    counts = wrong.reshape(len(offsets_s), runs).sum(axis=1).tolist()
    shares = tuple((*interval(count, runs), count / runs) for count in counts)
    return OffsetCurve(name, tuple(offsets_s), tuple((low, share, high) for low, high, share in shares))
