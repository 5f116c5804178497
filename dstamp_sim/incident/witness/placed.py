"""Unseen partners, placed one after the other so that one more run comes out as observed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from dstamp_sim.core.draws import Draws
from dstamp_sim.core.observable import Observable
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.engines.timed.sweep import Floats, Sweeper, Swept, Varied
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.incident.likely.likelihood import agreeing_runs
from dstamp_sim.incident.possible.case import Case

NEAR_S = -600.0, 1200.0
"""The seconds after an observed run's start between which a partner is placed."""

WORLDS, KEPT = 40_000, 400
"""How many worlds run for each number of partners, and how many of them get the next partner."""

SHARES = np.linspace(0.0005, 0.9995, 1000)
"""The quantiles of the priors between which durations are interpolated."""


@dataclass(frozen=True)
class Placing:
    """A system of observed runs and `partners` further runs, on the clock of `timing`, whose starts are the observed.

    A delay has one duration for all runs of a world, so that a world stays the same when a partner joins. `spread` is
    that of the logarithm of a factor on all durations.
    """

    system: System
    case: Case
    evidence: Observable
    timing: Timing
    partners: int
    spread: float
    seed: int

    def found(self, most: int) -> Iterator[tuple[int, Trace]]:
        """Worlds in which everything came out as observed, `most` of them: the number of partners, and the run.

        They have the fewest partners that suffice; the same arguments return the same worlds.
        """
        sweeper, generator = Sweeper(self.system), np.random.default_rng(self.seed)
        lasts = np.column_stack([
            np.interp(generator.random(WORLDS), SHARES, [given.sample(float(share)) for share in SHARES])
            for given in self.timing.delays.values()
        ])  # fmt: skip
        lasts *= np.exp(self.spread * generator.standard_normal(WORLDS))[:, None]
        starts = np.full((WORLDS, self.partners), self.timing.horizon_s)
        for come in range(self.partners + 1):
            if come:
                starts[:, come - 1] = self._near(generator)
            agreeing = agreeing_runs(self._swept(sweeper, lasts, starts), self.case, self.evidence)
            hits = np.flatnonzero(agreeing == len(self.case.runs))[:most]
            yield from ((come, self._run(lasts[world], starts[world], int(world))) for world in hits)
            if len(hits):
                return
            best = np.argsort(-agreeing, kind="stable")[:KEPT].repeat(WORLDS // KEPT)
            lasts, starts = lasts[best], starts[best]

    def _near(self, generator: np.random.Generator) -> Floats:
        observed = generator.choice(list(self.timing.starts_s.values()), WORLDS)
        return np.maximum(observed + generator.uniform(*NEAR_S, WORLDS), 0.0)

    def _swept(self, sweeper: Sweeper, lasts: Floats, starts: Floats) -> Swept:
        columns = dict(zip(self.system.must_end, [*self.timing.starts_s.values(), *starts.T], strict=False))
        at = {name: np.broadcast_to(column, WORLDS) for name, column in columns.items()}
        figures = {name: (lasts[:, i], np.zeros(WORLDS)) for i, name in enumerate(self.timing.delays)}
        return sweeper.sweep(self._clock(lasts[0]), WORLDS, seed=self.seed, varied=Varied(at, {}, figures))

    def _run(self, lasts: Floats, starts: Floats, world: int) -> Trace:
        """That world on the SimPy clock."""
        at = dict(zip(self.system.must_end, [*self.timing.starts_s.values(), *map(float, starts)], strict=False))
        timing = replace(self._clock(lasts), starts_s=at)
        return run_timed(self.system, timing, Draws(self.seed, world))

    def _clock(self, lasts: Floats) -> Timing:
        delays = {
            name: Distribution(Shape.CONSTANT, (float(lasts[i]),), given.source)
            for i, (name, given) in enumerate(self.timing.delays.items())
        }
        return replace(self.timing, starts_s={}, delays=delays)
