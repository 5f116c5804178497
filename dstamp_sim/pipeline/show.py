"""Show: a witness replayed strictly and drawn again."""

from __future__ import annotations

from pathlib import Path

from dstamp_sim.engines.replay import replay
from dstamp_sim.inputs.witness import Witness, check_writable, read_witness
from dstamp_sim.pipeline.files import draw


def show_witness(path: Path, out: Path) -> tuple[Witness, tuple[Path, ...]]:
    """Replays a witness strictly and draws it again. Raises WitnessError where it does not fit its model."""
    witness, system = read_witness(path, replay)
    check_writable(out)
    return witness, tuple(draw(out, path.stem, witness, system, witness.about, {}))
