"""Scenario files: a TOML file becomes a `Scenario`. Unknown keys are refused, missing figures never made up."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from dstamp_sim.core.errors import unknown
from dstamp_sim.core.scenario import Arrivals, Distribution, Priors, Scenario, Shape, Timing
from dstamp_sim.disk.reading import LARGEST_NUMBER
from dstamp_sim.inputs.schema import ONE_CLOCK, Instant, Name, Positive, Seconds, Strict, one_clock, read_table

MOST_COUNT = 10**9
"""More runs or domains than this no scenario means."""

ALL_EQUAL = "all mechanisms equally likely"
"""The variation of priors that is added where the scenario states other odds."""

Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Count = Annotated[int, Field(ge=1, le=MOST_COUNT, strict=True)]


class _Start(Strict):
    """Start times: in order, of the model's processes that must end; `late` is a delay by which one starts later."""

    name: Name
    at: Instant
    late: Name | None = None
    dies_after_s: Seconds | None = None

    @model_validator(mode="after")
    def _sure_death(self) -> _Start:
        if self.late is not None and self.dies_after_s is not None:
            raise ValueError("write late or dies_after_s: a death comes at a moment that is known")
        return self


class _Delay(Strict):
    """A delay's distribution: exactly one of the shapes, and the source of its figures; its ends, for exact time."""

    constant_s: Seconds | None = None
    uniform_s: tuple[Seconds, Seconds] | None = None
    exponential_s: Positive | None = None
    lognormal_s: tuple[Positive, Positive] | None = None
    at_most_s: Positive | None = None
    open_ends: tuple[Literal["low", "high"], ...] = ()
    source: str

    @model_validator(mode="after")
    def _one_shape(self) -> _Delay:
        given = [shape.value for shape in Shape if getattr(self, shape.value) is not None]
        if len(given) != 1:
            raise ValueError(f"write one of {', '.join(shape.value for shape in Shape)}; found: {given or 'none'}")
        if self.uniform_s and self.uniform_s[0] > self.uniform_s[1]:
            raise ValueError(f"uniform_s = {list(self.uniform_s)}: the first figure must be the smaller one")
        return self

    @model_validator(mode="after")
    def _sensible_ends(self) -> _Delay:
        bounded = self.constant_s is not None or self.uniform_s is not None
        if self.at_most_s is not None and bounded:
            raise ValueError(f"at_most_s = {self.at_most_s:g}: it is for shapes without an end; this one has its own")
        if self.open_ends and (self.uniform_s is None or self.uniform_s[0] == self.uniform_s[1]):
            raise ValueError("open_ends is for uniform_s with two different figures")
        return self

    def distribution(self) -> Distribution:
        shape = next(shape for shape in Shape if getattr(self, shape.value) is not None)
        figures = getattr(self, shape.value)
        figures = figures if isinstance(figures, tuple) else (figures,)
        return Distribution(shape, figures, self.source, self.at_most_s, self.open_ends)


class _Arrivals(Strict):
    """When runs come over several domains: `per_day` for Poisson arrivals of `runs` runs, or `recorded` seconds."""

    over: str
    domains: Count
    per_day: Positive | None = None
    runs: Count | None = None
    recorded: tuple[tuple[Seconds, ...], ...] = ()
    source: str

    @model_validator(mode="after")
    def _poisson_or_recorded(self) -> _Arrivals:
        if (self.per_day is None) == (not self.recorded):
            raise ValueError("write either per_day (Poisson arrivals) or recorded (seconds by domain)")
        if self.per_day is not None and self.runs is None:
            raise ValueError("per_day needs runs: how many runs to simulate")
        if self.recorded and len(self.recorded) != self.domains:
            raise ValueError(f"recorded has {len(self.recorded)} lists of seconds for {self.domains} domains")
        return self

    def arrivals(self) -> Arrivals:
        recorded = tuple(tuple(sorted(times)) for times in self.recorded)
        return Arrivals(self.domains, self.over, self.runs or 0, self.per_day, recorded)


