"""Witness files: traces that anyone can replay; a file that no longer fits is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, field_validator, model_validator

from dstamp_sim.core.errors import ScheduleError, UsageError, WitnessError, WitnessGone, cut
from dstamp_sim.core.escaping import harmless_json
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.system import MOST_COPIES, Also, System
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.core.value import text
from dstamp_sim.disk.reading import read_json
from dstamp_sim.disk.writing import write
from dstamp_sim.inputs.model_file import checked_settings, fingerprint, load_model
from dstamp_sim.inputs.schema import Name, Seconds, Strict, checked, given, refuse_other_format

WITNESS_KIND = "dstamp-witness/1"

_EDITED = "the file was edited: take it as it was written"


@dataclass(frozen=True)
class Origin:
    """How the system of a trace was built, enough to build it again. `copies` are numbers in place of `ANY`.

    `serial`, `live`: what it is also asked (`core.system.Also`).
    """

    model: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    placement: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    crashes: int = 0
    copies: Mapping[str, int] = field(default_factory=dict)
    serial: bool = False
    live: bool = False

    def build(self) -> System:
        """The system again. Raises UsageError or ModelError as loading a model does."""
        model = load_model(self.model)
        settings = checked_settings(model.factory, self.parameters)
        system = model.build(settings, self.placement).with_copies(self.copies)
        system = system.with_names(self.names).with_crashes(max(self.crashes, system.crashes))
        return Also(self.serial, self.live).of(system)


class _OriginOfFile(Strict):
    model: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    placement: str | None = None
    names: dict[str, Name] = Field(default_factory=dict)
    crashes: Annotated[int, Field(ge=0, le=MOST_COPIES, strict=True)] = 0
    copies: dict[str, Annotated[int, Field(ge=0, le=MOST_COPIES, strict=True)]] = Field(default_factory=dict)
    serial: Annotated[bool, Field(strict=True)] = False
    live: Annotated[bool, Field(strict=True)] = False

    def origin(self) -> Origin:
        return Origin(**dict(self))


class _StepOfFile(Strict):
    process: str
    section: str | None = None
    does: str
    changed: str
    time_s: Seconds | None = None


class _WitnessFile(Strict):
    format: str
    about: str
    origin: _OriginOfFile
    model_digest: str | None = None
    since: datetime | None = None
    schedule: str
    starts_s: dict[str, Seconds] | None
    steps: tuple[_StepOfFile, ...]
    results: dict[str, str]

    @field_validator("since", mode="before")
    @classmethod
    def _instant(cls, written: object) -> datetime | None:
        if written is None or written == "":
            return None
        try:
            return datetime.fromisoformat(written)  # type: ignore[arg-type]  # a TypeError is caught
        except (TypeError, ValueError) as error:
            raise ValueError(f"it must be an instant, such as '2026-01-31T10:00:00' ({given(written)})") from error

    @model_validator(mode="after")
    def _in_order(self) -> _WitnessFile:
        if self.starts_s is not None:
            times = [step.time_s for step in self.steps]
            for number, (before, now) in enumerate(pairwise([0.0, *times])):
                if now is None or (before is not None and now < before):
                    rule = "a witness with starts_s has a time_s in every step, none before the step above"
                    raise ValueError(f"step {number + 1} has time_s = {now}: {rule}; {_EDITED}")
        return self


@dataclass(frozen=True)
class Witness:
    """A trace with its origin, its subject, and the instant from which its times count."""

    origin: Origin
    about: str
    trace: Trace
    since: datetime | None = None


def write_witness(path: Path, witness: Witness) -> None:
    """Writes `witness` to `path` as JSON. Raises UsageError when the file cannot be written."""
    trace = witness.trace
    content = {
        "format": WITNESS_KIND,
        "about": witness.about,
        "origin": asdict(witness.origin),
        "model_digest": fingerprint(load_model(witness.origin.model).path),
        "since": witness.since.isoformat() if witness.since else None,
        "schedule": str(trace.schedule),
        "starts_s": None if trace.starts_s is None else dict(trace.starts_s),
        "steps": [_written(step) for step in trace.steps],
        "results": {name: text(result) for name, result in trace.results.items()},
    }
    written = harmless_json(json.dumps(content, indent=1, ensure_ascii=False)) + "\n"
    write(path, lambda: written)


def read_witness(path: Path, replay: Callable[[System, str], Trace]) -> tuple[Witness, System]:
    """The witness in `path`, and its system; the schedule is performed again and every step is compared.

    Raises WitnessError when the file is not a witness, and WitnessGone at the first step that the model does
    differently.
    """
    content = _read(path)
    origin, schedule = content.origin.origin(), _schedule(path, content)
    system = _built(path, origin)
    try:
        trace = replay(system, content.schedule)
        _compare(path, trace, content)
    except WitnessError:
        raise
    except ScheduleError as error:
        changed = fingerprint(load_model(origin.model).path) != content.model_digest
        hint = "the model's text has changed since: explore it again" if changed else _EDITED
        before = replay(system, str(Schedule(schedule.choices[: error.performed])))
        what = _first_difference(before, content.steps) or str(error)
        raise WitnessGone(f"{path} can no longer be performed: {what}; {hint}") from error
    return Witness(origin, content.about, _on_the_clock(trace, content), content.since), system


def _on_the_clock(trace: Trace, content: _WitnessFile) -> Trace:
    """The trace with the file's times, where it has any."""
    if content.starts_s is None:
        return trace
    timed = tuple(replace(step, time_s=was.time_s) for step, was in zip(trace.steps, content.steps, strict=True))
    return replace(trace, steps=timed, starts_s=content.starts_s)


