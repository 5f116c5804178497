"""Runs one command many times and ends it each time, at a moment or inside of a write: what was then wrong, as JSON.

A process of its own that loads the package once; each run is a fork of it. `python -m tests.hostile.killed COMMAND
SEED MOMENTS WRITES` in an empty folder, where MOMENTS and WRITES are how many of each are tried.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import jinja2  # noqa: F401 - all that a command loads is loaded before the fork
import scipy.special  # noqa: F401 - as above
from numba.core.registry import cpu_target

import dstamp_sim.cli
import dstamp_sim.engines.sampling.sampler
import dstamp_sim.export.export
import dstamp_sim.incident.incident
import dstamp_sim.incident.replay_scenario
import dstamp_sim.lock_review.review
import dstamp_sim.lock_review.review_files
import dstamp_sim.pipeline.explore
import dstamp_sim.pipeline.prove
import dstamp_sim.pipeline.sample
import dstamp_sim.pipeline.show  # noqa: F401 - as above
from dstamp_command import main as dstamp
from dstamp_sim.disk import writing
from tests.hostile.rows import BANK, LOCKED, LOST, MODEL, SCENARIO

ENDS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE_S = 600.0
CALLS = ("open", "fchmod", "fsync", "write")
"""What a write asks of the system; beside it the half of the content, and the move into place."""


@dataclass(frozen=True)
class Command:
    """A command, the files it needs by name, what tells the second variant of these from the first, and the codes."""

    words: tuple[str, ...]
    files: dict[str, str]
    other: tuple[str, str]
    codes: tuple[int, ...] = (0,)
    before: tuple[str, ...] = ()
    workers: bool = False
    """Whether it may have worker processes; each loads the package anew, so one command with them is enough."""

    def lay_out(self, folder: Path, variant: int) -> None:
        """The files of a variant, 0 or 1."""
        old, new = self.other
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(old, new) if variant else text)


MODEL_P = ("Process('p'", "Process('q'")
OPEN = (
    MODEL.replace("seen + 1", "1")
    .replace("copies=2", "copies=ANY")
    .replace(LOST, 'always("small", lambda state: state[r] < 1, reads=[r])')
)
INCIDENT = {name: (BANK / name).read_text() for name in ("scenario.toml", "overdraft.py", "evidence.toml")}
_head, _, _tail = INCIDENT["overdraft.py"].partition('    "booked-twice": Mechanism(')
INCIDENT["overdraft.py"] = f"{_head}}}\n\n{_tail.partition('fmt: skip')[2]}"  # one mechanism
INCIDENT["scenario.toml"] = INCIDENT["scenario.toml"].partition("[[priors.variations]]")[0].replace("20000", "100")
WITNESS = "w/bank-no-lost-update.witness.json"
KEEP = ("explore", "bank.py", "--out", "w")
COMMANDS = {
    "describe": Command(("describe", "bank.py"), {"bank.py": MODEL}, MODEL_P),
    "explore": Command(("explore", "bank.py", "--html"), {"bank.py": MODEL}, MODEL_P, (1,)),
    "prove": Command(("prove", "bank.py"), {"bank.py": OPEN}, MODEL_P, (1,)),
    "sample": Command(("sample", "bank.py", "--budget", "5"), {"bank.py": MODEL}, MODEL_P, (1,)),
    "show": Command(("show", WITNESS, "--html"), {"bank.py": MODEL}, MODEL_P, (0,), KEEP),
    "export": Command(("export", WITNESS, "--to", "mermaid"), {"bank.py": MODEL}, MODEL_P, (0,), KEEP),
    "export model": Command(("export", "bank.py", "--to", "promela"), {"bank.py": MODEL}, ("(seen + 1)", "(2)")),
    "replay": Command(("replay", "s.toml"), {"bank.py": MODEL, "s.toml": SCENARIO}, ('"bob"', '"eve"'), (0, 1)),
    "judge": Command(("replay", "scenario.toml", "--report", "r.md"), INCIDENT, ('"cat"', '"kit"')),
    "review": Command(
        ("review", "locked.py", "--spans", "1", "--set", "n=2"), {"locked.py": LOCKED}, ("crit", "core"), workers=True
    ),
    "ingest": Command(
        ("ingest", "runs", "--model", "overdraft.py", "--into", "e.toml", "--replace"),
        INCIDENT | {"runs/a/results.json": '{"paid": true, "left": 40}'},
        ('"left": 40', '"left": 41'),
    ),
    "update": Command(
        ("update", "evidence.toml", "--scenario", "scenario.toml", "--observe", "one withdrawal=in order"),
        INCIDENT,
        ('"cat"', '"kit"'),
    ),
}  # fmt: skip


@dataclass
class Tally:
    """What was wrong, and how the runs ended.

    And the most that processes outlived their command by, in seconds, and the processor that they used meanwhile.
    """

    wrong: list[str] = field(default_factory=list)
    ended: dict[str, int] = field(default_factory=dict)
    outlived_s: float = 0.0
    outlived_cpu_s: float = 0.0


Content = dict[str, bytes]


def content(folder: Path) -> Content:
    """Every file that is not hidden, by name."""
    there = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in there}


@dataclass
class Killer:
    """One command in one folder, with its results before and after, and how long it takes."""

    command: Command
    folder: Path
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._fresh(0)
        self.old = content(self.folder)
        self.command.lay_out(self.folder, 1)
        if self.command.before:
            self._ended(lambda: None, lambda _: None, (*self.command.before, "--force"))
        self.kept = self.folder.with_name("kept")
        shutil.copytree(self.folder, self.kept)
        begun = time.monotonic()
        status, told = self._ended(lambda: None, lambda _: None)
        self.takes_s = time.monotonic() - begun
        self.new = content(self.folder)
        assert os.waitstatus_to_exitcode(status) in self.command.codes, (status, told)
        unchanging = self.command.words[0] == "describe"
        assert unchanging or self.old != self.new, "the two variants have the same results"
        self._again()
        counted = Path(f"{self.folder}.calls")
        self._ended(lambda: end_inside(0, signal.SIGKILL, counted), lambda _: None)
        self.calls = int(counted.read_text()) if counted.exists() else 0

    def _fresh(self, variant: int) -> None:
        self.command.lay_out(self.folder, variant)
        for words in (self.command.before, self.command.words):
            if words:
                status, told = self._ended(lambda: None, lambda _: None, words)
                assert os.waitstatus_to_exitcode(status) in (0, 1), told

    def _again(self) -> None:
        """The folder as the first variant left it, with the files of the second."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder)

    def at_moments(self, rng: random.Random, moments: int) -> None:
        """Ends as many runs, each at a random moment."""
        for number in range(moments):
            which, after_s = ENDS[number % len(ENDS)], rng.uniform(0, self.takes_s)
            self._try(f"{which.name} after {after_s:.3f} s", lambda: None, partial(end_after, after_s, which))

    def inside_writes(self, rng: random.Random, writes: int) -> None:
        """Ends as many runs inside of a write, each at another of its calls to the system."""
        for at in sorted(rng.sample(range(1, self.calls + 1), min(writes, self.calls))):
            number = rng.choice(ENDS)
            name = f"{number.name} at call {at} of {self.calls}"
            self._try(name, partial(end_inside, at, number), lambda _: None)

    def _try(self, name: str, prepare: Callable[[], None], end: Callable[[int], None]) -> None:
        self._again()
        before = content(self.folder)
        status, told = self._ended(prepare, end)
        code = os.waitstatus_to_exitcode(status)
        self.tally.ended[str(code)] = self.tally.ended.get(str(code), 0) + 1
        self.tally.wrong += [f"{name}: {wrong}" for wrong in self._wrong(code, told, before)]

    def _wrong(self, code: int, told: str, before: Content) -> Iterator[str]:
        if code not in (-signal.SIGKILL, -signal.SIGTERM, 130, 3, *self.command.codes):
            yield f"ended with {code}: {told}"
        if "Traceback" in told or "fault of dstamp" in told:
            yield told
        there = content(self.folder)
        if missing := before.keys() - there.keys():
            yield f"{missing} are gone"
        if code == 3:
            return  # an exploration that Ctrl-C ends early has a result of its own, which is written whole
        for name, found in there.items():
            if found not in (before.get(name), self.old.get(name), self.new.get(name)):
                yield f"{name} is half"

    def _ended(
        self, prepare: Callable[[], None], end: Callable[[int], None], words: tuple[str, ...] = ()
    ) -> tuple[int, str]:
        """Runs the command in a fork, which `end` may end: status and errors."""
        errors = Path(f"{self.folder}.errors")
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # this program's fork is not yet the command
        pid = os.fork()
        if pid == 0:
            if not self.command.workers:
                os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            run(self.folder, words or self.command.words, errors, prepare)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        end(pid)
        _, status = os.waitpid(pid, 0)
        self._outlive(pid)
        return status, errors.read_text(errors="replace")

    def _outlive(self, pid: int) -> None:
        """Waits until the session that `pid` led is empty, notes how long that was, and ends what is left."""
        begun, first, last = time.monotonic(), Counter[int](), Counter[int]()
        while (left := session(pid)) and time.monotonic() - begun < PATIENCE_S:
            last |= Counter(left)
            first = first or Counter(left)
            self.tally.outlived_s = max(self.tally.outlived_s, time.monotonic() - begun)
            time.sleep(0.01)
        ticks = (last - first).total()
        self.tally.outlived_cpu_s = max(self.tally.outlived_cpu_s, ticks / os.sysconf("SC_CLK_TCK"))
        for one in left:
            os.kill(one, signal.SIGKILL)


