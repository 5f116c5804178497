"""Worlds: the unknowns of a cluster, drawn many times from the priors and run on the compiled clock."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.scenario import Distribution, Priors, Shape, Timing
from dstamp_sim.core.system import System
from dstamp_sim.core.value import text
from dstamp_sim.engines.timed.sweep import Floats, Seeds, Sweeper, Swept, Varied, none_apart
from dstamp_sim.incident.possible.case import Case
from dstamp_sim.incident.possible.identities import another
from dstamp_sim.incident.possible.variant import readings

UNSEEN = 4
"""The most unseen partners of a drawn world."""

Sweepers = dict[Any, Sweeper]
"""The compiled tables of every system so far."""


@dataclass(frozen=True)
class Drawn:
    """The draws from the priors, one number per world each; `seeds` (one per process), where processes draw apart."""

    probabilities: Mapping[str, Floats]
    factor: Floats
    unseen_starts_s: Floats
    seeds: Seeds = field(default_factory=none_apart)


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
            identities = _identities(hypotheses, keys, case, way)
            if share > 0:
                worlds.append((settings, identities, share / len(ways)))
    return worlds


def _identities(hypotheses: Hypotheses, keys: Sequence[str], case: Case, way: str) -> list[dict[str, Any]]:
    """Who the observed runs are, where those that are not known are the same as all, or each of another identity."""
    identities: list[dict[str, Any]] = [{} for _ in case.runs]
    for key in keys:
        known = [run.identity.get(key) for run in case.runs]
        used = [value for value in known if value is not None]
        for who, value in zip(identities, known, strict=True):
            if value is None and used and way == "same":
                who[key] = used[0]
            else:
                who[key] = another(used, hypotheses.kind(key)) if value is None else value
                used.append(who[key])
    return identities


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
    sweeper = sweeper_of(mechanism, settings, identities, sweepers)
    clock = replace(timing, starts_s={})
    return sweeper.sweep(clock, len(drawn.factor), seed=seed, varied=varied(sweeper, drawn, timing))


def sweeper_of(
    mechanism: Mechanism, settings: Mapping[str, Any], identities: Sequence[Mapping[str, Any]], sweepers: Sweepers
) -> Sweeper:
    """The compiled tables of that system, from those that are there or made now."""
    key = (id(mechanism), text(settings), text(identities))
    if key not in sweepers:
        sweepers[key] = Sweeper(system_of_world(mechanism, settings, identities))
    return sweepers[key]


def system_of_world(
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


def draw_worlds(
    priors: Priors,
    timing: Timing,
    count: int,
    generator: np.random.Generator,
    *,
    alone: Collection[str] = (),
    repeats: int = 1,
) -> Drawn:
    """`count` worlds from the priors, each `repeats` times, with partners that come anew.

    Unseen partners come at any time around the observed runs that are not known to have been `alone`, or never.
    """
    probabilities = {label: generator.beta(*figures, count) for label, figures in priors.probabilities.items()}
    low, high = priors.unseen_mean
    mean = np.zeros(count) if high == 0 else np.exp(generator.uniform(math.log(max(low, 1e-9)), math.log(high), count))
    number = np.minimum(generator.poisson(np.repeat(mean, repeats)), UNSEEN)
    spans = partner_windows([at for name, at in timing.starts_s.items() if name not in alone], priors.longest_run_s)
    number = number if spans else np.zeros_like(number)
    come = _within(spans, generator.uniform(0.0, 1.0, (len(number), UNSEEN)))
    come = np.where(np.arange(UNSEEN) < number[:, None], np.maximum(come, 0.0), timing.horizon_s)
    factor = np.repeat(np.exp(priors.spread * generator.standard_normal(count)), repeats)
    return Drawn({label: np.repeat(drawn, repeats) for label, drawn in probabilities.items()}, factor, come)


def partner_windows(starts: Sequence[float], longest_s: float) -> list[tuple[float, float]]:
    """When unseen partners can have come to runs with these starts: a span for each cluster of runs, in order.

    Runs belong to one cluster if one partner can have met both: their starts are no more than two longest runs apart.
    A partner comes from one longest run before a cluster's first start to half of one after its last.
    """
    clusters: list[list[float]] = []
    for at in sorted(starts):
        if clusters and at - clusters[-1][-1] <= 2 * longest_s:
            clusters[-1].append(at)
        else:
            clusters.append([at])
    return [(cluster[0] - longest_s, cluster[-1] + longest_s / 2) for cluster in clusters]


def _within(spans: Sequence[tuple[float, float]], shares: Floats) -> Floats:
    """The instants at these shares of all spans together."""
    along = shares * sum(high - low for low, high in spans)
    at, before = along.copy(), 0.0
    for low, high in spans:
        at = np.where(along >= before, low + along - before, at)
        before += high - low
    return at


def varied(sweeper: Sweeper, drawn: Drawn, timing: Timing) -> Varied:
    """What differs from world to world, as a sweep takes it."""
    names = [n for n, p in zip(sweeper.semantics.names, sweeper.semantics.processes, strict=True) if not p.daemon]
    observed = [float(at) for at in timing.starts_s.values()]
    starts = {name: np.full(len(drawn.factor), at) for name, at in zip(names, observed, strict=False)}
    columns = drawn.unseen_starts_s.T
    starts |= dict(zip(names[len(observed) :], columns, strict=False))
    figures = {name: scaled(given, drawn.factor) for name, given in timing.delays.items()}
    return Varied(starts, drawn.probabilities, figures, drawn.seeds)


def scaled(given: Distribution, factor: Floats) -> tuple[Floats, Floats]:
    """A distribution's two figures with all durations longer by a factor, in every world."""
    first, second = (*given.figures, 0.0)[:2]
    return first * factor, np.full_like(factor, second) if given.shape is Shape.LOGNORMAL else second * factor
