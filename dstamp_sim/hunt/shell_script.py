"""A shell script's lines: where whole commands end, marks that show which of them makes a call, and a lock around some.

Only points between whole commands of the outermost level are used: what stands before one is whole by itself for
`bash -n`, which runs nothing. A line that asks how the command before it ended stays with that command.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from dstamp_sim.core.errors import UsageError
from dstamp_sim.hunt.tree import Tree

PATCH_LOCK = ".hunt.lock"
"""The lock file of a patch, in the folder that the runs begin in."""
LINE_MARKS = "/tmp/dstamp-line"
"""Below it a marked script asks for a name, which is never there, before each of its parts."""
_SHELLS = ("sh", "bash", "dash")
_SHEBANG = re.compile(rf"#!\s*(?:\S*/env\s+)?(?:\S*/)?(?:{'|'.join(_SHELLS)})(?:\s|$)")
_SEPARATORS = re.compile(r"[;|&()]+")
_ASKS_HOW_IT_ENDED = re.compile(r"\$\?|\$\{\?|PIPESTATUS")


class LineSpan(NamedTuple):
    """Lines of a script, from 1, the last one included."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"line {self.first}" if self.first == self.last else f"lines {self.first} to {self.last}"

    def contains(self, other: LineSpan) -> bool:
        """Whether the other's lines are among these."""
        return self.first <= other.first and other.last <= self.last


@dataclass(frozen=True)
class ShellScript:
    """A script of a start state, by its path there."""

    path: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, each with its end."""
        return lines_in(self.text)

    @cached_property
    def parts(self) -> list[LineSpan]:
        """Whole commands of the outermost level in their order; together all lines from the first command on."""
        begins = [number for number in range(self._first_command, len(self.lines)) if self._may_begin(number)]
        return [LineSpan(at + 1, end) for at, end in zip(begins, [*begins[1:], len(self.lines)], strict=True)]

    @cached_property
    def _first_command(self) -> int:
        texts = enumerate(line.strip() for line in self.lines)
        return next((number for number, text in texts if text and not text.startswith("#")), len(self.lines))

    def _may_begin(self, number: int) -> bool:
        """Whether a command may be put before a line (counted from 0) and nothing else changes."""
        before, line = self.lines[:number], self.lines[number].strip()
        if _ASKS_HOW_IT_ENDED.search(line) or not line or line.startswith("#"):
            return False
        return not (before and before[-1].rstrip("\n").endswith("\\")) and _is_whole("".join(before))

    def marked(self) -> str:
        """The script that asks for a name before each part: that of the part's first line, below `LINE_MARKS`."""
        marks = {part.first - 1: f"[ -e {LINE_MARKS}/{part.first} ] || :\n" for part in self.parts}
        return "".join(marks.get(number, "") + line for number, line in enumerate(self.lines))

    def locked(self, span: LineSpan) -> str:
        """The script with a lock around whole parts; where they are its last, its end lets go, and the exit code stays.

        Raises UsageError where no descriptor is free.
        """
        free = next((n for n in range(9, 2, -1) if not re.search(rf"\b{n}[<>]|&{n}\b", self.text)), None)
        if free is None:
            raise UsageError(f"{self.path}: descriptors 3 to 9 are all in use, so there is none for a lock")
        lines = list(self.lines)
        if span.last < len(lines):
            lines[span.last - 1] += f"flock -u {free}\n"
        lines[span.first - 1] = f"flock {free}\n" + lines[span.first - 1]
        lines[self._first_command] = f"exec {free}>>{PATCH_LOCK}\n" + lines[self._first_command]
        return "".join(lines)

    def whole(self) -> LineSpan:
        """All its commands."""
        return LineSpan(self.parts[0].first, self.parts[-1].last)


def lines_in(text: str) -> list[str]:
    """The lines of a text, each with its end."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _is_whole(text: str) -> bool:
    """Whether a text is whole commands by itself; where a here-document has no end, bash only warns.

    Raises UsageError where there is no bash.
    """
    try:
        done = subprocess.run(
            ["bash", "-n"], input=text, text=True, capture_output=True, check=False, env={"LC_ALL": "C"}
        )
    except FileNotFoundError:
        raise UsageError("there is no bash here to read scripts") from None
    return done.returncode == 0 and not done.stderr


def script_of(command: str, start: Tree) -> ShellScript:
    """The script that a command is, and nothing beside it. Raises UsageError, which says why, where it is none."""
    path, named = _file_of(command)
    entry = start.entries.get(path)
    if entry is None or not stat.S_ISREG(entry.mode):
        raise UsageError(f"{path} is no file of the start state")
    content = start.entries[entry.twin].content if entry.twin else entry.content
    first = content.partition(b"\n")[0].decode("utf-8", errors="replace")
    if not (named and not first.startswith("#!")) and not _SHEBANG.match(first):
        raise UsageError(f"{path} is no script of sh or bash")
    try:
        script = ShellScript(path, content.decode("utf-8"))
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text") from None
    if not _is_whole(script.text) or not script.parts:
        raise UsageError(f"{path} has no whole command that bash can read")
    return script


def _file_of(command: str) -> tuple[str, bool]:
    """The path that a command runs, and whether it names the shell. Raises UsageError where it is more than that."""
    reader = shlex.shlex(command.strip(), posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    try:
        words = list(reader)
    except ValueError as error:
        raise UsageError(f"its command cannot be read ({error})") from None
    if "\n" in command.strip() or any(_SEPARATORS.fullmatch(word) for word in words):
        raise UsageError("its command is not one script; put its commands into one")
    while words and (re.match(r"\w+=", words[0]) or words[0] == "exec"):
        words.pop(0)
    named = bool(words) and os.path.basename(words[0]) in _SHELLS
    if named:
        words.pop(0)
        while words and re.fullmatch(r"-[a-bd-z]+", words[0]):
            words.pop(0)
    if not words or words[0].startswith("-"):
        raise UsageError("its command is not one script; put its commands into one")
    return os.path.normpath(words[0]), named
