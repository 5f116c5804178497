"""A mapping: where the runs of a folder or a log are, and what is read of each; a TOML file, or a model's own."""

from __future__ import annotations

import re
from collections.abc import Mapping as Values
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from dstamp_sim.core.observable import Observable
from dstamp_sim.inputs.schema import Strict, given, read_table

ISO_INSTANT = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?"
"""An instant as most logs write it."""

EPOCH = "epoch"
"""The format of times that are seconds since 1970."""


class FileRule(Strict):
    """Some files below the folder: which (`glob`), of which run, and what is read of them.

    `run` is an expression over the file's path, whose group `id` is the run. With `fields` or `rest` the file is JSON:
    `fields` says where each field is (`stages.upgrade`), and `rest` takes all else by its own names. Else it is
    text, `lines` are expressions whose groups are fields, and the last match counts; without `run`, each has a group
    `id` of its own.
    """

    glob: str
    run: str = ""
    fields: dict[str, str] | None = None
    rest: bool = False
    lines: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> FileRule:
        if self.glob.startswith("/") or ".." in Path(self.glob).parts:
            raise ValueError(f"glob = {self.glob!r} leads out of the folder: write it relative to that, without ..")
        if self.is_json and self.lines:
            raise ValueError("a file has `fields` and `rest` (of JSON) or `lines` (of text), not both")
        for written in (*self.lines, *filter(None, [self.run])):
            _compiled(written)
        if self.run and "id" not in re.compile(self.run).groupindex:
            raise ValueError(f"run = {self.run!r} does not say which run it is: write (?P<id>...) in it")
        nobodys = [line for line in self.lines if not self.run and "id" not in re.compile(line).groupindex]
        if nobodys or not (self.run or self.lines):
            raise ValueError(f"of which run is what {self.glob!r} finds? Write run = '(?P<id>...)', or such a group "
                             "in each of the lines")  # fmt: skip
        return self

    @property
    def is_json(self) -> bool:
        """Whether the files are read as JSON."""
        return self.fields is not None or self.rest


def _compiled(written: str) -> None:
    try:
        named = re.compile(written).groupindex
    except re.error as error:
        raise ValueError(f"{written!r} is no regular expression: {error}") from error
    if not named:
        raise ValueError(f"{written!r} names nothing: write (?P<field>...) in it")


class TimeRule(Strict):
    """How times are written: what one looks like in a line, its format (as of strptime, or `epoch`), and its zone.

    If the format is left out, they are as ISO 8601 has them. Times that name a zone keep theirs. `year` is that of
    times whose format has none.
    """

    pattern: str = ISO_INSTANT
    format: str = ""
    zone: str = ""
    year: int | None = None

    @model_validator(mode="after")
    def _consistent(self) -> TimeRule:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern = {self.pattern!r} is no regular expression: {error}") from error
        dated = self.format in ("", EPOCH) or bool(re.search("%[YyGcxs]", self.format))
        if dated is (self.year is not None):
            kind = "an ISO time has one, or the format" if dated else f"format = {self.format!r} has none"
            raise ValueError(f"year: {'leave it out' if dated else 'write one, such as year = 2026'}, for {kind}")
        if self.zone:
            try:
                ZoneInfo(self.zone)
            except (ValueError, OSError, LookupError) as error:
                raise ValueError(f"zone = {self.zone!r} is unknown: write one such as 'Europe/Berlin'") from error
        return self

    def instant(self, written: object) -> datetime | None:
        """The instant that a text or a number stands for; None if it is none."""
        try:
            found = self._read(str(written))
        except (ValueError, OverflowError, OSError):
            return None
        return found.replace(tzinfo=ZoneInfo(self.zone)) if self.zone and found.tzinfo is None else found

    def _read(self, written: str) -> datetime:
        if self.format == EPOCH:
            return datetime.fromtimestamp(float(written), UTC)
        if self.year is not None:
            return datetime.strptime(f"{self.year} {written}", f"%Y {self.format}")
        return datetime.strptime(written, self.format) if self.format else datetime.fromisoformat(written)


def _meaning(value: object) -> object:
    if not isinstance(value, str | int):
        raise ValueError(  # noqa: TRY004 - as pydantic wants it
            f"it must be a text, a whole number, true or false ({given(value)})"
        )
    return value


Meaning = Annotated[Any, AfterValidator(_meaning)]
"""What the model means by a value."""


class Mapping(Strict):
    """Everything that is read: files, how they write times, what their values mean, and what is so of every run.

    `values` translates, by field, what is written into what the model means by it: which word stands for a failure.
    """

    files: tuple[FileRule, ...] = Field(min_length=1)
    time: TimeRule = TimeRule()
    values: dict[str, dict[str, Meaning]] = Field(default_factory=dict)
    always: dict[str, Any] = Field(default_factory=dict)

    def meant(self, read: Values[str, Any]) -> dict[str, Any]:
        """Values by field, each as the model means it."""
        return {
            name: self.values.get(name, {}).get(str(value), value) if isinstance(value, (str, int)) else value
            for name, value in read.items()
        }


def read_mapping(path: Path) -> Mapping:
    """The mapping in a TOML file. Raises ScenarioError naming file, place, rule and the nearest key."""
    return read_table(path, Mapping)


def run_folders(observable: Observable) -> Mapping:
    """The mapping where none is given: `ID/results.json`, its log as `ID.console.log` beside or `*.log` inside.

    Keys of the results and groups of the model's `log_lines` are its fields; a field with a place in an evidence file
    (`stages.upgrade`) may have it in the results, too.
    """
    inside = r"^(?P<id>[^/]+)/"
    nested = {one.name: ".".join(one.path) for one in observable.fields if len(one.path) > 1}
    return Mapping(
        files=(
            FileRule(glob="*/results.json", run=inside, fields=nested, rest=True),
            FileRule(glob="*.console.log", run=r"^(?P<id>.+)\.console\.log$", lines=observable.log_lines),
            FileRule(glob="*/*.log", run=inside, lines=observable.log_lines),
        )
    )
