"""Real run folders: `<id>/results.json` and its console log become observed runs; bad files are told one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import ScenarioError
from dstamp_sim.incident.evidence import ObservedRun, checked_run

LARGEST_RESULTS, LARGEST_LOG = 1 << 20, 64 << 20
"""Bytes of results and of a log beyond which a file is not what it claims to be."""

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?")
"""An instant as logs write it."""

LAST_CHARACTERS = 1 << 16
"""Where a log's last instant is looked for."""

DIRECT = ("recipe", "ref", "pr", "level")
"""The keys of results that are a run's own; verdicts are its stages, what is left is kept."""


@dataclass(frozen=True)
class Complaint:
    """A file that was skipped, and why."""

    file: Path
    why: str


@dataclass
class RunFolders:
    """What was read: the runs in the order of their names, and the files that were skipped."""

    runs: list[ObservedRun] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)


class _Bad(Exception):
    """A file that cannot be used; the message says why."""


def read_run_folders(
    root: Path, lines: Mapping[str, str], progress: Callable[[int, int], None] | None = None
) -> RunFolders:
    """The runs in `root`: a folder each with `results.json`, and `<id>.console.log` beside it or a `*.log` inside.

    `lines` are the model's patterns of log lines, by the field of a run that their group `value` gives (the last line
    that matches counts); the group `intended`, where there is one, must begin the run's ref or be begun by it.
    A truncated, empty, oversized or non-UTF-8 file, or one that contradicts another, is skipped with a complaint.
    """
    found = RunFolders()
    patterns = {name: re.compile(pattern) for name, pattern in lines.items()}
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    for number, folder in enumerate(folders):
        try:
            found.runs.append(_read_run(folder, patterns, found.complaints))
        except _Bad as bad:
            found.complaints.append(Complaint(folder / "results.json", str(bad)))
        if progress is not None:
            progress(number + 1, len(folders))
    return found


def _read_run(folder: Path, patterns: Mapping[str, re.Pattern[str]], complaints: list[Complaint]) -> ObservedRun:
    results = _results(folder / "results.json")
    seen: dict[str, Any] = {}
    for log in _logs(folder):
        try:
            seen |= _log_fields(_text(log, LARGEST_LOG), patterns)
        except _Bad as bad:
            complaints.append(Complaint(log, str(bad)))
    values = _values(folder, results, seen)
    try:
        return checked_run(values)
    except ScenarioError as error:
        raise _Bad(str(error)) from error


def _values(folder: Path, results: dict[str, Any], seen: dict[str, Any]) -> dict[str, Any]:
    """A run's fields from its results and from its log. Raises _Bad where the two contradict each other."""
    stages = {key: value for key, value in results.items() if value in ("pass", "fail") and key not in DIRECT}
    own = {key: results[key] for key in DIRECT if key in results}
    other = {key: value for key, value in results.items() if key not in own and key not in stages}
    intended = seen.pop("intended", None)
    if intended is not None and own.setdefault("ref", intended)[:8] != intended[:8]:
        raise _Bad(f"its results name ref {own['ref']!r}, its log {intended!r}")
    if "stamp" in seen and "upgrade" in stages and (stages["upgrade"] == "pass") != (seen["stamp"] == "right"):
        raise _Bad(f"its results say that upgrade {stages['upgrade']}ed, its log that the stamp was {seen['stamp']!r}")
    other |= {name: seen.pop(name) for name in [*seen] if name not in ObservedRun.model_fields}
    return {**own, "id": folder.name, "stages": stages, "other": other, **seen, "source": f"{folder.name}/results.json"}


def _results(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_text(path, LARGEST_RESULTS))
    except (ValueError, RecursionError) as error:
        raise _Bad(f"not JSON, or cut off: {error}") from error
    if not isinstance(content, dict):
        raise _Bad("not a JSON object")
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise _Bad("holds half a surrogate pair, which is no text") from error
    return content


def _logs(folder: Path) -> Iterator[Path]:
    beside = folder.with_name(f"{folder.name}.console.log")
    if beside.exists():
        yield beside
    yield from sorted(folder.glob("*.log"))


def _text(path: Path, largest: int) -> str:
    try:
        if path.stat().st_size > largest:
            raise _Bad(f"larger than {largest >> 20} MB")
        content = path.read_bytes()
    except OSError as error:
        raise _Bad(f"cannot be read: {error.strerror}") from error
    if not content.strip():
        raise _Bad("empty")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Bad(f"not UTF-8 (byte {error.start})") from error


def _log_fields(text: str, patterns: Mapping[str, re.Pattern[str]]) -> dict[str, Any]:
    """What a log says: the last value of each pattern, and its first and last instant."""
    fields: dict[str, Any] = {}
    for name, pattern in patterns.items():
        for match in pattern.finditer(text):
            fields[name] = match["value"]
            if "intended" in match.groupdict():
                fields["intended"] = match["intended"]
    return fields | _times(text)


def _times(text: str) -> dict[str, Any]:
    """The first and the last instant in a log."""
    first, last = _first_instant(TIMESTAMP.finditer(text)), None
    if first is not None:
        last = _first_instant(reversed(list(TIMESTAMP.finditer(text, max(0, len(text) - LAST_CHARACTERS)))))
    if first is None or last is None or (first.tzinfo is None) != (last.tzinfo is None):
        return {} if first is None else {"time": first, "time_means": "start"}
    if last < first:
        raise _Bad(f"its last instant ({last}) is before its first ({first})")
    return {"time": first, "time_means": "start", "until": last}


def _first_instant(matches: Iterable[re.Match[str]]) -> datetime | None:
    return next((found for match in matches if (found := _instant(match[0])) is not None), None)


def _instant(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None
