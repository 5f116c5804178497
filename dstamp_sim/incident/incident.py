"""An incident judged, with its files; and its evidence updated by an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import ScenarioError, UsageError
from dstamp_sim.core.scenario import Scenario
from dstamp_sim.incident.evidence import Outcome, append_outcomes, read_evidence
from dstamp_sim.incident.judge_mechanisms import Judged, Tell, judge_incident
from dstamp_sim.incident.likely.experiments import check_outcome
from dstamp_sim.incident.replay_scenario import INCIDENT
from dstamp_sim.incident.report.judgement_files import write_judgement, write_report
from dstamp_sim.incident.report.plain import as_json
from dstamp_sim.inputs.model_file import bundled, load_model
from dstamp_sim.inputs.scenario_file import read_scenario
from dstamp_sim.inputs.witness_file import check_writable


def judge_scenario(
    path: Path | None,
    *,
    evidence: Path | None = None,
    seed: int | None = None,
    out: Path,
    report: Path | None = None,
    workers: int = 1,
    tell: Tell | None = None,
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
    judged = judge_incident(scenario, observed, model, workers=workers, tell=tell)
    document = as_json(judged, scenario, observed, model)
    document["command"] = _command(path, evidence, seed)
    files = write_judgement(judged, document, scenario, out)
    if report is not None:
        files += write_report(document, scenario.title, files, report)
    return judged, document, tuple(files)


def _command(path: Path | None, evidence: Path | None, seed: int | None) -> str:
    """The command that judges so again; files by their names, since a report may be moved."""
    parts = ["dstamp replay", *([path.name] if path else []), *([f"--evidence {evidence.name}"] if evidence else [])]
    return " ".join([*parts, *([f"--seed {seed}"] if seed is not None else []), "--report REPORT.md"])


def update_evidence(
    path: Path, observed: Sequence[str], *, scenario: Path | None, source: str, into: Path | None, out: Path
) -> Path:
    """The evidence at `path` with more outcomes, each `EXPERIMENT=OUTCOME`, written to `into` (else added to `path`).

    Comments and everything else in the file stay as they are. Raises UsageError, naming the nearest, for an experiment
    that the scenario's model does not know and an outcome that its experiment cannot have, for a file that is there
    already, and where nothing can be written to `out`; the evidence is not touched then.
    """
    known = load_model(_scenario(scenario, None).model).hypotheses
    if known is None:
        raise UsageError("the scenario's model names no HYPOTHESES, and so no experiments")
    outcomes = [_observed(written) for written in observed]
    for experiment, outcome in outcomes:
        check_outcome(known, experiment, outcome)
    if into is not None and into.exists():
        raise UsageError(f"--into {into}: there is such a file; give a new one, or leave --into out to add to EVIDENCE")
    read_evidence(path)
    check_writable(out)
    append_outcomes(path, into or path, [Outcome(experiment=e, outcome=o, source=source) for e, o in outcomes])
    return into or path


def _observed(written: str) -> tuple[str, str]:
    experiment, _, outcome = written.partition("=")
    if not outcome:
        raise UsageError(f"--observe {written}: write EXPERIMENT=OUTCOME, such as 'isolated run=green'")
    return experiment, outcome


def _scenario(path: Path | None, seed: int | None) -> Scenario:
    scenario = read_scenario(path or bundled(INCIDENT))
    return scenario if seed is None else replace(scenario, timing=replace(scenario.timing, seed=seed))
