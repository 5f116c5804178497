"""Hunt files: a failing schedule by its calls, with everything that is needed to perform it again."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from dstamp_sim.core.errors import UsageError, WitnessError, cut, unknown
from dstamp_sim.core.escaping import harmless_json
from dstamp_sim.disk.reading import Unreadable, lies_in, opened, read_json
from dstamp_sim.disk.writing import write
from dstamp_sim.hunt.folding import Folding, NameShape
from dstamp_sim.hunt.follow import Stretch
from dstamp_sim.hunt.job import MOST_RUNS, NAME, Job, PreparedJob
from dstamp_sim.hunt.touches import Uses
from dstamp_sim.hunt.tree import Tree
from dstamp_sim.inputs.schema import Strict, checked, refuse_other_format

HUNT_KIND = "dstamp-hunt/1"
LARGEST = 64 << 20
"""Bytes of a hunt file: it lists the start state, a line for each name."""


@dataclass(frozen=True)
class Saved:
    """A failing schedule: the job, where its folder came from, the start state, the stretches, what was shared.

    `programs` are digests of what was executed outside of the start state, by path.
    """

    about: str
    runs: Mapping[str, str]
    setup: str
    check: str | None
    folder: str | None
    ignore: tuple[str, ...]
    any_exit: bool
    allowed: tuple[str, ...]
    start: tuple[str, ...]
    programs: Mapping[str, str]
    stretches: tuple[Stretch, ...]
    uses: Uses
    shapes: tuple[NameShape, ...]
    stable: tuple[str, ...]

    def job(self) -> Job:
        """The job again; its folder is read anew. Raises UsageError where that is gone."""
        return Job(dict(self.runs), self.setup, self.check, folder_of(self.folder), tuple(self.ignore), self.any_exit)

    def commands(self) -> Iterator[str]:
        """What performing it runs, a line for each command."""
        yield from (f"setup: {self.setup}",) if self.setup else ()
        yield from (f"{name}: {command}" for name, command in self.runs.items())
        yield from (f"check: {self.check}",) if self.check is not None else ()


Command = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=100_000)]
RunName = Annotated[str, Field(pattern=f"^{NAME}$", max_length=200)]
LongText = Annotated[str, Field(max_length=100_000)]
Yes = Annotated[bool, Field(strict=True)]
NamePattern = Annotated[
    str, Field(pattern=r"^(\\.|[^\\.*+?(){}\[\]|^$]|\[A-Za-z0-9_\]\{[0-9]{1,3}\})*$", max_length=5_000)
]
"""What `folding` makes of a name: letters, escaped ones, and so many of any letter; no other regular expression."""


class _StretchOfFile(Strict):
    run: str
    call: LongText = ""
    object: LongText = ""
    nth: Annotated[int, Field(ge=0, strict=True)] = 0
    dies: Yes = False


class _HuntFile(Strict):
    format: str
    about: LongText
    runs: Annotated[dict[RunName, Command], Field(min_length=2, max_length=MOST_RUNS)]
    setup: Command
    check: Command | None
    folder: Command | None
    ignore: tuple[LongText, ...]
    any_exit: Yes
    allowed: tuple[Command, ...]
    start: tuple[Annotated[str, Field(pattern=r"^\S+ [0-7]+ [0-9a-f]+$")], ...]
    programs: dict[Command, Annotated[str, Field(pattern="^[0-9a-f]{24}$")]]
    stretches: tuple[_StretchOfFile, ...]
    uses: dict[str, dict[str, Annotated[str, Field(pattern="^[a-z]*$", max_length=26)]]]
    shapes: tuple[tuple[LongText, NamePattern, LongText], ...]
    stable: tuple[LongText, ...]

    @model_validator(mode="after")
    def _of_its_runs(self) -> _HuntFile:
        named = {stretch.run for stretch in self.stretches}.union(*self.uses.values())
        if strange := sorted(named - self.runs.keys()):
            raise ValueError(f"stretches and uses are of runs that are there: {unknown('run', strange[0], self.runs)}")
        if self.check is not None and self.ignore:
            raise ValueError("a file with a check has no ignore: it is the check that judges")
        return self

    def saved(self) -> Saved:
        """The same as the hunt knew it."""
        plain = {name: value for name, value in self if name not in ("format", "stretches", "uses")}
        stretches = tuple(Stretch(**dict(stretch)) for stretch in self.stretches)
        uses = {target: {run: set(kinds) for run, kinds in by_run.items()} for target, by_run in self.uses.items()}
        return Saved(**plain, stretches=stretches, uses=uses)


def folding_of(saved: Saved) -> Folding:
    """How names were folded."""
    return Folding(frozenset(saved.shapes), frozenset(saved.stable))


def folder_of(path: str | None) -> Tree:
    """What is in a folder of the user's. Raises UsageError where it is none."""
    if path is None:
        return Tree({})
    if not Path(path).is_dir():
        raise UsageError(f"hunt: --from {path}: no such folder")
    return Tree.read(path, f"--from {cut(path)}")


