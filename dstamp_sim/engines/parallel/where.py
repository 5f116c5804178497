"""Where the tasks of a command are performed: on processes of this machine, or on a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dstamp_sim.engines.parallel.processes import Processes
from dstamp_sim.engines.parallel.tasks import Begin, ThisProcess, Workers


@dataclass(frozen=True)
class Where:
    """So many processes of this machine."""

    processes: int = 1

    def workers(self, here: Any, begin: Begin, about: tuple[Any, ...], tasks: int) -> Workers:
        """Workers for so many tasks.

        What each task is given first is `here` in this process, and `begin(*about)` in others.
        """
        count = min(self.processes, tasks)
        return ThisProcess(here) if count < 2 else Processes(count, begin, about)


HERE = Where()
"""This process alone."""
