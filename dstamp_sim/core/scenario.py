"""A scenario: which model in which setting, who starts when, how long delays last, how likely outcomes are."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from itertools import accumulate
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import ScenarioError, unknown


class Shape(Enum):
    """The shapes of a duration's distribution; the value is the key that scenario files use."""

    CONSTANT = "constant_s"
    UNIFORM = "uniform_s"
    EXPONENTIAL = "exponential_s"
    LOGNORMAL = "lognormal_s"


SHAPES = tuple(Shape)
"""The shapes by number, as `duration_of` takes them."""


def duration_of(shape: int, first: float, second: float, draw: float) -> float:
    """The quantile at `draw` of a duration with these figures: the one definition, which the sweep compiles too."""
    if shape == 0:
        return first
    if shape == 1:
        return first + draw * (second - first)
    if shape == 2:
        return -math.log1p(-draw) * first
    return first * math.exp(second * normal_quantile(draw))


def normal_quantile(draw: float) -> float:
    """The standard normal quantile: bisection of its distribution function, exact to the last few bits."""
    low, high = -8.0, 8.0
    while high - low > 1e-12:
        middle = 0.5 * (low + high)
        if 0.5 * math.erfc(-middle / math.sqrt(2.0)) < draw:
            low = middle
        else:
            high = middle
    return low


@dataclass(frozen=True)
class Distribution:
    """How long a delay lasts, in seconds: constant (value), uniform (low, high), exponential (mean) or lognormal
    (median, sigma of the logarithm). `source` says where the figures come from; "assumed" if from nowhere.
    `at_most_s` and `open_ends` are for exact time alone: where it ends though its shape has no end, and which ends
    ("low", "high") it comes near and never reaches.
    """  # noqa: D205 - one sentence

    shape: Shape
    figures: tuple[float, ...]
    source: str = "assumed"
    at_most_s: float | None = None
    open_ends: tuple[str, ...] = ()

    @property
    def support_s(self) -> tuple[float, float]:
        """The shortest and the longest duration; the longest is infinite where nothing bounds it."""
        if self.shape in (Shape.CONSTANT, Shape.UNIFORM):
            return self.figures[0], self.figures[-1]
        return 0.0, math.inf if self.at_most_s is None else self.at_most_s

    def words(self) -> str:
        """The shape and its figures in a few words."""
        return f"{self.shape.name.lower()} {', '.join(f'{figure:g}' for figure in self.figures)} s"

    def sample(self, draw: float) -> float:
        """The duration in seconds, 0 or more, of a draw in [0, 1): one draw for every shape."""
        first, second = (*self.figures, 0.0)[:2]
        return duration_of(SHAPES.index(self.shape), first, second, draw)


@dataclass(frozen=True)
class Timing:
    """What a timed engine needs beside a system. Times are seconds since the scenario's origin.

    `probabilities` are by outcome label; the outcomes of an op that are not named share the rest equally. Where
    `any_delay` is given, it is the distribution of delays that are not named, and outcomes without a single probability
    are equally likely; otherwise both are refused. Processes without a start begin at 0; those in `late` begin later
    than their start, by a delay of that name. `horizon_s` ends a run in which a daemon would go on for ever.
    """

    delays: Mapping[str, Distribution] = field(default_factory=dict)
    starts_s: Mapping[str, float] = field(default_factory=dict)
    deaths_s: Mapping[str, float] = field(default_factory=dict)
    probabilities: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    horizon_s: float = 400 * 86400.0
    any_delay: Distribution | None = None
    late: Mapping[str, str] = field(default_factory=dict)

    def weights(self, labels: Sequence[str], of: object) -> list[float]:
        """How likely each outcome is. Raises ScenarioError, naming the op `of`, if that is unknown."""
        given = [self.probabilities.get(label) for label in labels]
        named = [weight for weight in given if weight is not None]
        if not named and self.any_delay is None:
            listed = ", ".join(repr(label) for label in labels)
            raise ScenarioError(f"{of} has several outcomes ({listed}): the scenario must state the probability of one")
        left, others = 1.0 - sum(named), len(given) - len(named)
        if left < -1e-9 or (others == 0 and left > 1e-9):
            raise ScenarioError(f"{of}: the probabilities of its outcomes add up to {sum(named):g}, not to 1")
        return [max(left, 0.0) / others if weight is None else weight for weight in given]

    def delay(self, name: str) -> Distribution:
        """How long a delay lasts. Raises ScenarioError if that is unknown."""
        if name not in self.delays and self.any_delay is not None:
            return self.any_delay
        if name not in self.delays:
            raise ScenarioError(f"{unknown('delay', name, self.delays)}: the scenario must state its duration")
        return self.delays[name]


def picked(weights: Sequence[float], draw: float) -> int:
    """The index of the outcome that a draw in [0, 1) picks."""
    mark = draw * sum(weights)
    for index, weight in enumerate(weights):
        mark -= weight
        if mark < 0.0:
            return index
    return len(weights) - 1


@dataclass(frozen=True)
class Arrivals:
    """When runs come, and of how many domains: Poisson at `per_day` in all, or `recorded` seconds by domain.

    `over` is the factory's parameter that tells domains apart; it takes the numbers 1 to `domains`. Of a Poisson
    stream each domain gets `runs / domains` arrivals, rounded up.
    """

    domains: int
    over: str
    runs: int = 0
    per_day: float | None = None
    recorded: tuple[tuple[float, ...], ...] = ()

    def times_s(self, seed: int) -> tuple[tuple[float, ...], ...]:
        """By domain, the seconds at which its runs come; the same for the same seed."""
        if self.per_day is None:
            return self.recorded
        generator, rate = random.Random(seed), self.per_day / self.domains / 86400
        each = -(-self.runs // self.domains)
        return tuple(tuple(accumulate(generator.expovariate(rate) for _ in range(each))) for _ in range(self.domains))


@dataclass(frozen=True)
class Priors:
    """Beliefs about the unknowns before the evidence; `source` says why, `variations` are other beliefs by name.

    `longest_run_s`: a run lasts at most so long. `unseen_mean`: the mean number of unseen partners around the cluster,
    log-uniform between two figures. `same_identity`: how likely all runs have the same unknown identity (else all
    differ). `spread`: the sigma of the logarithm of one factor on all durations. `probabilities`: by outcome label the
    two figures of a beta distribution; one draw holds for all runs of a world. `runs` worlds are drawn per mechanism.
    `odds` are those of the mechanisms before the evidence; one that is not named has 1.
    """

    longest_run_s: float
    unseen_mean: tuple[float, float]
    same_identity: float
    spread: float
    probabilities: Mapping[str, tuple[float, float]]
    runs: int
    source: str
    odds: Mapping[str, float] = field(default_factory=dict)
    variations: Mapping[str, Priors] = field(default_factory=dict)

    def draws_as(self, other: Priors) -> bool:
        """Whether both draw the same worlds: they differ in the odds of the mechanisms at most."""
        return replace(self, odds={}, variations={}) == replace(other, odds={}, variations={})


@dataclass(frozen=True)
class Scenario:
    """A scenario file's content. `parameters` go to the factory; `names` are the processes' names in order of start."""

    title: str
    model: str
    mechanism: str | None
    placement: str | None
    parameters: Mapping[str, Any]
    names: tuple[str, ...]
    timing: Timing
    origin: datetime
    evidence: Path | None
    arrivals: Arrivals | None = None
    priors: Priors | None = None
