"""Runs commands many times and ends them each time, at a moment or inside of a write: what was then wrong, as JSON.

A process of its own that loads the package once; each run is a fork of it. `python -m tests.hostile.killed COMMANDS
MOMENTS WRITES` in an empty folder, where COMMANDS are names (`a,b`), and MOMENTS and WRITES are numbers (`0,7,14`): a
moment is drawn by its number, and the writes from 0 to 35 are spread over all calls of a command's writes.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import jinja2  # noqa: F401 - all that a command loads is loaded before the fork
import scipy.special  # noqa: F401 - as above
from numba.core.registry import cpu_target

import dstamp_sim.cli
import dstamp_sim.conformance.conform
import dstamp_sim.conformance.doctor
import dstamp_sim.engines.sampling.sampler
import dstamp_sim.export.export
import dstamp_sim.hunt.hunt
import dstamp_sim.incident.incident
import dstamp_sim.incident.replay_scenario
import dstamp_sim.lock_review.review
import dstamp_sim.lock_review.review_files
import dstamp_sim.margin.margin_picture
import dstamp_sim.matrix.matrix
import dstamp_sim.matrix.matrix_files
import dstamp_sim.mutation.mutants
import dstamp_sim.pipeline.explore
import dstamp_sim.pipeline.prove
import dstamp_sim.pipeline.sample
import dstamp_sim.pipeline.show  # noqa: F401 - as above
from dstamp_command import main as dstamp
from dstamp_sim.disk import writing
from tests.hostile.valid import BANK, LOCKED, LOST, MODEL, ROOT, SCENARIO

ENDS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE_S = 600.0
WRITES = 36
"""So many calls has a write of `explore`."""
PR_SET_CHILD_SUBREAPER = 36
libc = ctypes.CDLL(None)
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
    times: bool = False
    """Whether its results hold the times of real parts, and so differ in each run."""
    writes: bool = True
    over: bool = True
    """Whether it writes over what it wrote before; one that does not begins without."""

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
LOCK_FILE = (ROOT / "models/classic/lock_file.py").read_text()
"""A model whose parts are real files: without what only counts who is inside."""
for _old, _new in (
    ("objects=[lock_file, inside]", "objects=[lock_file]"),
    ('    yield inside.enter()\n    yield delay("work")\n    yield inside.leave()\n', ""),
    (
        'always("one run works at a time", lambda state: state[inside] <= 1, reads=[inside])',
        'each_result("never", lambda done: not done)',
    ),
    (", always, delay", ", each_result"),
):
    assert _old in LOCK_FILE
    LOCK_FILE = LOCK_FILE.replace(_old, _new)
HUNTED = "read n < f; echo $((n+1)) > f"
WITNESS = "w/bank-no-lost-update.witness.json"
KEEP = ("explore", "bank.py", "--out", "w")
LOCK_WITNESS = "w/lock-never.witness.json"
HUNT = (
    "hunt", "--from", "scripts", "--setup", "echo 5 > f", "--run", "a=. ./a.sh", "--run", "b=. ./a.sh",
    "--check", "read n < f; [ $n = 7 ]", "--preemptions", "1", "--again", "1",
)  # fmt: skip
SCRIPTS = {"scripts/a.sh": HUNTED}
OTHER_SCRIPT = ("((n+1))", "((1+n))")
SLOW = MODEL.replace("    yield r.write", "    yield delay('work')\n    yield r.write")
WORK = SCENARIO + '[delays]\nwork = { uniform_s = [1, 9], source = "assumed" }\n'
COMMANDS = {
    "describe": Command(("describe", "bank.py"), {"bank.py": MODEL}, MODEL_P),
    "explore": Command(("explore", "bank.py", "--html"), {"bank.py": MODEL}, MODEL_P, (1,)),
    "matrix": Command(("explore", "locked.py", "--set", "n=1..2"), {"locked.py": LOCKED}, ("crit", "core")),
    "margin": Command(
        ("margin", "bank.py", "--within", "s.toml"), {"bank.py": SLOW, "s.toml": WORK}, ('"bob"', '"eve"')
    ),
    "prove": Command(("prove", "bank.py"), {"bank.py": OPEN}, MODEL_P, (1,)),
    "new": Command(("new", "incident", "outage"), {}, ("", ""), over=False),
    "mutate": Command(("mutate", "bank.py"), {"bank.py": MODEL}, MODEL_P, writes=False),
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
    "hunt": Command(HUNT, SCRIPTS, OTHER_SCRIPT, (1,)),
    "show hunt": Command(
        ("show", "w/hunt.hunt.json", "--again", "1"), SCRIPTS, OTHER_SCRIPT, (1,), (*HUNT, "--out", "w")
    ),
    "conform": Command(
        ("conform", LOCK_WITNESS), {"lock.py": LOCK_FILE}, ('Process("run"', 'Process("job"'), (0,),
        ("explore", "lock.py", "--set", "runs=2", "--out", "w"), times=True,
    ),
    "real": Command(("real", "doctor"), {}, ("", ""), (0, 2), writes=False),
}  # fmt: skip


@dataclass
class Tally:
    """What was wrong, and how the runs ended.

    And the most that processes outlived their command by: in seconds, and in seconds of them in which neither these
    processes nor the one that looks waited for a processor that others had.
    """

    wrong: list[str] = field(default_factory=list)
    ended: dict[str, int] = field(default_factory=dict)
    outlived_s: float = 0.0
    outlived_own_s: float = 0.0


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
        self.temp = Path(f"{self.folder}.temp")
        self.temp.mkdir()
        self._fresh(0)
        if not self.command.over:
            shutil.rmtree(self.folder)
            self.folder.mkdir()
        self.old = content(self.folder)
        self.command.lay_out(self.folder, 1)
        if self.command.before:
            self._ended(lambda: None, lambda _: None, (*self.command.before, "--force"))
        self.kept = self.folder.with_name(f"{self.folder.name}.kept")
        shutil.copytree(self.folder, self.kept)
        counted = Path(f"{self.folder}.calls")
        begun = time.monotonic()
        status, told = self._ended(lambda: end_inside(0, signal.SIGKILL, counted), lambda _: None)
        self.takes_s = time.monotonic() - begun
        self.calls = int(counted.read_text()) if counted.exists() else 0
        self.new = content(self.folder)
        assert os.waitstatus_to_exitcode(status) in self.command.codes, (status, told)
        assert not self.command.writes or self.old != self.new, "the two variants have the same results"

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

    def at_moments(self, moments: Iterable[int]) -> None:
        """Ends a run at each of these moments, which are random by their number."""
        for number in moments:
            drawn = random.Random(f"{self.command.words} {number}").random()
            which, after_s = ENDS[number % len(ENDS)], drawn * self.takes_s
            self._try(f"{which.name} after {after_s:.3f} s", lambda: None, partial(end_after, after_s, which))

    def inside_writes(self, writes: Iterable[int]) -> None:
        """Ends a run inside of each of these writes, at a call to the system."""
        for at in sorted({1 + number * self.calls // WRITES for number in writes} if self.calls else ()):
            which = ENDS[at % len(ENDS)]
            self._try(f"{which.name} at call {at} of {self.calls}", partial(end_inside, at, which), lambda _: None)

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
        for left in self.temp.iterdir():
            yield f"{left} is left"
        if code == 3:
            return  # an exploration that Ctrl-C ends early has a result of its own, which is written whole
        for name, found in there.items():
            if found in (before.get(name), self.old.get(name), self.new.get(name)):
                continue
            if name.endswith(".cells") and self.new[name].startswith(found) and found.endswith(b"\n"):
                continue  # it is kept line by line
            if not self.command.times or not whole(name, found):
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
            os.environ["TMPDIR"], tempfile.tempdir = str(self.temp), None
            run(self.folder, words or self.command.words, errors, prepare)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        end(pid)
        _, status = os.waitpid(pid, 0)
        self._outlive()
        return status, errors.read_text(errors="replace")

    def _outlive(self) -> None:
        """Waits until nothing that was begun is left, notes how long that was, and ends what is left then."""
        begun, own_s = time.monotonic(), 0.0
        last, waited = begun, waits(left := below(os.getpid()))
        while left and last - begun < PATIENCE_S:
            time.sleep(0.01)
            now, left = time.monotonic(), below(os.getpid())
            more = waits(left)
            kept_off = max((more[task] - waited[task] for task in more.keys() & waited), default=0.0)
            own_s += max(0.0, now - last - kept_off)
            last, waited = now, more
        self.tally.outlived_s = max(self.tally.outlived_s, last - begun)
        self.tally.outlived_own_s = max(self.tally.outlived_own_s, own_s)
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


def below(pid: int) -> set[int]:
    """The living processes that are descendants of `pid`; the dead ones that became its children are buried."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, parent, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
                if state not in "ZX":
                    parents[int(entry.name)] = int(parent)
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def waits(pids: Iterable[int]) -> dict[str, float]:
    """How long each thread of these processes, and of this one, has waited for a processor so far, in seconds."""
    found = {}
    for pid in (*pids, os.getpid()):
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                found[task.name] = int((task / "schedstat").read_text().split()[1]) / 1e9
    return found


def whole(name: str, content: bytes) -> bool:
    """Whether a file of this name ends as one does that was written whole."""
    if name.endswith(".json"):
        with suppress(ValueError):
            return bool(json.loads(content))
        return False
    ends = {".png": b"IEND\xaeB`\x82", ".svg": b"</svg>", ".html": b"</html>"}
    return content.rstrip().endswith(ends[Path(name).suffix])


_end_here = signal.raise_signal
"""Taken before a command begins, which lets nobody but itself send signals."""


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
            _end_here(number)

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
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0  # whatever a command leaves becomes a child of this
    names, moments, writes = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores Ctrl-C
    cpu_target.typing_context.refresh()  # what a fork would load for its first compiled function
    cpu_target.target_context.refresh()
    found = {}
    for name in names.split(","):
        folder = Path.cwd() / name.replace(" ", "-")
        folder.mkdir()
        before_s = sum(os.times()[:4])
        killer = Killer(COMMANDS[name], folder)
        killer.at_moments(map(int, moments.split(",")))
        killer.inside_writes(map(int, writes.split(",")))
        measured = {"calls": killer.calls, "takes_s": killer.takes_s, "cpu_s": sum(os.times()[:4]) - before_s}
        found[name] = vars(killer.tally) | measured
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
