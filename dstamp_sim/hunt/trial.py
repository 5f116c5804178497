"""One trial: the runs start from the same state, each under its filter, and a chooser says whose held call goes next.

Only calls on objects that several runs share are held; every other call goes through as soon as it is reported.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.schedule import CRASH, Choice
from dstamp_sim.disk.reading import Unreadable, opened
from dstamp_sim.hunt import quiet, trap
from dstamp_sim.hunt.calls import Processor
from dstamp_sim.hunt.nursery import PRIVATE, SCRATCH
from dstamp_sim.hunt.played_lock import PlayedLock
from dstamp_sim.hunt.touches import Call, Naming, Touching, Uses, conflicts
from dstamp_sim.hunt.tree import Tree
from dstamp_sim.hunt.trial_outcome import LARGEST_SEEN, End, HeldStep, Sight, TrialOutcome, sight_of

MOST_CALLS = 4000
PATIENCE_S, OUTSIDE_S = 2.0, 0.02
"""How long a trial that cannot go on waits for what is outside of it, and a step; then nothing is said of it."""
_NAP_S, _LONGEST_NAP_S = 0.0002, 0.002

ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp/home", "LC_ALL": "C", "TZ": "UTC",
    "PYTHONUTF8": "1", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
       for what, value in (("NAME", "hunt"), ("EMAIL", "hunt@localhost"), ("DATE", "1700000000 +0000"))},
}  # fmt: skip
"""The environment of setup, runs and check: the same everywhere, so that what is found can be performed again."""


CallChooser = Callable[[Mapping[str, Call], str | None], Choice | None]
"""The calls that can go, by run, and who moved last -> who moves (or dies); None gives up."""


@dataclass
class _Run:
    name: str
    pid: int = 0
    ns_pid: int = 0
    listener: int = -1
    held: dict[int, tuple[trap.Notice, Call]] = field(default_factory=dict)
    slept: int = 0


def refused(why: str) -> UsageError:
    """The error for a machine, or a start state, with which nothing can be tried."""
    return UsageError(f"hunt: {why.removeprefix('error ')}")


class HeldTrial:
    """A trial from outside: who waits with which call, who is let go."""

    def __init__(
        self,
        sock: socket.socket,
        gates: dict[str, int],
        machine: Processor,
        *,
        seconds: float,
        uses: Uses | None,
        naming: Naming,
        watch: bool,
    ) -> None:
        self.sock, self.gates, self.machine, self.seconds = sock, gates, machine, seconds
        self.uses, self.naming, self.watched = uses, naming, watch
        self.out = TrialOutcome()
        self.runs = {name: _Run(name) for name in gates}
        self.by_fd: dict[int, _Run] = {}
        self.ns_pids: dict[int, int] = {}
        self.draws: Counter[tuple[str, int]] = Counter()
        self.poller = select.epoll()
        self.started, self.sleepers_wait = False, True
        self.rest: quiet.Rest | None = None
        self.lock = PlayedLock({})

    # --- beginning and end

    def begin(self, init: int) -> None:
        """Waits until every run stands at its gate. Raises UsageError where something of it was refused."""
        self.begun = time.monotonic()
        self.deadline = self.begun + self.seconds
        self.root = f"/proc/{init}/root"
        self.poller.register(self.sock.fileno(), select.EPOLLIN)
        for _ in self.runs:
            message, descriptors, _, _ = socket.recv_fds(self.sock, 4000, 1)
            word, _, rest = message.decode().partition(" ")
            if word != "run":
                raise refused(rest or "a trial ended before it began")
            name, ns_pid = rest.split()
            self.runs[name].ns_pid = int(ns_pid)
            for listener in descriptors:
                self.runs[name].listener = listener
                self.by_fd[listener] = self.runs[name]
                trap.hurry(listener)
                self.poller.register(listener, select.EPOLLIN)
        self.watch = quiet.Watch(init, self.machine, quiet.devices(self.root, PRIVATE))
        for tid, _, _ in self.watch.threads():
            for run in self.runs.values():
                if self.ns_pid(tid) == run.ns_pid:
                    run.pid = tid
        if lost := [run.name for run in self.runs.values() if not run.pid]:
            raise refused(f"{lost[0]} ended before it began")
        self.touching = Touching(self.root, self._run_of, self.ns_pid, self.naming, self.out.programs)

    def close(self) -> None:
        """Closes what it holds; the processes are ended by the supervisor."""
        if hasattr(self, "watch"):
            self.watch.close()
        for run in self.runs.values():
            if run.listener >= 0:
                os.close(run.listener)
        for gate in self.gates.values():
            os.close(gate)
        self.poller.close()
        self.sock.close()

    def _run_of(self, ns_pid: int) -> str | None:
        return next((run.name for run in self.runs.values() if run.ns_pid == ns_pid), None)

    def ns_pid(self, tid: int) -> int:
        """A thread's number inside of the trial. Raises OSError where it is gone."""
        if tid not in self.ns_pids:
            line = next(x for x in quiet.read(f"/proc/{tid}/status").splitlines() if x.startswith("NSpid"))
            self.ns_pids[tid] = int(line.split()[-1])
        return self.ns_pids[tid]

    # --- playing

    def play(self, choose: CallChooser, *, sleepers_wait: bool = True) -> TrialOutcome:
        """The outcome, when all runs have ended or none can move, and the check was asked.

        With `sleepers_wait`, who sleeps lets the others go first.
        """
        self.sleepers_wait = sleepers_wait
        for gate in self.gates.values():
            os.write(gate, b"g")
            self._settle()  # one after the other: process ids are then the same in every trial
        self.started = True
        self._loop(choose)
        if self.out.end is End.GOOD:
            self._judge()
        self.out.seconds = time.monotonic() - self.begun
        return self.out

    def run_freely(self) -> TrialOutcome:
        """The outcome of runs that are not held, one after the other as they come: a setup."""
        for gate in self.gates.values():
            os.write(gate, b"g")
        while len(self.out.exits) < len(self.runs):
            self.poller.poll(0.1)
            self._drain()
        self.out.tree = self._left("the setup")
        return self.out

    def _left(self, who: str) -> Tree:
        """What is in the trial's folder when those have ended who wrote there."""
        return Tree.read(self.root + SCRATCH, f"what {who} left in its folder")

    def text_of(self, path: str) -> str:
        """The end of a file of the trial; empty where there is none."""
        with contextlib.suppress(OSError, Unreadable), opened(Path(self.root + path)) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LARGEST_SEEN))
            return file.read(LARGEST_SEEN).decode("utf-8", errors="replace")
        return ""

    def _judge(self) -> None:
        self.out.tree = self._left("a trial")
        self.sock.send(b"check")
        while True:
            word, code, *why = self.sock.recv(4000).decode(errors="replace").split(" ", 2)
            if word in ("check", "late"):
                break
        if word == "late":
            self._give_up(End.UNDECIDED, f"the check did not end within {code} s")
        elif code != "0":
            self._give_up(End.BAD, (why or [""])[0] or f"the check ends with {code}")

    def _loop(self, choose: CallChooser) -> None:
        last: str | None = None
        idle: float | None = None
        while True:
            self._settle()
            enabled = self._enabled()
            if self._is_over(enabled):
                return
            if time.monotonic() > self.deadline:
                self._give_up(End.UNDECIDED, f"not ended within {self.seconds:g} s")
                return
            if not enabled:
                idle = idle or time.monotonic()
                if self._nothing_ends_it() or time.monotonic() - idle > PATIENCE_S:
                    self._stuck()
                    return
                select.select([self.poller], [], [], _LONGEST_NAP_S)
                continue
            choice = choose({name: self._pending(name)[1] for name in enabled}, last)
            if choice is None or len(self.out.steps) >= MOST_CALLS:
                self._give_up(End.UNDECIDED if choice else End.DIVERGED, f"{len(self.out.steps)} calls")
                return
            self._go(choice, enabled)
            last, idle = choice.process, None

    def _is_over(self, enabled: tuple[str, ...]) -> bool:
        """Whether all runs have ended; what they left in the background may go on until it sleeps."""
        left = [name for name in enabled if not self._pending(name)[1].is_sleep]
        return len(self.out.exits) == len(self.runs) and not left

    def _give_up(self, end: End, why: str) -> None:
        self.out.end, self.out.why = end, why

    def _stuck(self) -> None:
        waiting = [name for name in self.runs if name not in self.out.exits]
        words = f"{' and '.join(waiting)} wait{'s' if len(waiting) == 1 else ''} for ever"
        if self._nothing_ends_it():
            self._give_up(End.STUCK, words)
        elif self.rest is not None and self.rest.stopped:
            self._give_up(End.UNDECIDED, f"{words}: a process was stopped by a signal")
        else:
            self._give_up(End.UNDECIDED, f"{words}, or for a time or something outside of the trial")

    def _nothing_ends_it(self) -> bool:
        """Whether everybody waits for another one, and nobody else can end a wait: a deadlock. No clock decides."""
        return self.rest is not None and self.rest.for_ever and not self.out.unseen

    def _enabled(self) -> tuple[str, ...]:
        """Who can move: whoever sleeps lets the others go first; of sleepers, who fell asleep first wakes up first."""
        held = [name for name, run in self.runs.items() if run.held]
        for name in held:
            self.lock.returns(name)
        able = [name for name in held if not self.lock.keeps_out(name, self._pending(name)[1])]
        if not self.sleepers_wait:
            left_behind = [name for name in able if name in self.out.exits and self._pending(name)[1].is_sleep]
            able = [name for name in able if name not in left_behind] or able
            return tuple(able)
        awake = tuple(name for name in able if not self._pending(name)[1].is_sleep)
        return awake or tuple(sorted(able, key=lambda name: self.runs[name].slept)[:1])

    def _pending(self, name: str) -> tuple[trap.Notice, Call]:
        held = self.runs[name].held
        return held[min(held, key=lambda tid: self.ns_pids.get(tid, 0))]  # always of the eldest process: repeatable

    def _go(self, choice: Choice, enabled: tuple[str, ...]) -> None:
        run = self.runs[choice.process]
        notice, call = self._pending(run.name)
        step = HeldStep(choice, call, enabled, _command(notice.tid) if self.watched else "")
        before = self._looks(call)
        goes_on = self.watched and call.name == "read" and _position(notice) > 0
        if choice.outcome == CRASH:
            self._kill(run)
        else:
            self.lock.goes(run.name, call)
            del run.held[notice.tid]
            trap.release(run.listener, notice, 0 if call.is_sleep else None)  # no time passes in a trial
        self._settle()
        blocks = not run.held and run.name not in self.out.exits
        after = self._looks(call)
        values = {name: (value, after[name]) for name, value in before.items()}
        locks = self._locks() if self.watched else frozenset[tuple[str, str]]()
        self.out.steps.append(replace(step, values=values, blocks=blocks, goes_on=goes_on, locks=locks))

    def _locks(self) -> frozenset[tuple[str, str]]:
        """Which runs have an open file of the trial with a lock on it, and which file that is."""
        return frozenset(
            (run.name, name)
            for run in self.runs.values()
            if run.name not in self.out.exits
            for pid in quiet.family(run.pid)
            for name in self.touching.locks_of(pid)
        )

    def _kill(self, run: _Run) -> None:
        for pid in quiet.family(run.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run.held.clear()
        while run.name not in self.out.exits and time.monotonic() < self.deadline:
            self.poller.poll(0.01)
            self._drain()

    # --- quiet

    def _settle(self) -> None:
        """Returns when everybody is held, dead, or sleeps until another one acts; or at the deadline, without a `rest`.

        Where somebody waits for what is outside of the trial, that gets a moment to come.
        """
        self.rest, nap, since = None, _NAP_S, None
        while time.monotonic() < self.deadline:
            if select.select([self.poller], [], [], nap)[0]:
                nap, since = 0.0 if self._drain() else _NAP_S, None
                continue
            reaps = len(self.out.exits) < len(self.runs)
            rest = self.watch.rest(self._held(), reaps=reaps)
            nap = min(max(2 * nap, _NAP_S), _LONGEST_NAP_S)
            if rest is None or self.poller.poll(0):
                since = None
                continue
            since = since or time.monotonic()
            if not rest.outside or not self.started or time.monotonic() - since > OUTSIDE_S:
                self.rest = rest
                return

    def _held(self) -> set[int]:
        return {tid for run in self.runs.values() for tid in run.held}

    def _drain(self) -> bool:
        """Takes every report that has come; whether the last is held, or somebody has ended."""
        holds = False
        while came := self.poller.poll(0):
            for descriptor, event in came:
                if not event & select.EPOLLIN:
                    if event & select.EPOLLHUP:
                        self.poller.unregister(descriptor)  # nobody is left behind it
                elif descriptor == self.sock.fileno():
                    self._hear(self.sock.recv(4000).decode(errors="replace"))
                    holds = True
                elif (notice := trap.receive(descriptor)) is not None:
                    holds = self._take(self.by_fd[descriptor], notice)
        return holds

    def _hear(self, message: str) -> None:
        word, _, rest = message.partition(" ")
        if word == "error":
            raise refused(rest)
        if word == "end":
            name, code = rest.split()
            self.out.exits[name] = int(code)
            self.lock.ends(name)

    def _take(self, run: _Run, notice: trap.Notice) -> bool:
        """Holds a reported call, or lets it go at once; whether it is held."""
        self.out.reported += 1
        call = self.touching.call(notice)
        with contextlib.suppress(OSError):
            self.ns_pid(notice.tid)
        if call.name == "getrandom" and self._draw(run, notice):
            return False
        self._note(run, call)
        held = call.is_sleep or self._matters(run, call)
        if held:
            run.held[notice.tid] = (notice, call)
            run.slept = self.out.reported
            if len(run.held) > 1:
                self.out.inside.add(run.name)
        else:
            trap.release(run.listener, notice)
        return held

    def _matters(self, run: _Run, call: Call) -> bool:
        """Whether another run may care; of every call with an object where nothing is known yet."""
        return bool(call.touches) if self.uses is None else any(conflicts(self.uses, run.name, call.touches))

    def _note(self, run: _Run, call: Call) -> None:
        for touch in call.touches:
            self.out.uses.setdefault(touch.object, {}).setdefault(run.name, set()).add(touch.how)
        for path in call.outside:
            self.out.outside.setdefault(path, run.name)
        for what in call.unseen:
            self.out.unseen.setdefault(what, run.name)

    def _draw(self, run: _Run, notice: trap.Notice) -> bool:
        """Answers a request for random bytes: the same draws in every trial, and other ones in every run."""
        size = min(notice.args[1], 256)
        who = (run.name, self.ns_pids.get(notice.tid, 0))
        self.draws[who] += 1
        drawn = hashlib.shake_128(f"{who} {self.draws[who]}".encode()).digest(size)
        try:
            trap.poke(notice.tid, notice.args[0], drawn)
        except OSError:
            return False
        trap.release(run.listener, notice, size)
        return True

    def _looks(self, call: Call) -> dict[str, Sight]:
        return {touch.object: self._look(touch.object) for touch in call.touches} if self.watched else {}

    def _look(self, target: str) -> Sight:
        if ":" in target or target.endswith("/"):
            return Sight()
        path = f"{self.root}{target if target.startswith('/') else f'{SCRATCH}/{target}'}"
        return sight_of(Path(path))


def _command(tid: int) -> str:
    try:
        words = quiet.read(f"/proc/{tid}/cmdline").rstrip("\0").split("\0")
    except OSError:
        return ""
    return " ".join([os.path.basename(words[0]), *words[1:4]])


def _position(notice: trap.Notice) -> int:
    """Where in its file a read begins, as far as the descriptor knows."""
    try:
        return int(quiet.read(f"/proc/{notice.tid}/fdinfo/{notice.args[0]}").split()[1])
    except OSError:
        return 0
