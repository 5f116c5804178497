"""The one way out: every result is written here, whole or not at all.

A file's content goes to a temporary one of a unique name in the same folder, reaches the disk, and takes the file's
place in one move: whoever looks, and whatever is killed, finds the old file or the new one. Nothing is written through
a link, nor over a file that was read.

A command holds its files back until its verdict is printed (`held_back`). There a file that nobody here wrote stays,
too, unless that is forced: a folder of results keeps a ledger of what was written to it. Elsewhere a file is written at
once, over what is there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from dstamp_sim.core.errors import UsageError, cut, lacks_memory
from dstamp_sim.disk.reading import Unreadable, forget, opened, read_text, was_read

LEDGER = ".dstamp-results"
"""In a folder of results: the digest and the name of each that was written, a line each."""

Content = Callable[[], bytes | str]
"""What makes a file's content, when it is its turn to be written."""


class Unwritable(UsageError):
    """A file that cannot be written, and why."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{cut(str(path), 160)}: cannot be written: {why}")


@dataclass
class HeldBack:
    """Files that wait for a command's verdict; `force` writes over those that nobody here wrote."""

    force: bool = False
    begun: bool = False
    waiting: list[tuple[Path, Content, bool]] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def write(self) -> None:
        """Writes what waits, each file by itself; why one could not be is added to `failures`."""
        self.begun = True
        waiting, self.waiting = self.waiting, []
        for path, content, over in waiting:
            try:
                _write(path, content, guarded=not over, forced=self.force)
                self.written.append(path)
            except Unwritable as error:
                self.failures.append(str(error))
            except Exception as error:
                self.failures.append(str(_unwritten(path, error)))


def _unwritten(path: Path, error: Exception) -> Unwritable:
    """What is said of a content that could not be made. Raises `error` if it is a fault."""
    if lacks_memory(error):
        return Unwritable(path, "memory ran out; raise its limit (`ulimit -v`)")
    if isinstance(error, UsageError):  # a picture that a page shows was not written
        return Unwritable(path, str(error))
    raise error


_held: ContextVar[HeldBack | None] = ContextVar("held", default=None)


@contextlib.contextmanager
def held_back() -> Iterator[HeldBack]:
    """While it lasts, files that are written wait in what it returns; those that still do at its end are dropped."""
    held = HeldBack()
    forget()
    token = _held.set(held)
    try:
        yield held
    finally:
        _held.reset(token)


def write_held() -> Sequence[Path]:
    """Writes what the command holds back; returns all that it has written."""
    held = _held.get()
    if held is None:
        return ()
    held.write()
    return held.written


def writing_began() -> bool:
    """Whether the command has begun to write what it held back: its verdict is printed."""
    held = _held.get()
    return held is not None and held.begun


def failures_of_held() -> Sequence[str]:
    """Why files of this command could not be written, now that all that waited is tried."""
    write_held()
    held = _held.get()
    return held.failures if held is not None else ()


def force() -> None:
    """From here on this command's files are written over those that nobody here wrote."""
    held = _held.get()
    assert held is not None
    held.force = True


def write(path: Path, content: Content, *, over: bool = False) -> None:
    """Writes what `content` makes to `path`, or has it written when the command's verdict is printed.

    With `over`, also over a file that was read. Raises Unwritable if it cannot be written at once.
    """
    held = _held.get()
    if held is None:
        _write(path, content, guarded=False)
    else:
        held.waiting.append((path, content, over))


def write_at_once(path: Path, content: bytes | str) -> None:
    """Writes what is kept of work that goes on, whole or not at all, before any verdict. Raises Unwritable."""
    _write(path, lambda: content, guarded=False)


def check_target(path: Path, *, over: bool = False) -> None:
    """Raises Unwritable if a file of this name could not be written, before any work is done for it."""
    if not path.parent.is_dir():
        raise Unwritable(path, f"its folder {cut(str(path.parent))} does not exist")
    held = _held.get()
    _check(path, guarded=held is not None and not over, forced=held is not None and held.force)
    check_writable(path.parent, str(path))


