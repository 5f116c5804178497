"""Witness files: traces that anyone can replay; a file that no longer fits is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from dstamp_sim.core.errors import ScheduleError, UsageError, WitnessError, WitnessGone
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.core.value import text
from dstamp_sim.inputs.model_file import checked_settings, fingerprint, load_model

FORMAT = "dstamp-witness/1"


@dataclass(frozen=True)
class Origin:
    """How the system of a trace was built, enough to build it again. `copies` are numbers in place of `ANY`."""

    model: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    placement: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    crashes: int = 0
    copies: Mapping[str, int] = field(default_factory=dict)

    def build(self) -> System:
        """The system again. Raises UsageError or ModelError as loading a model does."""
        model = load_model(self.model)
        settings = checked_settings(model.factory, self.parameters)
        system = model.build(settings, self.placement).with_copies(self.copies)
        return system.with_names(self.names).with_crashes(max(self.crashes, system.crashes))


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
        "format": FORMAT,
        "about": witness.about,
        "origin": asdict(witness.origin),
        "model_digest": fingerprint(load_model(witness.origin.model).path),
        "since": witness.since.isoformat() if witness.since else None,
        "schedule": str(trace.schedule),
        "starts_s": None if trace.starts_s is None else dict(trace.starts_s),
        "steps": [_written(step) for step in trace.steps],
        "results": {name: text(result) for name, result in trace.results.items()},
    }
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_witness(path: Path, replay: Callable[[System, str], Trace]) -> tuple[Witness, System]:
    """The witness in `path`, and its system; the schedule is performed again and every step is compared.

    Raises WitnessError when the file is not a witness, and WitnessGone at the first step that the model does
    differently.
    """
    content = _read_json(path)
    origin, about, schedule = _parts(path, content)
    try:
        steps, starts_s = content["steps"], content["starts_s"]
        since = datetime.fromisoformat(content["since"]) if content["since"] else None
    except (KeyError, TypeError, ValueError) as error:
        raise WitnessError(f"{path}: not a witness: {error!r} is missing or malformed") from error
    system = origin.build()
    try:
        trace = replay(system, schedule)
        _compare(path, trace, steps, content.get("results"))
    except WitnessError:
        raise
    except ScheduleError as error:
        changed = fingerprint(load_model(origin.model).path) != content.get("model_digest")
        hint = "the model's text has changed since" if changed else "the file was edited"
        before = replay(system, str(Schedule(tuple(Schedule.parse(schedule))[: error.performed])))
        what = _first_difference(before, steps) or str(error)
        raise WitnessGone(f"{path} can no longer be performed: {what}; {hint}") from error
    if starts_s is not None:
        timed = tuple(replace(s, time_s=w["time_s"]) for s, w in zip(trace.steps, steps, strict=True))
        trace = replace(trace, steps=timed, starts_s=starts_s)
    return Witness(origin, about, trace, since), system


class WitnessContent(NamedTuple):
    """The content of a witness file, not replayed: its origin, subject and schedule, and what each step does."""

    origin: Origin
    about: str
    schedule: str
    does: tuple[str, ...]


def witness_parts(path: Path) -> WitnessContent:
    """The content of the witness in `path`. Raises WitnessError if it is not a witness."""
    content = _read_json(path)
    origin, about, schedule = _parts(path, content)
    try:
        return WitnessContent(origin, about, schedule, tuple(str(step["does"]) for step in content["steps"]))
    except (KeyError, TypeError) as error:
        raise WitnessError(f"{path}: not a witness: {error!r} is missing or malformed") from error


def _parts(path: Path, content: Mapping[str, Any]) -> tuple[Origin, str, str]:
    try:
        return Origin(**content["origin"]), str(content["about"]), str(content["schedule"])
    except (KeyError, TypeError) as error:
        raise WitnessError(f"{path}: not a witness: {error!r} is missing or malformed") from error


def _compare(path: Path, trace: Trace, steps: Any, results: Any) -> None:
    """Raises ScheduleError at the first step that differs from the file, or where the results differ."""
    if not isinstance(steps, list) or len(steps) != len(trace.steps):
        raise WitnessError(f"{path}: the schedule has {len(trace.steps)} choices, the file has another number of steps")
    if differs := _first_difference(trace, steps):
        raise ScheduleError(differs)
    ended = {name: text(result) for name, result in trace.results.items()}
    if results != ended:
        raise ScheduleError(f"the results differ: the file says {results}, the model returns {ended}")


def _first_difference(trace: Trace, steps: Any) -> str:
    """What the first step does that differs from the file; empty where none differs."""
    for number, (step, written) in enumerate(zip(trace.steps, steps, strict=False), start=1):
        now = _written(step)
        for key in ("process", "does", "changed"):
            was = written.get(key) if isinstance(written, dict) else written
            if was != now[key]:
                return f"step {number} differs: the file says {was!r}, the model does {now[key]!r} ({step.place})"
    return ""


def _written(step: Step) -> dict[str, Any]:
    return {
        "process": step.process,
        "section": step.section,
        "does": step.does(),
        "changed": step.changed(),
        "time_s": step.time_s,
    }


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise WitnessError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise WitnessError(f"{path}: not a witness: its format is not {FORMAT!r}")
    return content


def write_text(path: Path, content: str) -> None:
    """Writes a whole file or nothing; text as UTF-8. Raises UsageError naming the path and the reason."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(content, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def check_writable(folder: Path) -> None:
    """Makes `folder` and a file in it, before long work begins. Raises UsageError when it cannot."""
    probe = folder / ".dstamp-writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"--out {folder}: cannot be written: {error.strerror}") from error
