"""Tasks on processes of their own."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from dstamp_sim.core.errors import DstampError

T = TypeVar("T")
R = TypeVar("R")


def spawned(
    task: Callable[[T], R], items: Sequence[T], workers: int, begin: Callable[..., None], about: tuple[Any, ...]
) -> Iterator[R]:
    """What `task` makes of each item, in their order, by `workers` processes, each begun by `begin(*about)`.

    Everything that crosses is pickled; the main module must be one that can be imported. Where this is interrupted or
    raises, the processes are ended. Raises what a task raises, and DstampError where a process dies.
    """
    others = active_children()
    count = max(1, min(workers, len(items)))
    # Spawned, not forked: the parent has threads (numba's, a progress bar's).
    with ProcessPoolExecutor(count, get_context("spawn"), initializer=_begin, initargs=(begin, about)) as pool:
        try:
            for future in [pool.submit(task, item) for item in items]:  # by hand: an interrupted `map` cancels them
                yield future.result()
        except BrokenProcessPool as error:
            told = "a process that helped ended before its time, maybe for want of memory"
            raise DstampError(f"{told}; on one core (taskset -c 0 dstamp ...) there is none") from error
        except BaseException:
            for process in active_children():
                if process not in others:
                    process.terminate()
            raise


def _begin(begin: Callable[..., None], about: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent ends its processes
    sys.stdout = sys.stderr  # what a model prints is no result
    begin(*about)
