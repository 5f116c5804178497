"""Explore every interleaving of a model, with a witness and a timeline of each trace that is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.system import System
from dstamp_sim.core.verdict import Report
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.explore.checkpoint import Checkpoint
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.engines.explore.settings import (
    ALL_REDUCTIONS,
    DEFAULT_LIMIT,
    DEFAULT_MEMORY_MB,
    HISTORY_LIMIT,
    ExploreProgress,
    Reductions,
)
from dstamp_sim.pipeline.file_names import STATES
from dstamp_sim.pipeline.findings import findings_of
from dstamp_sim.pipeline.keeping import Keeping
from dstamp_sim.pipeline.subject import Subject

if TYPE_CHECKING:
    from dstamp_sim.analyses.explain import Explanation
    from dstamp_sim.engines.zones.within import Occurrence


@dataclass(frozen=True)
class ExploreOptions:
    """How an exploration is asked for, beside its subject: the options of `engines.explore.explorer.explore`."""

    verb: ClassVar[str] = "explore"
    numbers_open: ClassVar[bool] = False
    limit: int = DEFAULT_LIMIT
    memory_mb: int = DEFAULT_MEMORY_MB
    ops: int = HISTORY_LIMIT
    keep_going: bool = False
    reductions: Reductions = ALL_REDUCTIONS

    @property
    def flags(self) -> list[str]:
        """The bounds as they are typed, where they are not the usual ones."""
        limit = [] if self.limit == DEFAULT_LIMIT else ["--limit", str(self.limit)]
        return limit if self.ops == HISTORY_LIMIT else [*limit, "--ops", str(self.ops)]

    def shared_by(self, workers: int) -> ExploreOptions:
        """The options of each of so many explorations that run at once and share the memory."""
        return replace(self, memory_mb=max(1, self.memory_mb // workers))

    def report(
        self, asked: Subject, progress: ExploreProgress | None = None, checkpoint: Checkpoint | None = None
    ) -> Report:
        """The report on the subject's properties. Raises as `engines.explore.explorer.explore` does."""
        return explore(
            asked.system, properties=asked.properties, progress=progress, checkpoint=checkpoint, **vars(self)
        )


@dataclass(frozen=True)
class Exploration:
    """What `dstamp explore` found, and the files it wrote."""

    report: Report
    placement: str
    files: tuple[Path, ...]
    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    """By property: why, where there is a trace."""
    findings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Findings beside the verdicts, by kind (see `pipeline.findings`)."""
    interleavings: int | None = None
    """The number of all complete interleavings, if they were counted."""
    deciding: Mapping[str, int] = field(default_factory=dict)
    """By property: how many of them violate it, or reach it where it is a wish."""
    not_counted: str = ""
    """Why they were not counted, though it was asked."""
    when: Mapping[str, Occurrence] = field(default_factory=dict)
    """By property: when it is decided within the bounds of a scenario, if that was asked."""


def explore_model(
    asked: Subject,
    options: ExploreOptions = ExploreOptions(),
    *,
    html: bool = False,
    count: bool = False,
    keeping: Keeping | None = None,
    out: Path,
    progress: ExploreProgress | None = None,
) -> Exploration:
    """Explores a model and saves a witness and a timeline of each trace that it finds.

    `html` adds pages to step through, `count` also counts complete interleavings; with `keeping`, the search is kept.
    Raises UsageError for an unwritable folder, and ModelError if the model breaks a rule.
    """
    system, properties = asked.system, asked.properties
    check_writable(out)
    report = keeping.report(asked, options, progress) if keeping else options.report(asked, progress)
    explanations: dict[str, Explanation] = {}
    files: list[Path] = []
    if any(judgement.trace is not None for judgement in report.judgements):
        from dstamp_sim.pipeline.witnessed import witnessed  # noqa: PLC0415 - only what is shown needs what shows it

        report, explanations, files = witnessed(report, asked, out, html=html)
    if html:
        from dstamp_sim.pipeline.trace_page import write_space_page  # noqa: PLC0415 - as above

        files.append(write_space_page(out / f"{asked.model.path.stem}-{STATES}.html", asked.origin.model, system))
    found = Exploration(report, system.placement.name, tuple(files), explanations, findings=findings_of(system))
    return _counted(found, system, properties, progress) if count else found


def _counted(
    found: Exploration, system: System, properties: Sequence[str], progress: ExploreProgress | None
) -> Exploration:
    """The exploration with the number of interleavings, or with the reason why they cannot be counted."""
    from dstamp_sim.engines.sampling.counting import count_interleavings  # noqa: PLC0415 - seldom asked for

    try:
        counted = count_interleavings(system, properties=properties, progress=progress)
    except UsageError as why:
        return replace(found, not_counted=str(why))
    return replace(found, interleavings=counted.total, deciding={k: sums[0] for k, sums in counted.deciding.items()})
