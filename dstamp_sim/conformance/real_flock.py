"""`Flock` by flock(2) on a real file."""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

from dstamp_sim.conformance.workers import BLOCKED
from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome
from dstamp_sim.objects.locks import Flock, LockFile

_PIDFD_GETFD = 438


class FlockHand:
    """Performs the verbs of a flock in one process. Raw descriptors are inode numbers; it keeps the files open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open: defaultdict[int, list[int]] = defaultdict(list)
        self.locked: defaultdict[int, list[int]] = defaultdict(list)

    def perform(self, verb: str, args: tuple[Any, ...], *, wait: bool) -> Any:
        """Returns (inode, descriptor) where the model returns a descriptor."""
        match verb:
            case "acquire" | "try_acquire":
                file = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
                if not _flock(file, wait=wait and verb == "acquire"):
                    os.close(file)
                    return None if verb == "try_acquire" else BLOCKED
                return self._keep(self.locked, file)
            case "open":
                return self._keep(self.open, os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            case "lock":
                file = self.open[args[0]][-1]
                if not _flock(file, wait=wait):
                    return BLOCKED
                return self._keep(self.locked, self.open[args[0]].pop())
            case "inherit":
                return self._keep(self.locked, _duplicate(*args))
            case "release":
                os.close(self.locked[args[0]].pop())
            case "close":
                os.close(self.open[args[0]].pop())
            case "is_current":
                return self.path.exists() and self.path.stat().st_ino == args[0]
            case "unlink":
                self.path.unlink(missing_ok=True)
        return None

    def _keep(self, kept: defaultdict[int, list[int]], file: int) -> tuple[int, int]:
        inode = os.fstat(file).st_ino
        kept[inode].append(file)
        return inode, file


def _flock(file: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _duplicate(pid: int, file: int) -> int:
    """A descriptor of another process's open file description: as a forked child has it (pidfd_getfd(2))."""
    process = os.pidfd_open(pid)
    try:
        copy = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, process, file, 0)
    finally:
        os.close(process)
    if copy < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return int(copy)


class RealFlock:
    """The counterpart of a `Flock`: numbers inodes in order of appearance, as the model does."""

    def __init__(self, target: Flock, folder: Path) -> None:
        self.target = target
        self.path = folder / "lock"
        folder.mkdir()
        self._kept: dict[int, int] = {}  # by inode: a file kept open, so that the number is not reused
        self._holders: list[tuple[int, int, int]] = []
        self._number(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    def hand(self, process: str) -> FlockHand:
        """The hand that performs its verbs in the worker of a process."""
        return FlockHand(self.path)

    def real_args(self, process: str, op: Op, hint: str) -> tuple[Any, ...] | None:
        """The op's arguments for the hand; None if it is known to block."""
        if op.verb == "inherit":
            numbers = list(self._kept)
            return next(
                ((pid, file) for pid, file, inode in self._holders if numbers.index(inode) + 1 == op.args[0]), None
            )
        return tuple(self._inode(arg) for arg in op.args)

    def model_result(self, worker_pid: int, op: Op, raw: Any, outcomes: Sequence[Outcome]) -> Hashable:
        """The raw result in the model's terms."""
        if op.verb == "release":
            mine = next(h for h in reversed(self._holders) if h[0] == worker_pid and h[2] == self._inode(op.args[0]))
            self._holders.remove(mine)
        if not isinstance(raw, tuple):
            given: Hashable = raw
            return given
        inode, file = raw
        if op.verb != "open":
            self._holders.append((worker_pid, file, inode))
        if inode not in self._kept:
            self._number(os.open(f"/proc/{worker_pid}/fd/{file}", os.O_RDWR))
        return list(self._kept).index(inode) + 1

    def died(self, worker_pid: int) -> None:
        """A worker is gone: the kernel has closed what it had open."""
        self._holders = [holder for holder in self._holders if holder[0] != worker_pid]

    def look(self, process: str) -> Hashable:
        """The inode that the path names (None: unlinked), and which inodes are locked."""
        current = self.path.stat().st_ino if self.path.exists() else None
        if current is not None and current not in self._kept:
            self._number(os.open(self.path, os.O_RDWR))
        numbers = {inode: number for number, inode in enumerate(self._kept, start=1)}
        locked = frozenset(numbers[inode] for inode, file in self._kept.items() if _is_locked(file))
        return (None if current is None else numbers[current], len(numbers), locked)

    def seen(self, state: Any) -> Hashable:
        """The part of a model's state that `look` can see: no file says how many descriptors share a lock."""
        file: LockFile = state
        return (file.inode, file.made, frozenset(inode for inode, _ in file.locked))

    def close(self) -> None:
        """Closes what it kept open."""
        for file in self._kept.values():
            os.close(file)

    def _number(self, file: int) -> None:
        self._kept[os.fstat(file).st_ino] = file

    def _inode(self, number: Any) -> int:
        return list(self._kept)[int(number) - 1]


def _is_locked(file: int) -> bool:
    """Whether somebody has locked the inode of an open file: asked through a separate open file description."""
    other = os.open(f"/proc/self/fd/{file}", os.O_RDWR)
    try:
        return not _flock(other, wait=False)
    finally:
        os.close(other)
