"""How a long command says how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Is told how many of how many parts are done, and what comes next if that has a name."""

    def __call__(self, done: int, total: int, what: str = "", /) -> None:
        """Called now and then."""
