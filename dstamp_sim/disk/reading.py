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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
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
    if inside is not None and not lies_in(path, inside):
        raise Unreadable(path, f"is a link that leads out of {inside}, and is not followed; put the file itself there")
    with opened(path) as file:
        kind = os.fstat(file.fileno())
        content = file.read(most + 1)
    _read.add((kind.st_dev, kind.st_ino))
    if len(content) > most:
        raise Unreadable(path, f"larger than {most >> 20} MB; is it the file that you mean?")
    return content


def lies_in(file: Path, *folders: Path) -> bool:
    """Whether a file lies in one of the folders, links followed. One behind a circle of links lies nowhere."""
    try:
        return any(file.resolve().is_relative_to(folder.resolve()) for folder in folders)
    except (OSError, RuntimeError, ValueError):
        return False


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A regular file, open to be read. Raises Unreadable with the reason; waits for nobody."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in its name, or half a surrogate pair
        raise Unreadable(path, f"names no file: {error}") from error
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        told = next((name for of, name in _NO_FILES if of(mode)), None)
        if told:
            raise Unreadable(path, f"cannot be read: it is {told}, not a file")
        yield file


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
        raise Unreadable(path, f"not UTF-8 ({no_text(error)}): save it in that encoding") from error


def no_text(error: UnicodeDecodeError) -> str:
    """Where bytes are no text, which byte that is, and what stands before it in its line."""
    raw, at = error.object, error.start
    before = raw[raw.rfind(b"\n", 0, at) + 1 : at].decode("utf-8", "replace")[-_MOST_OF_A_LINE // 2 :]
    after = f" after {cut(before)!r}" if before.strip() else ""
    line = raw.count(b"\n", 0, at) + 1
    return f"line {line}, byte 0x{raw[at]:02x}{after}"


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises Unreadable, with line and column, if it is none or breaks a limit."""
    return parse_toml(path, read_text(path))


def parse_toml(path: Path, written: str) -> dict[str, Any]:
    """The same of a text that is, or will be, in `path`."""
    try:
        content = tomllib.loads(written)
    except (ValueError, RecursionError) as error:
        raise Unreadable(path, f"not TOML: {_why(error, written)}") from error
    refuse_extremes(path, content)
    return content


def read_json(path: Path, most: int = LARGEST_TEXT, *, inside: Path | None = None) -> Any:
    """The value in a JSON file. Raises Unreadable, with line and column, if it is none or breaks a limit."""
    written = read_text(path, most, inside=inside)
    if not written.strip():
        raise Unreadable(path, "not JSON: empty; write it anew")
    try:
        content = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise Unreadable(path, f"not JSON, or cut off: {_why(error, written)}") from error
    refuse_extremes(path, content)
    return content


_MOST_OF_A_LINE, _SOME = 60, 24
"""How much of a faulty line is shown, and of a value that is one of many."""

_MANY_DIGITS = 4_000
"""Python reads no whole number of a few hundred digits more."""


def _why(error: ValueError | RecursionError, written: str) -> str:
    """What is wrong in a text, where, and what to do about it."""
    if isinstance(error, RecursionError):
        at = _too_deep(written)
        told = f"its tables and lists lie deeper in each other than {DEEPEST}; make it flatter"
        return f"at line {_line_number(written, at)}: {cut(written[at:].partition(chr(10))[0], _SOME)!r}: {told}"
    if "limit" in str(error) and "digits" in str(error):
        number = re.search(rf"\d{{{_MANY_DIGITS}}}", written)
        at = number.start() if number else 0
        told = f"a number in it has thousands of digits; none may be larger than {LARGEST_NUMBER}: write a smaller one"
        return f"at line {_line_number(written, at)}: {told}"
    told = str(error)
    return f"{told}{_line_at_fault(written, told)}{_remedy(told)}"


def _too_deep(written: str) -> int:
    """Where more brackets are open than tables and lists may lie in each other; those inside of texts do not count."""
    depth = 0
    for found in re.finditer(r"""\[|\{|\]|\}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*""", written):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if depth > DEEPEST:
            return found.start()
    return 0


def _line_number(written: str, at: int) -> int:
    return written.count("\n", 0, at) + 1


_REMEDIES = (
    (r"character '\\n'|Expected [\"']{3}",
     "end this text with its quotation mark, on the same line; only three go on over lines"),
    ("Unterminated string", "end this text with its quotation mark, on the same line"),
    ("Illegal character|control character", "write it as an escape, such as \\u001b"),
    ("Invalid value", "write a text in quotation marks; else a number, true, false, or a time (2026-01-31T10:00:00)"),
    ("overwrite a value|Duplicate inline", "a key stands there once: take one of the two out"),
    ("declare|namespace|expand|mutate", "a table stands there once: put both parts under one head"),
    ("table declaration|array declaration", "the head of a table ends with as many brackets as it begins with"),
    ("after a key in|character for a key|Invalid statement",
     "a line is `key = value`, `[table]`, `[[list of tables]]` or a # comment; a key of other than letters, digits, - "
     "and _ stands in quotation marks"),
    ("after a statement", "each `key = value` has a line of its own; a text has one pair of quotation marks, and "
     "a time is such as 2026-01-31T10:00:00"),
    ("Unclosed", "close this list or table"),
    ("escape|Unicode scalar|hex value", r"write a backslash as \\, and any other letter as it is"),
    ("delimiter|Expecting|Extra data", "JSON has one value, texts and keys in double quotation marks, commas between; "
     "take the file as it was written"),
)  # fmt: skip
"""What to do about an error of TOML or JSON that only says what is there."""


def _remedy(error: str) -> str:
    return next((f"; {remedy}" for pattern, remedy in _REMEDIES if re.search(pattern, error)), "")


def _line_at_fault(written: str, error: str) -> str:
    """What stands where an error of TOML or JSON says, if it says where."""
    if "end of document" in error:
        return f": {cut(written.rstrip().rpartition(chr(10))[2], _MOST_OF_A_LINE)!r}"
    if (found := re.search(r"line (\d+),? column (\d+)", error)) is None:
        return ""
    number, column = map(int, found.groups())
    line = written.split("\n")[number - 1]
    begin = max(0, column - 1 - _MOST_OF_A_LINE // 2)
    return f": {cut(line[begin : begin + _MOST_OF_A_LINE].strip(), _MOST_OF_A_LINE)!r}"


def refuse_extremes(path: Path, content: Any) -> None:
    """Raises Unreadable, with the place, if a value lies too deep, is no finite number of 64 bits, or is no text."""
    left: list[tuple[tuple[str, ...], Any]] = [((), content)]
    while left:
        place, value = left.pop()
        if wrong := _wrong(value, len(place)):
            raise Unreadable(path, f"at {place_of(place)}: {wrong}")
        left.extend(((*place, str(key)), inner) for key, inner in _inside(value))


def place_of(keys: Iterable[object]) -> str:
    """A place in a file by its keys: `runs.0.time`."""
    return cut(".".join(str(key) or "''" for key in keys)) or "the top"


def _inside(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, key
            yield key, inner
    elif isinstance(value, list):
        yield from enumerate(value)


def _wrong(value: Any, depth: int) -> str:
    if depth > DEEPEST:
        nested = isinstance(value, dict | list)
        told = f"a {type(value).__name__} of {len(value)}" if nested else cut(repr(value), _SOME)
        return f"{told} lies {depth} deep: tables and lists may lie {DEEPEST} deep in each other; make it flatter"
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        return f"{cut(str(value), _SOME)} is larger than any number here ({LARGEST_NUMBER}); write a smaller one"
    if isinstance(value, float) and not abs(value) < float("inf"):
        return f"{value} is no finite number; write the number itself, or leave the key out"
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        return f"{cut(value)!r} holds half a surrogate pair, which is no text; write the letter itself"
    return ""
