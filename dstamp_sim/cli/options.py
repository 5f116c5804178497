"""Options that mean the same in every command, and whole numbers as options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from dstamp_sim.disk.writing import force

LARGEST_WHOLE = 2**31 - 1
"""No option takes a larger number."""


def whole(least: int, most: int = LARGEST_WHOLE) -> Callable[[str], int]:
    """A `parser` of whole numbers from `least` to `most`; its message has the value and the range."""

    def read(written: str | int) -> int:
        try:
            number = int(written) if len(str(written)) <= len(str(most)) + 1 else most + 1
        except ValueError:
            raise typer.BadParameter(f"{written!r} is not a whole number") from None
        if not least <= number <= most:
            raise typer.BadParameter(f"{str(written)[:40]} is not from {least:,} to {most:,}")
        return number

    read.__name__ = "N"
    return read


Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for pictures and witnesses.")]


def _force(given: bool) -> None:
    if given:
        force()


Force = Annotated[
    bool, typer.Option("--force", callback=_force, help="Write over files that dstamp did not write, too.")
]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Run the model that the file names wherever it lies, not only beside it or here."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Html = Annotated[bool, typer.Option("--html", help="Also write HTML pages to step through, one file each.")]
Serial = Annotated[
    bool,
    typer.Option(
        "--serial", help="Also: what all return and leave must come out of some order, one run after another."
    ),
]
Live = Annotated[
    bool, typer.Option("--live", help="Also: whoever waits for a lock gets it, and some run ends as long as one must.")
]
LiveReview = Annotated[
    bool,
    typer.Option(
        "--live", help="Also: whether a run may wait for ever while others keep coming, with FIFO locks beside it."
    ),
]
UseDockerHost = Annotated[
    bool, typer.Option("--yes-use-this-engine", help="Use the Docker Engine that DOCKER_HOST names, not a private one.")
]
ModelArgument = Annotated[
    str, typer.Argument(help="path.py[:factory], a folder, or a short name such as classic/bank.")
]
SettingsOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="K=V", help="A parameter of the factory; repeatable.")
]
MechanismOption = Annotated[
    str | None,
    typer.Option("--mechanism", metavar="NAME", help="A mechanism that the model names; its factory is used."),
]
OpenSettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="K=V", help="A parameter of the factory; numbers of copies that are not set are any."
    ),
]
WithinOption = Annotated[
    Path | None,
    typer.Option("--within", metavar="SCENARIO", help="Exact time: delays last between this scenario's bounds."),
]
PropertiesOption = Annotated[
    list[str] | None, typer.Option("--property", metavar="NAME", help="Judge only this property; repeatable.")
]
CrashesOption = Annotated[
    int | None,
    typer.Option(
        "--crashes", parser=whole(0), help="The largest number of processes that may die (default: the model's)."
    ),
]
PlacementOption = Annotated[
    str | None,
    typer.Option(
        "--placement",
        metavar="NAME",
        help="A placement that the model names, or spans: lock:first_section..last_section.",
    ),
]
OnOption = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="WHERE", help="Where many tasks are done: local:4 (processes here), or dask://host:8786."
    ),
]
CheckpointOption = Annotated[
    Path | None,
    typer.Option("--checkpoint", metavar="DIR", help="Keep what is found so far in this folder, for --resume."),
]
CheckpointEvery = Annotated[
    int, typer.Option("--checkpoint-every", metavar="S", parser=whole(0), help="Seconds between two checkpoints.")
]
ResumeOption = Annotated[
    Path | None,
    typer.Option("--resume", metavar="DIR", help="Go on with what is kept in this folder, and keep what is found."),
]
NoPor = Annotated[bool, typer.Option("--no-por", help="No partial-order reduction.")]
NoSymmetry = Annotated[bool, typer.Option("--no-symmetry", help="No symmetry reduction: tell copies apart.")]
NoMerge = Annotated[
    bool, typer.Option("--no-merge", help="No merging of local steps and of local states with equal futures.")
]
KeepGoing = Annotated[
    bool, typer.Option("--keep-going", help="Do not stop at the first violation: visit the whole space.")
]
