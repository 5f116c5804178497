"""Evidence files: what was observed of the real incident, each item with its source. Unknowns stay unknown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, PlainValidator, ValidationError, create_model, model_validator
from pydantic_core import PydanticCustomError

from dstamp_sim.core.errors import ScenarioError, UsageError
from dstamp_sim.core.escaping import harmless_json
from dstamp_sim.core.observable import Field as Declared
from dstamp_sim.core.observable import Observable
from dstamp_sim.disk.reading import parse_toml, read_text, read_toml, refuse_extremes
from dstamp_sim.disk.writing import write
from dstamp_sim.inputs.schema import ONE_CLOCK, Instant, Name, Strict, as_written, checked, one_clock, rule_of


class ObservedRun(Strict):
    """One real run. `time_means` says what its time stands for; `seen` holds the other observations, by model field.

    `until` is its end where both ends are known (`time` is then its start). `other` is the rest of its results.
    """

    id: Name
    time: Instant | None = None
    time_means: Literal["start", "end", "unknown"] = "unknown"
    until: Instant | None = None
    company: Literal["solo", "clustered", "unknown"] = "unknown"
    other: dict[str, Any] = Field(default_factory=dict)
    source: str
    seen: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _in_order(self) -> ObservedRun:
        if not one_clock([time for time in (self.time, self.until) if time is not None]):
            raise ValueError(ONE_CLOCK)
        if self.until is not None and (self.time is None or self.time_means != "start" or self.until < self.time):
            raise ValueError(f"{self.id}: `until` is the end of a run whose `time` is its start, and not before it")
        return self


class Probe(Strict):
    """One isolated reproduction: its set-up, how far it got, and the observations `seen`, by model field."""

    id: Name
    setup: str
    reached: str
    source: str
    seen: dict[str, Any] = Field(default_factory=dict)


class Fact(Strict):
    """A fact about the incident that is neither a run nor a probe; `constant` names a part that never changed."""

    text: str
    constant: str | None = None
    source: str


class ExperimentOutcome(Strict):
    """The outcome of an experiment of the model's catalogue."""

    experiment: str
    outcome: str
    source: str

    @property
    def name(self) -> str:
        """As `--observe` has it."""
        return f"{self.experiment}={self.outcome}"


