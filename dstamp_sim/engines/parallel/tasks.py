"""Who performs tasks: this process, processes of its own, or those of a cluster. All have the same few methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Begin = Callable[..., Any]
"""Makes what every task is given first, once in each process."""


class Workers(ABC):
    """Performs tasks inside of a `with` block; an interrupt or an error in the block ends what is under way.

    Tasks are functions of a module; all that crosses is pickled. Results do not depend on who performs the tasks.
    """

    ahead: int = 10_000
    """How many tasks are worth submitting at once."""

    @abstractmethod
    def submit(self, task: Callable[[Any, T], R], item: T) -> Future[R]:
        """The future result of `task(begun, item)`; its error is the one that the task raises."""

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Ends the workers, and what is under way if there is an error."""

    def in_turn(self, task: Callable[[Any, T], R], items: Sequence[T]) -> Iterator[R]:
        """The result of `task` for each item, in order; the workers are ended then. Raises what a task raises."""
        with self:
            if self.ahead == 1:
                yield from (self.submit(task, item).result() for item in items)
                return
            yield from (future.result() for future in [self.submit(task, item) for item in items])


class ThisProcess(Workers):
    """Performs each task as it is submitted."""

    ahead = 1

    def __init__(self, begun: Any) -> None:
        self._begun = begun

    def submit(self, task: Callable[[Any, T], R], item: T) -> Future[R]:
        """The result, which is there already; raises what the task raises."""
        done = Future[R]()
        done.set_result(task(self._begun, item))
        return done

    def __exit__(self, *_: object) -> None:
        """Nothing is under way."""
