"""An exploration is the same, state by state, on any number of threads."""

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from dstamp_sim.core.judge import Judge
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.explore import space
from dstamp_sim.engines.explore.reduction import future_of
from dstamp_sim.engines.explore.space import Space
from dstamp_sim.engines.parallel.threads import in_order
from dstamp_sim.engines.tables import kernel
from dstamp_sim.engines.tables.closure import close
from dstamp_sim.engines.tables.tables import OutOfMemory, Tables
from models.cc_ci import stack_race
from tests.patience import PATIENCE_S
from tests.random_systems import random_system
from tests.todays import todays

FAST, ALL = 20, 1000


@pytest.fixture(autouse=True)
def many_small_batches(monkeypatch):
    """Small levels too are shared, desks are soon too small, and slots are taken twice."""
    monkeypatch.setattr(space, "BATCH", 4)
    monkeypatch.setattr(space, "CHUNK", 48)
    monkeypatch.setattr(space, "LEAST", 2)
    monkeypatch.setattr(space, "ROOM", 1)


def explored(system: Any, threads: int, *, reduced: bool, memory_bytes: int = 1 << 26) -> Space:
    """The space of a system, as far as memory allows."""
    semantics = Semantics(system)
    tables = Tables(semantics, Judge(semantics, []), merge=reduced)
    tables.initial_row()
    known = reduced and not close(tables)
    found = Space(tables, reduced, future_of(tables, []) if known else None, memory_bytes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(space, "cores", lambda: threads)
        try:
            while found.levels[-2] < found.levels[-1]:
                at, end = found.levels[-2:]
                while at < end:
                    at = found.expand(at, end)
                found.close_level()
        except OutOfMemory:
            pass
    return found


def differences(one: Space, other: Space) -> Iterator[str]:
    for what in ("count", "transitions", "reduced", "levels", "stuck", "bytes_in_use"):
        if getattr(one, what) != getattr(other, what):
            yield f"{what}: {getattr(one, what)} and {getattr(other, what)}"
    if not np.array_equal(one.used_entries(), other.used_entries()):
        yield "used entries differ"
    for what in ("rows", "parents"):
        if not np.array_equal(getattr(one, what)[: one.count], getattr(other, what)[: other.count]):
            yield f"{what} differ"


def check(seeds: range) -> list[str]:
    found = []
    for seed in seeds:
        system = random_system(seed)
        alone = explored(system, 1, reduced=bool(seed % 2))
        for threads in (2, 5):
            shared = explored(system, threads, reduced=bool(seed % 2))
            found += [f"seed {seed}, {threads} threads: {what}" for what in differences(alone, shared)]
    return found


def test_numbers_parents_and_counts_are_those_of_one_thread():
    assert not check(range(FAST))


@pytest.mark.parametrize("memory_bytes", [1 << 26, 1 << 16])
def test_the_entries_used_are_those_that_some_state_looks_up_expanded_or_not(memory_bytes):
    for seed in range(FAST):
        space = explored(random_system(seed), 2, reduced=bool(seed % 2), memory_bytes=memory_bytes)
        steps, used = space.tables.steps(), set()
        for number in range(space.count):
            row = space.columns(range(space.objects + space.processes), number, number + 1)[0]
            for local in row[space.objects :]:
                slot = steps.target[local]
                if slot != kernel.ENDED:
                    used.add(int(steps.base[local] + (row[slot] if slot >= 0 else 0)))
        assert set(np.flatnonzero(space.used_entries()).tolist()) == used


@pytest.mark.slow
def test_they_are_on_more_systems():
    assert not check(todays(range(FAST, ALL)))


def test_the_memory_limit_is_reached_at_the_same_state():
    system = stack_race(runs=3)
    ends = [explored(system, threads, reduced=False, memory_bytes=1 << 18) for threads in (1, 2, 3, 2, 3)]
    assert ends[0].count > 5000
    for end in ends[1:]:
        assert not list(differences(ends[0], end))


def takes_what_is_ready(monkeypatch):
    """Batches are numbered in another order than that of their states."""

    def wrong(tasks: Any, threads: int) -> Iterator[Any]:
        with closing(in_order(tasks, threads)) as results:
            yield from results if threads == 1 else reversed(list(results))

    monkeypatch.setattr(space, "in_order", wrong)


def believes_the_slot(monkeypatch):
    """A successor whose slot is taken is dropped, whoever has the slot."""

    def wrong(rows: Any, known: int, slots: Any, found: Any, size: int) -> int:
        mask = np.uint64(len(slots) - 1)
        left = 0
        for i in range(size):
            if not 0 <= slots[kernel._hash(found.rows[i]) & mask] < known:
                found.rows[left], found.parents[left] = found.rows[i], found.parents[i]
                left += 1
        return left

    monkeypatch.setattr(kernel, "drop_known", wrong)


@pytest.mark.parametrize("twin", [takes_what_is_ready, believes_the_slot])
def test_wrong_twins_are_caught(twin, monkeypatch):
    twin(monkeypatch)
    assert check(range(FAST))


def test_results_come_in_the_order_of_the_tasks_and_all_threads_work():
    meet, names = threading.Barrier(3), set()

    def task(number: int) -> int:
        if number < 3:
            meet.wait(timeout=PATIENCE_S)  # only three threads at once pass
        names.add(threading.current_thread().name)
        return number

    tasks = [lambda number=number: task(number) for number in range(50)]
    assert list(in_order(tasks, 3)) == list(range(50))
    assert len(names) == 3


def test_with_one_thread_a_task_is_done_when_it_is_asked_for():
    done = list[int]()
    results = in_order([lambda number=number: done.append(number) for number in range(3)], 1)
    next(results)
    assert done == [0]


def test_when_the_results_are_no_longer_wanted_no_task_is_under_way():
    begun, ended = [], []

    def task(number: int) -> int:
        begun.append(number)
        threading.Event().wait(0.01)
        ended.append(number)
        return number

    with closing(in_order([lambda number=number: task(number) for number in range(100)], 3)) as results:
        next(results)
    assert sorted(begun) == sorted(ended)
    assert len(begun) < 100


def test_what_a_task_raises_is_raised_when_its_turn_comes():
    results = in_order([lambda: 1, lambda: 1 // 0, lambda: 3], 2)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
