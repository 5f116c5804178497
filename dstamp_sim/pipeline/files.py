"""The files that commands write of a trace: its witness and its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.core.properties import Kind, Property
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.value import text
from dstamp_sim.inputs.witness_file import Witness, write_witness
from dstamp_sim.pipeline.explained import told_by
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.png import draw_timeline
from dstamp_sim.rendering.timeline.svg import standalone_svg

Badges = Mapping[str, tuple[str, bool | None]]
"""By process, its result in a few words, and whether that is good (None: not judged)."""


def result_text(result: Any) -> str:
    """A result in a few words: of a run its verdict and stamp, of anything else the value."""
    told = [getattr(result, field, None) for field in ("upgrade", "stamp")]
    return " · ".join(str(item) for item in told if item) or text(result)


def badges_of(trace: Trace, about: Property | None) -> dict[str, tuple[str, bool | None]]:
    """Each process's result in a few words, and whether it is good: said only where the question is about results."""
    judged = about is not None and about.kind is Kind.EACH_RESULT
    return {
        name: (result_text(result), bool(about.predicate(result)) if judged and about else None)
        for name, result in trace.results.items()
    }


def save(
    out: Path,
    stem: str,
    witness: Witness,
    system: System,
    title: str,
    badges: Badges,
    why: Explanation,
) -> tuple[Path, ...]:
    """The witness and its timeline, explained by `why`, as files in `out`."""
    file = out / f"{stem}.witness.json"
    write_witness(file, witness)
    return (file, *draw(out, stem, witness, system, title, badges, why))


def draw(
    out: Path,
    stem: str,
    witness: Witness,
    system: System,
    title: str,
    badges: Badges,
    why: Explanation,
) -> list[Path]:
    """The timeline of a witness, explained by `why`, as PNG and SVG in `out`."""
    trace = witness.trace
    told = told_by(trace, why) if why.fact else None
    layout = lay_out(trace, system.lanes, title=title, verdicts=badges, origin=witness.since, told=told)
    picture, drawing = out / f"{stem}.png", out / f"{stem}.svg"
    draw_timeline(layout, picture)
    drawing.write_text(standalone_svg(layout, title), encoding="utf-8")
    return [picture, drawing]
