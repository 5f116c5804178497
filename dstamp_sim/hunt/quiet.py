"""Whether a trial is quiet: everybody in it is held, is dead, or sleeps until another member acts.

By double collect: the state and the scheduling counters of every thread are read twice. Nobody moved in between where
the counters are the same, and where the second look found everybody asleep *for the kernel*: /proc/PID/stat also says S
of a thread that still runs, such as a parent that is burying a child. /proc/PID/syscall does not, as it waits until the
thread has left its processor. So no clock decides, and the answer is exact on a machine under any load.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dstamp_sim.hunt.calls import Processor

_VFORKS = ("kernel_clone", "wait_for_vfork_done")
"""Where in the kernel a process waits for the child of its vfork (state D, and yet nobody is busy)."""
_THREADS = 17
"""Where in /proc/PID/stat, behind the name, the number of threads stands; the state is first."""


class Rest(NamedTuple):
    """What the members of a quiet trial wait for.

    `outside`: one of them may be woken by what is not of the trial; `timed`: one by time; `stopped` are those that a
    signal stopped.
    """

    outside: bool = False
    timed: bool = False
    stopped: bool = False

    @property
    def for_ever(self) -> bool:
        """Whether nothing but a member can end any of these waits."""
        return not (self.outside or self.timed or self.stopped)


class _Busy(Exception):
    """Somebody moves."""


@dataclass
class _Look:
    """One look at all threads: the counters of the sleepers, and what was found of them."""

    counters: dict[int, bytes] = field(default_factory=dict)
    parents: set[int] = field(default_factory=set)
    vforked: set[int] = field(default_factory=set)
    bereaved: set[int] = field(default_factory=set)
    burying: set[int] = field(default_factory=set)
    rest: Rest = field(default_factory=Rest)


class Watch:
    """Looks at the threads of one trial, whose first process is `init`. Keeps their files open until it is closed.

    `own` are the devices of its files and of pipes, of which nobody outside can end a wait.
    """

    def __init__(self, init: int, machine: Processor, own: frozenset[int]) -> None:
        self.init, self.machine, self.own = init, machine, own
        self._files: dict[int, dict[str, int]] = {}

    def close(self) -> None:
        """Closes the files."""
        for tid in list(self._files):
            self._forget(tid)

    def _forget(self, tid: int) -> None:
        for descriptor in self._files.pop(tid, {}).values():
            os.close(descriptor)

    def rest(self, held: set[int], *, reaps: bool) -> Rest | None:
        """What all but the `held` threads wait for; None where somebody moves. `reaps`: init still buries its dead.

        A held call that has not been received yet looks like a wait: whoever asks looks for reports afterwards.
        """
        try:
            first = self._look(held, reaps=reaps, exactly=False)
            again = self._look(held, reaps=reaps, exactly=True)
        except (_Busy, FileNotFoundError, ProcessLookupError):
            return None
        return again.rest if first.counters == again.counters else None

    def _look(self, held: set[int], *, reaps: bool, exactly: bool) -> _Look:
        """A look at every thread; raises _Busy at the first that moves."""
        look = _Look()
        for tid, parent, state in self.threads():
            if tid in held:
                look.parents.add(parent)
            elif state in "ZX":
                if parent == self.init and reaps:
                    raise _Busy
                look.bereaved.add(parent)
            else:
                self._asleep(look, tid, parent, state, exactly=exactly)
        if not look.vforked <= look.parents:
            raise _Busy  # a fork that waits for the kernel looks like the parent of a vfork, but has no child yet
        if not look.burying.isdisjoint(look.bereaved):
            look.rest = look.rest._replace(outside=True)
        return look

    def _asleep(self, look: _Look, tid: int, parent: int, state: str, *, exactly: bool) -> None:
        """Adds a sleeper to the look; raises _Busy where it is none."""
        if state not in "SDTt" or (state == "D" and read(f"/proc/{tid}/wchan") not in _VFORKS):
            raise _Busy
        look.parents.add(parent)
        if state == "D":
            look.vforked.add(tid)
        if exactly:
            self._classify(look, tid, state)
        look.counters[tid] = self._read(tid, "schedstat")

    def _classify(self, look: _Look, tid: int, state: str) -> None:
        """What a sleeper waits for; raises _Busy where it has not left its processor."""
        words = self._read(tid, "syscall").split()
        if words[0] == b"running":
            raise _Busy
        number = int(words[0])
        if tid == self.init:
            return
        if number in self.machine.waits:
            look.burying.add(tid)
        if state in "Tt":
            look.rest = look.rest._replace(stopped=True)
        elif number not in self.machine.closed or not self._inside(tid, number, words[1]):
            look.rest = look.rest._replace(outside=True)
        elif number not in self.machine.endless:
            look.rest = look.rest._replace(timed=True)

    def threads(self) -> Iterator[tuple[int, int, str]]:
        """Every thread of the trial, with its parent process and its state; parents come first."""
        todo = [(self.init, 0)]
        while todo:
            pid, parent = todo.pop()
            words = self._stat(pid)
            many = int(words[_THREADS]) > 1
            for tid in [int(name) for name in os.listdir(f"/proc/{pid}/task")] if many else [pid]:
                if tid != pid:
                    words = self._stat(tid)
                yield tid, parent, words[0].decode()
                todo += [(int(child), pid) for child in self._read(tid, "children").split()]

    def _stat(self, tid: int) -> list[bytes]:
        """The words of a thread's /proc/PID/stat behind its name."""
        return self._read(tid, "stat").rpartition(b")")[2].split()

    def _inside(self, tid: int, number: int, descriptor: bytes) -> bool:
        """Whether a wait for a descriptor is for a pipe or a file that only members of the trial have."""
        if number not in self.machine.pipes | self.machine.locks:
            return True
        found = os.stat(f"/proc/{tid}/fd/{int(descriptor, 16) & 0xFFFFFFFF}")
        return found.st_dev in self.own and (number in self.machine.locks or stat.S_ISFIFO(found.st_mode))

    def _read(self, tid: int, name: str) -> bytes:
        """A file of a thread; one of a thread that had this number before is not taken for it."""
        files = self._files.setdefault(tid, {})
        if name not in files:
            path = f"/proc/{tid}/task/{tid}/children" if name == "children" else f"/proc/{tid}/{name}"
            files[name] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(files[name], 65536, 0)
        except ProcessLookupError:
            self._forget(tid)
            raise


def devices(root: str, folders: tuple[str, ...]) -> frozenset[int]:
    """The devices of `folders` below `root`, and that of pipes."""
    reader, writer = os.pipe()
    own = {os.fstat(reader).st_dev, *(os.stat(root + folder).st_dev for folder in folders)}
    os.close(reader)
    os.close(writer)
    return frozenset(own)


def family(pid: int) -> list[int]:
    """A process and all its descendants, itself first."""
    found, todo = list[int](), [pid]
    while todo:
        one = todo.pop(0)
        found.append(one)
        try:
            for tid in os.listdir(f"/proc/{one}/task"):
                todo += [int(child) for child in read(f"/proc/{one}/task/{tid}/children").split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def read(path: str) -> str:
    """A small file of the kernel's."""
    with open(path, "rb", buffering=0) as file:
        return file.read(65536).decode(errors="replace")
