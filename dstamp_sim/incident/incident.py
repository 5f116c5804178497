"""An incident judged, with its files; and its evidence updated by an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dstamp_sim.core.errors import ScenarioError, UsageError
from dstamp_sim.core.mechanism import Hypotheses
from dstamp_sim.disk.writing import check_target, check_writable
from dstamp_sim.incident.evidence import ExperimentOutcome, append_outcomes
from dstamp_sim.incident.judge_mechanisms import judge_mechanisms, judge_since
from dstamp_sim.incident.likely.experiments import check_outcome
from dstamp_sim.incident.loaded import Incident
from dstamp_sim.incident.replay_scenario import Replay
from dstamp_sim.incident.report.judgement_files import draw_judgement, write_report, write_tables
from dstamp_sim.incident.report.summarise import summarise
from dstamp_sim.incident.report.summary import Summary
from dstamp_sim.incident.standing import IncidentFindings, WhatStands
from dstamp_sim.pipeline.progress import Progress


@dataclass(frozen=True)
class JudgedIncident:
    """The result of judging an incident: the findings, the same as plain values, and the files that were written."""

    findings: IncidentFindings
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
    return _written(judged, incident, out, replayed, report)


def _written(
    judged: IncidentFindings, incident: Incident, out: Path, replayed: Replay | None = None, report: Path | None = None
) -> JudgedIncident:
    assert incident.evidence is not None
    summary = summarise(judged, incident, incident.evidence, replayed)
    files = [*draw_judgement(judged, incident, out), *write_tables(summary, out)]
    written = (*files, *write_report(summary, files, out, report))
    return JudgedIncident(judged, summary, written)


@dataclass(frozen=True)
class Update:
    """An incident with more outcomes of experiments than it had, and what was judged of it.

    `before` stood before them.
    """

    made: tuple[ExperimentOutcome, ...]
    before: WhatStands
    judged: JudgedIncident


def judge_update(
    incident: Incident,
    observed: Sequence[str],
    *,
    source: str,
    into: Path | None,
    out: Path,
    workers: int = 1,
    tell: Progress | None = None,
) -> Update:
    """The incident with more outcomes, judged before and after them.

    Raises what `update_evidence` and `judge_incident` raise.
    """
    known = len(incident.evidence.outcomes) if incident.evidence else 0
    after = update_evidence(incident, observed, source=source, into=into, out=out)
    assert after.evidence is not None
    stood, judged = judge_since(after, [known], workers=workers, tell=tell)
    return Update(after.evidence.outcomes[known:], stood[0], _written(judged, after, out))


def update_evidence(
    incident: Incident, observed: Sequence[str], *, source: str, into: Path | None, out: Path
) -> Incident:
    """The incident with more outcomes, each `EXPERIMENT=OUTCOME` or `EXPERIMENT: PART=VALUE, ...`.

    Its evidence is written to `into`, else added to. Comments and everything else in the file stay as they are. Raises
    UsageError, with the nearest name, for an unknown experiment and an outcome that the experiment cannot have, for a
    file that exists already, and if nothing can be written to `out`; the evidence is then untouched.
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
    experiment, outcome = _parted(written, known)
    if not outcome:
        listed = [f"{name}={first}" for name, one in known.experiments.items() if (first := next(one.can_be(), ""))]
        such = f", such as {listed[0]!r}" if listed else ""
        raise UsageError(f"--observe {written}: write EXPERIMENT=OUTCOME{such}; `dstamp update --list` has all")
    check_outcome(known, experiment, outcome)
    return ExperimentOutcome(experiment=experiment, outcome=outcome, source=source)


def _parted(written: str, known: Hypotheses) -> tuple[str, str]:
    """The experiment and the outcome: behind the name of a known experiment, else behind the first sign."""
    for name in sorted(known.experiments, key=len, reverse=True):
        if written.startswith((f"{name}=", f"{name}:")):
            return name, written[len(name) + 1 :].strip()
    experiment, _, outcome = written.replace(":", "=", 1).partition("=")
    return experiment, outcome.strip()