class Evidence(Strict):
    """All observations. Either all runs have times without a zone, or none."""

    runs: tuple[ObservedRun, ...]
    probes: tuple[Probe, ...] = ()
    facts: tuple[Fact, ...] = ()
    outcomes: tuple[ExperimentOutcome, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Evidence:
        items: tuple[ObservedRun | Probe, ...] = (*self.runs, *self.probes)
        twice = [name for name, count in Counter(item.id for item in items).items() if count > 1]
        if twice:
            raise ValueError(f"the id {twice[0]!r} belongs to several runs or probes")
        if not one_clock(self.times):
            raise ValueError(ONE_CLOCK)
        return self

    @property
    def times(self) -> list[datetime]:
        """Every instant at which something was observed."""
        return [time for run in self.runs for time in (run.time, run.until) if time is not None]

    def run(self, name: str) -> ObservedRun | None:
        """The observed run called `name`, if there is one."""
        return next((run for run in self.runs if run.id == name), None)

    @property
    def constants(self) -> frozenset[str]:
        """The parts of the system that are known not to have changed over all the runs."""
        return frozenset(fact.constant for fact in self.facts if fact.constant)


Item = TypeVar("Item", ObservedRun, Probe)


def read_evidence(path: Path, observable: Observable) -> Evidence:
    """The evidence in a TOML file, whose runs and probes may have the fields of a model.

    Raises ScenarioError with file, place and remedy.
    """
    return _evidence(path, read_toml(path), observable)


def _evidence(path: Path, tables: dict[str, Any], observable: Observable) -> Evidence:
    """The evidence in the tables of a file. Raises ScenarioError as `read_evidence` does."""
    content: Any = checked(path, tables, _file_schema(observable), ScenarioError)  # of a schema that is made
    try:
        return Evidence(
            runs=tuple(_seen(item, ObservedRun, observable) for item in content.runs),
            probes=tuple(_seen(item, Probe, observable) for item in content.probes),
            facts=content.facts,
            outcomes=content.outcomes,
        )
    except ValidationError as error:
        raise ScenarioError(f"{path}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from error


def _file_schema(observable: Observable) -> type[Strict]:
    """The schema of an evidence file: the generic keys, and the model's fields at their places."""
    run, probe = (_item_schema(kind, observable) for kind in (ObservedRun, Probe))
    shape: dict[str, Any] = {
        "runs": (tuple[run, ...], ...),  # type: ignore[valid-type]  # made just above
        "probes": (tuple[probe, ...], ()),  # type: ignore[valid-type]  # as above
        "facts": (tuple[Fact, ...], ()),
        "outcomes": (tuple[ExperimentOutcome, ...], ()),
    }
    return create_model("EvidenceFile", __base__=Strict, **shape)


def _item_schema(
    kind: type[ObservedRun] | type[Probe], observable: Observable, texts: Collection[str] = ()
) -> type[Strict]:
    """The schema of a run or a probe; the fields named in `texts` are written as text, whatever they are."""
    generic: dict[str, Any] = {
        name: (known.annotation, known) for name, known in kind.model_fields.items() if name != "seen"
    }
    return create_model(kind.__name__, __base__=Strict, **generic, **_tables(observable.fields, 0, texts))


def _tables(fields: Iterable[Declared], depth: int, texts: Collection[str]) -> dict[str, Any]:
    """The fields as keys of one table of an evidence file, nested fields as subtables."""
    inner: dict[str, list[Declared]] = {}
    keys: dict[str, Any] = {}
    for one in fields:
        if len(one.path) == depth + 1:
            kind = one.kind | None
            keys[one.path[depth]] = (kind if one.name in texts else Annotated[Any, PlainValidator(_strict(kind))], None)
        else:
            inner.setdefault(one.path[depth], []).append(one)
    for key, members in inner.items():
        table = create_model(key, __base__=Strict, **_tables(members, depth + 1, texts))
        keys[key] = (table, Field(default_factory=table))
    return keys


def _strict(kind: Any) -> Callable[[Any], Any]:
    def read(given: Any) -> Any:
        try:
            return as_written(kind, given)
        except ValidationError as error:
            raise PydanticCustomError("strict", "{rule}", {"rule": rule_of(error)}) from error

    return read


def _seen(item: Any, kind: type[Item], observable: Observable) -> Item:
    """An item of a file as a run or probe: the model's fields are in `seen`. Raises ScenarioError for a foreign one."""
    generic = {name: getattr(item, name) for name in kind.model_fields if name != "seen"}
    values = {one.name: reduce(getattr, one.path, item) for one in observable.fields}
    seen = {name: value for name, value in values.items() if value is not None}
    if why := observable.foreign(seen):
        raise ScenarioError(f"{item.id}: {why}")
    return kind(**generic, seen=seen)


def _written(generic: Mapping[str, Any], seen: Mapping[str, Any], observable: Observable) -> dict[str, Any]:
    """A run or probe as a table of a file: the generic values, and the model's fields at their places."""
    table = {**generic}
    for one in observable.fields:
        if one.name in seen:
            *above, key = one.path
            reduce(lambda inside, name: inside.setdefault(name, {}), above, table)[key] = seen[one.name]
    return table


def _dumped(item: ObservedRun | Probe, observable: Observable) -> dict[str, Any]:
    return _written(item.model_dump(exclude_defaults=True, exclude={"seen"}), item.seen, observable)


def write_evidence(path: Path, evidence: Evidence, observable: Observable) -> None:
    """Writes evidence so that `read_evidence` returns it again; the file is complete or absent."""
    tables = {
        "runs": [_dumped(run, observable) for run in evidence.runs],
        "probes": [_dumped(probe, observable) for probe in evidence.probes],
        "facts": [fact.model_dump(exclude_defaults=True) for fact in evidence.facts],
        "outcomes": [outcome.model_dump() for outcome in evidence.outcomes],
    }
    lines = ["# Observed runs, probes and facts, each with its source. A key that is missing is unknown.", ""]
    for name, items in tables.items():
        for item in items:
            lines += [f"[[{name}]]", *_entries(item), ""]
    write(path, lambda: "\n".join(lines), over=True)


def append_outcomes(path: Path, into: Path, outcomes: Sequence[ExperimentOutcome], observable: Observable) -> None:
    """Writes the evidence at `path`, with more outcomes at its end, to `into`: every byte and comment stays.

    The file is complete or absent. Raises UsageError if it cannot be written, ScenarioError if outcomes cannot be
    appended, as to a file with an inline list of outcomes.
    """
    refuse_extremes(path, {"outcomes": [item.model_dump() for item in outcomes]})
    before, evidence = read_text(path), read_evidence(path, observable)
    wanted = evidence.model_copy(update={"outcomes": (*evidence.outcomes, *outcomes)})
    lines = [line for item in outcomes for line in ("", "[[outcomes]]", *_entries(item.model_dump()))]
    added = before + ("" if before.endswith("\n") else "\n") + "\n".join([*lines, ""])
    if not _reads_as(path, added, wanted, observable):
        raise ScenarioError(f"{path}: nothing can be appended to it; write its outcomes as [[outcomes]] tables")
    write(into, lambda: added, over=True)


def _reads_as(path: Path, written: str, wanted: Evidence, observable: Observable) -> bool:
    try:
        return _evidence(path, parse_toml(path, written), observable) == wanted
    except UsageError:
        return False


def checked_run(
    generic: Mapping[str, Any], seen: Mapping[str, Any], observable: Observable, texts: Collection[str] = ()
) -> ObservedRun:
    """A run with these generic values and, by model field, its observations, those named in `texts` as text.

    Raises ScenarioError with the first fault.
    """
    table = _written(generic, seen, observable)
    try:
        schema = _item_schema(ObservedRun, observable, texts)
        return _seen(schema.model_validate(table), ObservedRun, observable)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ScenarioError(f"{place or 'the run'}: {rule_of(error)}") from error


def _entries(table: dict[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{_quoted(key)} = {_toml(value)}"


def _quoted(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else _text(key)


def _toml(value: Any) -> str:
    """A value as TOML; None inside a list or table is left out or written as text."""
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
    return harmless_json(json.dumps(value, ensure_ascii=False))