def saved_of(stage: PreparedJob, about: str, stretches: list[Stretch], folder: str | None) -> Saved:
    """What is kept of a failing schedule."""
    job = stage.job
    return Saved(
        about, dict(job.runs), job.setup, job.check, folder, job.ignore, job.any_exit, stage.supervisor.allowed,
        tuple(stage.start.lines()), digests_of(stage.programs), tuple(stretches), stage.uses,
        tuple(sorted(stage.folding.shapes)), tuple(sorted(stage.folding.stable)),
    )  # fmt: skip


def write_saved(path: Path, saved: Saved) -> None:
    """Writes `saved` to `path` as JSON. Raises UsageError when the file cannot be written."""
    content: dict[str, Any] = {"format": HUNT_KIND, **asdict(saved)}
    content["stretches"] = [stretch._asdict() for stretch in saved.stretches]
    content["uses"] = {
        target: {run: "".join(sorted(kinds)) for run, kinds in by_run.items()} for target, by_run in saved.uses.items()
    }
    written = harmless_json(json.dumps(content, indent=1, ensure_ascii=False)) + "\n"
    write(path, lambda: written)


def read_saved(path: Path) -> Saved:
    """The schedule in `path`. Raises WitnessError where that is no hunt file, Unreadable where it cannot be read."""
    content = read_json(path, LARGEST)
    refuse_other_format(path, content, HUNT_KIND, "a hunt file", "`dstamp hunt` writes them")
    return checked(path, content, _HuntFile, WitnessError).saved()


def refuse_strange(path: Path, saved: Saved) -> None:
    """Raises UsageError if the file in `path`, what it copies, or what it may write lies outside of the current folder.

    A hunt file has commands in it, which performing it runs.
    """
    for place, name, does in (
        ("", str(path), "its commands would be run"),
        ("at folder: ", saved.folder or ".", "it would be copied"),
        *((f"at allowed.{number}: ", name, "it could be written") for number, name in enumerate(saved.allowed)),
    ):
        if not lies_in(Path(name), Path()):
            told = f"{cut(name) if place else 'it'} lies outside of the current folder, and {does}"
            raise UsageError(f"{path}: {place}{told}; read the file, then add --trust")


def digests_of(programs: Iterable[str]) -> dict[str, str]:
    """The programs that are there, with the digests of their contents."""
    found = {}
    for path in sorted(programs):
        with contextlib.suppress(OSError, Unreadable), opened(Path(path)) as file:
            found[path] = hashlib.file_digest(file, "sha256").hexdigest()[:24]
    return found


def first_change(saved: Saved, stage: PreparedJob) -> str:
    """The first thing of the start state, or program outside of it, that is not as it was; empty where nothing is."""
    then = dict(line.split(" ", 1) for line in saved.start) | dict(saved.programs)
    now = dict(line.split(" ", 1) for line in stage.start.lines()) | digests_of(saved.programs)
    for path in sorted(then.keys() | now.keys()):
        if then.get(path) != now.get(path):
            how = "is gone" if path not in now else "is new" if path not in then else "is another"
            return f"{path} {how}"
    return ""
