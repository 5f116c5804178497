"""Export: a model in another tool's language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dstamp_sim.core.errors import UsageError, unknown
from dstamp_sim.engines.tabulate import tabulate
from dstamp_sim.inputs.model_file import load_model, read_settings
from dstamp_sim.inputs.witness import check_writable
from dstamp_sim.rendering.exporters import OF_MODELS


def export_model(
    reference: str,
    *,
    to: str,
    settings: Sequence[str] = (),
    placement: str | None = None,
    properties: Sequence[str] = (),
    crashes: int | None = None,
    merge: bool = True,
    out: Path,
) -> Path:
    """The file that now holds the model in the format `to`.

    Raises UsageError for unknown names, an unwritable folder and tables that cannot be completed, and ModelError where
    the model breaks a rule.
    """
    if to not in OF_MODELS:
        raise UsageError(unknown("format", to, OF_MODELS))
    model = load_model(reference)
    system = model.build(read_settings(model.factory, settings), placement)
    if crashes is not None:
        system = system.with_crashes(crashes)
    name = f"{reference}, lock placement {system.placement.name}"
    machine = tabulate(system, name, properties=properties, merge=merge)
    check_writable(out)
    file = out / (model.path.stem + OF_MODELS[to].suffix)
    file.write_text(OF_MODELS[to].write(machine), encoding="utf-8")
    return file
