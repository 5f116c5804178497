"""Compiled functions, kept on disk from one process to the next where there is a folder for them.

Numba keeps a function for as long as its own file is unchanged, though what it calls in other files is compiled into
it. So what is kept here is marked with a digest of all files that have compiled functions: a change compiles all anew.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def _edition() -> str:
    texts = [file.read_bytes() for file in sorted(Path(__file__).parent.parent.rglob("*.py"))]
    return hashlib.sha256(b"".join(text for text in texts if b"\n@compiled" in text)).hexdigest()[:16]


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
    kept = made._cache._cache_file  # numba has no public way to declare what else a function depends on
    kept._source_stamp = (kept._source_stamp, EDITION)
    kept._load_index = partial(_index, kept._load_index)
    return made  # type: ignore[no-any-return]  # numba has no types


def _index(load: Callable[[], dict[Any, str]]) -> dict[Any, str]:
    """What `load` finds; nothing if a class that the index names is no more: numba reads it before its stamp."""
    try:
        return load()
    except (AttributeError, ImportError):
        return {}


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
