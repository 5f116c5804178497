"""The hand of a shared object: what performs its ops for real, inside a worker."""

from __future__ import annotations

from typing import Any, Protocol

BLOCKED = "(would block)"
"""What a hand returns where the real thing would block and it was told not to wait."""


class Hand(Protocol):
    """What performs the ops of one object inside a worker; picklable, and its own in every worker."""

    def perform(self, verb: str, args: tuple[Any, ...], *, wait: bool) -> Any:
        """Performs one op for real; `BLOCKED` where it would block and `wait` is false."""
