"""Ops and sections that a program made and did not yield: they have no effect, so they are an error."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from inspect import GEN_CREATED, getgeneratorstate
from threading import local
from types import GeneratorType
from typing import Any

from dstamp_sim.core.place import GENERATED, PACKAGE, Place

_NOT_THE_MODELS = (PACKAGE, GENERATED)


class Made:
    """The ops and sections that one run of a program made, except those that it yielded.

    Ops are told apart by identity. An op made while no program's code runs (at import, by a predicate, by an
    object's `at_exit`) is not noted.
    """

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: dict[int, tuple[Any, str, int]] = {}

    def note(self, item: Any) -> None:
        """`item`, an op or a section's generator, is made by the code that calls into the package."""
        frame = sys._getframe(2)
        while frame.f_code.co_filename.startswith(_NOT_THE_MODELS) and frame.f_back is not None:
            frame = frame.f_back
        self._items[id(item)] = item, frame.f_code.co_filename, frame.f_lineno

    def strike(self, item: Any) -> None:
        """`item` was yielded."""
        self._items.pop(id(item), None)

    def lost(self) -> str:
        """The message about one that nothing refers to, so that it can never be yielded; empty if there is none.

        Exact on CPython, which counts references.
        """
        if not self._items:
            return ""
        self._strike_begun()
        return next((_complaint(item) for item in self._items.values() if sys.getrefcount(item[0]) <= _ALONE), "")

    def left(self) -> str:
        """The message about one that is left at the program's end; empty if none is."""
        self._strike_begun()
        return next(map(_complaint, self._items.values()), "")

    def awaited(self) -> frozenset[int]:
        """The ids of what was made and must still be yielded."""
        self._strike_begun()
        return frozenset(self._items)

    def _strike_begun(self) -> None:
        for key in [key for key, (item, *_) in self._items.items() if _begun(item)]:
            del self._items[key]


class _Thread(local):
    """What one thread is doing: several may run programs at once (free runs on real parts do)."""

    made: Made | None = None
    """The one of the program whose code this thread is running."""


RUNNING = _Thread()


def _begun(item: Any) -> bool:
    return isinstance(item, GeneratorType) and getgeneratorstate(item) != GEN_CREATED


def _complaint(noted: tuple[Any, str, int]) -> str:
    item, file, line = noted
    place = Place(file, line)
    if isinstance(item, GeneratorType):
        return f"{place}: this section is made and never begun, so it does nothing: write `yield from section(...)`"
    return (
        f"{place}: {item} is made and never yielded, so it does nothing: write `yield`, and make an op only "
        "where it is yielded"
    )


def _references(make: Callable[[], Any]) -> int:
    """What `sys.getrefcount` returns in `Made.lost` for what `make` returns."""
    noted = Made()
    noted._items[0] = make(), "", 0
    return next(sys.getrefcount(item[0]) for item in noted._items.values())


def _kept() -> Any:
    """An object that a suspended generator's variable holds, as a program holds an op that it may still yield."""

    def program() -> Iterator[object]:
        item = object()
        yield item
        yield item

    suspended = program()
    _SUSPENDED.append(suspended)
    return next(suspended)


_SUSPENDED = list[Iterator[object]]()

_ALONE = _references(object)
"""What `sys.getrefcount` returns in `Made.lost` for an op that nothing else refers to (it differs by version)."""


def counts_references(kept: int | None = None) -> bool:
    """Whether this Python tells an op that nothing refers to from one that a suspended program keeps in a variable."""
    return (_references(_kept) if kept is None else kept) > _ALONE


def check_python(kept: int | None = None) -> None:
    """Warns where this Python does not show what `Made.lost` must see."""
    if not counts_references(kept):
        warnings.warn(
            f"Python {sys.version.split()[0]} does not show what refers to an op: of a process that never ends, "
            "an op that is made and never yielded is not noticed. Use CPython 3.11.",
            RuntimeWarning,
            stacklevel=2,
        )


check_python()
