"""How a command that takes long says how far it is: on a terminal as it goes on, elsewhere a line now and then."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from dstamp_sim.cli.console import errors
from dstamp_sim.cli.forecast import Forecast
from dstamp_sim.core.numbers import many
from dstamp_sim.engines.explore.settings import ExploreProgress

if TYPE_CHECKING:
    from dstamp_sim.pipeline.progress import Progress


@dataclass
class _Counts:
    """What progress last told; empty before it told anything."""

    says: Callable[[], str] = str


_counts = _Counts()


def counts_so_far() -> str:
    """What the progress that is under way last told."""
    return _counts.says()


@contextmanager
def _counts_where_memory_ends() -> Iterator[_Counts]:
    """A MemoryError inside is raised anew with the counts that were told last; what its frames held is free again."""
    before = _counts.says
    try:
        yield _counts
    except MemoryError as error:
        traceback.clear_frames(error.__traceback__)
        raise MemoryError(counts_so_far()) from error.__cause__
    finally:
        _counts.says = before


EVERY_S = 10.0
"""Seconds between two lines of progress where standard error is no terminal."""


@contextmanager
def progress() -> Iterator[ExploreProgress]:
    """A line of progress on a terminal, from the first second on; elsewhere a line now and then."""
    console, begun, forecast = errors(), monotonic(), Forecast()

    def says(states: int, transitions: int, depth: int) -> str:
        rate = states / (monotonic() - begun)
        counts = f"{many(states, 'state')}, {many(transitions, 'transition')}, depth {depth}, {rate:,.0f} states/s"
        return "; ".join(filter(None, [counts, forecast.says()]))

    with _counts_where_memory_ends() as counts, _line(console, counts, says) as tell:

        def tell_and_note(states: int, transitions: int, depth: int) -> None:
            forecast.told(states, depth)
            tell(states, transitions, depth)

        yield tell_and_note


@contextmanager
def _line(console: Console, counts: _Counts, says: Callable[..., str]) -> Iterator[Callable[..., None]]:
    """A line that changes on a terminal, from the first second on; elsewhere a line now and then."""
    if not console.is_terminal:
        yield _now_and_then(console, counts, says)
        return
    begun = shown = monotonic()
    with console.status("") as status:
        status.stop()

        def tell(*found: Any) -> None:
            nonlocal shown
            now = monotonic()
            counts.says = partial(says, *found)
            if now - begun > 1 and now - shown > 0.2:
                shown = now
                status.start()
                status.update(says(*found))

        yield tell


def _now_and_then(console: Console, counts: _Counts, says: Callable[..., str]) -> Callable[..., None]:
    """Prints a line at most every `EVERY_S` seconds, the first one after that long."""
    last = monotonic()

    def tell(*found: Any) -> None:
        nonlocal last
        counts.says = partial(says, *found)
        if monotonic() - last > EVERY_S:
            last = monotonic()
            console.print(Text(f"so far: {says(*found)}"))

    return tell


@contextmanager
def bar(of: str) -> Iterator[Progress]:
    """A bar of progress on a terminal, moved by (done, total); elsewhere a line now and then."""
    from rich.progress import (  # noqa: PLC0415 - slow to import
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    def says(done: int, total: int, what: str = "") -> str:
        return f"{done:,} of {total:,} {_named(of, what)}"

    console = errors()
    if not console.is_terminal:
        with _counts_where_memory_ends() as counts:
            yield _now_and_then(console, counts, says)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _counts_where_memory_ends() as counts, Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(of, total=None)

        def tell(done: int, total: int, what: str = "") -> None:
            counts.says = partial(says, done, total)
            shown.update(task, completed=done, total=total, description=_named(of, what))

        yield tell


def _named(of: str, what: str) -> str:
    """What a bar counts, and what comes next."""
    return f"{of}, now {what}" if what else of