def check_writable(folder: Path, named: str = "") -> None:
    """Makes `folder` and tries to write there, before long work begins. Raises UsageError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = _fresh(folder)
    except (OSError, ValueError) as error:
        raise UsageError(f"{cut(named or f'--out {folder}', 160)}: cannot be written: {_why(error)}") from error
    os.close(probe[0])
    probe[1].unlink()


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeEncodeError):
        return f"its name is not {error.encoding}, as all names are in these surroundings: set PYTHONUTF8=1"
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _write(path: Path, content: Content, *, guarded: bool, forced: bool = False) -> None:
    _check(path, guarded=guarded, forced=forced)
    made = content()
    whole = made if isinstance(made, bytes) else made.encode("utf-8", "backslashreplace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if guarded:
            _note(path, whole)
        _replace(path, whole)
    except (OSError, ValueError) as error:
        raise Unwritable(path, _why(error)) from error


def _replace(path: Path, whole: bytes) -> None:
    """`path` holds `whole` when this returns, and what it held before when this raises; its mode stays."""
    handle, fresh = _fresh(path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(whole)
            file.flush()
            if path.exists():
                os.fchmod(handle, stat.S_IMODE(path.stat().st_mode))
            os.fsync(handle)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _fresh(folder: Path) -> tuple[int, Path]:
    """A new file in `folder`, that nobody else has, and its name."""
    path = folder / f".dstamp-{secrets.token_hex(8)}.part"
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), path


def _check(path: Path, *, guarded: bool, forced: bool) -> None:
    """Raises Unwritable if what is at `path` must stay: no file, or, if guarded, one that is not ours."""
    try:
        there = path.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise Unwritable(path, _why(error)) from error
    if stat.S_ISLNK(there.st_mode):
        raise Unwritable(path, f"it is a link to {path.readlink()}, and nothing is written through links")
    if not stat.S_ISREG(there.st_mode):
        raise Unwritable(path, f"a {'folder' if stat.S_ISDIR(there.st_mode) else 'special file'} of that name is there")
    if not os.access(path, os.W_OK):
        raise Unwritable(path, "it is there, and read-only")
    if guarded and was_read(path):
        raise Unwritable(path, "this command read it; give another --out")
    if guarded and not forced and not _ours(path):
        raise Unwritable(path, "a file that dstamp did not write so is there; move it, or give --force")


def _line(path: Path, digest: str) -> str:
    return f"{digest} {path.name}\n"


def _ours(path: Path) -> bool:
    """Whether the file is as dstamp wrote it."""
    try:
        with opened(path) as file:
            return _line(path, hashlib.file_digest(file, "sha256").hexdigest()) in _noted(path.parent)
    except (OSError, Unreadable):
        return False


def _noted(folder: Path) -> set[str]:
    try:
        return set(read_text(folder / LEDGER).splitlines(keepends=True))
    except Unreadable:
        return set()


def _note(path: Path, whole: bytes) -> None:
    """Notes in the folder's ledger that this is a result: a line at its end, whoever else writes there."""
    _check(path.parent / LEDGER, guarded=False, forced=False)
    line = _line(path, hashlib.sha256(whole).hexdigest())
    if line not in _noted(path.parent):
        _append(path.parent / LEDGER, line)


def append(path: Path, line: str) -> None:
    """Adds `line` at the end of a file at once: what is kept of work that goes on. Raises Unwritable if it cannot be.

    Whoever reads it must pass over a line that a full disk cut short: the next one begins on a line of its own.
    """
    _check(path, guarded=False, forced=False)
    try:
        _append(path, f"{line}\n")
    except OSError as error:
        raise Unwritable(path, _why(error)) from error


def _append(path: Path, line: str) -> None:
    """Adds a line in one write, whoever else writes there."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    handle = os.open(path, flags, 0o666)
    try:
        size = os.fstat(handle).st_size
        cut_short = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        whole = ("\n" * cut_short + line).encode("utf-8", "surrogateescape")
        if os.write(handle, whole) < len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(handle)
