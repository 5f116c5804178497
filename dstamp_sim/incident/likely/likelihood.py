"""How likely a mechanism makes the evidence: worlds drawn from the priors, run on the clock, compared with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.analyses.confidence import Interval, interval, positive_mean_interval
from dstamp_sim.core.experiment import Experiment, Seen
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.observable import Observable
from dstamp_sim.core.scenario import Priors, Timing
from dstamp_sim.engines.timed.sweep import Sweeper, Swept, Varied
from dstamp_sim.incident.likely.worlds import Drawn, Sweepers, draw_worlds, scaled, sweep_worlds, worlds_of
from dstamp_sim.incident.possible.case import Case


@dataclass(frozen=True)
class Likelihood:
    """P(evidence | mechanism, priors): hits among worlds. No world is needed where it is impossible.

    `split` are independent estimates by splitting, if they were made and one of them is not 0: they then count.
    """

    hits: int
    worlds: int
    split: tuple[float, ...] = ()

    @property
    def estimate(self) -> float:
        """The share of worlds in which everything came out as observed."""
        if self.split:
            return fmean(self.split)
        return self.hits / self.worlds if self.worlds else 0.0

    @property
    def interval(self) -> Interval:
        """The 95 % interval: exact for hits, from the spread of the estimates by splitting."""
        if self.split:
            return positive_mean_interval(self.split)
        return interval(self.hits, self.worlds) if self.worlds else Interval(0.0, 0.0)


@dataclass(frozen=True)
class WorldSample:
    """The worlds of one reading: the draws, the results, and the number of runs that came out as observed.

    In `lonely` worlds there is no unseen partner. `split` are estimates of the share of all worlds that are of this
    reading and in which every run came out as observed, where it was split (see `splitting`).
    """

    settings: Mapping[str, Any]
    identities: Sequence[Mapping[str, Any]]
    drawn: Drawn
    swept: Swept
    agreeing: NDArray[np.int64]
    seed: int

    lonely: NDArray[np.bool_]
    split: NDArray[np.float64] | None = None

    def partners(self, world: int, timing: Timing) -> int:
        """The number of unseen partners in each world."""
        return int((self.drawn.unseen_starts_s[world] < timing.horizon_s).sum())


@dataclass(frozen=True)
class Weighed:
    """A mechanism's worlds by reading, and what they say of its likelihood.

    `runs` were observed. `worlds_drawn` and `lonely_drawn` (without a partner) count also the worlds of readings that
    are impossible, which were not run. `kept` are the worlds of each sample that also agree with the outcomes of
    experiments (see `observe`), as often as they do.
    """

    runs: int
    worlds_drawn: int
    lonely_drawn: int
    samples: tuple[WorldSample, ...] = ()
    kept: tuple[NDArray[np.int64], ...] | None = None

    @property
    def likelihood(self) -> Likelihood:
        """How likely the mechanism makes the evidence."""
        hits = sum(int(self._hits(sample).sum()) for sample in self.samples)
        split = np.sum([one.split for one in self.samples if one.split is not None], axis=0)
        return Likelihood(hits, self.worlds_drawn, tuple(split.tolist()) if np.any(split) else ())

    @property
    def alone(self) -> Likelihood:
        """The same if there was no unseen partner."""
        hits = sum(int((sample.lonely & self._hits(sample)).sum()) for sample in self.samples)
        return Likelihood(hits, self.lonely_drawn)

    @property
    def closest(self) -> int:
        """The largest number of runs that came out as observed in one world: all where there were hits."""
        return max((int(sample.agreeing.max()) for sample in self.samples), default=0)

    def _hits(self, sample: WorldSample) -> NDArray[np.bool_]:
        return np.asarray(sample.agreeing == self.runs, np.bool_)

    def but(self, impossible: Sequence[Mapping[str, Any]]) -> Weighed:
        """The same where the readings with these settings are known to be impossible, too."""
        return replace(self, samples=tuple(one for one in self.samples if one.settings not in impossible))

    def worlds(self, sample: WorldSample) -> NDArray[np.int64]:
        """The worlds of a sample that agree with the observed runs; where the mechanism has none, its closest."""
        return np.flatnonzero(sample.agreeing == self.closest)

    @property
    def pools(self) -> tuple[NDArray[np.int64], ...]:
        """By sample, the worlds from which experiments are predicted."""
        return self.kept if self.kept is not None else tuple(self.worlds(sample) for sample in self.samples)


NEVER = Weighed(0, 0, 0)
"""The likelihood of an impossible mechanism: no world is drawn for it."""


def weigh(
    mechanism: Mechanism,
    hypotheses: Hypotheses,
    case: Case,
    timing: Timing,
    priors: Priors,
    *,
    seed: int,
    needs: Mapping[str, Any],
    impossible: Sequence[Mapping[str, Any]],
    sweepers: Sweepers,
) -> Weighed:
    """The likelihood of `case` under a mechanism: readings are weighted alike, the rest is drawn from `priors`.

    The settings in `impossible` are known to have no agreeing world, and are not run. `sweepers` keeps compiled tables.
    """
    worlds = worlds_of(mechanism, hypotheses, case, priors)
    samples, total, alone = [], 0, 0
    for number, (settings, identities, share) in enumerate(worlds):
        count = max(1, round(priors.runs * share))
        drawn = draw_worlds(priors, timing, count, np.random.default_rng([seed, number]), alone=case.alone)
        lonely = np.asarray((drawn.unseen_starts_s >= timing.horizon_s).all(axis=1), np.bool_)
        total, alone = total + count, alone + int(lonely.sum())
        if settings in impossible:
            continue
        swept = sweep_worlds(mechanism, {**settings, **needs}, identities, drawn, timing, seed + number, sweepers)
        agreeing = agreeing_runs(swept, case, hypotheses.evidence)
        samples.append(WorldSample(settings, identities, drawn, swept, agreeing, seed + number, lonely))
    return Weighed(len(case.runs), total, max(alone, 1), tuple(samples))


def agreeing_runs(swept: Swept, case: Case, evidence: Observable) -> NDArray[np.int64]:
    """In every world, how many of the observed runs came out as they were observed."""
    agreeing = np.zeros(len(swept.ends), np.int64)
    for name, item in zip(swept.names, case.runs, strict=False):
        agreeing += swept.where(name, partial(evidence.agrees, observed=item.fields))
    return agreeing


@dataclass(frozen=True)
class Predicted:
    """How often an experiment has which outcome under one mechanism, over the worlds that agree with the evidence.

    If none agrees, over the worlds that agree with most of it (`agree` is then False). `in_turn` are the outcomes world
    by world: the same place is the same world for every experiment.
    """

    shares: Mapping[str, float]
    worlds: int
    agree: bool = True
    in_turn: tuple[str, ...] = ()


MOST_PREDICTED, MOST_OBSERVED = 400, 4000
"""In how many worlds an experiment is run to predict it, and to weigh an outcome that it had."""


def predict(experiment: Experiment, mechanism: Mechanism, weighed: Weighed, timing: Timing, *, seed: int) -> Predicted:
    """The outcomes of an experiment under a mechanism, its unknowns drawn again from the worlds that agreed."""
    tried = _tried(experiment, mechanism, weighed, timing, seed, MOST_PREDICTED)
    counts = Counter(outcome for _, outcomes in tried for outcome in outcomes)
    shares = {name: count / counts.total() for name, count in sorted(counts.items())}
    return Predicted(shares, counts.total(), weighed.likelihood.hits > 0, tuple(_in_turn(tried, weighed)))


def _in_turn(tried: Sequence[tuple[NDArray[np.int64], list[str]]], weighed: Weighed) -> Iterator[str]:
    """An outcome for each world in which experiments are run, also where the incident was looked at in fewer."""
    size = sum(map(len, weighed.pools))
    for (worlds, outcomes), pool in zip(tried, weighed.pools, strict=True):
        spread = _spread(pool, MOST_PREDICTED, size)
        if len(outcomes) != len(spread):
            by_world = dict(zip(worlds, outcomes, strict=True))
            yield from (by_world[world] for world in spread)
        else:
            yield from outcomes


def observe(
    experiment: Experiment, outcome: str, mechanism: Mechanism, weighed: Weighed, timing: Timing, *, seed: int
) -> tuple[Weighed, float]:
    """How likely an outcome is in the worlds that agreed before (smoothed by half a count), and the worlds that had it.

    Outcomes taken one after the other so have their joint probability: all belong to the same world. If no world had an
    outcome, the worlds that agreed before remain.
    """
    tried = _tried(experiment, mechanism, weighed, timing, seed, MOST_OBSERVED)
    kept = tuple(
        worlds[np.array([experiment.fits(outcome, one) for one in outcomes], np.bool_)] for worlds, outcomes in tried
    )
    hits, total = sum(map(len, kept)), sum(len(worlds) for worlds, _ in tried)
    return replace(weighed, kept=kept) if hits else weighed, (hits + 0.5) / (total + 1.0)


def _tried(
    experiment: Experiment, mechanism: Mechanism, weighed: Weighed, timing: Timing, seed: int, most: int
) -> list[tuple[NDArray[np.int64], list[str]]]:
    """By sample, in which worlds an experiment was run or the incident looked at again, and its result."""
    size = sum(map(len, weighed.pools))
    tried = []
    for sample, pool in zip(weighed.samples, weighed.pools, strict=True):
        if experiment.starts_s:  # the rarest mechanism is run as often as the others, in its few worlds
            worlds = _spread(pool, most, size)
            outcomes = _run_anew(experiment, mechanism, sample, worlds, timing, seed)
        else:
            worlds = pool if size < most else _spread(pool, most, size)
            outcomes = [experiment.came(_seen(sample.swept, int(w), sample.drawn, timing)) for w in worlds]
        tried.append((worlds, outcomes))
    return tried


def _spread(pool: NDArray[np.int64], most: int, size: int) -> NDArray[np.int64]:
    """Of `most` worlds, the share that a reading's pool has in all `size`: evenly picked, or repeated."""
    count = round(most * len(pool) / size) if size else 0
    return pool[np.arange(count) * len(pool) // count] if count else pool[:0]


def _run_anew(
    experiment: Experiment,
    mechanism: Mechanism,
    sample: WorldSample,
    worlds: NDArray[np.int64],
    timing: Timing,
    seed: int,
) -> list[str]:
    if not len(worlds):
        return []
    settings = {**sample.settings, **experiment.settings}
    sweeper = Sweeper(mechanism.factory(**settings))
    names = [n for n, p in zip(sweeper.semantics.names, sweeper.semantics.processes, strict=True) if not p.daemon]
    at = {name: np.full(len(worlds), start) for name, start in zip(names, experiment.starts_s, strict=False)}
    factor = sample.drawn.factor[worlds]
    varied = Varied(
        at,
        {label: values[worlds] for label, values in sample.drawn.probabilities.items()},
        {name: scaled(given, factor) for name, given in timing.delays.items()},
    )
    swept = sweeper.sweep(replace(timing, starts_s={}), len(worlds), seed=seed, varied=varied)
    runs = len(experiment.starts_s)
    return [
        experiment.came([
            Seen(swept.results.get(int(swept.ends[r, p])), experiment.starts_s[p], float(swept.ended_at_s[r, p]))
            for p in range(runs)
        ])
        for r in range(len(worlds))
    ]  # fmt: skip


def _seen(swept: Swept, world: int, drawn: Drawn, timing: Timing) -> list[Seen]:
    starts = [*timing.starts_s.values(), *drawn.unseen_starts_s[world]]
    return [
        Seen(swept.results.get(int(swept.ends[world, column])), float(start), float(swept.ended_at_s[world, column]))
        for column, start in enumerate(starts)
        if start < timing.horizon_s
    ]
