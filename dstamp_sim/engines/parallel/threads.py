"""Tasks on the cores that this process may use, their results in the order of the tasks."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

AHEAD = 2
"""How many tasks are under way or done, by core, while the result of an earlier one is used."""


def cores() -> int:
    """How many cores this process may use: `taskset` and the like are respected where the system reports them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(tasks: Iterable[Callable[[], T]], threads: int) -> Generator[T, None, None]:
    """The results of `tasks`, one after the other, computed ahead by `threads` threads, this one included.

    With one thread a task runs when its result is requested. More threads pay where tasks release Python's lock, as
    compiled code does. Once the generator ends, is closed, or raises, no task is under way.
    """
    if threads == 1:
        for task in tasks:
            yield task()
        return
    waiting, begun, pool = iter(tasks), deque[tuple[Future[T], Callable[[], T]]](), _pool(threads - 1)
    try:
        while True:
            begun.extend((pool.submit(task), task) for task in islice(waiting, AHEAD * threads - len(begun)))
            if not begun:
                return
            while not begun[0][0].done() and _help(begun):
                pass
            yield begun[0][0].result()
            begun.popleft()
    finally:
        wait([future for future, _ in begun if not future.cancel()])


def _help(begun: deque[tuple[Future[T], Callable[[], T]]]) -> bool:
    """Runs the first task that no other thread has started; returns False when there is none."""
    for at, (future, task) in enumerate(begun):
        if future.cancel():
            done = Future[T]()
            done.set_result(task())
            begun[at] = done, task
            return True
    return False


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="dstamp")
