"""Code in C that crashes: whoever asks is told which signal it was, and which line of a model was running."""

from __future__ import annotations

import ctypes
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import cast

from dstamp_sim.core.contained import model_files

_C = ctypes.CDLL(None)
_C.signal.restype = ctypes.c_void_p
_C.signal.argtypes = ctypes.c_int, ctypes.c_void_p
_alarm, _raise, _DEFAULT = _C.alarm, getattr(_C, "raise"), None
"""Looked up here: a model that is running may look up nothing in C."""

CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)
_LONGEST_CRASH_S = 10

LIBRARY = "this is a fault of dstamp, or of a library that it uses (please report the command and the model)"
"""What is said in place of the model's line where none is running."""


@contextmanager
def crashes_told(tell: Callable[[str, int], None]) -> Iterator[None]:
    """While it lasts, a crash in C calls `tell` with its place and its signal; what it returns to is that signal's end.

    Where its stack ran over, or what it broke is needed for that, the signal itself ends the process.
    """
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: _crashed(tell, number))
    before = [(number, _C.signal(number, ctypes.cast(handler, ctypes.c_void_p))) for number in CRASHES]
    try:
        yield
    finally:
        for number, was in before:
            _C.signal(number, was)


def _crashed(tell: Callable[[str, int], None], number: int) -> None:
    _alarm(_LONGEST_CRASH_S)  # whoever crashed may hold a lock that is needed here
    try:
        tell(_running(), number)
    finally:
        _C.signal(number, _DEFAULT)
        _raise(number)  # it waits until this returns


def for_lack_of_memory(number: int) -> bool:
    """Whether a library (LLVM) aborts so where `ulimit -v` leaves it no memory."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    return number == signal.SIGABRT and allowed != resource.RLIM_INFINITY


def _running() -> str:
    """The innermost line of a model that is running; what is said where none is."""
    frame, models = cast(FrameType | None, sys._getframe()), model_files()
    while frame is not None and frame.f_code.co_filename not in models:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else LIBRARY
