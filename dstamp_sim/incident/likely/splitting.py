"""Rare evidence: how likely worlds agree with it of which hardly any drawn one does, by splitting at fixed levels.

Particles are worlds. At each level those that are near enough to the evidence are copied and moved, and the product of
the shares that were near enough is an unbiased estimate (Del Moral 2004; Cerou, Del Moral, Furon and Guyader 2012).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.observable import Observable
from dstamp_sim.core.scenario import Priors, Timing
from dstamp_sim.engines.timed.sweep import Floats, Sweeper
from dstamp_sim.incident.likely.likelihood import Weighed
from dstamp_sim.incident.likely.worlds import Drawn, Sweepers, draw_worlds, partner_windows, sweeper_of, varied
from dstamp_sim.incident.possible.case import Case

NEAREST = 0.9
"""What a run counts at most that did not come out as observed; one that did counts 1."""

SHORTEST = 1e-5
"""Times are told apart down to this share of a longest run."""

STEP = 0.05
"""The least distance of two levels."""

STREAM = 1
"""Tells the generators of splitting from those of plain worlds with the same seed."""


@dataclass(frozen=True)
class SplittingSize:
    """How many worlds move at once, how often between two levels, and how many times all is repeated.

    At a level chosen by the pilot this `share` of the worlds is kept.
    """

    particles: int = 4000
    moves: int = 10
    repetitions: int = 10
    share: float = 0.1


FEW_AGREE = 10
"""Evidence is rare if fewer drawn worlds agree with it."""


def split(
    weighed: Weighed,
    mechanism: Mechanism,
    hypotheses: Hypotheses,
    case: Case,
    timing: Timing,
    priors: Priors,
    *,
    needs: Mapping[str, Any],
    sweepers: Sweepers,
    size: SplittingSize,
) -> Weighed:
    """The same likelihood, with estimates by splitting of every reading that is not impossible."""
    samples = []
    for sample in weighed.samples:
        sweeper = sweeper_of(mechanism, {**sample.settings, **needs}, sample.identities, sweepers)
        reading = Splitting(sweeper, case, hypotheses.evidence, timing, priors, size)
        share = len(sample.agreeing) / weighed.worlds_drawn
        samples.append(replace(sample, split=share * reading.estimates([STREAM, sample.seed])))
    return replace(weighed, samples=tuple(samples))


@dataclass(frozen=True)
class Splitting:
    """One reading of a mechanism on the clock, whose worlds shall come out as observed."""

    sweeper: Sweeper
    case: Case
    evidence: Observable
    timing: Timing
    priors: Priors
    size: SplittingSize

    def estimates(self, seed: Sequence[int]) -> Floats:
        """Independent unbiased estimates of P(evidence), a number for each repetition; deterministic.

        The levels come from a pilot, whose randomness is not used again: so they are fixed for all repetitions.
        """
        levels = self._levels(np.random.default_rng([*seed, 0]))
        times = range(1, self.size.repetitions + 1)
        return np.array([self._chance(levels, np.random.default_rng([*seed, time])) for time in times])

    def _levels(self, generator: np.random.Generator) -> list[float]:
        """Levels of nearness, ascending to that of worlds in which every run came out as observed."""
        whole, levels = float(len(self.case.runs)), [0.0]
        drawn, near = self._begin(generator)
        while levels[-1] < whole:
            wanted = np.quantile(near, 1 - self.size.share)
            levels.append(min(whole, max(STEP * np.floor(wanted / STEP), levels[-1] + STEP)))
            if not (near >= levels[-1]).any():
                return [*levels[1:-1], whole]
            drawn, near = self._climbed(drawn, near, levels[-1], generator)
        return levels[1:]

    def _chance(self, levels: Sequence[float], generator: np.random.Generator) -> float:
        """The product of the shares of worlds that reach each level from the one before."""
        drawn, near = self._begin(generator)
        chance = float((near >= levels[0]).mean())
        for level, following in pairwise(levels):
            if not chance:
                return 0.0
            drawn, near = self._climbed(drawn, near, level, generator)
            chance *= float((near >= following).mean())
        return chance

    def _climbed(
        self, drawn: Drawn, near: Floats, level: float, generator: np.random.Generator
    ) -> tuple[Drawn, Floats]:
        """As many worlds as before, all at this level or above: copies of those that are, moved where that stays so.

        Copies are as even as their number allows, each with the same mean. A move leaves the priors' law unchanged, so
        one that is taken only within the level leaves the law of worlds there unchanged.
        """
        kept = np.resize(generator.permutation(np.flatnonzero(near >= level)), len(near))
        drawn, near = _each(lambda column: column[kept], drawn), near[kept]
        for _ in range(self.size.moves):
            moved = self._moved(drawn, generator)
            there = self._nearness(moved)
            taken = there >= level
            drawn = _each(partial(_chosen, taken), moved, drawn)
            near = np.where(taken, there, near)
        return drawn, near

    def _begin(self, generator: np.random.Generator) -> tuple[Drawn, Floats]:
        drawn = self._drawn(generator)
        return drawn, self._nearness(drawn)

    def _drawn(self, generator: np.random.Generator) -> Drawn:
        """Worlds from the priors, with a stream of draws for each process."""
        drawn = draw_worlds(self.priors, self.timing, self.size.particles, generator, alone=self.case.alone)
        shape = self.size.particles, len(self.sweeper.semantics.names)
        return replace(drawn, seeds=generator.integers(0, 2**63, shape).astype(np.uint64))

    def _nearness(self, drawn: Drawn) -> Floats:
        """The number of runs that came out as observed, and how near the others were to another's change."""
        clock = replace(self.timing, starts_s={})
        swept = self.sweeper.sweep(clock, self.size.particles, varied=varied(self.sweeper, drawn, self.timing))
        longest, found = self.priors.longest_run_s, np.zeros(self.size.particles)
        far = np.log1p(2 / SHORTEST)
        for column, (name, item) in enumerate(zip(swept.names, self.case.runs, strict=False)):
            agrees = swept.where(name, partial(self.evidence.agrees, observed=item.fields))
            away = np.log1p(np.minimum(swept.near_s[:, column], 2 * longest) / (SHORTEST * longest))
            found += np.where(agrees, 1.0, NEAREST * (1 - away / far))
        return found

    def _moved(self, drawn: Drawn, generator: np.random.Generator) -> Drawn:
        """The worlds with some unknowns drawn anew: about one, or a quarter of them; in half of the worlds a little."""
        fresh = self._drawn(generator)
        often = generator.choice([0.0, 0.05, 0.25], self.size.particles, p=[0.5, 0.25, 0.25])
        moved = _each(lambda old, new: _renewed(old, new, often, generator), drawn, fresh)
        starts = self._renewed_starts(drawn.unseen_starts_s, fresh.unseen_starts_s, often, generator)
        still = np.where((often > 0) | (generator.random(len(often)) < 0.5), 1.0, generator.uniform(0.5, 1, len(often)))
        factor = np.where(still < 1, drawn.factor**still * fresh.factor ** np.sqrt(1 - still**2), moved.factor)
        return replace(moved, factor=factor, unseen_starts_s=self._shifted(starts, often == 0, generator))

    def _renewed_starts(self, old: Floats, new: Floats, often: Floats, generator: np.random.Generator) -> Floats:
        """Other instants for partners that come in both, and another number of partners, the others' instants kept."""
        both = (old < self.timing.horizon_s) & (new < self.timing.horizon_s)
        starts = np.where(both, _renewed(old, new, often, generator), old)
        renumbered = generator.random(len(often)) < often
        return np.where(renumbered[:, None] & ~both, new, starts)

    def _shifted(self, starts: Floats, which: NDArray[np.bool_], generator: np.random.Generator) -> Floats:
        """One partner of each of these worlds a little earlier or later, on any scale, if it can have come then."""
        rows = np.flatnonzero(which)
        slot = generator.integers(0, starts.shape[1], len(rows))
        scale = self.priors.longest_run_s * 10 ** generator.uniform(-5, -0.3, len(rows))
        old = starts[rows, slot]
        new = old + scale * generator.standard_normal(len(rows))
        observed = [at for name, at in self.timing.starts_s.items() if name not in self.case.alone]
        within = np.zeros(len(rows), np.bool_)
        for low, high in partner_windows(observed, self.priors.longest_run_s):
            within |= (new >= low) & (new < high)
        shifted = starts.copy()
        shifted[rows, slot] = np.where(within & (new > 0) & (old > 0) & (old < self.timing.horizon_s), new, old)
        return shifted


def _renewed(old: NDArray[Any], new: NDArray[Any], often: Floats, generator: np.random.Generator) -> NDArray[Any]:
    """A column in which each number is drawn anew so `often`."""
    chance = often if old.ndim == 1 else often[:, None]
    return np.where(generator.random(old.shape) < chance, new, old)


def _chosen(which: NDArray[np.bool_], one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """A column of one kind of worlds or the other."""
    return np.where(which if one.ndim == 1 else which[:, None], one, other)


def _each(function: Callable[..., NDArray[Any]], *worlds: Drawn) -> Drawn:
    """A function of every column of worlds."""
    labels = worlds[0].probabilities
    return Drawn(
        {label: function(*(of.probabilities[label] for of in worlds)) for label in labels},
        function(*(of.factor for of in worlds)),
        function(*(of.unseen_starts_s for of in worlds)),
        function(*(of.seeds for of in worlds)),
    )