class _Variation(Strict):
    """Priors that differ from the scenario's in one point; `name` says which."""

    name: str
    longest_run_s: Positive | None = None
    unseen_mean: tuple[Seconds, Seconds] | None = None
    same_identity: Share | None = None
    spread: Seconds | None = None
    probabilities: dict[str, tuple[Positive, Positive]] = Field(default_factory=dict)
    odds: dict[str, Positive] | None = None


class _Priors(Strict):
    """Beliefs before the evidence: see `Priors`."""

    longest_run_s: Positive
    unseen_mean: tuple[Seconds, Seconds]
    same_identity: Share
    spread: Seconds
    probabilities: dict[str, tuple[Positive, Positive]]
    runs: Count
    source: str
    odds: dict[str, Positive] = Field(default_factory=dict)
    variations: tuple[_Variation, ...] = ()

    def priors(self) -> Priors:
        plain = self.model_dump(exclude={"variations"})
        given = (*self.variations, *([_Variation(name=ALL_EQUAL, odds={})] if self.odds else []))
        varied = {v.name: _merged(plain, v.model_dump(exclude_unset=True, exclude={"name"})) for v in given}
        return Priors(**plain, variations={name: Priors(**values) for name, values in varied.items()})


def _merged(plain: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {**plain, **other, "probabilities": {**plain["probabilities"], **other.get("probabilities", {})}}


class _ScenarioFile(Strict):
    title: str
    model: str
    mechanism: str | None = None
    placement: str | None = None
    seed: Annotated[int, Field(ge=0, le=LARGEST_NUMBER, strict=True)]
    evidence: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    starts: tuple[_Start, ...] = ()
    arrivals: _Arrivals | None = None
    delays: dict[str, _Delay] = Field(default_factory=dict)
    probabilities: dict[str, Share] = Field(default_factory=dict)
    priors: _Priors | None = None

    @model_validator(mode="after")
    def _starts_or_arrivals(self) -> _ScenarioFile:
        if bool(self.starts) == (self.arrivals is not None):
            raise ValueError("write either starts (who starts when) or arrivals (a stream of runs)")
        twice = next((name for name, count in Counter(start.name for start in self.starts).items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"two of the starts are called {twice!r}: give each a name of its own")
        if not one_clock([start.at for start in self.starts]):
            raise ValueError(ONE_CLOCK)
        for start in self.starts:
            if start.late is not None and start.late not in self.delays:
                raise ValueError(f"{start.name} is late by an {unknown('delay', start.late, self.delays)}")
        return self


def read_scenario(path: Path) -> Scenario:
    """The scenario in a TOML file; paths in it are taken from the file's folder.

    Times count from the first start. Raises ScenarioError with file, place and remedy.
    """
    content = read_table(path, _ScenarioFile)
    origin = min((start.at for start in content.starts), default=datetime(2000, 1, 1))
    starts_s = {start.name: (start.at - origin).total_seconds() for start in content.starts}
    deaths = {s.name: starts_s[s.name] + s.dies_after_s for s in content.starts if s.dies_after_s is not None}
    return Scenario(
        title=content.title,
        model=_beside(path.parent, content.model),
        mechanism=content.mechanism,
        placement=content.placement,
        parameters=content.parameters,
        names=tuple(start.name for start in content.starts),
        timing=Timing(
            delays={name: delay.distribution() for name, delay in content.delays.items()},
            starts_s=starts_s,
            late={start.name: start.late for start in content.starts if start.late is not None},
            deaths_s=deaths,
            probabilities=content.probabilities,
            seed=content.seed,
        ),
        origin=origin,
        evidence=path.parent / content.evidence if content.evidence else None,
        arrivals=content.arrivals.arrivals() if content.arrivals else None,
        priors=content.priors.priors() if content.priors else None,
    )


def _beside(folder: Path, model: str) -> str:
    """A model's reference, its path taken from `folder` if it is there; anything else stays as it is."""
    location, colon, factory = model.partition(":")
    there = folder / location
    return f"{there}{colon}{factory}" if there.exists() else model
