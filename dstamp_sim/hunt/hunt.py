"""A hunt from beginning to end: setup, search, replays, story, picture, file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.disk.writing import check_target, check_writable, write
from dstamp_sim.hunt import trap
from dstamp_sim.hunt.cure import Cures, cures_of
from dstamp_sim.hunt.follow import Anchored, Stretch, stretches_of
from dstamp_sim.hunt.job import Job, PreparedJob, prepared
from dstamp_sim.hunt.model_text import model_text
from dstamp_sim.hunt.patch import Patches, patches_of
from dstamp_sim.hunt.pictures import draw
from dstamp_sim.hunt.saved import saved_of, write_saved
from dstamp_sim.hunt.search import Bounds, Found, Search, Tell, look_around
from dstamp_sim.hunt.seen_model import model_of
from dstamp_sim.hunt.shrink import Shrinker, Shrunk
from dstamp_sim.hunt.story import story_text
from dstamp_sim.hunt.supervisor import Supervisor
from dstamp_sim.hunt.trial_outcome import TrialOutcome

SECONDS_A_TRIAL = 30.0


@dataclass(frozen=True)
class Repetition:
    """A schedule performed again, by its calls: how often, how often it failed, how often all switches were met."""

    times: int
    failed: int
    in_place: int

    def __str__(self) -> str:
        return f"performed again {self.times} times by its calls: failed {self.failed} times"


@dataclass(frozen=True)
class Hunted:
    """What came of a hunt; `shrunk` and `again` where something fails, `cures` and `patches` where asked for."""

    found: Found
    shrunk: Shrunk | None
    again: Repetition | None
    stretches: tuple[Stretch, ...]
    trials: int
    cures: Cures | None = None
    patches: Patches | None = None
    files: tuple[Path, ...] = ()

    @property
    def verdict(self) -> Verdict | None:
        """VIOLATED by a schedule that fails again, UNDETERMINED; None where the whole bounded space has none.

        The last is no HOLDS: it is of so many preemptions, and races inside of a run are not looked for.
        """
        if self.again is not None:
            return Verdict.VIOLATED if self.again.failed else Verdict.UNDETERMINED
        return None if self.found.whole else Verdict.UNDETERMINED

    def headline(self) -> str:
        """What came of it, in a sentence."""
        found = self.found
        if self.again is not None and self.verdict is Verdict.UNDETERMINED:
            return f"UNDETERMINED: trial {found.played} failed, and none of {self.again.times} replays did"
        if self.again is not None:
            count = found.preemptions
            return f"VIOLATED in trial {found.played}, with {count} preemption{'s' * (count != 1)}"
        return found.none_found()

    def text(self) -> list[str]:
        """The whole answer as text."""
        lines = [self.headline()]
        lines += [f"not seen: {what}" for what in self.found.not_seen()]
        if self.shrunk is not None and self.again is not None:
            lines += ["", *story_text(self.shrunk), "", str(self.again), "schedule:"]
            lines += [f"  {stretch}" for stretch in self.stretches]
        if self.cures is not None:
            lines += self.cures.text()
        if self.patches is not None:
            lines += self.patches.text()
        return lines


def hunt_for(  # noqa: PLR0913 - the options of the command
    job: Job,
    bounds: Bounds,
    *,
    allowed: Sequence[str] = (),
    again: int = 5,
    out: Path | None = None,
    folder: str | None = None,
    cure: bool = False,
    to_model: Path | None = None,
    tell: Tell | None = None,
) -> Hunted:
    """Looks for a schedule of the job's system calls that fails; what fails is made simple and performed `again`.

    With `cure`, it is also said where a lock must be held, and which lines of the runs' scripts that is; both are
    searched within the same bounds, and each within as many seconds again. So is what `to_model` is written of.
    With `out`, it is also written there: a file to replay, pictures, a page. `folder` is where the job's came from.
    Raises UsageError where this machine cannot hold calls, or where a run or the check fails without any race.
    """
    if bounds.crashes and job.check is None:
        raise UsageError("hunt: --crashes needs --check: no serial order says what a death may leave")
    if out is not None:
        check_writable(out)
    if to_model is not None:
        check_target(to_model)
    with supervisor(allowed) as living:
        stage = prepared(job, living)
        look_around(stage)
        found = Search(stage, bounds, tell).run()
        if found.failing is None:
            written = _model_file(to_model, stage, bounds, None)
            return Hunted(found, None, None, (), living.trials, files=written)
        shrunk = Shrinker(stage).shrink(found.failing)
        stretches = stretches_of(shrunk.outcome.steps)
        repeated, _ = perform_again(stage, stretches, again)
        files = () if out is None else (_saved(out, stage, shrunk, stretches, folder), *draw(out, "hunt", job, shrunk))
        cures = cures_of(stage, bounds, [found.failing]) if cure and repeated.failed else None
        patches = patches_of(stage, bounds, cures) if cures is not None and not cures.none_can_be else None
        if out is not None and patches is not None:
            files = (*files, *_patch_files(out, patches))
        files = (*files, *_model_file(to_model, stage, bounds, shrunk.outcome))
        return Hunted(found, shrunk, repeated, tuple(stretches), living.trials, cures, patches, files)


def supervisor(allowed: Sequence[str], seconds_a_trial: float = SECONDS_A_TRIAL) -> Supervisor:
    """A supervisor, not yet at work. Raises UsageError where this machine cannot hold system calls."""
    try:
        return Supervisor(allowed=tuple(allowed), seconds=seconds_a_trial)
    except trap.Unavailable as error:
        raise UsageError(f"hunt: {error}") from error


def perform_again(
    stage: PreparedJob, stretches: Sequence[Stretch], times: int
) -> tuple[Repetition, TrialOutcome | None]:
    """A schedule performed `times` times by its calls, and the last of its trials that failed."""
    failed = in_place = 0
    last = None
    for _ in range(times):
        chooser = Anchored(stretches, tuple(stage.job.runs))
        out = stage.play(chooser)
        failed += out.fails
        last = out if out.fails else last
        in_place += chooser.in_place
    return Repetition(times, failed, in_place), last


def _saved(out: Path, stage: PreparedJob, shrunk: Shrunk, stretches: list[Stretch], folder: str | None) -> Path:
    file = out / "hunt.hunt.json"
    write_saved(file, saved_of(stage, shrunk.outcome.why, stretches, folder))
    return file


def _patch_files(out: Path, patches: Patches) -> Iterator[Path]:
    for number, patch in enumerate(patches.found, start=1):
        file = out / f"cure-{number}.patch"
        write(file, partial(str, patch.diff))
        yield file


def _model_file(
    path: Path | None, stage: PreparedJob, bounds: Bounds, failing: TrialOutcome | None
) -> tuple[Path, ...]:
    if path is None:
        return ()
    text = model_text(model_of(stage, bounds, failing))
    write(path, lambda: text)
    return (path,)
