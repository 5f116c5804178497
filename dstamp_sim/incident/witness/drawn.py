"""The best witness of each mechanism: the cluster on the clock, with everything coming out as observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from dstamp_sim.core.draws import Draws
from dstamp_sim.core.mechanism import Mechanism
from dstamp_sim.core.observable import Observable
from dstamp_sim.core.scenario import Distribution, Timing
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.engines.replay import replay
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.incident.likely.likelihood import Weighed, WorldSample
from dstamp_sim.incident.likely.worlds import parameters_of, scaled, system_of_world
from dstamp_sim.incident.possible.case import Case
from dstamp_sim.incident.possible.least import PARTNER
from dstamp_sim.incident.witness.clock import Fitted
from dstamp_sim.incident.witness.construct import Construction
from dstamp_sim.inputs.model_file import Model
from dstamp_sim.inputs.witness_file import Origin, Witness
from dstamp_sim.pipeline.explained import explained
from dstamp_sim.pipeline.files import run_badges, save_with_timeline


@dataclass(frozen=True)
class Best:
    """A mechanism's best witness: the parameters of its system, its names, its trace and its number of partners.

    `fitted` are the figures of one that was constructed, since no world drawn from the priors agreed; `bites` says what
    of it the priors exclude.
    """

    mechanism: str
    parameters: Mapping[str, Any]
    names: Mapping[str, str]
    system: System
    trace: Trace
    unseen: int
    fitted: Fitted | None = None
    bites: tuple[str, ...] = ()


@dataclass(frozen=True)
class DrawnMechanism:
    """A mechanism with the runs that it has to explain, on the clock."""

    name: str
    mechanism: Mechanism
    case: Case
    timing: Timing
    needs: Mapping[str, Any]
    evidence: Observable

    def best(self, weighed: Weighed) -> Best | None:
        """Of the worlds that agree with the evidence, the one with the fewest partners and most ordinary durations."""
        if not weighed.likelihood.hits:
            return None
        return self._best([(sample, weighed.worlds(sample)) for sample in weighed.samples])

    def _best(self, pools: list[tuple[WorldSample, Any]]) -> Best | None:
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
        return self._certified(pools[number][0], world, unseen)

    def _certified(self, sample: WorldSample, world: int, unseen: int) -> Best:
        """That world run on the SimPy clock with the sweep's draws, performed again without absent processes."""
        settings = {**sample.settings, **self.needs}
        whole = system_of_world(self.mechanism, settings, sample.identities)
        timed = run_timed(whole, self._timing(whole, sample, world), Draws(sample.seed, world))
        parameters = parameters_of(settings, sample.identities, unseen)
        system = self.mechanism.factory(**parameters)
        shown = [*self.timing.starts_s, *(f"{PARTNER}-{number + 1}" for number in range(unseen))]
        names = dict(zip(system.must_end, shown, strict=False))  # runs first; a janitor keeps its name
        called = dict(zip(whole.must_end, shown, strict=False))
        system = system.with_names(names)
        choices = [choice._replace(process=called.get(choice.process, choice.process)) for choice in timed.schedule]
        trace = replay(system, str(Schedule(tuple(choices))))
        for item in self.case.runs:
            if not self.evidence.agrees(trace.results.get(item.name), item.fields):
                raise AssertionError(f"{self.name}: {item.name} came out differently than in the drawn world")
        steps = tuple(replace(s, time_s=t.time_s) for s, t in zip(trace.steps, timed.steps, strict=True))
        starts = {called.get(name, name): at for name, at in (timed.starts_s or {}).items()}
        starts = {name: at for name, at in starts.items() if name in trace.processes}
        timed_trace = replace(trace, steps=steps, starts_s=starts)
        return Best(self.name, parameters, names, system, timed_trace, unseen)

    def _timing(self, whole: System, sample: WorldSample, world: int) -> Timing:
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
            starts_s=dict(zip(whole.must_end, starts, strict=False)),
            delays=delays,
            probabilities={**self.timing.probabilities, **probabilities},
        )


def constructed(name: str, attempt: Construction) -> Best | None:
    """The witness of a mechanism that was constructed, performed again by `replay`; None if there is none."""
    made = attempt.made
    if made is None:
        return None
    if replay(made.system, str(made.trace.schedule)).results != made.trace.results:
        raise AssertionError(f"{name}: the constructed run does not replay")
    return Best(name, made.parameters, made.names, made.system, made.trace, made.unseen, made.fitted, attempt.bites)


def save_witness(best: Best, model: Model, title: str, since: datetime | None, out: Path) -> tuple[Path, ...]:
    """The witness's file and its timeline on the cluster's clock."""
    origin = Origin(f"{model.reference}:{best.mechanism}", best.parameters, None, best.names, best.system.crashes)
    witness = Witness(origin, f"best witness of {best.mechanism}", best.trace, since)
    partners = f"{best.unseen} partner{'s' * (best.unseen != 1)} that nobody saw" if best.unseen else "no other run"
    badges = run_badges(best.system, best.trace)
    why = explained(best.system, best.trace, origin=since)
    stretched = best.fitted is not None and best.fitted.excluded
    partners += f", all durations {best.fitted.factor:.1f} times those assumed" if stretched and best.fitted else ""
    heading = f"{title}: how {best.mechanism} can have done it, with {partners}"
    story = f"{model.mechanism(best.mechanism).story}; simulated, all as observed"
    return save_with_timeline(out, f"witness-{best.mechanism}", witness, best.system, heading, badges, why, story)
