"""An incident judged, with its files: tables, pictures, a report; and its evidence updated by an outcome."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import ScenarioError, UsageError, unknown
from dstamp_sim.core.scenario import Scenario
from dstamp_sim.inputs.evidence import read_evidence, with_outcome, write_evidence
from dstamp_sim.inputs.model_file import bundled, load_model
from dstamp_sim.inputs.scenario_file import read_scenario
from dstamp_sim.inputs.witness import check_writable
from dstamp_sim.pipeline.document import as_json
from dstamp_sim.pipeline.judge import Judged, Tell, judge_incident
from dstamp_sim.pipeline.replay import INCIDENT
from dstamp_sim.pipeline.witnesses import save_witness
from dstamp_sim.rendering.judgement import draw_posterior, markdown


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
    document = as_json(judged)
    picture, table = out / "posterior.png", out / "judgement.csv"
    draw_posterior(judged.posterior, judged.varied, picture)
    _write_table(table, document)
    files = [picture, table]
    since = min((run.time for run in observed.runs if run.time is not None), default=None)
    for best in judged.witnesses.values():
        files += save_witness(best, scenario.model, scenario.title, since, out)
    if report is not None:
        report.write_text(markdown(document, scenario.title), encoding="utf-8")
        files.append(report)
    return judged, document, tuple(files)


def update_evidence(path: Path, observed: str, *, source: str, into: Path | None) -> Path:
    """The evidence at `path` with one more outcome, `EXPERIMENT=OUTCOME`, written to `into` (else back to `path`).

    Raises UsageError for an experiment that the incident's model does not know.
    """
    experiment, equals, outcome = observed.partition("=")
    known = load_model(_scenario(None, None).model).hypotheses
    names = known.experiments if known else {}
    if not equals or not outcome:
        raise UsageError(f"--observe {observed}: write EXPERIMENT=OUTCOME, such as 'isolated run=green'")
    if experiment not in names:
        raise UsageError(unknown("experiment", experiment, names))
    target = into or path
    write_evidence(target, with_outcome(read_evidence(path), experiment, outcome, source))
    return target


def _scenario(path: Path | None, seed: int | None) -> Scenario:
    scenario = read_scenario(path or bundled(INCIDENT))
    return scenario if seed is None else replace(scenario, timing=replace(scenario.timing, seed=seed))


def _write_table(path: Path, document: dict[str, Any]) -> None:
    """A row per mechanism and reading, as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["mechanism", "reading", "verdict", "why", "unseen", "unseen_untimed", "likelihood", "posterior"]
        )
        for row in document["mechanisms"]:
            name = row["mechanism"]
            reading = "; ".join(f"{question}: {answer}" for question, answer in row["reading"].items())
            numbers = [row["unseen_partners"], row["unseen_partners_without_timing"]]
            chances = [document["likelihoods"][name]["estimate"], document["posterior"][name]]
            writer.writerow([name, reading, row["verdict"], row["why"], *numbers, *chances])
