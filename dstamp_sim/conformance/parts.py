"""Which real counterpart an object has, and a bench of them for one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from dstamp_sim.conformance.keeper import Engine, NoEngine
from dstamp_sim.conformance.real_flock import RealFlock
from dstamp_sim.conformance.real_git import RealGitCheckout
from dstamp_sim.conformance.real_swarm import RealSwarmService
from dstamp_sim.conformance.workers import Crew, Forker, Worker
from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.shared_object import SharedObject
from dstamp_sim.core.system import System
from dstamp_sim.objects.git_checkout import GitCheckout
from dstamp_sim.objects.locks import Flock
from dstamp_sim.objects.swarm_service import SwarmService

WITH_COUNTERPART = (Flock, GitCheckout, SwarmService)
"""The objects that can be run for real."""


class RealBench(NamedTuple):
    """The real parts of one system by object name, and its workers."""

    parts: dict[str, Any]
    crew: Crew

    def hire(self, name: str) -> Worker:
        """A fresh worker for the model process `name`."""
        return self.crew.hire(name, {part: real.hand(name) for part, real in self.parts.items()})


def needs_engine(system: System) -> bool:
    """Whether a system has an object whose counterpart is a Docker Engine's."""
    return any(isinstance(item, SwarmService) for item in system.objects)


@contextmanager
def bench(
    system: System, forker: Forker, folder: Path, engine: Engine | None = None, *, tag: str = ""
) -> Iterator[RealBench]:
    """The real counterparts of a system's objects, in their initial states, in an empty `folder`; removed afterwards.

    `tag` is added to the names of stacks, so that several benches can share an engine.

    Raises UsageError for an object without a counterpart or with an initial state that cannot be made, NoEngine if
    there is a service and no engine.
    """
    objects = system.all_objects
    parts: dict[str, Any] = {}
    crew = Crew(forker)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for number, item in enumerate(objects):
            parts[item.name] = _counterpart(item, folder / str(number), engine, tag)
        yield RealBench(parts, crew)
    finally:
        crew.dismiss()
        for part in parts.values():
            part.close()


def _counterpart(item: SharedObject, folder: Path, engine: Engine | None, tag: str) -> Any:
    if isinstance(item, Flock):
        return RealFlock(item, folder)
    if isinstance(item, GitCheckout):
        return RealGitCheckout(item, folder)
    if isinstance(item, SwarmService):
        if engine is None:
            raise NoEngine(f"{item.name!r} needs a Docker Engine, and none was started")
        return RealSwarmService(item, engine, tag)
    known = ", ".join(kind.__name__ for kind in WITH_COUNTERPART)
    raise UsageError(f"{type(item).__name__} {item.name!r} has no real counterpart (those that have: {known})")
