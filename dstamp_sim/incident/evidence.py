"""Evidence files: what was observed of the real incident, each item with its source. Unknowns stay unknown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from dstamp_sim.core.errors import ScenarioError, UsageError
from dstamp_sim.inputs.toml_file import Strict, read_toml

UpdateStatus = Literal[
    "unset", "updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed"
]


class Fingerprint(Strict):
    """What `docker service inspect` showed at the check; `previous_stamp = "absent"`: there was no PreviousSpec."""

    previous_stamp: str | None = None
    update_status: UpdateStatus | None = None


class ObservedRun(Strict):
    """One real run. `time_means` says what its time is of; `stamp = "right"` where only that is known.

    `until` is its end where both ends are known (`time` is then its start). `computed` is the last chaos version that
    its console shows, `other` what else its results hold.
    """

    id: str
    time: datetime | None = None
    time_means: Literal["start", "end", "unknown"] = "unknown"
    until: datetime | None = None
    recipe: str | None = None
    ref: str | None = None
    pr: int | None = None
    level: int | None = None
    stages: dict[str, Literal["pass", "fail"]] = Field(default_factory=dict)
    stamp: str | None = None
    computed: str | None = None
    company: Literal["solo", "clustered", "unknown"] = "unknown"
    fingerprint: Fingerprint = Fingerprint()
    other: dict[str, Any] = Field(default_factory=dict)
    source: str

    @model_validator(mode="after")
    def _in_order(self) -> ObservedRun:
        if self.until is not None and (self.time is None or self.time_means != "start" or self.until < self.time):
            raise ValueError("`until` is the end of a run whose `time` is its start, and not before it")
        return self

    def observed(self) -> dict[str, Any]:
        """What a simulated result can be compared with, as far as known: stamp, level, verdicts, what else was read."""
        known = {"stamp": self.stamp, "level": self.level, **self.stages, "computed": self.computed}
        known |= vars(self.fingerprint)
        return {field: value for field, value in known.items() if value is not None}


class Probe(Strict):
    """One isolated reproduction: what was set up, how far it got, what it stamped."""

    id: str
    setup: str
    reached: str
    stamp: str
    source: str

    def observed(self) -> dict[str, Any]:
        """What a simulated result can be compared with."""
        return {"stamp": self.stamp}


class Fact(Strict):
    """Something known of the incident that is neither a run nor a probe; `constant` names a part that never changed."""

    text: str
    constant: str | None = None
    source: str


class Outcome(Strict):
    """How an experiment of the model's catalogue came out."""

    experiment: str
    outcome: str
    source: str


class Evidence(Strict):
    """Everything observed. A time may be given without its zone in all runs or in none."""

    runs: tuple[ObservedRun, ...]
    probes: tuple[Probe, ...] = ()
    facts: tuple[Fact, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Evidence:
        items: tuple[ObservedRun | Probe, ...] = (*self.runs, *self.probes)
        twice = [name for name, count in Counter(item.id for item in items).items() if count > 1]
        if twice:
            raise ValueError(f"the id {twice[0]!r} is given to several runs or probes")
        if len({time.tzinfo is None for run in self.runs for time in (run.time, run.until) if time is not None}) > 1:
            raise ValueError("some times have a zone and some have none")
        return self

    def run(self, name: str) -> ObservedRun | None:
        """The observed run called `name`, if there is one."""
        return next((run for run in self.runs if run.id == name), None)

    @property
    def constants(self) -> frozenset[str]:
        """The parts of the system that are known not to have changed over all the runs."""
        return frozenset(fact.constant for fact in self.facts if fact.constant)


def read_evidence(path: Path) -> Evidence:
    """The evidence in a TOML file. Raises ScenarioError naming file, place and remedy."""
    return read_toml(path, Evidence)


def write_evidence(path: Path, evidence: Evidence) -> None:
    """Write evidence so that `read_evidence` gives it back; the file is whole or not there."""
    tables = (("runs", evidence.runs), ("probes", evidence.probes), ("facts", evidence.facts))
    lines = ["# Observed runs, probes and facts, each with its source. A key that is missing is unknown.", ""]
    for name, items in (*tables, ("outcomes", evidence.outcomes)):
        for item in items:
            lines += [f"[[{name}]]", *_entries(item.model_dump(exclude_defaults=True)), ""]
    fresh = path.with_name(f"{path.name}.part")
    fresh.write_text("\n".join(lines), encoding="utf-8")
    fresh.replace(path)


def append_outcomes(path: Path, into: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the evidence at `path` with more outcomes at its end to `into`: every byte of it and its comments stay.

    The file is whole or not there. Raises UsageError where it cannot be written, ScenarioError where outcomes cannot be
    added to the end of such a file, as to one that writes its outcomes as an inline list.
    """
    before, evidence = path.read_bytes(), read_evidence(path)
    wanted = evidence.model_copy(update={"outcomes": (*evidence.outcomes, *outcomes)})
    lines = [line for item in outcomes for line in ("", "[[outcomes]]", *_entries(item.model_dump()))]
    added = before + (b"" if before.endswith(b"\n") else b"\n") + "\n".join([*lines, ""]).encode()
    fresh = into.with_name(f"{into.name}.part")
    try:
        fresh.write_bytes(added)
        if not _reads_as(fresh, wanted):
            raise ScenarioError(f"{path}: nothing can be added at its end; write its outcomes as [[outcomes]] tables")
        fresh.replace(into)
    except OSError as error:
        raise UsageError(f"{into}: cannot be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)


def _reads_as(path: Path, wanted: Evidence) -> bool:
    try:
        return read_evidence(path) == wanted
    except ScenarioError:
        return False


def checked_run(values: dict[str, Any]) -> ObservedRun:
    """A run of `values`. Raises ScenarioError with the first thing that is wrong."""
    try:
        return ObservedRun(**values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ScenarioError(f"{place or 'the run'}: {first['msg']}") from error


def _entries(table: dict[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{_quoted(key)} = {_toml(value)}"


def _quoted(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else _text(key)


def _toml(value: Any) -> str:
    """A value as TOML; None inside a list or table has no form there and is left out or written as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_quoted(k)} = {_toml(v)}" for k, v in value.items() if v is not None) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value) if isinstance(value, (int, float)) else _text(str(value))


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
