"""Whole numbers as options: the message has the value and the range."""

from __future__ import annotations

from collections.abc import Callable

import typer

LARGEST_WHOLE = 2**31 - 1
"""No option takes a larger number."""


def whole(least: int, most: int = LARGEST_WHOLE) -> Callable[[str], int]:
    """A reader of whole numbers from `least` to `most`, for `typer.Option(parser=...)`."""

    def read(written: str | int) -> int:
        try:
            number = int(written) if len(str(written)) <= len(str(most)) + 1 else most + 1
        except ValueError:
            raise typer.BadParameter(f"{written!r} is not a whole number") from None
        if not least <= number <= most:
            raise typer.BadParameter(f"{str(written)[:40]} is not from {least:,} to {most:,}")
        return number

    read.__name__ = "N"
    return read
