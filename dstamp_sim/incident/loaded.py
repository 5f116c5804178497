"""The inputs of a command on an incident: the scenario, its model and its evidence, each read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dstamp_sim.core.errors import ScenarioError, UsageError, cut, instead
from dstamp_sim.core.scenario import Scenario
from dstamp_sim.incident.evidence import Evidence, read_evidence
from dstamp_sim.incident.possible.budget import ROW_S
from dstamp_sim.inputs.model_file import Model, bundled, load_model
from dstamp_sim.inputs.scenario_file import read_scenario
from dstamp_sim.inputs.schema import ONE_CLOCK, one_clock

SCENARIO = "scenario.toml"
INCIDENT = f"experiments/incident/{SCENARIO}"
"""The scenario that is taken when none is given."""


@dataclass(frozen=True)
class Incident:
    """The inputs of one command: a scenario, its model, and the observations (None: no evidence).

    `source` is the evidence's file. `asked` are the scenario's file, the evidence's file and the seed, unless they are
    the defaults. `row_s` is the processor time that a row of the judgement may take, `chosen` are the mechanisms to
    judge if not all are. Where hardly any drawn world agrees, `rare` asks for an estimate by splitting.
    """

    scenario: Scenario
    model: Model
    source: Path | None
    evidence: Evidence | None
    asked: tuple[Path | None, Path | None, int | None]
    row_s: float = ROW_S
    chosen: tuple[str, ...] = ()
    rare: bool = False

    def only(self, names: Sequence[str], row_s: float | None = None) -> Incident:
        """The same with just these mechanisms to judge, or with all if there are no names; and with this time, if any.

        Raises UsageError, with the nearest name, for an unknown one.
        """
        found = {name: self.model.mechanism(name) for name in names} or self.model.mechanisms
        time_s = self.row_s if row_s is None else row_s
        return replace(self, model=replace(self.model, mechanisms=found), chosen=tuple(names), row_s=time_s)

    @property
    def command(self) -> str:
        """The command that repeats the judgement; files by their names, since a report may be moved."""
        path, evidence, seed = self.asked
        words = ["dstamp replay", path and path.name, evidence and f"--evidence {evidence.name}"]
        words += [None if seed is None else f"--seed {seed}", *(f"--only {name}" for name in self.chosen)]
        words += [None if self.row_s == ROW_S else f"--budget {self.row_s:g}", "--rare" if self.rare else None]
        words.append("--report REPORT.md")
        return " ".join(word for word in words if word)


def _check_odds(scenario: Scenario, model: Model) -> None:
    """Raises UsageError, with the nearest name, for odds of a mechanism that the model has not."""
    priors = scenario.priors
    for beliefs in (priors, *priors.variations.values()) if priors else ():
        for name in beliefs.odds:
            model.mechanism(name)


def scenario_file(path: Path | None) -> Path:
    """The scenario that a command reads: the file, or that of a folder, here or in the package; the incident's if None.

    Raises UsageError, with the nearest name, for a name of neither.
    """
    if path is None:
        return bundled(INCIDENT)
    roots = path, bundled(path.as_posix()), bundled(f"experiments/{path.as_posix()}")
    found = next((place for root in roots for place in (root, root / SCENARIO) if place.is_file()), None)
    if found is None and not path.suffix and not path.exists():
        names = sorted(place.parent.name for place in bundled("experiments").glob(f"*/{SCENARIO}"))
        raise UsageError(f"no scenario at {cut(str(path))!r}{instead(str(path), names)}")
    return found or path


def load_incident(path: Path | None, *, evidence: Path | None = None, seed: int | None = None) -> Incident:
    """The scenario at `path` (default: the incident's), with its model and its evidence.

    `evidence` and `seed` replace the scenario's. Raises ScenarioError for a scenario of arrivals, and what the
    loaders raise.
    """
    scenario = read_scenario(scenario_file(path))
    if scenario.arrivals is not None:
        raise ScenarioError(f"{path}: has a stream of arrivals, which `dstamp review` prices: replay needs [[starts]]")
    if seed is not None:
        scenario = replace(scenario, timing=replace(scenario.timing, seed=seed))
    model, source = load_model(scenario.model), evidence or scenario.evidence
    _check_odds(scenario, model)
    observed = read_evidence(source, model.evidence) if source else None
    if observed is not None and scenario.timing.late:
        raise ScenarioError(f"{path}: starts that were observed are not late: leave out `late`, or the evidence")
    if observed is not None and not one_clock([scenario.origin, *observed.times]):
        raise ScenarioError(f"{source}: beside {path or INCIDENT}, {ONE_CLOCK}")
    return Incident(scenario, model, source, observed, (path, evidence, seed))
