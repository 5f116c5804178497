"""How likely a wrong result is, against the time between the starts of two runs of one ref."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dstamp_sim.incident.likely.offset_curve import OffsetCurve, offset_curve
from dstamp_sim.incident.loaded import INCIDENT
from dstamp_sim.incident.report.offset_picture import draw_offsets
from dstamp_sim.inputs.model_file import bundled, load_model
from dstamp_sim.inputs.scenario_file import read_scenario

PLACEMENTS = ("none", "deploy_app", "deploy_app+chaos_redeploy", "redeploy_to_check", "deploy_app_to_check")
"""The placements of the incident's curve: no lock, the document's, two that seem to help, and the review's choice."""

OFFSETS_S = tuple(30.0 * n for n in range(41))
"""Start offsets of the incident's curve, in seconds."""


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
    found = (
        offset_curve(model.build({"runs": 2}, placement), placement, read.timing, offsets_s, runs=runs)
        for placement in placements
    )
    curves = tuple(curve for curve in found if curve is not None)
    title = "Two runs of one ref on one stack: how often one drifts (all durations assumed)"
    draw_offsets(curves, title, "lock placement", path)
    return curves
