"""Explore a model within a scenario's durations: what can fail at all, what must, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dstamp_sim.core.errors import ScenarioError, UsageError
from dstamp_sim.core.scenario import Scenario, Timing
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.zones.within import explore_within
from dstamp_sim.inputs.model_file import checked_settings, load_model, read_settings
from dstamp_sim.inputs.scenario_file import read_scenario
from dstamp_sim.inputs.witness_file import Origin
from dstamp_sim.pipeline.explore import Exploration
from dstamp_sim.pipeline.findings import findings_of
from dstamp_sim.pipeline.subject import Subject, renamed
from dstamp_sim.pipeline.witnessed import witnessed


@dataclass(frozen=True)
class TimedSubject:
    """A subject, and the scenario's durations and starts."""

    subject: Subject
    timing: Timing


def timed_scenario(scenario: Path) -> Scenario:
    """A scenario whose starts and delays have bounds. Raises ScenarioError if it has none."""
    given = read_scenario(scenario)
    if given.arrivals is not None:
        raise ScenarioError(f"{scenario}: exact time needs [[starts]]: a stream of [arrivals] has no bounds")
    return given


def load_timed_subject(
    reference: str,
    scenario: Path,
    settings: Sequence[str] | None = None,
    placement: str | None = None,
    properties: Sequence[str] | None = None,
    crashes: int | None = None,
) -> TimedSubject:
    """A model as a scenario sets it, its processes named as the scenario names them; `settings` come before its own.

    The model that the scenario names is not looked at. Raises UsageError and ScenarioError, with the remedy, for what
    exact time does not support.
    """
    given = timed_scenario(scenario)
    model = load_model(reference)
    try:
        parameters = checked_settings(model.factory, given.parameters)
    except UsageError as error:  # perhaps it is another model's scenario
        raise ScenarioError(f"{scenario}: at parameters: {error}; the scenario is of {given.model}") from error
    parameters |= read_settings(model.factory, settings or ())
    placement = placement or given.placement
    system, names = renamed(model.build(parameters, placement), given.names)
    system = system if crashes is None else system.with_crashes(crashes)
    if system.crashes:
        raise UsageError("exact time knows no deaths: ask with --crashes 0")
    system.properties_named(properties or ())
    origin = Origin(reference, parameters, placement, names, 0)
    return TimedSubject(Subject(model, system, origin, tuple(properties or ())), given.timing)


def explore_model_within(asked: TimedSubject, *, limit: int, ops: int, html: bool = False, out: Path) -> Exploration:
    """Explores a model within bounds, and saves a witness and a timeline of the earliest failure of each property.

    Raises as `explore_within`, and UsageError for an unwritable folder.
    """
    subject = asked.subject
    check_writable(out)
    found = explore_within(subject.system, asked.timing, properties=subject.properties, limit=limit, ops=ops)
    report, explanations, files = witnessed(found.report, subject, out, html=html)
    findings = findings_of(subject.system)
    return Exploration(
        report, subject.system.placement.name, tuple(files), explanations, findings=findings, when=found.when
    )
