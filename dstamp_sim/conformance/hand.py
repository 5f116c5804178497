"""The hand of a shared object: it performs the ops for real, inside a worker."""

from __future__ import annotations

from typing import Any, Protocol

BLOCKED = "(would block)"
"""A hand's result if the real thing would block and it must not wait."""


class Hand(Protocol):
    """Performs the ops of one object inside a worker; picklable, and a separate one in every worker."""

    def perform(self, verb: str, args: tuple[Any, ...], *, wait: bool) -> Any:
        """Performs one op for real; `BLOCKED` where it would block and `wait` is false."""
