"""Tasks on worker processes of this one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, TypeVar

from dstamp_sim.core.crashes import CRASHES, crashes_told, for_lack_of_memory
from dstamp_sim.core.errors import WorkerDied
from dstamp_sim.core.escaping import harmless
from dstamp_sim.engines.parallel.tasks import Begin, Workers

_PR_SET_PDEATHSIG = 1

T = TypeVar("T")
R = TypeVar("R")


class Processes(Workers):
    """Worker processes of this one; each makes `begin(*about)` once. The main module must be importable.

    Leaving the block raises MemoryError if one was killed, and WorkerDied if it crashed or ended by itself.
    """

    def __init__(self, count: int, begin: Begin, about: tuple[Any, ...]) -> None:
        self._count, self._others, self._begun = count, active_children(), set[BaseProcess]()
        # Spawned, not forked: the parent has threads (numba's, a progress bar's).
        self._pool = ProcessPoolExecutor(
            count, get_context("spawn"), initializer=_begin, initargs=(DieWithParent(), begin, about)
        )

    def submit(self, task: Callable[[Any, T], R], item: T) -> Future[R]:
        """As of any workers."""
        with _ctrl_c_waits():  # a process that is half begun would end with a traceback
            future = self._pool.submit(_performed, task, item)
            if len(self._begun) < self._count:  # they are begun one by one
                self._begun.update(process for process in active_children() if process not in self._others)
            return future

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """As of any workers."""
        if error is not None and not isinstance(error, BrokenProcessPool):
            for process in self._begun:
                process.terminate()
        self._pool.shutdown(cancel_futures=error is not None)
        if isinstance(error, BrokenProcessPool):
            raise _died([process.exitcode or 0 for process in self._begun]) from error


def _died(codes: Sequence[int]) -> MemoryError | WorkerDied:
    """What is raised when workers ended with these codes, the others by the pool's SIGTERM.

    Where memory runs out the system kills a process, or a library aborts.
    """
    crashed = [-code for code in codes if -code in CRASHES and not for_lack_of_memory(-code)]
    left = [code for code in codes if code > 0]
    remedy = "`taskset -c 0 dstamp ...` runs without workers"
    if crashed:
        how = f"crashed ({signal.Signals(crashed[0]).name}), in code in C that the model or a library calls"
        return WorkerDied(f"a worker process {how}: no verdict; {remedy}")
    if left:
        return WorkerDied(f"a worker process died: something in it ended it with exit code {left[0]}; {remedy}")
    return MemoryError()


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """A Ctrl-C inside is heard at the end. Processes begun inside do not hear one at all.

    The block is what they inherit. It does not suffice here: another thread may take the signal, and then Python calls
    the handler in the main thread all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # a handler is never called here
        return
    pressed: list[object] = []
    handler = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGINT, handler)
        if pressed:
            signal.raise_signal(signal.SIGINT)


class DieWithParent:
    """What crosses to a worker before all else: as it is unpickled, the worker's life is tied to its parent's.

    However the parent ends, SIGKILL included, the kernel then kills the worker: no orphan keeps its streams open. Where
    there is no such signal (it is Linux's), a worker ends when it next asks its parent for work.
    """

    def __reduce__(self) -> tuple[Callable[[int], DieWithParent], tuple[int]]:
        return _tied_to, (os.getpid(),)


def _tied_to(parent: int) -> DieWithParent:
    die_with(parent)
    return DieWithParent()


def die_with(parent: int) -> None:
    """Has Linux kill this process when its parent dies, even if it is blocked in a lock."""
    with contextlib.suppress(OSError, AttributeError):  # no Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it ended while this process was begun


_begun: list[Any] = []
"""Of a worker: what its tasks are given first."""


_alive = contextlib.ExitStack()
"""Of a worker: what holds as long as it lives."""


def _crashed(place: str, number: int) -> None:
    """Says where: that this worker ended by the signal its parent sees."""
    if not for_lack_of_memory(number):
        os.write(2, harmless(f"dstamp: {place}: crashed here, in a worker process\n").encode(errors="replace"))


def _begin(_: DieWithParent, begin: Begin, about: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent ends its processes
    sys.stdout = sys.stderr  # a model's prints are not results
    _alive.enter_context(crashes_told(_crashed))
    _begun.append(begin(*about))


def _performed(task: Callable[[Any, T], R], item: T) -> R:
    return task(_begun[0], item)
