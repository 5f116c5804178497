"""Sample: schedules drawn by a strategy; the first bad schedule minimised, with a witness and a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from dstamp_sim.analyses.confidence import Interval, all_that_was_never_seen, limits_of
from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.analyses.minimise import minimise
from dstamp_sim.core.numbers import many
from dstamp_sim.core.system import System
from dstamp_sim.core.verdict import Coverage, Judgement, Verdict, certify, combined
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.replay import attempts, replay
from dstamp_sim.engines.sampling.sampler import Sample, SampleProgress, sample
from dstamp_sim.engines.sampling.sampler import Settings as Settings  # noqa: PLC0414 - handed on to the command
from dstamp_sim.pipeline.explained import explained
from dstamp_sim.pipeline.subject import Subject
from dstamp_sim.pipeline.witnessed import save_judgement


@dataclass(frozen=True)
class SampleOptions:
    """How a sample is asked for, beside its subject."""

    verb: ClassVar[str] = "sample"
    numbers_open: ClassVar[bool] = False
    budget: int
    strategy: Settings

    @property
    def flags(self) -> list[str]:
        """The options as they are typed."""
        figures = {"budget": self.budget, "seed": self.strategy.seed, "steps": self.strategy.most_steps}
        typed = (f"--{name}={figure}" for name, figure in figures.items())
        return [f"--strategy={self.strategy.written}", *typed]

    def shared_by(self, workers: int) -> SampleOptions:
        """The options of each of so many samples that are drawn at once."""
        return self

    def drawn(self, asked: Subject, progress: SampleProgress | None = None) -> Sample:
        """The sample. Raises as `engines.sampling.sampler.sample` does."""
        return sample(asked.system, self.budget, self.strategy, properties=asked.properties, progress=progress)


@dataclass(frozen=True)
class Sampling:
    """What `dstamp sample` found: the sample, a judgement per property, 95 % limits, and the files it wrote.

    `chances`: by property, the limits of the probability that one schedule of this strategy decides it.
    `unseen`: the upper limit of the probability that the next schedule has a result that none had. Both are empty where
    schedules are not drawn independently.
    """

    sample: Sample
    judgements: tuple[Judgement, ...]
    explanations: Mapping[str, Explanation]
    chances: Mapping[str, Interval]
    unseen: float | None
    placement: str
    files: tuple[Path, ...]

    @property
    def verdict(self) -> Verdict:
        """VIOLATED if a schedule violates; else UNDETERMINED, unless only wishes were asked and all are reached."""
        return combined([judgement.verdict for judgement in self.judgements])


def sample_model(
    asked: Subject, options: SampleOptions, *, out: Path, progress: SampleProgress | None = None
) -> Sampling:
    """Samples a model's schedules; minimises and saves the first one that decides each property.

    Raises UsageError for figures out of range and an unwritable folder, ModelError as `explore` does.
    """
    model, system, origin = asked.model, asked.system, asked.origin
    options.strategy.chosen()
    check_writable(out)
    drawn = options.drawn(asked, progress)
    judgements = judged(system, drawn, asked.properties)
    found = [judgement for judgement in judgements if judgement.trace is not None]
    explanations = {j.prop.name: explained(system, j.trace, about=j.prop) for j in found if j.trace is not None}
    return Sampling(
        sample=drawn,
        judgements=judgements,
        explanations=explanations,
        chances=_chances(system, drawn),
        unseen=_unseen(drawn),
        placement=system.placement.name,
        files=tuple(
            file for j in found for file in save_judgement(out, model, origin, j, system, explanations[j.prop.name])
        ),
    )


def judged(system: System, drawn: Sample, properties: Sequence[str] = ()) -> tuple[Judgement, ...]:
    """A judgement per property: the first schedule that decides it, minimised and replayed, or UNDETERMINED."""
    stopped = drawn.stopped or f"none of {many(drawn.schedules, 'schedule')}; nothing is known of other schedules"
    coverage = Coverage(states=0, transitions=drawn.steps, depth=drawn.longest, exhausted=False, stopped=stopped)
    judgements = []
    for prop in system.properties_named(properties):
        if prop.asks_ahead:
            judgements.append(certify(prop, replace(coverage, stopped=_ASKS_AHEAD), None))
            continue
        trace = None
        if prop.name in drawn.first:
            least = minimise(drawn.first[prop.name], attempts(system, prop))
            trace = replay(system, least.schedule)
        judgements.append(certify(prop, coverage, trace))
    return tuple(judgements)


_ASKS_AHEAD = "not asked: a schedule shows one way on, and this asks for all of them; `explore` does"


def _chances(system: System, drawn: Sample) -> dict[str, Interval]:
    if not drawn.independent or not drawn.schedules:
        return {}
    asked = {prop.name for prop in system.checked_properties if not prop.asks_ahead}
    return {name: limits_of(hits, drawn.schedules) for name, hits in drawn.decided.items() if name in asked}


def _unseen(drawn: Sample) -> float | None:
    once = sum(count == 1 for _, count in drawn.ends)
    return all_that_was_never_seen(once, drawn.schedules) if drawn.independent and drawn.schedules else None
