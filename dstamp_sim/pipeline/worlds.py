"""Worlds: what the priors leave open of a cluster, drawn many times and run on the compiled clock."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dstamp_sim.analyses.case import Case
from dstamp_sim.analyses.variant import readings
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.scenario import Distribution, Priors, Shape, Timing
from dstamp_sim.core.system import System
from dstamp_sim.core.value import text
from dstamp_sim.engines.sweep import Floats, Sweeper, Swept, Varied

UNSEEN = 4
"""The most unseen partners of a drawn world."""

Sweepers = dict[Any, Sweeper]
"""The compiled tables of every system that was asked about."""


@dataclass(frozen=True)
class Drawn:
    """What the priors gave, a number per world each."""

    probabilities: Mapping[str, Floats]
    factor: Floats
    unseen_starts_s: Floats


def worlds_of(
    mechanism: Mechanism, hypotheses: Hypotheses, case: Case, priors: Priors
) -> list[tuple[dict[str, Any], list[dict[str, Any]], float]]:
    """Settings, identities and share of every reading, with all runs alike and with all different."""
    ways = list(readings(mechanism, hypotheses, case.constants))
    worlds = []
    for _, settings in ways:
        fixed = {*settings, *getattr(mechanism.factory, "keywords", {})}
        keys = [key for key in hypotheses.identity if key not in fixed]
        shares = {"same": priors.same_identity, "apart": 1 - priors.same_identity} if keys else {"same": 1.0}
        for way, share in shares.items():
            identities = [{k: _value(run.identity.get(k), i, way) for k in keys} for i, run in enumerate(case.runs)]
            if share > 0:
                worlds.append((settings, identities, share / len(ways)))
    return worlds


def _value(known: Any, index: int, way: str) -> Any:
    return known if known is not None else 1 if way == "same" else index + 1


def sweep_worlds(
    mechanism: Mechanism,
    settings: Mapping[str, Any],
    identities: Sequence[Mapping[str, Any]],
    drawn: Drawn,
    timing: Timing,
    seed: int,
    sweepers: Sweepers,
) -> Swept:
    """The observed runs and the partners that nobody saw, on the clock in every world that was drawn."""
    key = (id(mechanism), text(settings), text(identities))
    if key not in sweepers:
        sweepers[key] = Sweeper(system_of(mechanism, settings, identities))
    sweeper = sweepers[key]
    varied = _varied(sweeper, drawn, timing)
    return sweeper.sweep(replace(timing, starts_s={}), len(drawn.factor), seed=seed, varied=varied)


def system_of(
    mechanism: Mechanism, settings: Mapping[str, Any], identities: Sequence[Mapping[str, Any]], unseen: int = UNSEEN
) -> System:
    """The system of the observed runs and so many partners that nobody saw, who are like the last observed run."""
    return mechanism.factory(**parameters_of(settings, identities, unseen))


def parameters_of(
    settings: Mapping[str, Any], identities: Sequence[Mapping[str, Any]], unseen: int = UNSEEN
) -> dict[str, Any]:
    """The factory's parameters for that system."""
    everyone = [*identities, *[identities[-1]] * unseen]
    per_run = {key: tuple(who[key] for who in everyone) for key in everyone[0]}
    return {**settings, **per_run, "runs": len(everyone)}


def draw(priors: Priors, timing: Timing, count: int, generator: np.random.Generator, *, repeats: int = 1) -> Drawn:
    """`count` worlds from the priors, each `repeats` times, with partners that come anew.

    Unseen partners come around the last runs of the cluster, or never.
    """
    probabilities = {label: generator.beta(*figures, count) for label, figures in priors.probabilities.items()}
    low, high = priors.unseen_mean
    mean = np.zeros(count) if high == 0 else np.exp(generator.uniform(math.log(max(low, 1e-9)), math.log(high), count))
    number = np.minimum(generator.poisson(np.repeat(mean, repeats)), UNSEEN)
    starts = sorted(timing.starts_s.values())
    first, last = (starts[1] if len(starts) > 1 else starts[0]), starts[-1]
    span = first - priors.longest_run_s, last + priors.longest_run_s / 2
    come = generator.uniform(*span, (len(number), UNSEEN))
    come = np.where(np.arange(UNSEEN) < number[:, None], np.maximum(come, 0.0), timing.horizon_s)
    factor = np.repeat(np.exp(priors.spread * generator.standard_normal(count)), repeats)
    return Drawn({label: np.repeat(drawn, repeats) for label, drawn in probabilities.items()}, factor, come)


def _varied(sweeper: Sweeper, drawn: Drawn, timing: Timing) -> Varied:
    names = [n for n, p in zip(sweeper.semantics.names, sweeper.semantics.processes, strict=True) if not p.daemon]
    observed = [float(at) for at in timing.starts_s.values()]
    starts = {name: np.full(len(drawn.factor), at) for name, at in zip(names, observed, strict=False)}
    columns = drawn.unseen_starts_s.T
    starts |= dict(zip(names[len(observed) :], columns, strict=False))
    return Varied(
        starts, drawn.probabilities, {name: scaled(given, drawn.factor) for name, given in timing.delays.items()}
    )


def scaled(given: Distribution, factor: Floats) -> tuple[Floats, Floats]:
    """A distribution's two figures with all durations longer by a factor, in every world."""
    first, second = (*given.figures, 0.0)[:2]
    return first * factor, np.full_like(factor, second) if given.shape is Shape.LOGNORMAL else second * factor
