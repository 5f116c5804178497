"""Tasks on the workers of a Dask cluster (the extra `dstamp-sim[cluster]`): the side of the command that asks."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from dstamp_sim.core.errors import DstampError, UsageError, cut
from dstamp_sim.engines.parallel.tasks import Begin, Workers
from dstamp_sim.inputs.model_file import made_by
from dstamp_sim.pipeline.cluster_worker import performed_there, versions
from dstamp_sim.pipeline.luggage import Luggage, come_home, packed_for

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE_S = 10
"""How long a scheduler may take to answer."""


class DaskWorkers(Workers):
    """The workers of the cluster whose scheduler has this address; `tell` is told where it shows what they do.

    A task whose worker dies is given to another one. Raises UsageError, as the block is entered, for a cluster that
    does not answer, has no workers, or has one with another Python or package.
    """

    def __init__(
        self, address: str, model: str, begin: Begin, about: tuple[Any, ...], tell: Callable[[str], None]
    ) -> None:
        self._address, self._model, self._tell = address, model, tell
        self._factory = model.partition(":")[1] + model.partition(":")[2]
        self._luggage = pickle.dumps(Luggage.packed(model, begin, about))
        self._sent: list[Any] = []

    def __enter__(self) -> Self:
        distributed = _distributed()
        try:
            self._client = distributed.Client(f"tcp://{self._address}", timeout=_PATIENCE_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"--on: no scheduler answers at dask://{self._address} ({cut(str(error))}); "
                "start one with `dask scheduler`"
            ) from error
        try:
            self._check()
            self._tell(f"on dask://{self._address}; what it does is shown at {self._client.dashboard_link}")
        except BaseException:
            self._client.close()
            raise
        return self

    def _check(self) -> None:
        """Raises UsageError unless there are workers and they are made as this process is."""
        try:
            theirs = self._client.run(versions)
        except Exception as error:  # whatever a worker raises that cannot import this package
            raise UsageError(f"--on: a worker of dask://{self._address} has no such dstamp-sim: {error}") from error
        if not theirs:
            raise UsageError(
                f"--on: the cluster at dask://{self._address} has no workers; start them with "
                f"`dask worker tcp://{self._address}`"
            )
        for worker, made in theirs.items():
            if made != made_by():
                raise UsageError(f"--on: {differing(worker, made)}")

    def submit(self, task: Callable[[Any, T], R], item: T) -> Future[R]:
        """As of any workers."""
        future, packed = Future[R](), packed_for(self._model, (task, item))
        sent = self._client.submit(performed_there, made_by(), self._luggage, self._factory, packed, pure=False)
        self._sent.append(sent)
        sent.add_done_callback(partial(_arrived, future))
        return future

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """As of any workers."""
        if error is not None:
            self._client.cancel(self._sent, force=True)
        self._client.close()


def differing(worker: str, made: tuple[str, str]) -> str:
    """How the versions of a worker differ from those here."""
    (python, package), (ours, our_package) = made, made_by()
    what = f"Python {python}, here it is {ours}" if python != ours else "another dstamp-sim than the one here"
    assert python != ours or package != our_package
    return f"the worker {worker} has {what}; install the same on both"


def _arrived(future: Future[Any], sent: Any) -> None:
    """Hands what came back to the caller."""
    if sent.status == "finished":
        fine, found = come_home(sent.result())
    elif sent.status == "error":
        fine, found = False, _of_cluster(sent.exception())
    else:
        fine, found = False, DstampError("the cluster took a task back: its scheduler ended, or was restarted")
    if fine:
        future.set_result(found)
    else:
        future.set_exception(found)


def _of_cluster(error: BaseException) -> BaseException:
    """The error that a user can do something about."""
    if isinstance(error, DstampError | MemoryError):
        return error
    return DstampError(f"the cluster gave a task up: {cut(str(error), 400)}")


def _distributed() -> Any:
    try:
        import distributed  # noqa: PLC0415 - slow to import, and an extra
    except ImportError as error:
        raise UsageError("--on dask://...: this needs Dask; `pip install 'dstamp-sim[cluster]'`") from error
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what concerns the user is said in a sentence
    return distributed
