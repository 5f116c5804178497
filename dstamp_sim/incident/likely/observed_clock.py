"""The clock on which an incident is simulated: when the observed runs started, as far as the evidence tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from dstamp_sim.core.mechanism import Hypotheses
from dstamp_sim.core.scenario import Distribution, Priors, Shape, Timing
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.incident.evidence import Evidence


def observed_clock(
    evidence: Evidence, hypotheses: Hypotheses, timing: Timing, priors: Priors
) -> tuple[Timing, datetime | None]:
    """The scenario's clock with the observed runs' starts, and the instant of its second 0 (None: no time is known).

    A time whose meaning is unknown is taken as a start, as the priors say. From an end, the length of an undisturbed
    run with median durations is subtracted. A run without any time starts with the first. Where the first was not
    alone, the clock begins a longest run earlier, so that partners can have come before it.
    """
    length = timedelta(0)
    if any(run.time_means == "end" for run in evidence.runs):
        length = timedelta(seconds=undisturbed_s(hypotheses, timing))
    times = {
        run.id: run.time - length if run.time_means == "end" else run.time
        for run in evidence.runs
        if run.time is not None
    }
    first = min(times.values(), default=None)
    early = [run for run in evidence.runs if times.get(run.id, first) == first]
    lead_s = 0.0 if all(run.company == "solo" for run in early) else priors.longest_run_s
    starts = {run.id: times.get(run.id, first) for run in evidence.runs}
    starts_s = {name: lead_s + (at - first).total_seconds() if at and first else lead_s for name, at in starts.items()}
    return replace(timing, starts_s=starts_s), first - timedelta(seconds=lead_s) if first else None


def undisturbed_s(hypotheses: Hypotheses, timing: Timing) -> float:
    """The duration of one run alone, without any fault, if every delay lasts its median."""
    medians = {
        name: Distribution(Shape.CONSTANT, (given.sample(0.5),), given.source) for name, given in timing.delays.items()
    }
    trace = run_timed(hypotheses.nothing(runs=1), replace(timing, starts_s={}, delays=medians))
    return max((step.time_s or 0.0 for step in trace.steps), default=0.0)
