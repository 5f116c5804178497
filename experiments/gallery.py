"""Writes docs/gallery/: of each mechanism of the incident and each racy classic why, the cycle, the timeline, the page.

`make gallery` runs it; tests/docs/test_gallery.py runs it again and compares, byte for byte.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dstamp_sim import Judgement, System, explore
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.inputs.witness_file import Origin, Witness
from dstamp_sim.pipeline.explained import annotations_of, explained
from dstamp_sim.pipeline.files import badges_of
from dstamp_sim.pipeline.trace_page import write_trace_page
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.svg import standalone_svg
from models.cc_ci import MECHANISMS

FOLDER = Path(__file__).parent.parent / "docs" / "gallery"

CLASSICS = {
    "classic/bank": "Two withdrawals race on one balance",
    "classic/peterson_broken": "Peterson's lock with its first two lines swapped",
    "classic/lock_file": "A lock file that is removed after use",
    "classic/philosophers": "Dining philosophers",
    "classic/two_phase_commit_impatient": "Two-phase commit with managers that lose patience",
    "classic/readers_writers": "Readers who keep a writer out for ever",
    "classic/spin_lock": "A spin lock that is taken each time",
    "classic/condition_variable": "A notification that is lost before the sleep",
    "classic/redis_lock": "A lock that lapses under a client that pauses",
    "classic/job_queue": "A job that is delivered twice",
    "classic/connection_pool": "A connection that goes back to its pool twice",
    "classic/stale_refill": "A cache that is filled with what was read before",
    "classic/controllers": "Two controllers that undo each other's work",
}

HEADING = """# Gallery

What each mechanism of the incident and each racy classic looks like when it goes wrong: why, in a sentence; the cycle
that proves it; the timeline; and a page to step through (download it, or open it in a clone). Every trace is the
shortest that there is, but for those that go round. Written by `make gallery`; a test runs it again and compares.
"""


@dataclass(frozen=True)
class Exhibit:
    """One model of the gallery: what to load, what it is called, and what it is about."""

    reference: str
    name: str
    story: str


def exhibits() -> Iterator[Exhibit]:
    """Every mechanism of the incident, then every racy classic."""
    for name, mechanism in MECHANISMS.items():
        yield Exhibit(f"cc_ci:{name.replace('-', '_')}", name, mechanism.story)
    for reference, story in CLASSICS.items():
        yield Exhibit(reference, reference.partition("/")[2].replace("_", "-"), story)


def write_gallery(folder: Path) -> None:
    """Writes the whole gallery into `folder`. Deterministic, but for the files of models that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [HEADING]
    for exhibit in exhibits():
        system = load_model(exhibit.reference).build({}, None)
        judgement = next((j for j in explore(system).judgements if j.trace is not None), None)
        parts.append(f"## {exhibit.name}\n\n{exhibit.story}.\n")
        if judgement is None:
            parts.append("Nothing goes wrong: every property holds in the whole space.\n")
        else:
            parts.append(_exhibited(folder, exhibit, system, judgement))
    (folder / "README.md").write_text("\n".join(parts), encoding="utf-8")


def _exhibited(folder: Path, exhibit: Exhibit, system: System, judgement: Judgement) -> str:
    """The section's text; its timeline and page are written beside it."""
    trace, prop = judgement.trace, judgement.prop
    assert trace is not None
    why = explained(system, trace, about=prop)
    about = prop.title
    badges = badges_of(system, trace, [prop])
    layout = lay_out(
        trace,
        system.lanes,
        title=exhibit.name,
        subtitle=exhibit.story,
        verdicts=badges,
        annotations=annotations_of(trace, why),
    )
    (folder / f"{exhibit.name}.svg").write_text(standalone_svg(layout, why.sentence), encoding="utf-8")
    witness = Witness(Origin(exhibit.reference), about, trace)
    write_trace_page(folder / f"{exhibit.name}.html", witness, system, why, exhibit.story)
    picture = f"![{exhibit.name}: the timeline]({exhibit.name}.svg)"
    return f"*{about}*\n\n> {why.sentence}\n\n{why.proof}\n\n{picture}\n\n[The page]({exhibit.name}.html)\n"


if __name__ == "__main__":
    write_gallery(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
