"""Ingest: real run folders become an evidence file."""

from __future__ import annotations

from pathlib import Path

from dstamp_sim.core.errors import UsageError
from dstamp_sim.disk.writing import check_target
from dstamp_sim.incident.evidence import Evidence, write_evidence
from dstamp_sim.incident.mapping import read_mapping
from dstamp_sim.incident.run_folders import RunFolders, read_run_folders
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.pipeline.progress import Progress


def ingest_runs(
    root: Path,
    *,
    model: str,
    into: Path,
    replace: bool,
    mapping: Path | None = None,
    progress: Progress | None = None,
) -> RunFolders:
    """The runs in the folder or log `root`, written as evidence to `into`; unusable files are in `complaints`.

    Raises UsageError if there is no such folder, no usable run in it, `into` exists and may not be replaced, or the
    model declares nothing that can be observed; ScenarioError for a mapping that cannot be used.
    """
    if not root.is_dir() and (mapping is None or not root.is_file()):
        raise UsageError(
            f"{root}: no such folder; name the folder that has a subfolder per run, or a log and a --mapping"
        )
    if into.exists() and not replace:
        raise UsageError(f"{into} exists: name another --into, or add --replace")
    check_target(into, over=replace)
    observable = load_model(model).evidence
    if not observable.fields:
        raise UsageError(f"model {model} declares nothing that can be observed of a run (evidence= of its HYPOTHESES)")
    found = read_run_folders(root, observable, progress, None if mapping is None else read_mapping(mapping))
    if not found.runs:
        skipped = [f"skipped {complaint.file}: {complaint.why}" for complaint in found.complaints[:1]]
        raise UsageError(f"{root}: no usable run ({skipped[0] if skipped else 'no file is where the mapping says'})")
    write_evidence(into, Evidence(runs=tuple(found.runs)), observable)
    return found
