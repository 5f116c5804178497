"""Replay: one timed run of a scenario under a mechanism, compared run by run with the evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dstamp_sim.analyses.judged_trace import TraceJudgement
from dstamp_sim.core.errors import ScenarioError, UsageError
from dstamp_sim.core.mechanism import Mechanism, Window
from dstamp_sim.core.scenario import Scenario
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.incident.evidence import Evidence, read_evidence
from dstamp_sim.incident.window import reason
from dstamp_sim.inputs.model_file import bundled, checked_settings, load_model
from dstamp_sim.inputs.scenario_file import read_scenario
from dstamp_sim.inputs.witness_file import Origin, Witness, check_writable
from dstamp_sim.pipeline.explained import Shown, explained, shown_by
from dstamp_sim.pipeline.files import run_badges, save
from dstamp_sim.pipeline.how_often import HowOften, how_often

INCIDENT = "experiments/incident/scenario.toml"
"""The scenario that `dstamp replay` takes when none is given."""


@dataclass(frozen=True)
class Row:
    """One run of the replay: what was observed of it, what came out, whether that agrees, and why."""

    run: str
    observed: Mapping[str, Any]
    simulated: Mapping[str, Any]
    reproduced: bool | None
    why: str


@dataclass(frozen=True)
class Replay:
    """What `dstamp replay` found: the scenario and mechanism it ran, the rows, the trace, and the files it wrote.

    `properties` is what the trace shows of each, `draws` how often each fails in how many draws (empty: not asked).
    """

    scenario: Scenario
    mechanism: str
    story: str
    placement: str
    assumptions: Sequence[tuple[str, str]]
    rows: tuple[Row, ...]
    trace: Trace
    properties: tuple[Shown, ...]
    draws: tuple[HowOften, ...]
    files: tuple[Path, ...]

    @property
    def exit_code(self) -> int:
        """Of the draw, or of all of them: VIOLATED's where a property fails, UNDETERMINED's where one was never asked.

        0 otherwise, which is no HOLDS: it says that nothing failed in so many draws.
        """
        one = tuple(shown.judgement for shown in self.properties)
        found: Sequence[HowOften | TraceJudgement] = self.draws or one
        if any(judged.fails for judged in found):
            return Verdict.VIOLATED.exit_code
        return 0 if all(judged.asked for judged in found) else Verdict.UNDETERMINED.exit_code


def replay_scenario(
    path: Path | None,
    *,
    mechanism: str | None,
    placement: str | None,
    seed: int | None,
    out: Path,
    draws: int = 0,
    tell: Callable[[int, int], None] | None = None,
) -> Replay:
    """One timed run of a scenario under a mechanism, compared run by run with the evidence; draws and saves it.

    With `draws`, it also counts how often each property fails in so many, from the seed on.

    Raises UsageError for unknown names and an unwritable folder, ScenarioError and ModelError as their loaders do.
    """
    scenario = read_scenario(path or bundled(INCIDENT))
    if scenario.arrivals is not None:
        raise ScenarioError(f"{path}: has a stream of arrivals, which `dstamp review` prices: replay needs [[starts]]")
    evidence = read_evidence(scenario.evidence) if scenario.evidence else None
    model = load_model(scenario.model)
    name = mechanism or scenario.mechanism
    chosen = model.mechanism(name) if name else None
    if chosen is not None:
        model = replace(model, factory=chosen.factory)
    parameters = checked_settings(model.factory, scenario.parameters)
    system, names = _cast(model.build(parameters, placement or scenario.placement), scenario.names)
    check_writable(out)
    timing = scenario.timing if seed is None else replace(scenario.timing, seed=seed)
    trace = run_timed(system, timing)
    rows = tuple(_rows(trace, scenario, evidence, chosen))
    reference = scenario.model if name is None else f"{scenario.model}:{name}"
    origin = Origin(reference, parameters, placement or scenario.placement, names, len(timing.deaths_s))
    witness = Witness(origin, f"replay of {scenario.title}", trace, scenario.origin)
    stem = f"replay-{name or 'model'}"
    title = f"{scenario.title}: {name or 'the model'}, lock placement {system.placement.name}"
    system = system.with_crashes(max(system.crashes, len(timing.deaths_s)))
    why = explained(system, trace, origin=scenario.origin)
    files = save(out, stem, witness, system, title, run_badges(system, trace), why)
    story = chosen.story if chosen else ""
    return Replay(
        scenario=replace(scenario, timing=timing),
        mechanism=name or "",
        story=story,
        placement=system.placement.name,
        assumptions=model.assumptions,
        rows=rows,
        trace=trace,
        properties=shown_by(system, trace, scenario.origin),
        draws=how_often(system, timing, draws, tell) if draws else (),
        files=files,
    )


def _cast(system: System, names: Sequence[str]) -> tuple[System, Mapping[str, str]]:
    """`system` with its processes that must end renamed, in order, to those that the scenario starts."""
    must_end = system.must_end
    if len(names) > len(must_end):
        raise UsageError(
            f"the scenario starts {len(names)} processes ({', '.join(names)}), "
            f"the model has {len(must_end)} that can start ({', '.join(must_end)})"
        )
    renamed = dict(zip(must_end, names, strict=False))
    return system.with_names(renamed), renamed


def _rows(trace: Trace, scenario: Scenario, evidence: Evidence | None, mechanism: Mechanism | None) -> list[Row]:
    return [_row(trace, name, scenario, evidence, mechanism.window if mechanism else None) for name in scenario.names]


def _row(trace: Trace, name: str, scenario: Scenario, evidence: Evidence | None, window: Window | None) -> Row:
    seen = evidence.run(name) if evidence else None
    observed = seen.observed() if seen else {}
    result = trace.results.get(name)
    agrees = {field: _matches(result, field, value) for field, value in observed.items()}
    if name not in trace.results:
        why = f"it never ended: it waits for {trace.waiting[name]}" if name in trace.waiting else "it died"
    elif window is None:
        why = ""
    else:
        why = reason(trace, name, window, failure=_failure(result), when=lambda step: instant(step, scenario.origin))
    return Row(name, observed, _fields(result), all(agrees.values()) if agrees else None, why)


def _fields(result: Any) -> dict[str, Any]:
    """A result field by field, or as one field where it has none."""
    return dict(result._asdict()) if hasattr(result, "_asdict") else {"result": result}


def _failure(result: Any) -> str:
    """A result's own word for what failed, where it has one."""
    return str(getattr(result, "failure", ""))


def _matches(result: Any, field: str, observed: Any) -> bool:
    if hasattr(result, "matches"):
        return bool(result.matches(field, observed))
    return bool(getattr(result, field, None) == observed)


def instant(step: Step, origin: datetime) -> str:
    """A step's instant on the wall clock, to the second."""
    return f"{origin + timedelta(seconds=step.time_s or 0.0):%m-%d %H:%M:%S}"
