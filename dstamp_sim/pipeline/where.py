"""Where the tasks of a command are performed: on processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dstamp_sim.core.errors import UsageError, cut
from dstamp_sim.engines.parallel import threads
from dstamp_sim.engines.parallel.processes import Processes
from dstamp_sim.engines.parallel.tasks import Begin, ThisProcess, Workers

_LOCAL = re.compile(r"local:([1-9][0-9]{0,2})")
_CLUSTER = re.compile(r"dask://([^\s/:]+:[0-9]{1,5})")


@dataclass(frozen=True)
class Where:
    """So many processes of this machine, or the cluster whose scheduler has this address."""

    processes: int = 1
    cluster: str = ""
    tell: Callable[[str], None] = lambda _: None
    """Is told where the cluster shows what it does."""

    @staticmethod
    def parse(written: str | None, tell: Callable[[str], None]) -> Where:
        """`local:4` or `dask://host:8786`; without either, a process for each core. Raises UsageError for others."""
        if written is None:
            return Where(threads.cores())
        if local := _LOCAL.fullmatch(written):
            return Where(int(local[1]))
        if cluster := _CLUSTER.fullmatch(written):
            return Where(cluster=cluster[1], tell=tell)
        raise UsageError(f"--on {cut(written)!r}: write local:4 for processes here, or dask://host:8786 for a cluster")

    def workers(self, here: Any, model: str, begin: Begin, about: tuple[Any, ...], tasks: int) -> Workers:
        """Workers for so many tasks about a model.

        What each task is given first is `here` in this process, and `begin(*about)` in others.
        """
        if self.cluster and tasks:
            from dstamp_sim.pipeline.on_cluster import DaskWorkers  # noqa: PLC0415 - distributed is slow to import

            return DaskWorkers(self.cluster, model, begin, about, self.tell)
        count = min(self.processes, tasks)
        return ThisProcess(here) if count < 2 else Processes(count, begin, about)


HERE = Where()
"""This process alone."""
