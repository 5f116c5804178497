"""Models are code: which file a witness would run, and whether it lies where its reader can be expected to know it."""

from __future__ import annotations

from pathlib import Path

from dstamp_sim.core.errors import UsageError
from dstamp_sim.disk.reading import Unreadable
from dstamp_sim.inputs.model_file import bundled, file_of
from dstamp_sim.inputs.witness_file import witness_parts


def model_run_by(witness: Path, *, trust: bool) -> Path:
    """The model's file that performing a witness runs; nothing is run yet.

    Raises UsageError if it lies neither in the witness's folder, nor in the current one, nor comes with the package,
    and `trust` does not say that it may be run; what reading the witness raises, too.
    """
    try:
        model = file_of(witness_parts(witness).origin.model)
    except Unreadable:
        raise
    except UsageError as error:
        raise UsageError(f"{witness}: at origin.model: {error}") from error
    known = (witness.parent, Path(), bundled("models"), bundled("experiments"))
    if not trust and not any(model.resolve().is_relative_to(folder.resolve()) for folder in known):
        raise UsageError(
            f"{witness}: at origin.model: it would run {model.resolve()}, which lies neither beside it nor in the "
            "current folder: a model is Python code; read that file, then add --trust"
        )
    return model
