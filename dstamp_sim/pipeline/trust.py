"""Models are code: which file a witness or a scenario would run, and whether it lies where its reader expects it."""

from __future__ import annotations

from pathlib import Path

from dstamp_sim.core.errors import UsageError
from dstamp_sim.disk.reading import lies_in
from dstamp_sim.inputs.model_file import bundled, file_of, sources
from dstamp_sim.inputs.scenario_file import read_scenario
from dstamp_sim.inputs.witness_file import witness_parts


def model_run_by_witness(witness: Path, *, trust: bool) -> Path:
    """The model's file that performing a witness runs; nothing is run yet.

    Raises UsageError if it lies neither in the witness's folder, nor in the current one, nor comes with the package,
    and `trust` does not say that it may be run; what reading the witness raises, too.
    """
    return _known(witness_parts(witness).origin.model, witness, "origin.model", trust=trust)


def model_run_by_scenario(scenario: Path, *, trust: bool) -> Path:
    """The same of a scenario."""
    return _known(read_scenario(scenario).model, scenario, "model", trust=trust)


def _known(reference: str, file: Path, place: str, *, trust: bool) -> Path:
    try:
        model = file_of(reference)
    except UsageError as error:
        raise UsageError(f"{file}: at {place}: {error}") from error
    known = (file.parent, Path(), bundled("models"), bundled("experiments"))
    for source, _ in () if trust else sources(model):
        if not lies_in(source, *known):
            raise UsageError(
                f"{file}: at {place}: it would run {source.resolve()}, which lies neither beside it nor in the current "
                "folder: a model is Python code; read that file, then add --trust"
            )
    return model
