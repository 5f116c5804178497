"""Dining philosophers who take the lower fork first: the last one reaches right first, and no circle can close.

Dijkstra, "Hierarchical ordering of sequential processes" (1971): resources in one global order. A fork that a dead
philosopher holds stays taken, so under `--crashes 1` neighbours may starve without it, without a circle.
"""

from dstamp_sim import REJECTED, LockScope, Mutex, Process, Program, System, delay, each_result, section


def meal(first: Mutex, second: Mutex) -> Program[None]:
    yield first.acquire()
    yield second.acquire()
    yield delay("eat")
    yield second.release()
    yield first.release()


def dine(first: Mutex, second: Mutex) -> Program[str]:
    yield from section("meal", meal(first, second))
    return "fed"


def build(philosophers: int = 3) -> System:
    forks = [Mutex(f"fork {i}") for i in range(philosophers)]
    seats = [sorted((i, (i + 1) % philosophers)) for i in range(philosophers)]
    return System(
        objects=forks,
        processes=[Process(f"philosopher {i}", dine, forks[low], forks[high]) for i, (low, high) in enumerate(seats)],
        properties=[each_result("whoever leaves is fed", lambda result: result in ("fed", REJECTED))],
        sections=["meal"],
        locks=[LockScope("table")],
    )
