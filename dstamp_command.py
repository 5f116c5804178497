"""What the `dstamp` command starts with: no more than is needed to end well while the package is still being loaded."""

import contextlib
import os
import resource
import signal
import sys
from typing import NoReturn

_leave_at_once = os._exit  # while a model runs, another stands there
USAGE, FAULT, INTERRUPTED = 2, 70, 130

LEAST_MEMORY = 512 << 20
"""Bytes of address space that the package and its libraries take: with less they loop, exit, or are loaded by half."""


def main() -> None:
    """Loads the package, which takes a second or two, and runs its command line. A Ctrl-C meanwhile ends it at once.

    An exception would not: modules that are being loaded turn a KeyboardInterrupt into errors of their own.
    """
    _refuse_little_memory()
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # a job in the background ignores it
    if heeded:
        signal.signal(signal.SIGINT, _leave)
        sys.unraisablehook = _leave_if_interrupted
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's library would take memory for each core, or exit(1)
    try:
        _take_room_for_products()
        from dstamp_sim.cli import leave_threads  # noqa: PLC0415 - what takes so long
        from dstamp_sim.cli import main as command  # noqa: PLC0415 - as above
    except Exception as error:  # whatever Python makes of a damaged file, or of a lack of memory
        _say(
            f"the package cannot be loaded: {error!r}; free memory, delete its __pycache__ folders, or install it anew"
        )
        sys.exit(FAULT)

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        command()
    except KeyboardInterrupt:  # as the command ended
        _leave()
    except SystemExit as ended:
        if heeded:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and written
        leave_threads(ended.code)
        raise
    except BaseException as error:  # not even a failure could be told: Python would print a traceback, and exit with 1
        _say(f"no verdict: {type(error).__name__} where no error can be; does the model change Python itself?")
        _leave_at_once(FAULT)


def _allowed_memory() -> int | None:
    """The bytes of address space that `ulimit -v` allows; None if it sets no limit."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if allowed == resource.RLIM_INFINITY else allowed


def _take_room_for_products() -> None:
    """Where memory is limited, lets NumPy's library (OpenBLAS) take its 32 MB now, while they are there.

    It takes them at its first product of matrices, and if there are none by then, it calls exit(1): no verdict, and the
    exit code of one.
    """
    if _allowed_memory() is not None:
        from numpy import ones  # noqa: PLC0415 - most commands need no NumPy to begin

        ones((2, 2)) @ ones((2, 2))


def _refuse_little_memory() -> None:
    allowed = _allowed_memory()
    if allowed is not None and allowed < LEAST_MEMORY:
        _say(
            f"too little memory: `ulimit -v` allows {allowed >> 20} MB, and dstamp takes {LEAST_MEMORY >> 20} MB to "
            "load; raise the limit, or lift it with `ulimit -v unlimited`"
        )
        sys.exit(USAGE)


def _leave(*_: object) -> NoReturn:
    _say("interrupted")
    _leave_at_once(INTERRUPTED)


def _leave_if_interrupted(ignored: "sys.UnraisableHookArgs") -> None:
    """A Ctrl-C in a finalizer or a callback of the interpreter, which would ignore it and print a traceback."""
    if isinstance(ignored.exc_value, KeyboardInterrupt):
        _leave()
    sys.__unraisablehook__(ignored)


def _say(message: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"dstamp: {message}\n".encode("utf-8", "backslashreplace"))
