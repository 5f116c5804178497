"""How likely a mechanism makes the evidence: worlds drawn from the priors, run on the clock, compared with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.analyses.abduction import Case, readings
from dstamp_sim.analyses.turns import agrees
from dstamp_sim.core.mechanism import Experiment, Hypotheses, Mechanism, Seen
from dstamp_sim.core.scenario import Distribution, Priors, Shape, Timing
from dstamp_sim.core.value import text
from dstamp_sim.engines.sweep import Floats, Sweeper, Swept, Varied

UNSEEN = 4
"""The most unseen partners of a drawn world."""

Z = 1.959963984540054
"""The normal quantile of a 95 % interval."""


@dataclass(frozen=True)
class Likelihood:
    """P(evidence | mechanism, priors): hits among worlds, its estimate, and its 95 % Wilson interval."""

    hits: int
    worlds: int

    @property
    def estimate(self) -> float:
        """The share of worlds in which everything came out as observed."""
        return self.hits / self.worlds

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval."""
        n, p = self.worlds, self.estimate
        middle, width = p + Z * Z / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        return max(0.0, (middle - width) / (1 + Z * Z / n)), min(1.0, (middle + width) / (1 + Z * Z / n))


@dataclass(frozen=True)
class Sample:
    """The worlds of one reading that agree with the evidence: what was drawn in each, and what was seen."""

    settings: Mapping[str, Any]
    identities: Sequence[Mapping[str, Any]]
    drawn: Drawn
    swept: Swept
    hits: NDArray[np.int64]


@dataclass(frozen=True)
class Drawn:
    """What the priors gave, a number per world each."""

    probabilities: Mapping[str, Floats]
    factor: Floats
    unseen_starts_s: Floats


@dataclass(frozen=True)
class Weighed:
    """A mechanism's likelihood, also without unseen partners, and the agreeing worlds by reading."""

    likelihood: Likelihood
    alone: Likelihood
    samples: tuple[Sample, ...]


def weigh(
    mechanism: Mechanism,
    hypotheses: Hypotheses,
    case: Case,
    timing: Timing,
    priors: Priors,
    *,
    seed: int,
    sight: Mapping[str, Any],
    impossible: Sequence[Mapping[str, Any]],
    sweepers: dict[Any, Sweeper],
) -> Weighed:
    """The likelihood of `case` under a mechanism: readings are weighted alike, the rest is drawn from `priors`.

    The settings in `impossible` are known to have no agreeing world, and are not run. `sweepers` keeps compiled tables.
    """
    worlds = _worlds(mechanism, hypotheses, case, priors)
    samples, total, alone_hits, alone = [], 0, 0, 0
    for number, (settings, identities, share) in enumerate(worlds):
        count = max(1, round(priors.runs * share))
        drawn = draw(priors, timing, count, np.random.default_rng([seed, number]))
        lonely = (drawn.unseen_starts_s >= timing.horizon_s).all(axis=1)
        total, alone = total + count, alone + int(lonely.sum())
        if settings in impossible:
            continue
        key = (id(mechanism), text(settings), text(identities))
        if key not in sweepers:
            sweepers[key] = Sweeper(_system(mechanism, {**settings, **sight}, identities))
        sweeper = sweepers[key]
        varied = _varied(sweeper, drawn, timing)
        swept = sweeper.sweep(replace(timing, starts_s={}), count, seed=seed + number, varied=varied)
        matched = np.ones(count, bool)
        for name, item in zip(swept.names, case.runs, strict=False):
            matched &= swept.where(name, partial(agrees, observed=item.fields))
        samples.append(Sample(settings, identities, drawn, swept, np.flatnonzero(matched)))
        alone_hits += int((matched & lonely).sum())
    hits = sum(len(sample.hits) for sample in samples)
    return Weighed(Likelihood(hits, total), Likelihood(alone_hits, max(alone, 1)), tuple(samples))


