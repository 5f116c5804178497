"""The best witness of each mechanism: the cluster on the clock, with all that was observed coming out so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from dstamp_sim.analyses.case import Case
from dstamp_sim.analyses.turns import agrees
from dstamp_sim.core.draws import Draws
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.scenario import Distribution, Priors, Timing
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.engines.replay import replay
from dstamp_sim.engines.timed import run_timed
from dstamp_sim.inputs.witness import Origin, Witness
from dstamp_sim.pipeline.explain import explained
from dstamp_sim.pipeline.files import result_text, save
from dstamp_sim.pipeline.likelihood import Sample, Weighed, agreeing_runs
from dstamp_sim.pipeline.worlds import Drawn, Sweepers, draw, parameters_of, scaled, sweep_worlds, system_of, worlds_of

PARTNER = "unseen"
"""What partners that nobody saw are called."""

NEAR_S = -600.0, 1200.0
"""Between which seconds from an observed run's start partners are put when witnesses are looked for."""

BATCH, BATCHES = 100_000, 8
"""Worlds that are searched at once, and how often at most, where none of those drawn from the priors agreed."""


@dataclass(frozen=True)
class Best:
    """A mechanism's best witness: the parameters of its system, its names, its trace and its number of partners.

    `searched`: its partners were put near the observed runs, since no world drawn from the priors agreed.
    """

    mechanism: str
    parameters: Mapping[str, Any]
    names: Mapping[str, str]
    system: System
    trace: Trace
    unseen: int
    searched: bool


@dataclass(frozen=True)
class Cast:
    """A mechanism with the runs that it has to explain, on the clock."""

    name: str
    mechanism: Mechanism
    case: Case
    timing: Timing
    sight: Mapping[str, Any]

    def best(self, weighed: Weighed) -> Best | None:
        """Of the worlds that agree with the evidence, the one with the fewest partners and most ordinary durations."""
        if not weighed.likelihood.hits:
            return None
        return self._best([(sample, weighed.worlds(sample)) for sample in weighed.samples], searched=False)

    def search(
        self, hypotheses: Hypotheses, priors: Priors, settings: Mapping[str, Any], unseen: int, *, seed: int
    ) -> Best | None:
        """The same among worlds with so many partners, who start near the observed runs; None where none agrees."""
        ways = [way for way in worlds_of(self.mechanism, hypotheses, self.case, priors) if way[0] == settings]
        sweepers: Sweepers = {}
        for batch in range(BATCHES):
            pools = []
            for number, (_, identities, share) in enumerate(ways):
                count = round(BATCH * share / sum(way[2] for way in ways))
                drawn = self._near(priors, unseen, count, np.random.default_rng([seed, batch, number]))
                seen = {**settings, **self.sight}
                swept = sweep_worlds(self.mechanism, seen, identities, drawn, self.timing, seed + batch, sweepers)
                sample = Sample(settings, identities, drawn, swept, agreeing_runs(swept, self.case), seed + batch)
                pools.append((sample, np.flatnonzero(sample.agreeing == len(self.case.runs))))
            if (best := self._best(pools, searched=True)) is not None:
                return best
        return None

    def _near(self, priors: Priors, unseen: int, count: int, generator: np.random.Generator) -> Drawn:
        """Worlds from the priors, but for the partners: so many, each near an observed run."""
        drawn = draw(priors, self.timing, count, generator)
        starts = generator.choice(list(self.timing.starts_s.values()), drawn.unseen_starts_s.shape)
        near = np.maximum(starts + generator.uniform(*NEAR_S, starts.shape), 0.0)
        near[:, unseen:] = self.timing.horizon_s
        return replace(drawn, unseen_starts_s=near)

    def _best(self, pools: list[tuple[Sample, Any]], *, searched: bool) -> Best | None:
        ranked = [
            (
                int(sample.partners(world, self.timing)),
                abs(float(np.log(sample.drawn.factor[world]))),
                number,
                int(world),
            )
            for number, (sample, worlds) in enumerate(pools)
            for world in worlds
        ]
        if not ranked:
            return None
        unseen, _, number, world = min(ranked)
        return self._certified(pools[number][0], world, unseen, searched=searched)

    def _certified(self, sample: Sample, world: int, unseen: int, *, searched: bool) -> Best:
        """That world run on the SimPy clock with the sweep's draws, performed again without who never came."""
        settings = {**sample.settings, **self.sight}
        whole = system_of(self.mechanism, settings, sample.identities)
        timed = run_timed(whole, self._timing(whole, sample, world), Draws(sample.seed, world))
        parameters = parameters_of(settings, sample.identities, unseen)
        system = self.mechanism.factory(**parameters)
        shown = [*self.timing.starts_s, *(f"{PARTNER}-{number + 1}" for number in range(unseen))]
        names = dict(zip(_runs(system), shown, strict=True))
        called = dict(zip(_runs(whole), shown, strict=False))
        system = system.with_names(names)
        choices = [choice._replace(process=called.get(choice.process, choice.process)) for choice in timed.schedule]
        trace = replay(system, str(Schedule(tuple(choices))))
        for item in self.case.runs:
            if not agrees(trace.results.get(item.name), item.fields):
                raise AssertionError(f"{self.name}: {item.name} came out otherwise than in the world that was drawn")
        steps = tuple(replace(s, time_s=t.time_s) for s, t in zip(trace.steps, timed.steps, strict=True))
        starts = {called.get(name, name): at for name, at in (timed.starts_s or {}).items()}
        starts = {name: at for name, at in starts.items() if name in trace.processes}
        timed_trace = replace(trace, steps=steps, starts_s=starts)
        return Best(self.name, parameters, names, system, timed_trace, unseen, searched)

    def _timing(self, whole: System, sample: Sample, world: int) -> Timing:
        """The clock of one world."""
        starts = [*self.timing.starts_s.values(), *map(float, sample.drawn.unseen_starts_s[world])]
        factor = sample.drawn.factor[[world]]
        delays = {}
        for name, given in self.timing.delays.items():
            figures = [float(figure[0]) for figure in scaled(given, factor)]
            delays[name] = Distribution(given.shape, tuple(figures[: len(given.figures)]), given.source)
        probabilities = {label: float(drawn[world]) for label, drawn in sample.drawn.probabilities.items()}
        return replace(
            self.timing,
            starts_s=dict(zip(_runs(whole), starts, strict=True)),
            delays=delays,
            probabilities={**self.timing.probabilities, **probabilities},
        )


def _runs(system: System) -> list[str]:
    return [instance.name for instance in system.instances() if not instance.process.daemon]


def save_witness(best: Best, model: str, title: str, since: datetime | None, out: Path) -> tuple[Path, ...]:
    """The witness's file and its timeline on the cluster's clock."""
    origin = Origin(f"{model}:{best.mechanism}", best.parameters, None, best.names)
    witness = Witness(origin, f"best witness of {best.mechanism}", best.trace, since)
    partners = f"{best.unseen} partner{'s' * (best.unseen != 1)} that nobody saw" if best.unseen else "no other run"
    badges = {
        name: (result_text(result), not getattr(result, "failure", "")) for name, result in best.trace.results.items()
    }
    why = explained(best.system, best.trace, origin=since)
    heading = f"{title}: how {best.mechanism} can have done it, with {partners}"
    return save(out, f"witness-{best.mechanism}", witness, best.system, heading, badges, why)
