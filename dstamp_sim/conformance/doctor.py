"""Real: the parts that this machine can run, tried and not guessed."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

from dstamp_sim.conformance.keeper import NoEngine, obstacles, some_engine
from dstamp_sim.conformance.real_git import git_version


@dataclass(frozen=True)
class Health:
    """What `dstamp real doctor` found: the git command, the engine's version, and how long its start and stop took.

    `trouble` lists the obstacles; it is empty if everything runs.
    """

    git: str
    engine: str | None
    up_s: float
    down_s: float
    trouble: tuple[str, ...]


def examine(*, use_docker_host: bool = False) -> Health:
    """Starts an engine, queries it, and stops it."""
    git = git_version()
    begun = time.monotonic()
    try:
        with some_engine(use_docker_host=use_docker_host) as engine:
            with closing(engine.client()) as client:
                version = str(client.version()["Version"])
            up_s = time.monotonic() - begun
            begun = time.monotonic()
    except NoEngine as error:
        why = [] if use_docker_host else obstacles()
        return Health(git, None, 0.0, 0.0, tuple(why) or (str(error),))
    return Health(git, version, up_s, time.monotonic() - begun, ())
