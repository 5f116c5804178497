"""How a command ends: with the exit code of its verdict, or with one message and the code of what went wrong.

0, 1 and 3 are verdicts; no other end has these codes. The table is in README.md.
"""

from __future__ import annotations

import errno
import functools
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

import typer
from rich.text import Text

from dstamp_sim.cli.console import errors, print_json, results, set_aside
from dstamp_sim.cli.progress import counts_so_far
from dstamp_sim.core.contained import Meanings, contained, model_files
from dstamp_sim.core.crashes import LIBRARY, crashes_told, for_lack_of_memory
from dstamp_sim.core.errors import (
    PACKAGE_FOLDER,
    DstampError,
    Interrupted,
    WorkerDied,
    cut,
    is_ctrl_c,
    lacks_memory,
    shown,
)
from dstamp_sim.disk.writing import failures_of_held, writing_began

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

USAGE, UNDETERMINED, FAULT, UNWRITTEN, INTERRUPTED = 2, 3, 70, 74, 130
VERDICTS = (0, 1, UNDETERMINED)

TRACEBACK = "DSTAMP_TRACEBACK"
"""The environment variable that makes a fault of the tool show its traceback."""

_NO_DESCRIPTOR = -1


def exit_code(run: Callable[[], object], *, as_json: bool = False) -> int:
    """The exit code of `run`: 0, the one in its `typer.Exit`, or the code of a failure, after printing its message.

    Memory that ran out is UNDETERMINED, which is printed as a verdict is.
    """
    try:
        run()
    except typer.Exit as asked:
        return asked.exit_code
    except DstampError as error:
        return _said(str(error), FAULT if isinstance(error, WorkerDied) else USAGE)
    except OSError as error:
        many = error.errno in (errno.EMFILE, errno.ENFILE)
        if error.filename is None and not many:
            return _undetermined(error, as_json=as_json) if lacks_memory(error) else _fault(error)
        remedy = "; raise their limit (`ulimit -n`)" if many else ""
        place = "" if error.filename is None else f"{cut(str(error.filename))}: "
        return _said(f"{place}{error.strerror}{remedy}", USAGE)
    except BaseException as error:  # a SystemExit too: code that calls sys.exit inside a command knows no verdict
        if lacks_memory(error):
            return _undetermined(error, as_json=as_json)
        handler = signal.getsignal(signal.SIGINT)
        pressed = isinstance(handler, CtrlC) and handler.pressed  # an import turns Ctrl-C into another error
        return _said("interrupted", INTERRUPTED) if pressed or is_ctrl_c(error) else _fault(error)
    return 0


class CtrlC:
    """A handler of Ctrl-C, which remembers that it was pressed."""

    pressed = False

    def __call__(self, *_: object) -> NoReturn:
        """Raises Interrupted; pressed again, it ends the process: a model may go on whatever is raised in it."""
        if self.pressed:
            leave(_said("interrupted", INTERRUPTED))
        self.pressed = True
        raise Interrupted


def _said(message: str, code: int) -> int:
    errors().print(Text(f"dstamp: {message}"))
    return code


def _undetermined(error: BaseException, *, as_json: bool) -> int:
    """Prints that memory ran out, with the counts that a MemoryError of a command's progress has."""
    counts = f" after {error}" if isinstance(error, MemoryError) and str(error) else ""
    killed = isinstance(error.__cause__, BrokenExecutor)
    what = "a worker process was killed, as happens where memory runs out," if killed else "memory ran out"
    reason = f"{what}{counts}, before anything was decided"
    if as_json:
        print_json({"verdict": "UNDETERMINED", "reason": reason})
    else:
        results().write("UNDETERMINED\n")
    return _said(f"{reason}: UNDETERMINED", UNDETERMINED)


def _fault(error: BaseException) -> int:
    """Prints that the tool is at fault, where, and what to report; or the model, if its line raised the error."""
    frames = traceback.extract_tb(error.__traceback__)
    if frames and Path(frames[-1].filename) in map(Path, model_files()):
        return _said(f"{frames[-1].filename}:{frames[-1].lineno}: the model raised {shown(error)}", USAGE)
    if isinstance(error, KeyboardInterrupt):
        return _said("interrupted", INTERRUPTED)
    inner = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE_FOLDER)]
    place = f" at {Path(inner[-1].filename).relative_to(PACKAGE_FOLDER.parent)}:{inner[-1].lineno}" if inner else ""
    if os.environ.get(TRACEBACK):
        errors().print(Text("".join(traceback.format_exception(error))))
    remedy = f"please report this line, the command and the model ({TRACEBACK}=1 dstamp ... shows the traceback)"
    return _said(f"this is a fault of dstamp, and no verdict: {shown(error)}{place}; {remedy}", FAULT)


leave = os._exit
"""Ends the process: a model that is called by `os._exit` is refused."""


