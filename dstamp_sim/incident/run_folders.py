"""The runs of a folder, or of one log, as a mapping reads them; bad files are reported one by one, never followed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from dstamp_sim.core.errors import ScenarioError
from dstamp_sim.core.observable import Observable
from dstamp_sim.disk.reading import Unreadable, read_json, read_text
from dstamp_sim.incident.evidence import ObservedRun, checked_run
from dstamp_sim.incident.mapping import FileRule, Mapping, run_folders
from dstamp_sim.inputs.schema import ONE_CLOCK, given, one_clock
from dstamp_sim.pipeline.progress import Progress

LARGEST_RESULTS, LARGEST_LOG = 1 << 20, 64 << 20
"""The most bytes of a file of results and of a log."""

LAST_CHARACTERS = 1 << 16
"""How many characters at a log's end are searched for its last instant."""

MARKS = ("time", "time_means", "until", "company")
"""What a file may say of any run, whatever the model."""


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
    """Something unusable; the message says why."""


@dataclass
class _Gathered:
    """What the files say of one run: those of JSON in `results`, those of text in `log`, and its instants.

    `source` is the first file that told of it. One without `usable` results is left out.
    """

    source: Path
    results: dict[str, Any] = field(default_factory=dict)
    log: dict[str, Any] = field(default_factory=dict)
    instants: list[datetime] = field(default_factory=list)
    usable: bool = True


def read_run_folders(
    root: Path, observable: Observable, progress: Progress | None = None, mapping: Mapping | None = None
) -> RunFolders:
    """The runs in the folder (or the one log) `root` by a mapping; by default a folder for each, with `results.json`.

    `observable` declares the fields; the rest of what is read is kept as `other`. A truncated, empty, oversized or
    non-UTF-8 file, one that is no file or lies outside, or one that contradicts another is skipped with a complaint.
    """
    reader = _Reader(root, observable, mapping or run_folders(observable))
    reader.gather(progress)
    for name in sorted(reader.gathered):
        reader.conclude(name, reader.gathered[name])
    _keep_one_clock(reader.found)
    return reader.found


def _keep_one_clock(found: RunFolders) -> None:
    """Leaves out, with a complaint, the runs whose times cannot be compared with the first one's."""
    timed = [run for run in found.runs if run.time is not None]
    for run in timed:
        if not one_clock([time for time in (timed[0].time, run.time) if time is not None]):
            found.runs.remove(run)
            why = f"its times and those of {timed[0].id}: {ONE_CLOCK}"
            found.complaints.append(Complaint(Path(run.source), why))


