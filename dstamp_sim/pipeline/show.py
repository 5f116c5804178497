"""Show: a witness replayed strictly and drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.engines.replay import replay
from dstamp_sim.inputs.witness import Witness, check_writable, read_witness
from dstamp_sim.pipeline.explain import explained, property_of
from dstamp_sim.pipeline.files import badges_of, draw
from dstamp_sim.pipeline.page import write_trace_page


@dataclass(frozen=True)
class Shown:
    """What `dstamp show` has to say of a witness, and the files it wrote."""

    witness: Witness
    why: Explanation
    files: tuple[Path, ...]


def show_witness(path: Path, out: Path, *, html: bool = False) -> Shown:
    """Replays a witness strictly and draws it again; `html` adds a page to step through.

    Raises WitnessError where it does not fit its model.
    """
    witness, system = read_witness(path, replay)
    check_writable(out)
    about = property_of(system, witness.about)
    why = explained(system, witness.trace, about=about, origin=witness.since)
    files = draw(out, path.stem, witness, system, witness.about, badges_of(witness.trace, about))
    if html:
        files.append(write_trace_page(out / f"{path.stem}.html", witness, system))
    return Shown(witness, why, tuple(files))
