"""Tasks on the workers of a Dask cluster: the side of the worker.

A task is performed by a process of the worker's own, not by a thread of the worker: it can be ended when nobody waits
for it any more, and what a model does (its prints, its memory) reaches neither the worker nor other tasks.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import pickle
import shutil
import tempfile
import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import DstampError
from dstamp_sim.engines.parallel.processes import Processes
from dstamp_sim.inputs.model_file import made_by
from dstamp_sim.pipeline.luggage import Begun, Luggage

_LOOKS_EVERY_S = 0.3
"""How often a worker looks whether anybody still waits for its task."""


class TaskRoom:
    """The processes of a worker for tasks with the same luggage, and the folder of the model's files."""

    def __init__(self, luggage: bytes, factory: str, worker: Any) -> None:
        multiprocessing.current_process().daemon = False  # a nanny's worker may have processes, too
        self.folder = Path(tempfile.mkdtemp(prefix="dstamp-", dir=worker.local_directory))
        count = worker.state.nthreads
        self.processes = Processes(count, _begin, (luggage, str(self.folder), factory))
        self.busy = 0

    def close(self, error: BaseException | None = None) -> None:
        """Ends the processes. Raises MemoryError or DstampError if `error` says that one ended by itself."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.processes.__exit__(None if error is None else type(error), error, None)


_rooms: dict[str, TaskRoom] = {}
_door = threading.Lock()


def versions() -> tuple[str, str]:
    """What the worker is made by."""
    return made_by()


def performed_there(made: tuple[str, str], luggage: bytes, factory: str, packed: bytes) -> bytes:
    """The packed result of a packed task; its process is ended if nobody waits for it any more."""
    from distributed import get_worker  # noqa: PLC0415 - an extra

    if made != made_by():  # a worker that came later
        raise DstampError("a worker has another Python or another dstamp-sim than the command that asks")
    worker = get_worker()
    name = hashlib.sha256(luggage + factory.encode()).hexdigest()
    room = _entered(name, luggage, factory, worker)
    try:
        return _waited_for(room.processes.submit(Begun.performed, packed), worker)
    except BaseException as error:
        with _door:
            _rooms.pop(name, None)
        room.close(error)
        raise
    finally:
        room.busy -= 1


def _entered(name: str, luggage: bytes, factory: str, worker: Any) -> TaskRoom:
    """The room for this luggage; rooms for others are left, if nobody is in them."""
    with _door:
        for other in [other for other, room in _rooms.items() if other != name and not room.busy]:
            _rooms.pop(other).close()
        if name not in _rooms:
            _rooms[name] = TaskRoom(luggage, factory, worker)
        _rooms[name].busy += 1
        return _rooms[name]


def _waited_for(future: Future[bytes], worker: Any) -> bytes:
    """The result. Raises DstampError as soon as the scheduler does not want the task of this thread any more."""
    task = worker.get_current_task()
    while True:
        with suppress(TimeoutError):
            return future.result(_LOOKS_EVERY_S)
        known = worker.state.tasks.get(task)
        if known is None or known.state not in ("executing", "long-running"):
            raise DstampError("nobody waits for this task any more")


def _begin(luggage: bytes, folder: str, factory: str) -> Begun:
    sent = Luggage(*pickle.loads(luggage))
    return sent.unpacked(Path(folder), factory)
