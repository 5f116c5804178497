"""Show: a witness replayed strictly and drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.analyses.minimise import minimise
from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.system import System
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.replay import attempts, replay
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.inputs.witness_file import Witness, write_witness
from dstamp_sim.pipeline.explained import Shown, explained, property_of, shown_by
from dstamp_sim.pipeline.files import draw_witness, witness_badges
from dstamp_sim.pipeline.kept_witness import performed_again
from dstamp_sim.pipeline.trace_page import write_trace_page


@dataclass(frozen=True)
class Display:
    """The result of `dstamp show`: the witness, what its trace shows of each property, and its files."""

    witness: Witness
    why: Explanation
    properties: tuple[Shown, ...]
    files: tuple[Path, ...]


def show_witness(path: Path, out: Path, *, html: bool = False, minimised: bool = False) -> Display:
    """Replays a witness strictly and draws it again; `html` adds a page to step through.

    `minimised` shows the simplest trace near it that fails in the same way (fewest processes, crashes, switches, steps;
    the effort is bounded), and saves it beside the pictures; it has no times. Raises WitnessError if the witness
    does not fit its model, and UsageError if nothing went wrong in it.
    """
    witness, system = performed_again(path)
    check_writable(out)
    files = list[Path]()
    if minimised:
        witness = _minimised(witness, system)
        path = path.with_name(path.name.removesuffix(".json").removesuffix(".witness") + "-minimised.witness.json")
        write_witness(out / path.name, witness)
        files.append(out / path.name)
    about = property_of(system, witness.about)
    why = explained(system, witness.trace, about=about, origin=witness.since)
    story = load_model(witness.origin.model).story
    files += draw_witness(out, path.stem, witness, system, witness.about, witness_badges(system, witness), why, story)
    if html:
        files.append(write_trace_page(out / f"{path.stem}.html", witness, system, why, story))
    return Display(witness, why, shown_by(system, witness.trace, witness.since, known=why), tuple(files))


def _minimised(witness: Witness, system: System) -> Witness:
    """A witness of the same property, or of the first failure where it is about none."""
    prop = property_of(system, witness.about)
    if prop is None:
        fact = explained(system, witness.trace).fact
        if fact is None:
            raise UsageError(f"{witness.about}: nothing went wrong in it, so there is nothing to minimise")
        (prop,) = system.properties_named([fact.property])
    if prop.in_time:
        raise UsageError(f"{prop.title}: a cycle is not minimised; `dstamp explore` finds a short one")
    least = minimise(witness.trace.schedule, attempts(system, prop)).schedule
    return Witness(witness.origin, prop.title, replay(system, least))