@dataclass
class _Reader:
    """Reads files, by rule and in the order of their names, and gathers what they say by run."""

    root: Path
    observable: Observable
    mapping: Mapping
    gathered: dict[str, _Gathered] = field(default_factory=dict)
    found: RunFolders = field(default_factory=RunFolders)

    @property
    def folder(self) -> Path:
        return self.root if self.root.is_dir() else self.root.parent

    def gather(self, progress: Progress | None) -> None:
        """Reads every file that a rule finds."""
        wanted = [(rule, file) for rule in self.mapping.files for file in self._files(rule)]
        for number, (rule, file) in enumerate(wanted):
            try:
                self._read(rule, file)
            except (_Bad, Unreadable) as bad:
                self._complain(file, bad.why if isinstance(bad, Unreadable) else str(bad))
            if progress is not None:
                progress(number + 1, len(wanted))

    def _files(self, rule: FileRule) -> list[Path]:
        """The files of a rule; one whose name is written out is expected in every folder that fits."""
        if not self.root.is_dir():
            return [self.root] if fnmatch(self.root.name, PurePosixPath(rule.glob).name) else []
        *folders, name = PurePosixPath(rule.glob).parts
        if folders and not re.search(r"[*?[]", name):
            above = "/".join(folders)
            return sorted(folder / name for folder in self.root.glob(above) if folder.is_dir())
        return sorted(self.root.glob(rule.glob))

    def _complain(self, file: Path, why: str) -> None:
        self.found.complaints.append(Complaint(file, why))

    def _read(self, rule: FileRule, file: Path) -> None:
        path = file.relative_to(self.folder).as_posix()
        if any("\ud800" <= letter <= "\udfff" for letter in path):
            raise _Bad("the name of its folder is not UTF-8: rename the folder")
        if not rule.run:
            self._lines(rule, file)
            return
        whose = re.search(rule.run, path)
        if whose is None or not whose["id"]:
            raise _Bad(f"its path does not say of which run it is (run = {rule.run!r})")
        if rule.is_json:
            self._results(rule, file, self._run(whose["id"], file))
        elif whose["id"] in self.gathered or not self._results_expected:
            self._log(rule, file, whose["id"])

    @property
    def _results_expected(self) -> bool:
        return any(rule.is_json for rule in self.mapping.files)

    def _run(self, name: str, file: Path) -> _Gathered:
        return self.gathered.setdefault(name, _Gathered(file))

    def _results(self, rule: FileRule, file: Path, run: _Gathered) -> None:
        run.usable = False  # until it is read
        content = read_json(file, LARGEST_RESULTS, inside=self.folder)
        if not isinstance(content, dict):
            raise Unreadable(file, f'it must be a table, such as {{"paid": true}} ({given(content)})')
        fields = rule.fields or {}
        named = {name: value for name, where in fields.items() if (value := _at(content, where)) is not None}
        run.results |= (_without(content, [where.split(".") for where in fields.values()]) if rule.rest else {}) | named
        run.usable = True

    def _log(self, rule: FileRule, file: Path, name: str) -> None:
        text = read_text(file, LARGEST_LOG, inside=self.folder)
        if not text.strip():
            raise _Bad("empty")
        ends, run = self._ends(text), self._run(name, file)
        run.instants += ends
        for pattern in rule.lines:
            for match in re.finditer(pattern, text, re.MULTILINE):
                run.log |= _groups(match)

    def _ends(self, text: str) -> list[datetime]:
        """The first and the last instant in a text."""
        pattern = re.compile(self.mapping.time.pattern)
        first = self._first(pattern.finditer(text))
        if first is None:
            return []
        last = self._first(reversed(list(pattern.finditer(text, max(0, len(text) - LAST_CHARACTERS)))))
        if last is not None and one_clock([first, last]) and last < first:
            raise _Bad(f"its last instant ({last}) is before its first ({first})")
        return [first] if last is None else [first, last]

    def _first(self, matches: Iterable[re.Match[str]]) -> datetime | None:
        read = (self.mapping.time.instant(match[match.lastindex or 0]) for match in matches)
        return next((found for found in read if found is not None), None)

    def _lines(self, rule: FileRule, file: Path) -> None:
        """A log of several runs: each line that fits says of which."""
        text = read_text(file, LARGEST_LOG, inside=self.folder)
        pattern = re.compile(self.mapping.time.pattern)
        for match in sorted(_matches(rule.lines, text), key=lambda match: match.start()):
            run, line = self._run(match["id"], file), _line(text, match.start())
            run.log |= _groups(match)
            instant = self._first(pattern.finditer(line))
            run.instants += [] if instant is None else [instant]

    def conclude(self, name: str, run: _Gathered) -> None:
        """The run as evidence, or a complaint why it cannot be used."""
        if not run.usable:
            return
        try:
            self.found.runs.append(self._concluded(name, run))
        except (_Bad, ScenarioError) as bad:
            self._complain(run.source, str(bad))

    def _concluded(self, name: str, run: _Gathered) -> ObservedRun:
        results, log = self.mapping.meant(run.results), self.mapping.meant(run.log)
        wrong = self.observable.contradiction(results, log)
        if wrong:
            raise _Bad(wrong)
        names, values = {one.name for one in self.observable.fields}, self.mapping.always | log | results
        marks = {key: values.pop(key) for key in MARKS if key in values and key not in names}
        other = {key: value for key, value in values.items() if key not in names}
        source = run.source.relative_to(self.folder).as_posix()
        generic = {"id": name, **_times(run.instants), **self._dated(marks), "other": other, "source": source}
        return checked_run(generic, values, self.observable, log.keys() - results.keys())

    def _dated(self, marks: dict[str, Any]) -> dict[str, Any]:
        """Time and end as instants. Raises _Bad for a time that is none."""
        for key in ("time", "until"):
            if key in marks:
                written = marks[key]
                marks[key] = self.mapping.time.instant(written)
                if marks[key] is None:
                    raise _Bad(f"{key}: {written!r} is no time (format of the mapping's [time])")
        return marks if "time" not in marks else {"time_means": "start"} | marks


def _matches(patterns: Sequence[str], text: str) -> Iterator[re.Match[str]]:
    for pattern in patterns:
        yield from re.finditer(pattern, text, re.MULTILINE)


def _line(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[text.rfind("\n", 0, at) + 1 : end if end >= 0 else len(text)]


def _groups(match: re.Match[str]) -> dict[str, Any]:
    return {name: value for name, value in match.groupdict().items() if value is not None and name != "id"}


def _at(content: Any, where: str) -> Any:
    """What lies at a path of keys (and places in lists); None if nothing does."""
    for part in where.split("."):
        if isinstance(content, list) and part.isdecimal() and int(part) < len(content):
            content = content[int(part)]
        else:
            content = content.get(part) if isinstance(content, dict) else None
    return content


def _without(content: Any, paths: Sequence[Sequence[str]]) -> Any:
    """What is left without the values at these paths; a table of which nothing is left is left out."""
    if not isinstance(content, dict) or not paths:
        return content
    left = {}
    for key, value in content.items():
        inner = [path[1:] for path in paths if path[0] == key]
        kept = _without(value, [path for path in inner if path])
        if not ([] in inner or (inner and kept == {})):
            left[key] = kept
    return left


def _times(instants: Sequence[datetime]) -> dict[str, Any]:
    """Start and end of a run of which something was seen at these instants; of a single one it is not known which."""
    if not instants:
        return {}
    if not one_clock(list(instants)):
        return {"time": instants[0], "time_means": "start"}
    first, last = min(instants), max(instants)
    if first == last:
        return {"time": first, "time_means": "unknown"}
    return {"time": first, "time_means": "start", "until": last}
