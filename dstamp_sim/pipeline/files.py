"""The files that commands write for a trace: its witness and its timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.value import text
from dstamp_sim.disk.writing import write
from dstamp_sim.inputs.witness_file import Witness, write_witness
from dstamp_sim.pipeline.explained import annotations_of, property_of
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.png import png
from dstamp_sim.rendering.timeline.shapes import Layout
from dstamp_sim.rendering.timeline.svg import standalone_svg

Badges = Mapping[str, tuple[str, bool | None]]
"""By process, its result in a few words, and whether that is good (None: not judged)."""


def result_text(result: Any) -> str:
    """A result in a few words: its own, where it has a method `brief`; else the value."""
    brief = getattr(result, "brief", None)
    return str(brief()) if callable(brief) else text(result)


def badges_of(system: System, trace: Trace, about: Iterable[Property]) -> dict[str, tuple[str, bool | None]]:
    """Each process's result in a few words, and whether it is good: None if no property of `about` judges it."""
    asked = [prop for prop in about if prop.kind is PropertyKind.EACH_RESULT]
    declared = {instance.name: instance.process.name for instance in system.instances()}
    return {
        name: (result_text(result), _good(result, [p for p in asked if p.of in (None, declared[name])]))
        for name, result in trace.results.items()
    }


def run_badges(system: System, trace: Trace) -> dict[str, tuple[str, bool | None]]:
    """The same for runs on the clock, judged by all properties and by a result's attribute `failure`, if it has one."""
    return {
        name: (words, _with_own_word(good, getattr(trace.results[name], "failure", None)))
        for name, (words, good) in badges_of(system, trace, system.properties).items()
    }


def witness_badges(system: System, witness: Witness) -> dict[str, tuple[str, bool | None]]:
    """The same for a witness, judged by the property that it is about; by all where it is about none, as a replay."""
    about = property_of(system, witness.about)
    return badges_of(system, witness.trace, [about]) if about else run_badges(system, witness.trace)


def _good(result: Any, asked: Sequence[Property]) -> bool | None:
    return all(bool(prop.predicate(result)) for prop in asked) if asked else None


def _with_own_word(good: bool | None, failure: Any) -> bool | None:
    return good if failure is None else good is not False and not failure


def save_with_timeline(
    out: Path,
    stem: str,
    witness: Witness,
    system: System,
    title: str,
    badges: Badges,
    why: Explanation,
    story: str = "",
) -> tuple[Path, ...]:
    """The witness and its timeline, explained by `why` and with `story` below the title, as files in `out`."""
    file = out / f"{stem}.witness.json"
    write_witness(file, witness)
    return (file, *draw_witness(out, stem, witness, system, title, badges, why, story))


def draw_witness(
    out: Path,
    stem: str,
    witness: Witness,
    system: System,
    title: str,
    badges: Badges,
    why: Explanation,
    story: str = "",
) -> list[Path]:
    """The timeline of a witness, explained by `why` and with `story` below the title, as PNG and SVG in `out`."""
    trace = witness.trace

    @cache
    def layout() -> Layout:
        annotations = annotations_of(trace, why) if why.fact else None
        return lay_out(
            trace,
            system.lanes,
            title=title,
            subtitle=story,
            verdicts=badges,
            origin=witness.since,
            annotations=annotations,
        )

    picture, drawing = out / f"{stem}.png", out / f"{stem}.svg"
    write(picture, lambda: png(layout()))
    write(drawing, lambda: standalone_svg(layout(), title))
    return [picture, drawing]
