"""Where an exploration keeps what it has found so far: where it is asked to, or in the cache if it takes long."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dstamp_sim.core.errors import UsageError, cut
from dstamp_sim.core.verdict import Report
from dstamp_sim.engines.explore.checkpoint import Checkpoint
from dstamp_sim.engines.explore.explorer import FIRST_VIOLATION
from dstamp_sim.engines.explore.settings import ExploreProgress
from dstamp_sim.inputs.model_file import fingerprint, made_by
from dstamp_sim.pipeline.subject import Subject

if TYPE_CHECKING:
    from dstamp_sim.pipeline.explore import ExploreOptions

UNASKED_S = 600.0
"""Seconds after which a search is kept without having been asked for."""


@dataclass(frozen=True)
class Keeping:
    """The folder to begin a checkpoint in, or that of one to go on with; neither: the user's cache. `tell` as there."""

    begin: Path | None
    resume: Path | None
    every_s: float
    tell: Callable[[str], None]

    def report(self, asked: Subject, options: ExploreOptions, progress: ExploreProgress | None = None) -> Report:
        """The report of an exploration that is kept.

        Raises as `ExploreOptions.report` and `Checkpoint.held` do, and UsageError if two folders are given.
        """
        if self.resume and self.begin:
            raise UsageError("give one of --checkpoint and --resume: what goes on is kept where it was")
        question, folder = _question(asked, options), self.resume or self.begin
        if folder is not None:
            checkpoint = Checkpoint(folder, question, self.every_s, self.tell, resumed=self.resume is not None)
            with checkpoint.held():
                self.tell(_room_needed(options.memory_mb, folder))
                return options.report(asked, progress, checkpoint)
        cache = _cache_folder()
        if cache is None:
            return options.report(asked, progress)
        begun = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
        own = cache / "dstamp-sim" / "checkpoints" / f"{asked.model.path.stem}-{begun}"
        report = options.report(asked, progress, Checkpoint(own, question, UNASKED_S, self.tell, asked=False))
        if report.coverage.stopped in ("", FIRST_VIOLATION):
            shutil.rmtree(own, ignore_errors=True)
        return report


def _question(asked: Subject, options: ExploreOptions) -> Mapping[str, str]:
    """All that decides what a search finds, by what a reader calls it; its bounds do not."""
    origin, (python, package) = asked.origin, made_by()
    return {
        "model": asked.model.path.stem,
        "its source": fingerprint(asked.model.path),
        **{f"parameter {name}": str(value) for name, value in origin.parameters.items()},
        "placement": asked.system.placement.name,
        "properties": ", ".join(asked.properties) or "all",
        "--crashes": str(origin.crashes),
        "--serial": str(origin.serial),
        "--live": str(origin.live),
        "--keep-going": str(options.keep_going),
        "--ops": str(options.ops),
        **{f"reduction {name}": str(on) for name, on in vars(options.reductions).items()},
        "Python": python,
        "dstamp": package,
    }


def _cache_folder() -> Path | None:
    """The user's folder for caches; None for a user without one."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None


def _room_needed(memory_mb: int, folder: Path) -> str:
    free = shutil.disk_usage(folder).free >> 20
    scarce = ": it may not fit, and is left as it is then" if free < memory_mb else ""
    return f"keeps its states in {cut(str(folder))}, up to {memory_mb:,} MB; {free:,} MB are free there{scarce}"
