"""A scenario: which model in which setting, who starts when, how long delays last, how likely outcomes are."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any


class Shape(Enum):
    """The shapes of a duration's distribution; the value is the key that scenario files use."""

    CONSTANT = "constant_s"
    UNIFORM = "uniform_s"
    EXPONENTIAL = "exponential_s"
    LOGNORMAL = "lognormal_s"


@dataclass(frozen=True)
class Distribution:
    """How long a delay lasts, in seconds: constant (value), uniform (low, high), exponential (mean) or lognormal
    (median, sigma of the logarithm). `source` says where the figures are from; "assumed" where from nowhere.
    """  # noqa: D205 - one sentence

    shape: Shape
    figures: tuple[float, ...]
    source: str = "assumed"

    def sample(self, generator: random.Random) -> float:
        """One duration in seconds, 0 or more; uses up one draw of `generator`, whatever the shape."""
        draw = generator.random()
        match self.shape:
            case Shape.CONSTANT:
                return self.figures[0]
            case Shape.UNIFORM:
                return self.figures[0] + draw * (self.figures[1] - self.figures[0])
            case Shape.EXPONENTIAL:
                return -math.log1p(-draw) * self.figures[0]
            case Shape.LOGNORMAL:
                return self.figures[0] * math.exp(self.figures[1] * _normal(draw))


def _normal(draw: float) -> float:
    """The standard normal quantile of a draw in [0, 1)."""
    from statistics import NormalDist  # noqa: PLC0415 - slow to import, seldom needed

    return NormalDist().inv_cdf(min(max(draw, 1e-12), 1 - 1e-12))


@dataclass(frozen=True)
class Timing:
    """What a timed engine needs beside a system. Times are seconds since the scenario's origin.

    `probabilities` are by outcome label; the outcomes of an op that are not named share what is left equally.
    Processes without a start begin at 0. `horizon_s` ends a run in which a daemon would go on for ever.
    """

    delays: Mapping[str, Distribution] = field(default_factory=dict)
    starts_s: Mapping[str, float] = field(default_factory=dict)
    deaths_s: Mapping[str, float] = field(default_factory=dict)
    probabilities: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    horizon_s: float = 400 * 86400.0


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
