"""`dstamp hunt`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import errors, output, print_files, print_json, say
from dstamp_sim.cli.options import whole
from dstamp_sim.cli.progress import bar
from dstamp_sim.core.errors import UsageError

if TYPE_CHECKING:
    from dstamp_sim.hunt.cure import Cure
    from dstamp_sim.hunt.hunt import Hunted
    from dstamp_sim.hunt.patch import Patch
    from dstamp_sim.hunt.perform import Performed
    from dstamp_sim.hunt.shrink import Shrunk


def hunt(
    runs: Annotated[
        list[str] | None, typer.Option("--run", metavar="NAME=COMMAND", help="A run; two to four of them.")
    ] = None,
    setup: Annotated[str, typer.Option(metavar="COMMAND", help="Makes the start state, once.")] = "",
    check: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Judges the end: 0 is good. It sees EXIT_NAME of each run.")
    ] = None,
    folder: Annotated[
        str | None, typer.Option("--from", metavar="DIR", help="Begin with a copy of this folder, not an empty one.")
    ] = None,
    preemptions: Annotated[int, typer.Option(metavar="N", parser=whole(0), help="How many at most.")] = 2,
    crashes: Annotated[int, typer.Option(metavar="N", parser=whole(0), help="How many runs may be killed.")] = 0,
    budget: Annotated[int, typer.Option(metavar="SECONDS", parser=whole(1), help="For the search.")] = 60,
    seed: Annotated[int, typer.Option(help="Orders schedules that are equally suspicious.")] = 0,
    any_exit: Annotated[
        bool, typer.Option("--any-exit", help="An exit code that no serial order gives is no failure.")
    ] = False,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Without --check: what may differ at the end; repeatable.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="What may be written outside; it is not reset; repeatable.")
    ] = None,
    cure: Annotated[
        bool,
        typer.Option(
            "--cure", help="Find where a lock must be held, and patch the scripts; each as long as --budget says."
        ),
    ] = False,
    to_model: Annotated[
        Path | None,
        typer.Option(metavar="FILE.py", help="Also write what was seen as a model; as long again as --budget says."),
    ] = None,
    again: Annotated[int, typer.Option(metavar="N", parser=whole(1), help="How often it is performed again.")] = 10,
    out: options.Out = Path("out"),
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Real programs, no model: hold their system calls and find the order of them that goes wrong."""
    from dstamp_sim.hunt.hunt import hunt_for  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.hunt.job import Job  # noqa: PLC0415 - as above
    from dstamp_sim.hunt.saved import folder_of  # noqa: PLC0415 - as above
    from dstamp_sim.hunt.search import Bounds  # noqa: PLC0415 - as above

    if not runs:
        raise UsageError("hunt: write --run NAME=COMMAND at least twice")
    job = Job(_named(runs), setup, check, folder_of(folder), tuple(ignore or ()), any_exit)
    with bar("schedules") as tell:
        found = hunt_for(
            job, Bounds(preemptions, crashes, float(budget), seed), allowed=allow or (), again=again, out=out,
            folder=folder, cure=cure, to_model=to_model, tell=lambda played, left: tell(played, played + left),
        )  # fmt: skip
    _print(found, as_json=as_json)


def _named(runs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for run in runs:
        name, equals, command = run.partition("=")
        if not equals or name in found:
            raise UsageError(f"hunt: --run {run!r}: write NAME=COMMAND, each name once")
        found[name] = command
    return found


def _print(found: Hunted, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(found))
    else:
        console = output()
        for line in found.text():
            say(console, Text(line))
        print_files(console, found.files)
    raise typer.Exit(0 if found.verdict is None else found.verdict.exit_code)


def _as_json(found: Hunted) -> dict[str, object]:
    search, shrunk = found.found, found.shrunk
    return {
        "verdict": None if found.verdict is None else found.verdict.value,
        "says": found.headline(),
        "schedules": search.played,
        "left": search.left,
        "whole_space": search.whole,
        "bounds": asdict(search.bounds),
        "trials": found.trials,
        "not_seen": search.not_seen(),
        "ends": {end.value: count for end, count in search.ends.items()},
        "why": shrunk.outcome.why if shrunk else "",
        "story": _story(shrunk),
        "schedule": [str(stretch) for stretch in found.stretches],
        "again": asdict(found.again) if found.again else None,
        "cures": None if found.cures is None else [_cure(cure) for cure in found.cures.found],
        "patches": None if found.patches is None else [_patch(patch) for patch in found.patches.found],
        "files": [str(file) for file in found.files],
    }


def _patch(patch: Patch) -> dict[str, object]:
    spans = {path: span._asdict() for path, span in patch.spans.items()}
    says, whole = patch.found.none_found(), patch.found.whole
    return {"calls": patch.calls, "held": patch.held, "says": says, "whole_space": whole, "lines": spans}


def _cure(cure: Cure) -> dict[str, object]:
    stretches = {run: {"first": one.first._asdict(), "last": one.last._asdict()} for run, one in cure.stretches.items()}
    says, whole = cure.found.none_found(), cure.found.whole
    return {"calls": cure.calls, "says": says, "whole_space": whole, "stretches": stretches}


def is_hunt_file(path: Path) -> bool:
    """Whether a file is one that hunts write, by its name."""
    return path.name.endswith(".hunt.json")


def perform(file: Path, times: int, *, trust: bool, out: Path | None = None, html: bool = False) -> Performed:
    """A hunt file performed again, after it was said what that runs. Raises UsageError where it may not be run."""
    from dstamp_sim.hunt.perform import perform_saved  # noqa: PLC0415 - as above
    from dstamp_sim.hunt.saved import read_saved, refuse_strange  # noqa: PLC0415 - as above

    saved = read_saved(file)
    if not trust:
        refuse_strange(file, saved)
    for command in saved.commands():
        say(errors(), Text(f"running {command}"))
    return perform_saved(file, saved, times, out=out, html=html)


def print_performed(found: Performed, *, as_json: bool) -> None:
    """Prints what came of it, and exits with 1 where it failed."""
    if as_json:
        print_json({
            "about": found.about, "again": asdict(found.again), "story": _story(found.shrunk),
            "files": [str(file) for file in found.files],
        })  # fmt: skip
    else:
        for line in found.text():
            say(output(), Text(line))
        print_files(output(), found.files)
    raise typer.Exit(1 if found.again.failed else 0)


def _story(shrunk: Shrunk | None) -> list[dict[str, object]]:
    from dstamp_sim.hunt.story import lines_of  # noqa: PLC0415 - as above

    return [asdict(line) for line in lines_of(shrunk)] if shrunk else []
