"""Show: a witness replayed strictly and drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.engines.replay import replay
from dstamp_sim.inputs.witness import Witness, check_writable, read_witness
from dstamp_sim.pipeline.explain import explained, property_of
from dstamp_sim.pipeline.files import draw


@dataclass(frozen=True)
class Shown:
    """What `dstamp show` has to say of a witness, and the files it wrote."""

    witness: Witness
    why: Explanation
    files: tuple[Path, ...]


def show_witness(path: Path, out: Path) -> Shown:
    """Replays a witness strictly and draws it again. Raises WitnessError where it does not fit its model."""
    witness, system = read_witness(path, replay)
    check_writable(out)
    why = explained(system, witness.trace, about=property_of(system, witness.about), origin=witness.since)
    return Shown(witness, why, tuple(draw(out, path.stem, witness, system, witness.about, {})))