def _worlds(
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


def _system(mechanism: Mechanism, settings: Mapping[str, Any], identities: Any) -> Any:
    everyone = [*identities, *[identities[-1]] * UNSEEN]
    per_run = {key: tuple(who[key] for who in everyone) for key in everyone[0]}
    return mechanism.factory(**{**settings, **per_run, "runs": len(everyone)})


def draw(priors: Priors, timing: Timing, count: int, generator: np.random.Generator) -> Drawn:
    """`count` worlds from the priors. Unseen partners come around the last runs of the cluster, or never."""
    probabilities = {label: generator.beta(*figures, count) for label, figures in priors.probabilities.items()}
    low, high = priors.unseen_mean
    mean = np.zeros(count) if high == 0 else np.exp(generator.uniform(math.log(max(low, 1e-9)), math.log(high), count))
    number = np.minimum(generator.poisson(mean), UNSEEN)
    starts = sorted(timing.starts_s.values())
    first, last = (starts[1] if len(starts) > 1 else starts[0]), starts[-1]
    come = generator.uniform(first - priors.longest_run_s, last + priors.longest_run_s / 2, (count, UNSEEN))
    come = np.where(np.arange(UNSEEN) < number[:, None], np.maximum(come, 0.0), timing.horizon_s)
    return Drawn(probabilities, np.exp(priors.spread * generator.standard_normal(count)), come)


def _varied(sweeper: Sweeper, drawn: Drawn, timing: Timing) -> Varied:
    names = [n for n, p in zip(sweeper.semantics.names, sweeper.semantics.processes, strict=True) if not p.daemon]
    observed = [float(at) for at in timing.starts_s.values()]
    starts = {name: np.full(len(drawn.factor), at) for name, at in zip(names, observed, strict=False)}
    columns = drawn.unseen_starts_s.T
    starts |= dict(zip(names[len(observed) :], columns, strict=False))
    return Varied(
        starts, drawn.probabilities, {name: _scaled(given, drawn.factor) for name, given in timing.delays.items()}
    )


def _scaled(given: Distribution, factor: Floats) -> tuple[Floats, Floats]:
    first, second = (*given.figures, 0.0)[:2]
    return first * factor, np.full_like(factor, second) if given.shape is Shape.LOGNORMAL else second * factor


@dataclass(frozen=True)
class Predicted:
    """How often an experiment comes out how under one mechanism, over the worlds that agree with the evidence."""

    shares: Mapping[str, float]
    worlds: int


def predict(
    experiment: Experiment, mechanism: Mechanism, weighed: Weighed, timing: Timing, *, seed: int, most: int = 400
) -> Predicted:
    """The outcomes of an experiment under a mechanism, its unknowns drawn again from the worlds that agreed."""
    counts: dict[str, int] = {}
    pool = [(sample, hit) for sample in weighed.samples for hit in sample.hits[:most]]
    for sample in weighed.samples:
        hits = sample.hits[:most]
        if not len(hits):
            continue
        if experiment.starts_s:
            outcomes = _run_anew(experiment, mechanism, sample, hits, timing, seed)
        else:
            outcomes = [experiment.outcome(_seen(sample.swept, int(hit), sample.drawn, timing)) for hit in hits]
        for outcome in outcomes:
            counts[outcome] = counts.get(outcome, 0) + 1
    return Predicted({name: count / len(pool) for name, count in sorted(counts.items())}, len(pool))


def _run_anew(
    experiment: Experiment, mechanism: Mechanism, sample: Sample, hits: Any, timing: Timing, seed: int
) -> list[str]:
    settings = {**sample.settings, **experiment.settings}
    sweeper = Sweeper(mechanism.factory(**settings))
    names = [n for n, p in zip(sweeper.semantics.names, sweeper.semantics.processes, strict=True) if not p.daemon]
    at = {name: np.full(len(hits), start) for name, start in zip(names, experiment.starts_s, strict=False)}
    factor = sample.drawn.factor[hits]
    varied = Varied(
        at,
        {label: values[hits] for label, values in sample.drawn.probabilities.items()},
        {name: _scaled(given, factor) for name, given in timing.delays.items()},
    )
    swept = sweeper.sweep(replace(timing, starts_s={}), len(hits), seed=seed, varied=varied)
    runs = len(experiment.starts_s)
    return [
        experiment.outcome([
            Seen(swept.results.get(int(swept.ends[r, p])), experiment.starts_s[p], float(swept.ended_at_s[r, p]))
            for p in range(runs)
        ])
        for r in range(len(hits))
    ]  # fmt: skip


def _seen(swept: Swept, world: int, drawn: Drawn, timing: Timing) -> list[Seen]:
    starts = [*timing.starts_s.values(), *drawn.unseen_starts_s[world]]
    return [
        Seen(swept.results.get(int(swept.ends[world, column])), float(start), float(swept.ended_at_s[world, column]))
        for column, start in enumerate(starts)
        if start < timing.horizon_s
    ]
