"""Whether a trial is quiet: everybody in it is held, is dead, or sleeps until another member acts.

By double collect: the state and the scheduling counters of every thread are read twice; where all sleep and nothing
changed in between, nobody moved. That needs no waiting time, no rights, and is exact on a machine under any load.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from dstamp_sim.hunt.calls import Processor

_VFORKS = ("kernel_clone", "wait_for_vfork_done")
"""Where in the kernel a process waits for the child of its vfork (state D, and yet nobody is busy)."""


class Collect(NamedTuple):
    """One look at all threads: how often each sleeper has run, and whether one waits for what is outside of the trial.

    `sleepers` is None where somebody runs. `timed`: a sleeper may be woken by time. `stopped` are the threads that a
    signal stopped.
    """

    sleepers: dict[int, str] | None
    open_wait: bool = False
    timed: bool = False
    stopped: tuple[int, ...] = ()


BUSY = Collect(None)


def collect(init: int, held: set[int], machine: Processor, *, reaps: bool) -> Collect:
    """A look at every thread below `init` but those `held`; `reaps` says whether `init` still buries its dead."""
    sleepers: dict[int, str] = {}
    zombies_of, waiting, stopped = list[int](), set[int](), list[int]()
    vforked, parents = set[int](), set[int]()
    open_wait = timed = False
    if _state(init) != "S":
        return BUSY  # it buries somebody, and is about to tell
    sleepers[init] = read(f"/proc/{init}/schedstat")
    for tid, parent in threads(init):
        if tid in held:
            parents.add(parent)
            continue
        try:
            state = _state(tid)
            if state in "ZX":
                if parent == init and reaps:
                    return BUSY  # it is about to be reaped
                zombies_of.append(parent)
                continue
            if state not in "SDTt" or (state == "D" and read(f"/proc/{tid}/wchan") not in _VFORKS):
                return BUSY
            number = _waits_in(tid)
            parents.add(parent)
            if state == "D":
                vforked.add(tid)
            if state in "Tt":
                stopped.append(tid)
            else:
                open_wait |= number not in machine.closed
                timed |= number not in machine.endless
            if number in machine.waits:
                waiting.add(tid)
            sleepers[tid] = read(f"/proc/{tid}/schedstat")
        except (FileNotFoundError, ProcessLookupError):
            return BUSY
    if not vforked <= parents:
        return BUSY  # a fork that waits for the kernel looks like the parent of a vfork, but has no child yet
    return Collect(sleepers, open_wait or not waiting.isdisjoint(zombies_of), timed, tuple(stopped))


def _state(tid: int) -> str:
    return read(f"/proc/{tid}/stat").rpartition(")")[2].split()[0]


def _waits_in(tid: int) -> int:
    """The number of the call that a sleeper is in; -1 where it is in none."""
    word = read(f"/proc/{tid}/syscall").split()[0]
    return -1 if word == "running" else int(word)


def threads(init: int) -> Iterator[tuple[int, int]]:
    """Every thread of the trial but init, with its parent process."""
    todo = [(init, 0)]
    while todo:
        pid, parent = todo.pop()
        try:
            tids = [pid] if pid == init else [int(tid) for tid in os.listdir(f"/proc/{pid}/task")]
            for tid in tids:
                if pid != init:
                    yield tid, parent
                todo += [(int(child), pid) for child in read(f"/proc/{pid}/task/{tid}/children").split()]
        except (FileNotFoundError, ProcessLookupError):
            continue


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
