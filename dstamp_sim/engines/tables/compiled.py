"""Compiled functions, kept on disk from one process to the next where there is a folder for them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def _kept(function: F, **flags: bool) -> F:
    try:
        return njit(cache=True, nogil=True, **flags)(function)  # type: ignore[call-overload, no-any-return]  # flags: not in its stub
    except RuntimeError:  # numba may write neither beside the package nor into the user's cache
        warnings.warn(
            "compiled code cannot be kept, so each start compiles anew (about half a minute): "
            "set NUMBA_CACHE_DIR to a folder that you may write",
            RuntimeWarning,
            stacklevel=3,
        )
        return njit(nogil=True, **flags)(function)  # type: ignore[call-overload, no-any-return]  # as above


def compiled(function: F) -> F:
    """`function`, compiled at its first call; for functions that make no arrays.

    Without reference counts on every array of every argument, which took half of an exploration's time and made the
    samplers 11 times slower. (`_nrt` is numba's own flag; a function that does make an array fails to compile.) Warns
    where the compiled code cannot be kept.
    """
    return _kept(function, _nrt=False)


def compiled_with_arrays(function: Callable[..., Any]) -> Any:
    """`function`, compiled at its first call; it may make arrays. Warns as `compiled` does."""
    return _kept(function)
