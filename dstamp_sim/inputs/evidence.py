"""Evidence files: what was observed of the real incident, each item with its source. Unknowns stay unknown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from dstamp_sim.inputs.toml_file import Strict, read_toml


class ObservedRun(Strict):
    """One real run. `time_means` says what its time is of; `stamp = "right"` where only that is known."""

    id: str
    time: datetime
    time_means: Literal["start", "end", "unknown"]
    recipe: str
    ref: str
    pr: int | None = None
    level: int | None = None
    stages: dict[str, Literal["pass", "fail"]] = Field(default_factory=dict)
    stamp: str | None = None
    company: Literal["solo", "clustered", "unknown"] = "unknown"
    source: str

    def observed(self) -> dict[str, object]:
        """What a simulated result can be compared with: stamp, level, and the stages' verdicts, as far as known."""
        known = {"stamp": self.stamp, "level": self.level, **self.stages}
        return {field: value for field, value in known.items() if value is not None}


class Probe(Strict):
    """One isolated reproduction: what was set up, how far it got, what it stamped."""

    id: str
    setup: str
    reached: str
    stamp: str
    source: str


class Fact(Strict):
    """Something known of the incident that is neither a run nor a probe."""

    text: str
    source: str


class Evidence(Strict):
    """Everything observed."""

    runs: tuple[ObservedRun, ...]
    probes: tuple[Probe, ...] = ()
    facts: tuple[Fact, ...] = ()

    def run(self, name: str) -> ObservedRun | None:
        """The observed run called `name`, if there is one."""
        return next((run for run in self.runs if run.id == name), None)


def read_evidence(path: Path) -> Evidence:
    """The evidence in a TOML file. Raises ScenarioError naming file, place and remedy."""
    return read_toml(path, Evidence)
