"""The one way in: every file that is read is read here, as a regular file and up to a limit, and is remembered as read.

What a limit is for: a file of another kind (a FIFO never ends, a device goes on for ever), a file by mistake, and a
text that is made to exhaust whoever reads it.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import UsageError, cut

LARGEST_TEXT = 16 << 20
"""Bytes of a scenario, an evidence file, a witness or a model's source beyond which it is not what it claims to be."""

DEEPEST = 32
"""How deep tables and lists of a file may lie in each other."""

LARGEST_NUMBER = 2**63 - 1
"""No whole number of a file is larger."""

LONGEST_NAME = 4096
"""A longer path names no file."""

_NO_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

_read: set[tuple[int, int]] = set()


class Unreadable(UsageError):
    """A file that cannot be used as what it is given for; `why` is the reason without its name."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{cut(str(path))}: {why}")
        self.why = why


def read_bytes(path: Path, most: int = LARGEST_TEXT, *, inside: Path | None = None) -> bytes:
    """The content of a regular file of at most `most` bytes; with `inside`, of one that lies in that folder.

    Raises Unreadable with the reason. Nothing is read of a file of another kind, and nothing past the limit.
    """
    try:
        if inside is not None and not path.resolve().is_relative_to(inside.resolve()):
            raise Unreadable(path, f"is a link that leads out of {inside}, and is not followed")
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in its name, or half a surrogate pair
        raise Unreadable(path, f"names no file: {error}") from error
    with os.fdopen(handle, "rb") as file:
        kind = os.fstat(handle)
        told = next((name for of, name in _NO_FILES if of(kind.st_mode)), None)
        if told:
            raise Unreadable(path, f"cannot be read: it is {told}, not a file")
        content = file.read(most + 1)
    if len(content) > most:
        raise Unreadable(path, f"larger than {most >> 20} MB")
    _read.add((kind.st_dev, kind.st_ino))
    return content


def forget() -> None:
    """From here on no file counts as read: a command begins."""
    _read.clear()


def was_read(path: Path) -> bool:
    """Whether the file at `path` was read since the last `forget`."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return False
    return (found.st_dev, found.st_ino) in _read


def read_text(path: Path, most: int = LARGEST_TEXT, *, inside: Path | None = None) -> str:
    """The same as text. Raises Unreadable if it is not UTF-8."""
    try:
        return read_bytes(path, most, inside=inside).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"not UTF-8 (byte {error.start}): save it in that encoding") from error


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises Unreadable, with line and column, if it is none or breaks a limit."""
    return parse_toml(path, read_text(path))


def parse_toml(path: Path, written: str) -> dict[str, Any]:
    """The same of a text that is, or will be, in `path`."""
    try:
        content = tomllib.loads(written)
    except (ValueError, RecursionError) as error:
        raise Unreadable(path, f"not TOML: {_why(error)}{_line_at_fault(written, str(error))}") from error
    refuse_extremes(path, content)
    return content


def read_json(path: Path, most: int = LARGEST_TEXT, *, inside: Path | None = None) -> Any:
    """The value in a JSON file. Raises Unreadable, with line and column, if it is none or breaks a limit."""
    written = read_text(path, most, inside=inside)
    if not written.strip():
        raise Unreadable(path, "not JSON: empty")
    try:
        content = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise Unreadable(path, f"not JSON, or cut off: {_why(error)}{_line_at_fault(written, str(error))}") from error
    refuse_extremes(path, content)
    return content


def _why(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return f"its tables and lists lie deeper in each other than {DEEPEST}"
    if "limit" in str(error) and "digits" in str(error):
        return f"a number in it has thousands of digits; none may be larger than {LARGEST_NUMBER}"
    return str(error).replace("Cannot overwrite a value", "a key is there twice")


_REMEDIES = (
    (r"Illegal character '\\n'|Unterminated string", "end this text with its quotation mark, on the same line"),
    ("Invalid value", "write a text in quotation marks; else a number, true, false, or a time (2026-01-31T10:00:00)"),
)
"""What to do about an error of TOML or JSON that only says what is there."""


def _remedy(error: str) -> str:
    return next((f"; {remedy}" for pattern, remedy in _REMEDIES if re.search(pattern, error)), "")


_MOST_OF_A_LINE = 60


def _line_at_fault(written: str, error: str) -> str:
    """What stands where an error of TOML or JSON says, and what to do about it, if it says where."""
    if (found := re.search(r"line (\d+),? column (\d+)", error)) is None:
        return ""
    number, column = map(int, found.groups())
    line = written.split("\n")[number - 1]
    begin = max(0, column - 1 - _MOST_OF_A_LINE // 2)
    return f": {cut(line[begin : begin + _MOST_OF_A_LINE].strip(), _MOST_OF_A_LINE)!r}{_remedy(error)}"


def refuse_extremes(path: Path, content: Any) -> None:
    """Raises Unreadable, with the place, if a value lies too deep, is no finite number of 64 bits, or is no text."""
    left: list[tuple[tuple[str, ...], Any]] = [((), content)]
    while left:
        place, value = left.pop()
        if wrong := _wrong(value, len(place)):
            raise Unreadable(path, f"at {cut('.'.join(place)) or 'the top'}: {wrong}")
        left.extend(((*place, str(key)), inner) for key, inner in _inside(value))


def _inside(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, key
            yield key, inner
    elif isinstance(value, list):
        yield from enumerate(value)


def _wrong(value: Any, depth: int) -> str:
    if depth > DEEPEST:
        return f"tables and lists may lie {DEEPEST} deep in each other"
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        return f"{cut(str(value), 24)} is larger than any number here ({LARGEST_NUMBER})"
    if isinstance(value, float) and not abs(value) < float("inf"):
        return f"{value} is no finite number"
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        return f"{cut(value)!r} holds half a surrogate pair, which is no text"
    return ""
