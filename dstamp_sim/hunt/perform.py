"""A hunt file performed again: refused where its programs changed, else so often, and the failure told anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dstamp_sim.core.errors import UsageError, WitnessError
from dstamp_sim.core.trace import Trace
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.hunt.hunt import Repetition, perform_again, supervisor
from dstamp_sim.hunt.job import Job, prepared
from dstamp_sim.hunt.pictures import draw, pointed_at
from dstamp_sim.hunt.saved import Saved, first_change, folding_of
from dstamp_sim.hunt.search import look_around
from dstamp_sim.hunt.seen_trace import trace_of
from dstamp_sim.hunt.shrink import Shrinker, Shrunk
from dstamp_sim.hunt.story import story_text
from dstamp_sim.rendering.timeline.annotations import Annotations


@dataclass(frozen=True)
class Performed:
    """A hunt file performed again: what it was about, how often it failed, and the failure, if any, made simple."""

    about: str
    job: Job
    again: Repetition
    shrunk: Shrunk | None
    files: tuple[Path, ...] = ()

    def text(self) -> list[str]:
        """The answer as text."""
        story = [] if self.shrunk is None else ["", *story_text(self.shrunk)]
        return [self.about, str(self.again), *story]

    def trace(self, path: Path) -> tuple[Trace, Annotations]:
        """The failing trial, to be exported. Raises UsageError where none failed."""
        if self.shrunk is None:
            raise UsageError(f"{path}: {self.again}: nothing went wrong, so there is nothing to export")
        return trace_of(self.job, self.shrunk.outcome), pointed_at(self.job, self.shrunk)


def perform_saved(
    path: Path, saved: Saved, times: int = 10, *, out: Path | None = None, html: bool = False
) -> Performed:
    """The schedule of a hunt file, as `read_saved` found it, performed again; with `out`, a failure is drawn there.

    What the file says of the failure is not believed: what mattered is found anew. Raises WitnessError, with
    the file's name, where the start state or a program is another than it was, or cannot be prepared.
    """
    if out is not None:
        check_writable(out)
    with supervisor(saved.allowed) as living:
        try:
            stage = prepared(saved.job(), living)
        except UsageError as error:
            raise WitnessError(f"{path}: {error}") from error
        if change := first_change(saved, stage):
            raise WitnessError(
                f"{path}: {change} since: the schedule is of the calls of other programs; hunt again (the commands are "
                "in the file)"
            )
        look_around(stage)
        stage.uses, stage.folding = saved.uses, folding_of(saved)
        again, failing = perform_again(stage, saved.stretches, times)
        shrunk = None if failing is None else Shrinker(stage).shrink(failing)
    files = () if out is None or shrunk is None else draw(out, stem_of(path), stage.job, shrunk, html=html)
    return Performed(saved.about, stage.job, again, shrunk, files)


def stem_of(path: Path) -> str:
    """What files about a hunt file are called."""
    return path.name.removesuffix(".json").removesuffix(".hunt")
