"""Replay: one timed run of a scenario under a mechanism, compared run by run with the evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dstamp_sim.analyses.judged_trace import TraceJudgement
from dstamp_sim.core.mechanism import Window
from dstamp_sim.core.scenario import Scenario
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.incident.loaded import Incident
from dstamp_sim.incident.window import reason
from dstamp_sim.inputs.model_file import checked_settings
from dstamp_sim.inputs.witness_file import Origin, Witness
from dstamp_sim.pipeline.explained import Shown, explained, shown_by
from dstamp_sim.pipeline.files import run_badges, save_with_timeline
from dstamp_sim.pipeline.how_often import HowOften, how_often
from dstamp_sim.pipeline.subject import renamed


@dataclass(frozen=True)
class ReplayedRun:
    """One run of the replay: what was observed, what came out, whether they agree, and why."""

    run: str
    observed: Mapping[str, Any]
    simulated: Mapping[str, Any]
    reproduced: bool | None
    why: str


@dataclass(frozen=True)
class Replay:
    """The result of `dstamp replay`: the scenario, the mechanism, the rows, the trace, and the files that were written.

    `properties` is what the trace shows of each, `draws` how often each fails in how many draws (empty: not asked).
    """

    scenario: Scenario
    mechanism: str
    story: str
    placement: str
    assumptions: Sequence[tuple[str, str]]
    rows: tuple[ReplayedRun, ...]
    trace: Trace
    properties: tuple[Shown, ...]
    draws: tuple[HowOften, ...]
    files: tuple[Path, ...]

    @property
    def reproduced(self) -> str:
        """How many of the observed runs it reproduced, in words; empty if none was observed."""
        tally = _tally(self.rows)
        return tally and f"{tally} observed runs"

    @property
    def exit_code(self) -> int:
        """The exit code of the draw or draws: VIOLATED's if a property fails, UNDETERMINED's if one was never asked.

        0 otherwise, which is no HOLDS: it says that nothing failed in so many draws.
        """
        one = tuple(shown.judgement for shown in self.properties)
        found: Sequence[HowOften | TraceJudgement] = self.draws or one
        if any(judged.fails for judged in found):
            return Verdict.VIOLATED.exit_code
        return 0 if all(judged.asked for judged in found) else Verdict.UNDETERMINED.exit_code


def replay_incident(
    incident: Incident,
    *,
    mechanism: str | None,
    placement: str | None,
    out: Path,
    draws: int = 0,
    tell: Callable[[int, int], None] | None = None,
) -> Replay:
    """One timed run of a scenario under a mechanism, compared run by run with the evidence; drawn and saved.

    With `draws`, it also counts how often each property fails in so many, from the seed on.

    Raises UsageError for unknown names and an unwritable folder, ScenarioError and ModelError as their loaders do.
    """
    scenario, model = incident.scenario, incident.model
    name = mechanism or scenario.mechanism
    chosen = model.mechanism(name) if name else None
    if chosen is not None:
        model = replace(model, factory=chosen.factory)
    parameters = checked_settings(model.factory, scenario.parameters)
    system, names = renamed(model.build(parameters, placement or scenario.placement), scenario.names)
    check_writable(out)
    trace = run_timed(system, scenario.timing)
    window = chosen.window if chosen else None
    rows = tuple(_row(trace, name, incident, window) for name in scenario.names)
    reference = scenario.model if name is None else f"{scenario.model}:{name}"
    origin = Origin(reference, parameters, placement or scenario.placement, names, len(scenario.timing.deaths_s))
    witness = Witness(origin, f"replay of {scenario.title}", trace, scenario.origin)
    stem = f"replay-{name or 'model'}"
    title = f"{scenario.title}: {name or 'the model'}, lock placement {system.placement.name}"
    system = system.with_crashes(max(system.crashes, len(scenario.timing.deaths_s)))
    why = explained(system, trace, origin=scenario.origin)
    story = chosen.story if chosen else ""
    below = _simulated(rows, story)
    files = save_with_timeline(out, stem, witness, system, title, run_badges(system, trace), why, below)
    return Replay(
        scenario=scenario,
        mechanism=name or "",
        story=story,
        placement=system.placement.name,
        assumptions=model.assumptions,
        rows=rows,
        trace=trace,
        properties=shown_by(system, trace, scenario.origin, known=why),
        draws=how_often(system, scenario.timing, draws, tell) if draws else (),
        files=files,
    )


def _tally(rows: Sequence[ReplayedRun]) -> str:
    """How many of the observed runs came out as observed: `1 of 4`; empty if none was observed."""
    judged = [row.reproduced for row in rows if row.reproduced is not None]
    return f"{sum(judged)} of {len(judged)}" if judged else ""


def _simulated(rows: Sequence[ReplayedRun], story: str) -> str:
    """The line below the picture's title: what is simulated is no observation."""
    tally = _tally(rows)
    return "; ".join(filter(None, [story, f"simulated, {tally} as observed" if tally else "simulated"]))


def _row(trace: Trace, name: str, incident: Incident, window: Window | None) -> ReplayedRun:
    seen = incident.evidence.run(name) if incident.evidence else None
    observable, result = incident.model.evidence, trace.results.get(name)
    observed = observable.compared(seen.seen) if seen else ()
    origin = incident.scenario.origin
    if name not in trace.results:
        why = f"it never ended: it waits for {trace.waiting[name]}" if name in trace.waiting else "it died"
    elif window is None:
        why = ""
    else:
        why = reason(trace, name, window, failure=_failure(result), when=lambda step: instant(step, origin))
    reproduced = observable.agrees(result, observed) if observed else None
    return ReplayedRun(name, dict(observed), _fields(result), reproduced, why)


def _fields(result: Any) -> dict[str, Any]:
    """A result field by field, or as one field if it has none."""
    return dict(result._asdict()) if hasattr(result, "_asdict") else {"result": result}


def _failure(result: Any) -> str:
    """A result's own word for the failure, if it has one."""
    return str(getattr(result, "failure", ""))


def instant(step: Step, origin: datetime) -> str:
    """A step's instant on the wall clock, to the second."""
    return f"{origin + timedelta(seconds=step.time_s or 0.0):%m-%d %H:%M:%S}"
