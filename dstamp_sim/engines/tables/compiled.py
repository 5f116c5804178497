"""Compiled functions, kept on disk from one process to the next where there is a folder for them.

Numba keeps a function for as long as its own file is unchanged, though what it calls in other files is compiled into
it. So what is kept here is marked with a digest of all files that have compiled functions: a change compiles all anew.
What is kept is machine code, and it decides verdicts: a file that is damaged, of another edition or of another function
counts as missing.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import secrets
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import njit
from numba.core.serialize import dumps

from dstamp_sim.disk.reading import Unreadable, read_bytes

F = TypeVar("F", bound=Callable[..., Any])


def _edition() -> str:
    texts = [file.read_bytes() for file in sorted(Path(__file__).parent.parent.rglob("*.py"))]
    return hashlib.sha256(b"".join(text for text in texts if b"import compiled" in text)).hexdigest()[:16]


EDITION = _edition()
"""A digest of every file that has compiled functions."""


def _kept(function: F, **flags: bool) -> F:
    try:
        made = njit(cache=True, nogil=True, **flags)(function)  # type: ignore[call-overload]  # flags: not in its stub
    except RuntimeError:  # numba may write neither beside the package nor into the user's cache
        warnings.warn(
            "compiled code cannot be kept, so each start compiles anew (about half a minute): "
            "set NUMBA_CACHE_DIR to a writable folder",
            RuntimeWarning,
            stacklevel=3,
        )
        return njit(nogil=True, **flags)(function)  # type: ignore[call-overload, no-any-return]  # as above
    numbas = made._cache._cache_file  # numba has no public way to keep what it compiles otherwise
    made._cache._cache_file = Kept(Path(numbas._index_path).with_suffix(""), (*_stamp(numbas), EDITION))
    return made  # type: ignore[no-any-return]  # numba has no types


def _stamp(numbas: Any) -> tuple[Any, ...]:
    return numba.__version__, numbas._source_stamp


class Kept:
    """The compiled forms of one function, a file each behind its digest, in the place of numba's own.

    Whatever is wrong with a file, it is not there; where one cannot be written, nothing is kept.
    """

    def __init__(self, base: Path, stamp: tuple[Any, ...]) -> None:
        self.base, self.stamp = base, (base.name, *stamp)

    def save(self, key: Any, data: Any) -> None:
        """Keeps `data`, the compiled form for `key`."""
        content = dumps((self.stamp, key, data))  # type: ignore[no-untyped-call]  # numba has no types
        file = self._file(key)
        fresh = file.with_suffix(f".{secrets.token_hex(8)}.part")
        try:
            fresh.write_bytes(_digest(content) + content)
            fresh.replace(file)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)

    def load(self, key: Any) -> Any:
        """The compiled form that was kept for `key`; None where there is none."""
        try:
            whole = read_bytes(self._file(key))
            content = whole[_DIGEST_BYTES:]
            if _digest(content) != whole[:_DIGEST_BYTES]:
                return None
            stamp, kept, data = pickle.loads(content)
        except (Unreadable, AttributeError, ImportError):  # there is no file; or one of a class that is no more
            return None
        return data if (stamp, kept) == (self.stamp, key) else None

    def flush(self) -> None:
        """Keeps nothing of what was kept, as numba's own does."""
        for file in self.base.parent.glob(f"{self.base.name}.*.kept"):
            file.unlink(missing_ok=True)

    def _file(self, key: Any) -> Path:
        return self.base.with_name(f"{self.base.name}.{_digest(repr(key).encode()).hex()[:16]}.kept")


_DIGEST_BYTES = 32


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def compiled(function: F) -> F:
    """`function`, compiled at its first call; for functions that create no arrays.

    Without reference counts on every array of every argument, which took half of an exploration's time and made the
    samplers 11 times slower. (`_nrt` is numba's own flag; a function that does make an array fails to compile.) Warns
    where the compiled code cannot be kept.
    """
    return _kept(function, _nrt=False)


def compiled_with_arrays(function: Callable[..., Any]) -> Any:
    """`function`, compiled at its first call; it may make arrays. Warns as `compiled` does."""
    return _kept(function)