@contextmanager
def _finalizers_told() -> Iterator[None]:
    before, sys.unraisablehook = sys.unraisablehook, _finalizer_raised
    try:
        yield
    finally:
        sys.unraisablehook = before


def _finalizer_raised(ignored: sys.UnraisableHookArgs) -> None:
    """For what is raised where nobody can catch it: says so with the line; a Ctrl-C ends the process."""
    error = ignored.exc_value
    if is_ctrl_c(error):
        leave(_said("interrupted", INTERRUPTED))
    frames = traceback.extract_tb(ignored.exc_traceback)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "somewhere"
    errors().print(Text(f"dstamp: {place}: what is raised as an object is dropped changes nothing: {shown(error)}"))


def _crashed(place: str, number: int, *, as_json: bool) -> None:
    """Ends the process: what called this, in C, cannot go on.

    A library that aborts for the lack of memory leaves a verdict, too.
    """
    code = FAULT
    try:
        if not for_lack_of_memory(number):
            remedy = "" if place == LIBRARY else "; mend or update what this line calls"
            _said(f"{place}: code in C crashed ({signal.Signals(number).name}): no verdict{remedy}", code)
        elif writing_began():
            code = _said("memory ran out as files were written", UNWRITTEN)
        else:
            code = _undetermined(MemoryError(counts_so_far()), as_json=as_json)
        results().flush()
    finally:
        leave(code)


def ending(command: Callable[..., None]) -> Callable[..., None]:
    """The command, with the exit code of `exit_code`: typer would turn exceptions into other codes."""

    @functools.wraps(command)
    def run(*args: object, **options: object) -> None:
        as_json = bool(options.get("as_json"))
        crashed = functools.partial(_crashed, as_json=as_json)
        with contained(), _finalizers_told(), crashes_told(crashed), set_aside() as meanings:
            code = exit_code(lambda: _perform(command, args, options, meanings), as_json=as_json)
            if code in VERDICTS:
                code = exit_code(lambda: _write_files(code))
        raise typer.Exit(code)

    return run


def _perform(
    command: Callable[..., None], args: tuple[object, ...], options: dict[str, object], meanings: Meanings
) -> None:
    """Runs the command. Whatever comes of it, that a model took Python apart comes first: raises ModelError."""
    try:
        command(*args, **options)
    finally:
        meanings.check()


def _write_files(code: int) -> None:
    """Writes the files that waited for the verdict, says which could not be, and ends with `code`, or `UNWRITTEN`."""
    results().flush()
    for failure in (failures := failures_of_held()):
        _said(failure, UNWRITTEN)
    raise typer.Exit(UNWRITTEN if failures else code)


def open_streams() -> None:
    """Makes standard output and error survive a closed pipe, a full disk, and letters that they cannot encode.

    The results alone go to where standard output led; the descriptor itself leads to standard error.

    A closed pipe does not change the verdict: the rest of the output is dropped. A stream that was closed from the
    start swallows all output.
    """
    _fill_gaps()
    sys.stdout = _opened(sys.stdout, "standard output")
    sys.stderr = _opened(sys.stderr, "standard error")


def _fill_gaps() -> None:
    """Standard input, output and error lead nowhere where they were closed: else another file takes their number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it takes the lowest number that is free


def _opened(stream: TextIO | None, name: str) -> TextIO:
    if stream is None:
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for as long as the process lives
        os.set_inheritable(nowhere.fileno(), True)  # it takes the place of the stream, for a model's processes, too
        return nowhere
    if not isinstance(stream, io.TextIOWrapper) or stream not in (sys.__stdout__, sys.__stderr__):
        return stream  # a test captures it
    descriptor = _set_aside(stream.fileno()) if stream is sys.__stdout__ else os.dup(stream.fileno())
    outlet = io.BufferedWriter(_Outlet(descriptor, name))
    return io.TextIOWrapper(
        outlet, encoding=stream.encoding, errors="backslashreplace", line_buffering=stream.line_buffering
    )


def _set_aside(descriptor: int) -> int:
    """A descriptor for results, which led from `descriptor`; that leads to standard error from now on.

    So what a model, or a process that it starts, writes there by itself is not among the results.
    """
    kept = os.dup(descriptor)
    try:
        os.dup2(sys.__stderr__.fileno() if sys.__stderr__ is not None else _NO_DESCRIPTOR, descriptor)
    except OSError:  # there is no standard error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
    return kept


class _Outlet(io.FileIO):
    """A descriptor that leads nowhere once a write to it has failed; a closed pipe is no failure."""

    def __init__(self, descriptor: int, called: str) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.called = called

    def write(self, data: ReadableBuffer, /) -> int:
        """Writes as any file does. Raises OSError with the stream's name, except for a closed pipe."""
        try:
            return super().write(data)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if error.errno != errno.EPIPE:
                raise OSError(error.errno, f"cannot be written: {error.strerror}", self.called) from error
            return len(memoryview(data))
