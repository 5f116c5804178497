"""Real run folders: `<id>/results.json` and its console log become observed runs; bad files are reported one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import ScenarioError
from dstamp_sim.core.observable import Observable
from dstamp_sim.disk.reading import Unreadable, read_json, read_text
from dstamp_sim.incident.evidence import ObservedRun, checked_run
from dstamp_sim.inputs.schema import ONE_CLOCK, one_clock
from dstamp_sim.pipeline.progress import Progress

LARGEST_RESULTS, LARGEST_LOG = 1 << 20, 64 << 20
"""The most bytes of a file of results and of a log."""

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?")
"""An instant as logs write it."""

LAST_CHARACTERS = 1 << 16
"""How many bytes at a log's end are searched for its last instant."""


@dataclass(frozen=True)
class Complaint:
    """A file that was skipped, and why."""

    file: Path
    why: str


@dataclass
class RunFolders:
    """The result of reading: the runs in the order of their names, and the files that were skipped."""

    runs: list[ObservedRun] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)


class _Bad(Exception):
    """An unusable file; the message says why."""


def _why(bad: _Bad | Unreadable) -> str:
    return bad.why if isinstance(bad, Unreadable) else str(bad)


def read_run_folders(root: Path, observable: Observable, progress: Progress | None = None) -> RunFolders:
    """The runs in `root`: a folder each with `results.json`, and `<id>.console.log` beside it or a `*.log` inside.

    `observable` declares the fields that are read from results and logs; the rest is kept as `other`.
    A truncated, empty, oversized or non-UTF-8 file, or one that contradicts another, is skipped with a complaint.
    """
    found = RunFolders()
    reader = _FolderReader(
        root, observable, [re.compile(pattern) for pattern in observable.log_lines], found.complaints
    )
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    for number, folder in enumerate(folders):
        try:
            found.runs.append(reader.run(folder))
        except (_Bad, Unreadable) as bad:
            found.complaints.append(Complaint(folder / "results.json", _why(bad)))
        if progress is not None:
            progress(number + 1, len(folders))
    _keep_one_clock(found)
    return found


def _keep_one_clock(found: RunFolders) -> None:
    """Leaves out, with a complaint, the runs whose times cannot be compared with the first one's."""
    timed = [run for run in found.runs if run.time is not None]
    for run in timed:
        if not one_clock([time for time in (timed[0].time, run.time) if time is not None]):
            found.runs.remove(run)
            why = f"its times and those of {timed[0].id}: {ONE_CLOCK}"
            found.complaints.append(Complaint(Path(run.source), why))


@dataclass(frozen=True)
class _FolderReader:
    """Reads run folders; unusable logs are added to `complaints`."""

    root: Path
    observable: Observable
    patterns: Sequence[re.Pattern[str]]
    complaints: list[Complaint]

    def run(self, folder: Path) -> ObservedRun:
        """The run of a folder. Raises _Bad if it cannot be used, or results and log contradict each other."""
        if any("\ud800" <= letter <= "\udfff" for letter in folder.name):
            raise _Bad("the name of its folder is not UTF-8: rename the folder")
        results, (log, times) = _results(folder / "results.json", self.root), self._logged(folder)
        wrong = self.observable.contradiction(results, log)
        if wrong:
            raise _Bad(wrong)
        names, values = {one.name for one in self.observable.fields}, log | results
        other = {name: value for name, value in values.items() if name not in names}
        generic = {"id": folder.name, **times, "other": other, "source": f"{folder.name}/results.json"}
        try:
            return checked_run(generic, values, self.observable, log.keys() - results.keys())
        except ScenarioError as error:
            raise _Bad(str(error)) from error

    def _logged(self, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """The logs' values by field, and the start and end of the run."""
        fields: dict[str, Any] = {}
        times: dict[str, Any] = {}
        for file in _logs(folder):
            try:
                text = read_text(file, LARGEST_LOG, inside=self.root)
                if not text.strip():
                    self.complaints.append(Complaint(file, "empty"))
                times |= _times(text)
                fields |= _log_fields(text, self.patterns)
            except (_Bad, Unreadable) as bad:
                self.complaints.append(Complaint(file, _why(bad)))
        return fields, times


def _results(path: Path, root: Path) -> dict[str, Any]:
    content = read_json(path, LARGEST_RESULTS, inside=root)
    if not isinstance(content, dict):
        raise Unreadable(path, "not a JSON object")
    return content


def _logs(folder: Path) -> Iterator[Path]:
    beside = folder.with_name(f"{folder.name}.console.log")
    if beside.exists():
        yield beside
    yield from sorted(folder.glob("*.log"))


def _log_fields(text: str, patterns: Sequence[re.Pattern[str]]) -> dict[str, Any]:
    """The values of a log by field, from the last line that matches a pattern."""
    fields: dict[str, Any] = {}
    for pattern in patterns:
        for match in pattern.finditer(text):
            fields |= {name: value for name, value in match.groupdict().items() if value is not None}
    return fields


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
