"""How likely a wrong result is, against the time between the starts of two runs of one ref."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dstamp_sim.analyses.confidence import interval
from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.properties import PropertyKind
from dstamp_sim.core.scenario import Timing
from dstamp_sim.core.system import System
from dstamp_sim.engines.timed.sweep import Sweeper, Varied
from dstamp_sim.incident.loaded import INCIDENT
from dstamp_sim.inputs.model_file import bundled, load_model
from dstamp_sim.inputs.scenario_file import read_scenario
from experiments.offset_picture import OffsetCurve, draw_offsets

PLACEMENTS = ("none", "deploy_app", "deploy_app+chaos_redeploy", "redeploy_to_check", "deploy_app_to_check")
"""The placements of the incident's curve: no lock, the document's, two that seem to help, and the review's choice."""

OFFSETS_S = tuple(30.0 * n for n in range(41))
"""Start offsets of the incident's curve, in seconds."""


def offset_curve(
    system: System, name: str, timing: Timing, offsets_s: Sequence[float], *, runs: int = 4000
) -> OffsetCurve:
    """How often one of two runs breaks the system's first property of results, with the exact 95 % interval.

    `runs` pairs are run on the clock for each offset; the same arguments give the same curve. Raises UsageError where
    the system has not two processes that end, or no such property.
    """
    names = system.must_end
    about = next((prop for prop in system.properties if prop.kind is PropertyKind.EACH_RESULT), None)
    if len(names) != 2 or about is None:
        raise UsageError(f"an offset is between two runs, each with a property of its result; there are {len(names)}")
    offsets = np.repeat(np.asarray(offsets_s, float), runs)
    swept = Sweeper(system).sweep(
        replace(timing, starts_s={}), len(offsets), varied=Varied({names[0]: np.zeros_like(offsets), names[1]: offsets})
    )
    wrong = np.zeros(len(offsets), bool)
    for run in names:
        wrong |= swept.where(run, lambda result: not about.predicate(result))
    counts = wrong.reshape(len(offsets_s), runs).sum(axis=1).tolist()
    shares = tuple((*interval(count, runs), count / runs) for count in counts)
    return OffsetCurve(name, tuple(offsets_s), tuple((low, share, high) for low, high, share in shares))


def incident_offsets(
    path: Path,
    scenario: Path | None = None,
    *,
    placements: Sequence[str] = PLACEMENTS,
    offsets_s: Sequence[float] = OFFSETS_S,
    runs: int = 4000,
) -> tuple[OffsetCurve, ...]:
    """The curves of a scenario's model (the incident's when left out), a line per placement, drawn to `path`."""
    read = read_scenario(scenario or bundled(INCIDENT))
    model = load_model(read.model)
    curves = tuple(
        offset_curve(model.build({"runs": 2}, placement), placement, read.timing, offsets_s, runs=runs)
        for placement in placements
    )
    draw_offsets(curves, "Two runs of one ref on one stack: how often one drifts (all durations assumed)", path)
    return curves
