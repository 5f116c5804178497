"""Hunt files: a failing schedule by its calls, with everything that is needed to perform it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import UsageError, WitnessError
from dstamp_sim.disk.reading import read_json
from dstamp_sim.disk.writing import write
from dstamp_sim.hunt.folding import Folding, NameShape
from dstamp_sim.hunt.follow import Stretch
from dstamp_sim.hunt.job import Job, PreparedJob
from dstamp_sim.hunt.touches import Uses
from dstamp_sim.hunt.tree import Tree

FORMAT = "dstamp-hunt/1"
LARGEST = 64 << 20
"""Bytes of a hunt file: it lists the start state, a line for each name."""


@dataclass(frozen=True)
class Saved:
    """A failing schedule: the job, where its folder came from, the start state, the stretches, what was shared."""

    about: str
    runs: Mapping[str, str]
    setup: str
    check: str | None
    folder: str | None
    ignore: tuple[str, ...]
    any_exit: bool
    allowed: tuple[str, ...]
    start: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    uses: Uses
    shapes: tuple[NameShape, ...]
    stable: tuple[str, ...]

    def job(self) -> Job:
        """The job again; its folder is read anew. Raises OSError where that is gone."""
        return Job(dict(self.runs), self.setup, self.check, folder_of(self.folder), tuple(self.ignore), self.any_exit)


def folding_of(saved: Saved) -> Folding:
    """How names were folded."""
    return Folding(frozenset(saved.shapes), frozenset(saved.stable))


def folder_of(path: str | None) -> Tree:
    """What is in a folder of the user's. Raises UsageError where it is none."""
    if path is None:
        return Tree({})
    if not Path(path).is_dir():
        raise UsageError(f"hunt: --from {path}: no such folder")
    return Tree.read(path)


def saved_of(stage: PreparedJob, about: str, stretches: list[Stretch], folder: str | None) -> Saved:
    """What is kept of a failing schedule."""
    job = stage.job
    return Saved(
        about, dict(job.runs), job.setup, job.check, folder, job.ignore, job.any_exit, stage.supervisor.allowed,
        tuple(stage.start.lines()), tuple(stretches), stage.uses,
        tuple(sorted(stage.folding.shapes)), tuple(sorted(stage.folding.stable)),
    )  # fmt: skip


def write_saved(path: Path, saved: Saved) -> None:
    """Writes `saved` to `path` as JSON. Raises UsageError when the file cannot be written."""
    content: dict[str, Any] = {"format": FORMAT, **asdict(saved)}
    content["stretches"] = [stretch._asdict() for stretch in saved.stretches]
    content["uses"] = {
        target: {run: "".join(sorted(kinds)) for run, kinds in by_run.items()} for target, by_run in saved.uses.items()
    }
    written = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write(path, lambda: written)


def read_saved(path: Path) -> Saved:
    """The schedule in `path`. Raises WitnessError where that is no hunt file, Unreadable where it cannot be read."""
    content = read_json(path, LARGEST)
    try:
        _expect(content.pop("format"))
        content["stretches"] = tuple(Stretch(**stretch) for stretch in content["stretches"])
        content["uses"] = {
            target: {run: set(kinds) for run, kinds in by_run.items()} for target, by_run in content["uses"].items()
        }
        content["shapes"] = tuple(tuple(shape) for shape in content["shapes"])
        for name in ("ignore", "allowed", "start", "stable"):
            content[name] = tuple(content[name])
        return Saved(**content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WitnessError(f"{path}: not a hunt file: {error}") from error


def _expect(form: object) -> None:
    if form != FORMAT:
        raise ValueError(f"its format is {form!r}, not {FORMAT}")


def first_change(saved: Saved, stage: PreparedJob) -> str:
    """The first thing of the start state, programs in it included, that is not as it was; empty where nothing is."""
    then, now = (dict(line.split(" ", 1) for line in lines) for lines in (saved.start, stage.start.lines()))
    for path in sorted(then.keys() | now.keys()):
        if then.get(path) != now.get(path):
            how = "is gone" if path not in now else "is new" if path not in then else "is another"
            return f"{path} {how}"
    return ""
