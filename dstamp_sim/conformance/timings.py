"""How long the real ops take on this machine, with the toy service and the toy recipe: delays of a scenario."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dstamp_sim.conformance.keeper import Engine, scratch_folder, some_engine
from dstamp_sim.conformance.real_flock import FlockHand
from dstamp_sim.conformance.real_git import CheckoutHand, Recipe
from dstamp_sim.conformance.real_swarm import NOW, ServiceHand
from dstamp_sim.disk.writing import check_writable, write
from dstamp_sim.objects.swarm_service import Spec

ABOUT = "a toy service and a recipe of two files, on the machine that measured: not the incident's"


@dataclass(frozen=True)
class Measured:
    """One op's durations: the scenario's delay that they measure, median in seconds, sigma of the logarithm."""

    delay: str
    what: str
    count: int
    median_s: float
    sigma: float

    def line(self) -> str:
        """The distribution as a scenario file writes it."""
        return (
            f"{self.delay} = {{ lognormal_s = [{self.median_s:.4g}, {self.sigma:.2g}], "
            f'source = "measured: {self.what}, {self.count} times, with {ABOUT}" }}'
        )


def measure_ops(out: Path, *, times: int = 15, use_docker_host: bool = False) -> tuple[list[Measured], Path]:
    """Measures every real op `times` times, and writes the distributions to `measured-delays.toml` in `out`.

    Raises NoEngine if no engine can start.
    """
    check_writable(out)
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        engine = stack.enter_context(some_engine(use_docker_host=use_docker_host))
        measured = time_ops(folder, engine, times=times)
    file = out / "measured-delays.toml"
    lines = [f"# Durations of real ops with {ABOUT}.", "", "[delays]", *(item.line() for item in measured)]
    write(file, lambda: "\n".join(lines) + "\n")
    return measured, file


def time_ops(folder: Path, engine: Engine, *, times: int) -> list[Measured]:
    """The durations of every real op, performed `times` times in an empty `folder` and on `engine`."""
    watch = _Stopwatch()
    for number in range(times):
        _time_git(watch, folder / str(number))
        _time_flock(watch, folder / str(number) / "lock")
        _time_swarm(watch, engine, f"measured-{number}")
    return watch.measured()


class _Stopwatch:
    def __init__(self) -> None:
        self._taken_s: dict[tuple[str, str], list[float]] = {}

    @contextmanager
    def timing(self, delay: str, what: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self._taken_s.setdefault((delay, what), []).append(time.monotonic() - begun)

    def measured(self) -> list[Measured]:
        return [
            Measured(delay, what, len(taken), statistics.median(taken), statistics.pstdev(map(math.log, taken)))
            for (delay, what), taken in self._taken_s.items()
        ]


def _time_git(watch: _Stopwatch, folder: Path) -> None:
    folder.mkdir()
    recipe = Recipe(folder / "mirror")
    base, head = recipe.sha("base"), recipe.sha("head")
    hand = CheckoutHand(recipe.folder, folder / "tree")
    with watch.timing("fetch_recipe", "git clone and fetch of tags"):
        hand.perform("clone", (head,), wait=True)
        hand.perform("fetch_tags", (), wait=True)
    with watch.timing("checkout", "git checkout --force of a tag"):
        hand.perform("checkout_at_once", (base,), wait=True)
    with watch.timing("read_head", "git rev-parse HEAD and git status"):
        hand.perform("head", (), wait=True)
        hand.perform("is_dirty", (), wait=True)


def _time_flock(watch: _Stopwatch, path: Path) -> None:
    hand = FlockHand(path)
    with watch.timing("flock", "flock(2) of a free file, and its release"):
        inode, _ = hand.perform("acquire", (), wait=True)
        hand.perform("release", (inode,), wait=True)


def _time_swarm(watch: _Stopwatch, engine: Engine, stack: str) -> None:
    hand = ServiceHand(engine, stack, orchestrated=False, failure_action="rollback")

    def running() -> bool:
        tasks = hand.client.tasks({"service": hand.name, "desired-state": "running"})
        return any(task["Status"]["State"] == "running" for task in tasks)

    with watch.timing("create", "service create until its task runs"):
        hand.perform("deploy", (Spec("base", "base"), NOW), wait=True)
        _await(running)
    with watch.timing("stack_deploy", "list and label-only update"):
        hand.perform("deploy", (Spec("base+U", "base"), NOW), wait=True)
    with watch.timing("update", "update until UpdateStatus is completed"):
        hand.perform("deploy", (Spec("head", "head"), NOW), wait=True)
        _await(lambda: hand.inspect().get("UpdateStatus", {}).get("State") == "completed")
    with watch.timing("teardown", "service rm"):
        hand.perform("remove", (), wait=True)
    hand.client.close()


def _await(done: Callable[[], Any], limit_s: float = 60.0) -> None:
    until = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"not done after {limit_s:g} s")
        time.sleep(0.005)
