"""An incident judged, with its files; and its evidence updated by an outcome."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import ScenarioError, UsageError
from dstamp_sim.core.scenario import Scenario
from dstamp_sim.inputs.evidence import append_outcome, read_evidence
from dstamp_sim.inputs.model_file import bundled, load_model
from dstamp_sim.inputs.scenario_file import read_scenario
from dstamp_sim.inputs.witness import check_writable
from dstamp_sim.pipeline.document import as_json
from dstamp_sim.pipeline.experiments import check_outcome
from dstamp_sim.pipeline.judge import Judged, Tell, judge_incident
from dstamp_sim.pipeline.judgement_files import write_judgement, write_report
from dstamp_sim.pipeline.replay import INCIDENT


def judge_scenario(
    path: Path | None, *, evidence: Path | None, seed: int | None, out: Path, report: Path | None, tell: Tell | None
) -> tuple[Judged, dict[str, Any], tuple[Path, ...]]:
    """The judgement of a scenario's incident, the same as plain values, and the files written of it.

    Raises ScenarioError where there is no evidence or there are no priors, and what the loaders raise.
    """
    scenario = _scenario(path, seed)
    source = evidence or scenario.evidence
    if source is None:
        raise ScenarioError("the scenario names no evidence to judge mechanisms against")
    observed, model = read_evidence(source), load_model(scenario.model)
    check_writable(out)
    if report is not None and not report.parent.is_dir():
        raise UsageError(f"{report}: its folder {report.parent} does not exist")
    judged = judge_incident(scenario, observed, model, tell)
    document = as_json(judged, scenario, observed, model)
    document["command"] = _command(path, evidence, seed)
    since = min((run.time for run in observed.runs if run.time is not None), default=None)
    files = write_judgement(judged, document, scenario, since, out)
    if report is not None:
        files += write_report(document, scenario.title, files, report)
    return judged, document, tuple(files)


def _command(path: Path | None, evidence: Path | None, seed: int | None) -> str:
    """The command that judges so again; files by their names, since a report may be moved."""
    parts = ["dstamp replay", *([path.name] if path else []), *([f"--evidence {evidence.name}"] if evidence else [])]
    return " ".join([*parts, *([f"--seed {seed}"] if seed is not None else []), "--report REPORT.md"])


def update_evidence(path: Path, observed: str, *, source: str, into: Path | None) -> Path:
    """The evidence at `path` with one more outcome, `EXPERIMENT=OUTCOME`, written to `into` (else added to `path`).

    Comments and everything else in the file stay as they are. Raises UsageError, naming the nearest, for an experiment
    that the incident's model does not know and an outcome that its experiment cannot have; nothing is written then.
    """
    experiment, equals, outcome = observed.partition("=")
    known = load_model(_scenario(None, None).model).hypotheses
    assert known is not None
    if not equals or not outcome:
        raise UsageError(f"--observe {observed}: write EXPERIMENT=OUTCOME, such as 'isolated run=green'")
    check_outcome(known, experiment, outcome)
    target = into or path
    append_outcome(path, target, experiment, outcome, source)
    return target


def _scenario(path: Path | None, seed: int | None) -> Scenario:
    scenario = read_scenario(path or bundled(INCIDENT))
    return scenario if seed is None else replace(scenario, timing=replace(scenario.timing, seed=seed))