def _built(path: Path, origin: Origin) -> System:
    """The system of the file's origin. Raises WitnessError, naming the file, if its values do not fit the model."""
    try:
        system = origin.build()
        system.instances()  # names what is renamed and is not there
    except (UsageError, ScheduleError) as error:
        raise WitnessError(f"{path}: at origin: {error}") from error
    return system


def _schedule(path: Path, content: _WitnessFile) -> Schedule:
    try:
        return Schedule.parse(content.schedule)
    except ScheduleError as error:
        raise WitnessError(f"{path}: at schedule: {error}; {_EDITED}") from error


class WitnessContent(NamedTuple):
    """The content of a witness file, not replayed: its origin, subject and schedule, and what each step does."""

    origin: Origin
    about: str
    schedule: str
    does: tuple[str, ...]


def witness_parts(path: Path) -> WitnessContent:
    """What the witness in `path` says. Raises WitnessError if it is none."""
    content = _read(path)
    _schedule(path, content)
    does = tuple(step.does for step in content.steps)
    return WitnessContent(content.origin.origin(), content.about, content.schedule, does)


def _compare(path: Path, trace: Trace, content: _WitnessFile) -> None:
    """Raises ScheduleError at the first step that the file has otherwise, or if it has other results."""
    steps, results = content.steps, content.results
    if len(steps) != len(trace.steps):
        told = f"the schedule has {len(trace.steps)} choices, the file {len(steps)} steps"
        raise WitnessError(f"{path}: at steps: {told}; {_EDITED}")
    if differs := _first_difference(trace, steps):
        raise ScheduleError(differs)
    ended = {name: text(result) for name, result in trace.results.items()}
    if results != ended:
        raise ScheduleError(f"the results differ: {_other_results(results, ended)}")


def _other_results(was: Mapping[str, str], now: Mapping[str, str]) -> str:
    name = min(name for name in {*was, *now} if was.get(name) != now.get(name))
    return f"the file says that {cut(name)} returned {_brief(was.get(name))}, the model returns {_brief(now.get(name))}"


def _brief(written: object) -> str:
    return cut(repr(written), 200)


def _first_difference(trace: Trace, steps: Sequence[_StepOfFile]) -> str:
    """What the first step does that the file has otherwise; empty if none does."""
    for number, (step, written) in enumerate(zip(trace.steps, steps, strict=False), start=1):
        now = _written(step)
        for key in ("process", "does", "changed"):
            was = getattr(written, key)
            if was != now[key]:
                told = f"the file says {_brief(was)}, the model does {_brief(now[key])}"
                return f"step {number} differs: {told} ({step.place})"
    return ""


def _written(step: Step) -> dict[str, Any]:
    return {
        "process": step.process,
        "section": step.section,
        "does": step.does(),
        "changed": step.changed(),
        "time_s": step.time_s,
    }


def _read(path: Path) -> _WitnessFile:
    content = read_json(path)
    refuse_other_format(path, content, WITNESS_KIND, "a witness", "explore, sample and replay write witnesses")
    return checked(path, content, _WitnessFile, WitnessError)
