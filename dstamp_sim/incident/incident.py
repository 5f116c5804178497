"""An incident judged, with its files; and its evidence updated by an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dstamp_sim.core.errors import ScenarioError, UsageError
from dstamp_sim.core.mechanism import Hypotheses
from dstamp_sim.disk.writing import check_target, check_writable
from dstamp_sim.incident.evidence import ExperimentOutcome, append_outcomes
from dstamp_sim.incident.judge_mechanisms import judge_mechanisms
from dstamp_sim.incident.likely.experiments import check_outcome
from dstamp_sim.incident.loaded import Incident
from dstamp_sim.incident.replay_scenario import Replay
from dstamp_sim.incident.report.judgement_files import draw_judgement, write_report, write_tables
from dstamp_sim.incident.report.summary import Summary, summarise
from dstamp_sim.pipeline.progress import Progress


@dataclass(frozen=True)
class JudgedIncident:
    """The result of judging an incident: the findings, and the files that were written."""

    summary: Summary
    files: tuple[Path, ...]


def judge_incident(
    incident: Incident,
    *,
    replayed: Replay | None = None,
    out: Path,
    report: Path | None = None,
    workers: int = 1,
    tell: Progress | None = None,
) -> JudgedIncident:
    """The judgement of an incident's mechanisms, and its files in `out`; also a report in Markdown if one is named.

    `replayed` is one run of the scenario, which the report shows too. Raises ScenarioError if there is no evidence
    or there are no priors, UsageError if nothing can be written.
    """
    if incident.evidence is None:
        raise ScenarioError("the scenario names no evidence to judge mechanisms against")
    check_writable(out)
    if report is not None:
        check_target(report)
    judged = judge_mechanisms(incident, workers=workers, tell=tell)
    summary = summarise(judged, incident, incident.evidence, replayed)
    files = [*draw_judgement(judged, incident, out), *write_tables(summary, out)]
    return JudgedIncident(summary, (*files, *write_report(summary, files, out, report)))


def update_evidence(
    incident: Incident, observed: Sequence[str], *, source: str, into: Path | None, out: Path
) -> Incident:
    """The incident with more outcomes, each `EXPERIMENT=OUTCOME`; its evidence is written to `into`, else added to.

    Comments and everything else in the file stay as they are. Raises UsageError, with the nearest name, for an unknown
    experiment and an outcome that the experiment cannot have, for a file that exists already, and if nothing can be
    written to `out`; the evidence is then untouched.
    """
    known, target = incident.model.hypotheses, into or incident.source
    if known is None or target is None or incident.source is None or incident.evidence is None:
        raise UsageError("the scenario's model names no HYPOTHESES, and so no experiments")
    outcomes = [_outcome(written, known, source) for written in observed]
    if into is not None and into.exists():
        raise UsageError(f"--into {into}: that file exists; name a new one, or drop --into to add to EVIDENCE")
    check_target(target, over=True)
    check_writable(out)
    append_outcomes(incident.source, target, outcomes, known.evidence)
    evidence = incident.evidence.model_copy(update={"outcomes": (*incident.evidence.outcomes, *outcomes)})
    path, _, seed = incident.asked
    return replace(incident, source=target, evidence=evidence, asked=(path, target, seed))


def _outcome(written: str, known: Hypotheses, source: str) -> ExperimentOutcome:
    experiment, _, outcome = written.partition("=")
    if not outcome:
        listed = [f"{name}={one.outcomes[0]}" for name, one in known.experiments.items() if one.outcomes]
        such = f", such as {listed[0]!r}" if listed else ""
        raise UsageError(f"--observe {written}: write EXPERIMENT=OUTCOME{such}")
    check_outcome(known, experiment, outcome)
    return ExperimentOutcome(experiment=experiment, outcome=outcome, source=source)
