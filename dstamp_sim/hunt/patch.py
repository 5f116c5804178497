"""A cure as a patch to try: lines that take a lock in the shell scripts, and a search of the scripts so patched.

Where a cure's stretches lie in the scripts is seen in a trial of each run alone, whose script asks for a name before
each of its parts. That is where to try; what is said of a patch is what a search of the patched scripts found.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import NamedTuple

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.numbers import many
from dstamp_sim.hunt.cure import Cures, anchored
from dstamp_sim.hunt.follow import Follow
from dstamp_sim.hunt.job import PreparedJob
from dstamp_sim.hunt.played_lock import CallAnchor
from dstamp_sim.hunt.search import Bounds, Found, Search, look_around
from dstamp_sim.hunt.shell_script import LINE_MARKS, PATCH_LOCK, LineSpan, ShellScript, lines_in, script_of
from dstamp_sim.hunt.tree import Tree

Spans = Mapping[str, LineSpan]
"""The lines under the lock, by the path of their script."""


@dataclass(frozen=True)
class Patch:
    """Lines under a lock, which `diff` adds, and the search of the patched scripts.

    Alone, the runs make `held` of all their `calls` under it.
    """

    spans: Spans
    diff: str
    held: int
    calls: int
    found: Found

    def text(self) -> list[str]:
        """The patch as lines, the first with what its search says."""
        share = f"{self.held} of {many(self.calls, 'call')} under the lock"
        lines = [f"{share}; searched again as patched: {self.found.none_found()}"]
        return [*lines, *(f"  {path}: {span}" for path, span in self.spans.items())]


@dataclass(frozen=True)
class Patches:
    """The patches of which no schedule within the bounds fails, those first that hold up less; none contains another.

    `tried` were searched. `why_not` says why there can be none, where there can be none.
    """

    found: tuple[Patch, ...] = ()
    tried: int = 0
    why_not: str = ""

    def text(self) -> list[str]:
        """What came of it, as lines."""
        lines = []
        for number, patch in enumerate(self.found, start=1):
            first, *rest = patch.text()
            lines += ["", f"patch {number}: {first}", *rest]
        if self.found:
            lines += [f"  the lock is {PATCH_LOCK} in the folder that the runs begin in"]
        return lines or ["", f"no patch: {self.why_not or many(self.tried, 'patch') + ' tried, and none cures it'}"]


def patches_of(stage: PreparedJob, bounds: Bounds, cures: Cures) -> Patches:
    """Patches of the runs' scripts for the cures, or for whole scripts where those are not enough.

    Each is searched within `bounds`, and all together within their seconds.
    """
    try:
        scripts = _scripts_of(stage)
    except UsageError as error:
        return Patches(why_not=str(error))
    until = time.monotonic() + bounds.seconds
    found: list[Patch] = []
    tried = 0
    for trying in _by_calls_held(stage, scripts, cures):
        left = until - time.monotonic()
        if left > 0 and not any(_contain(trying.spans, patch.spans) for patch in found):
            tried += 1
            found += _searched(trying, replace(bounds, seconds=left))
    return Patches(tuple(found), tried)


class _Trying(NamedTuple):
    """Lines to put under the lock, what the patched scripts are, and how many of how many calls they then hold up."""

    spans: Spans
    diff: str
    stage: PreparedJob
    held: int
    calls: int


def _scripts_of(stage: PreparedJob) -> dict[str, ShellScript]:
    found = {}
    for run, command in stage.job.runs.items():
        try:
            found[run] = script_of(command, stage.start)
        except UsageError as error:
            raise UsageError(f"{run}: {error}") from None
    return found


def _by_calls_held(stage: PreparedJob, scripts: Mapping[str, ShellScript], cures: Cures) -> list[_Trying]:
    """What to try, each once, those first that hold up fewer calls; whole scripts come last."""
    whole = {script.path: script.whole() for script in scripts.values()}
    places = [spans for spans in _spans_of_cures(stage, scripts, cures) if spans != whole]
    each = [spans for number, spans in enumerate(places) if spans not in places[:number]]
    tried = sorted((_trying(stage, scripts, spans) for spans in each), key=lambda trying: trying.held)
    return [*tried, _trying(stage, scripts, whole)]


def _spans_of_cures(stage: PreparedJob, scripts: Mapping[str, ShellScript], cures: Cures) -> Iterator[Spans]:
    """The narrowest lines of the scripts that have each cure's stretches in them."""
    marked = _with_scripts(stage, {script.path: script.marked() for script in scripts.values()})
    parts = {run: _parts_of_calls(marked, run, script) for run, script in scripts.items()}
    for cure in cures.found:
        spans: dict[str, LineSpan] = {}
        for run, stretch in cure.stretches.items():
            mine = [parts[run][call] for call in stretch if call in parts[run]]
            path = scripts[run].path
            both = [*mine, *([spans[path]] if path in spans else [])]
            if mine:
                spans[path] = LineSpan(min(span.first for span in both), max(span.last for span in both))
        if spans:
            yield spans


def _parts_of_calls(marked: PreparedJob, run: str, script: ShellScript) -> dict[CallAnchor, LineSpan]:
    """Which part of its script makes which call of a run alone."""
    by_mark = {f"{LINE_MARKS}/{part.first}": part for part in script.parts}
    found, part = {}, script.parts[0]
    for _, call in anchored(marked.play(Follow((), (run,)), only=run).steps):
        part = by_mark.get(call.object, part)
        found[call] = part
    return found


def _trying(stage: PreparedJob, scripts: Mapping[str, ShellScript], spans: Spans) -> _Trying:
    by_path = {script.path: script for script in scripts.values()}
    texts = {path: by_path[path].locked(span) for path, span in spans.items()}
    patched = _with_scripts(stage, texts)
    counts = [_held_of(patched, run) for run in stage.job.runs]
    diff = "".join(_diff(by_path[path], text) for path, text in texts.items())
    return _Trying(spans, diff, patched, sum(held for held, _ in counts), sum(calls for _, calls in counts))


def _with_scripts(stage: PreparedJob, texts: Mapping[str, str]) -> PreparedJob:
    """The stage with other texts in its scripts."""
    entries = dict(stage.start.entries)
    for path, text in texts.items():
        place = entries[path].twin or path
        entries[place] = entries[place]._replace(content=text.encode())
    return replace(stage, start=Tree(entries), serial=[], drifting=(), kept={}, programs=set())


def _held_of(patched: PreparedJob, run: str) -> tuple[int, int]:
    """How many calls a run alone makes from taking the lock until it lets go, and how many at all."""
    calls = [step.call for step in patched.play(Follow((), (run,)), only=run, learn=True).steps]
    locks = [number for number, call in enumerate(calls) if call.object == f"flock:{PATCH_LOCK}"]
    begin, end = (*locks, len(calls), len(calls))[:2]
    return end - begin, len(calls)


def _diff(script: ShellScript, text: str) -> str:
    lines = unified_diff(script.lines, lines_in(text), f"a/{script.path}", f"b/{script.path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _contain(spans: Spans, part: Spans) -> bool:
    return all(path in spans and spans[path].contains(span) for path, span in part.items())


def _searched(trying: _Trying, bounds: Bounds) -> Iterator[Patch]:
    """The patch, if its search finds nothing; none where already a serial order of the patched scripts fails."""
    try:
        look_around(trying.stage)
    except UsageError:
        return
    found = Search(trying.stage, bounds).run()
    if found.failing is None:
        yield Patch(trying.spans, trying.diff, trying.held, trying.calls, found)
