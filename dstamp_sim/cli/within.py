"""`dstamp explore --within`: exact time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from dstamp_sim.cli.report import print_report
from dstamp_sim.core.errors import UsageError
from dstamp_sim.engines.explore.settings import DEFAULT_LIMIT, DEFAULT_MEMORY_MB, Reductions

if TYPE_CHECKING:
    from dstamp_sim.pipeline.exact_time import TimedSubject
    from dstamp_sim.pipeline.explore import ExploreOptions


def ask_within(
    asked: TimedSubject,
    asking: ExploreOptions,
    others: Mapping[str, object],
    scenario: Path,
    *,
    html: bool,
    out: Path,
    as_json: bool,
) -> NoReturn:
    """Explores within a scenario's bounds, prints the report and exits.

    Raises UsageError for options that would be ignored: of `asking`, and those of `others` that are given.
    """
    from dstamp_sim.engines.zones.within import MOST_ZONES  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.pipeline.exact_time import explore_model_within  # noqa: PLC0415 - as above

    if ignored := _ignored(asking, others):
        raise UsageError(f"{', '.join(ignored)} means nothing with --within, which visits all zones: leave it out")
    zones = MOST_ZONES if asking.limit == DEFAULT_LIMIT else asking.limit
    found = explore_model_within(asked, limit=zones, ops=asking.ops, html=html, out=out)
    print_report(f"{asked.subject.name}, within {scenario.name}", found, as_json=as_json)
    raise typer.Exit(found.report.verdict.exit_code)


def _ignored(asking: ExploreOptions, others: Mapping[str, object]) -> list[str]:
    """The options that are given and mean nothing within bounds."""
    given = {
        "--keep-going": asking.keep_going,
        "--memory": asking.memory_mb != DEFAULT_MEMORY_MB,
        "--no-por, --no-symmetry or --no-merge": asking.reductions != Reductions(),
    }
    return [name for name, is_given in {**given, **others}.items() if is_given]