def run(folder: Path, words: tuple[str, ...], errors: Path, prepare: Callable[[], None]) -> NoReturn:
    """The command, in this process."""
    os.setsid()
    os.chdir(folder)
    handle = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(handle, 2)
    prepare()
    sys.argv = ["dstamp", *words]
    sys.modules["__main__"].__spec__ = None  # workers need nothing of this program
    del sys.modules["__main__"].__file__
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    except KeyboardInterrupt:
        os._exit(130)
    try:
        dstamp()
        code: Any = 0
    except SystemExit as ended:
        code = ended.code or 0
    sys.stderr.flush()
    os._exit(code)


def end_after(after_s: float, number: int, pid: int) -> None:
    """Sends the signal when so many seconds have passed."""
    time.sleep(after_s)
    os.kill(pid, number)


def session(pid: int) -> dict[int, int]:
    """The living processes of the session that `pid` led, and the ticks of processor that each has used."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, _, sid, *rest = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(sid) == pid and state not in "ZX":
                found[int(entry.name)] = int(rest[7]) + int(rest[8])
    return found


def end_inside(at: int, number: int, counted: Path | None = None) -> None:
    """From here on this process gets the signal at the AT-th call of its writes to the system.

    With `counted` the file has the number of calls so far.
    """
    calls = [0]

    def call() -> None:
        calls[0] += 1
        if counted is not None:
            counted.write_bytes(str(calls[0]).encode())
        if calls[0] == at:
            os.kill(os.getpid(), number)

    class Watched:
        """The module `os`, as `writing` sees it."""

        def __getattr__(self, name: str) -> Any:
            found = getattr(os, name)
            if name not in CALLS:
                return found

            def watched(*args: Any, **options: Any) -> Any:
                call()
                return found(*args, **options)

            return watched

        def fdopen(self, *args: Any) -> Any:
            file = os.fdopen(*args)
            whole = file.write

            def halves(data: bytes) -> None:
                whole(data[: len(data) // 2])
                file.flush()
                call()
                whole(data[len(data) // 2 :])

            file.write = halves
            return file

    class Moved(type(Path())):  # type: ignore[misc]
        def replace(self, target: Any) -> Any:
            call()
            return super().replace(target)

    real = writing._fresh
    writing.os = Watched()  # type: ignore[attr-defined]

    def fresh(folder: Path) -> tuple[int, Path]:
        handle, path = real(folder)
        return handle, Moved(path)

    writing._fresh = fresh


def main() -> None:
    """See the module."""
    name, seed, moments, writes = sys.argv[1], *map(int, sys.argv[2:])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores Ctrl-C
    cpu_target.typing_context.refresh()  # what a fork would load for its first compiled function
    cpu_target.target_context.refresh()
    folder = Path.cwd() / "here"
    folder.mkdir()
    killer, rng = Killer(COMMANDS[name], folder), random.Random(f"{name} {seed}")
    killer.at_moments(rng, moments)
    killer.inside_writes(rng, writes)
    measured = {"calls": killer.calls, "takes_s": killer.takes_s, "cpu_s": sum(os.times()[:4])}
    sys.stdout.write(json.dumps(vars(killer.tally) | measured) + "\n")


if __name__ == "__main__":
    main()
