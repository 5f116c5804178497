"""Export: a model, its space or a witness in another tool's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from dstamp_sim.analyses.happens_before import HappensBefore
from dstamp_sim.core.errors import UsageError, unknown
from dstamp_sim.core.escaping import harmless
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.disk.writing import check_writable, write
from dstamp_sim.engines.explore.atlas import chart
from dstamp_sim.engines.replay import replay
from dstamp_sim.export.formats import OF_MODELS, OF_SPACES, OF_TRACES
from dstamp_sim.export.tabulate import tabulate
from dstamp_sim.inputs.witness_file import read_witness
from dstamp_sim.pipeline.explained import annotations_of, explained, property_of
from dstamp_sim.pipeline.subject import load_subject
from dstamp_sim.pipeline.trace_page import scenes_of
from dstamp_sim.rendering.timeline.annotations import Annotations

TraceOf = Callable[[Path], tuple[Trace, Annotations]]
"""The trace that is saved in a file, and its explanation."""


def export(
    reference: str,
    *,
    to: str,
    settings: Sequence[str] = (),
    placement: str | None = None,
    properties: Sequence[str] = (),
    crashes: int | None = None,
    merge: bool = True,
    out: Path,
    trace_of: TraceOf | None = None,
) -> Path:
    """Writes a model (or, if `reference` is a witness file, its trace) in the format `to`, and returns the file.

    A file that is no model's witness comes with `trace_of`, which returns its trace and explanation.
    Raises UsageError for unknown names, an unwritable folder, options that do not apply, tables that cannot be
    completed and spaces that are too large; ModelError if the model breaks a rule, WitnessError as `show` does.
    """
    if Path(reference).suffix == ".json":
        if settings or placement or properties or crashes is not None or not merge:
            raise UsageError(
                f"{reference} is a witness: its model's settings are in it, so it takes only --to and --out"
            )
        return _export_witness(Path(reference), to, out, trace_of or _replayed)
    if to in OF_TRACES and to not in OF_SPACES:
        raise UsageError(
            f"{to} is a format of a trace: name a witness file (dstamp explore writes them) instead of {reference}"
        )
    if to not in OF_MODELS and to not in OF_SPACES:
        raise UsageError(unknown("format", to, {*OF_MODELS, *OF_SPACES}))
    asked = load_subject(reference, settings, placement, properties, crashes)
    model, system = asked.model, asked.system
    if to in OF_SPACES:
        return _export_space(model.path.stem, system, to, out)
    machine = tabulate(system, asked.name, properties=asked.properties, merge=merge)
    check_writable(out)
    file = out / (model.path.stem + OF_MODELS[to].suffix)
    written = OF_MODELS[to].write(machine)
    write(file, lambda: harmless(written))
    return file


def _export_space(stem: str, system: System, to: str, out: Path) -> Path:
    atlas = chart(system)
    if not atlas.complete:
        raise UsageError(f"more than {len(atlas.states):,} states: such a graph is not drawn; choose smaller settings")
    wishes = frozenset(n for n, prop in enumerate(system.checked_properties) if prop.is_wish)
    check_writable(out)
    file = out / (stem + OF_SPACES[to].suffix)
    written = OF_SPACES[to].write(atlas.semantics.names, scenes_of(atlas), wishes)
    write(file, lambda: harmless(written))
    return file


def _export_witness(path: Path, to: str, out: Path, trace_of: TraceOf) -> Path:
    if to not in OF_TRACES:
        raise UsageError(unknown("format", to, OF_TRACES))
    trace, annotations = trace_of(path)
    check_writable(out)
    stem = path.name.removesuffix(".json").removesuffix(".witness").removesuffix(".hunt")
    file = out / (stem + OF_TRACES[to].suffix)
    written = OF_TRACES[to].write(trace, annotations)
    write(file, lambda: harmless(written))
    return file


def _replayed(path: Path) -> tuple[Trace, Annotations]:
    witness, system = read_witness(path, replay)
    about = property_of(system, witness.about)
    why = explained(system, witness.trace, about=about, origin=witness.since)
    annotations = annotations_of(witness.trace, why)
    reads = [(link.source, link.target) for link in annotations.links if link.kind == "wr"]
    return witness.trace, replace(annotations, clocks=tuple(HappensBefore(witness.trace, reads).clocks))
