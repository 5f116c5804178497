"""Lines of a model's source: where code is written, suspended, made or raised."""

from __future__ import annotations

import dis
import gc
import linecache
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

PACKAGE = str(Path(__file__).parent.parent)
"""The folder of this package: no model lies in it."""

_PYTHON = (sysconfig.get_path("stdlib"), "<frozen")
"""How the files of Python itself begin."""

_LIBRARIES = re.compile(r"[/\\](site|dist)-packages[/\\]")
"""Where libraries are installed: beside Python, in an environment, for one user, by the system."""

MODELS = "_dstamp_model_"
"""How the names of the modules begin that model files become."""

GENERATED = "<string>"
"""The file name of the methods that `dataclasses` writes."""

_VOCABULARY = (str(Path(PACKAGE, "core")), str(Path(PACKAGE, "objects")), GENERATED)


class Place(NamedTuple):
    """A line of a model's source."""

    file: str
    line: int

    @property
    def source(self) -> str:
        """The line's text, stripped; empty when the file cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


_SET_ITERATOR: type = type(iter(set[int]()))


def is_python(file: str) -> bool:
    """Whether code from this file is Python's own; what is installed may lie in a folder of Python's."""
    return file.startswith(_PYTHON) and not _LIBRARIES.search(file)


def is_model(file: str) -> bool:
    """Whether code from this file is a model's: neither this package's nor Python's nor an installed library's."""
    return not file.startswith((PACKAGE, *_PYTHON)) and not _LIBRARIES.search(file)


def is_library(file: str) -> bool:
    """Whether code from this file is an installed library's."""
    return not is_python(file) and not is_own(file)


def is_own(file: str) -> bool:
    """Whether code from this file is a model's or this package's."""
    return is_model(file) or file.startswith(PACKAGE)


def frames(body: Any) -> Iterator[tuple[CodeType, int]]:
    """The model's suspended frames of a generator, outermost first; frames inside this package are left out."""
    while body is not None and hasattr(body, "gi_frame"):
        frame = body.gi_frame
        if frame is not None and not frame.f_code.co_filename.startswith(PACKAGE):
            yield frame.f_code, frame.f_lineno
        body = body.gi_yieldfrom


def going_through_a_set(body: Any) -> Place | None:
    """The line of the model at which a suspended generator is amid a loop over a `set` of several items, if any.

    Only of one that is not frozen: that came neither from an op nor to a process, whose sets are asked again turned.
    """
    while body is not None and hasattr(body, "gi_frame"):
        frame = body.gi_frame
        if frame is not None and not frame.f_code.co_filename.startswith(PACKAGE):
            loops = (item for item in gc.get_referents(body) if type(item) is _SET_ITERATOR)
            sets = (held for loop in loops for held in gc.get_referents(loop))
            if any(type(held) is set and len(held) > 1 for held in sets):
                return Place(frame.f_code.co_filename, frame.f_lineno)
        body = body.gi_yieldfrom
    return None


def standing(body: Any) -> Place:
    """The innermost line of the model at which a generator stands."""
    last = Place(body.gi_code.co_filename, body.gi_code.co_firstlineno) if hasattr(body, "gi_code") else Place("?", 0)
    for code, line in frames(body):
        last = Place(code.co_filename, line)
    return last


def raised_at(error: BaseException, place: Place) -> Place:
    """The innermost line of a model that `error` passed through; `place` when there is none."""
    trace = error.__traceback__
    found = place
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if is_model(name) and not name.startswith("<"):
            found = Place(name, trace.tb_lineno)
        trace = trace.tb_next
    return found


def defined(function: Callable[..., Any]) -> Place:
    """Where a function is defined."""
    code = getattr(function, "__code__", None)
    return Place(code.co_filename, code.co_firstlineno) if code else Place(repr(function), 0)


def calling(frame: FrameType | None) -> Place | None:
    """The model's line that called into the package (`core`, `objects`), from `frame` outwards; or None."""
    while frame is not None and frame.f_code.co_filename.startswith(_VOCABULARY):
        frame = frame.f_back
    if frame is None or not is_model(frame.f_code.co_filename):
        return None
    return Place(frame.f_code.co_filename, frame.f_lineno)


def here() -> str:
    """`file:line: ` of the model's line that is running; empty if none is."""
    place = calling(sys._getframe(1))
    return f"{place}: " if place else ""


@cache
def yield_places(code: CodeType) -> tuple[Place, ...]:
    """The lines of a function that hold a yield."""
    lines: dict[int, None] = {}
    for instruction in dis.get_instructions(code):
        position = instruction.positions
        if instruction.opname == "YIELD_VALUE" and position is not None and position.lineno is not None:
            lines[position.lineno] = None
    return tuple(Place(code.co_filename, line) for line in lines)
