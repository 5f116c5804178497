"""A folder by value: read into memory, planted elsewhere, compared. So no trial leaves a file behind."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote


class TreeEntry(NamedTuple):
    """One name in a folder: its mode, what it holds (bytes of a file, target of a link), its time, its hard links.

    `twin` is the path of an earlier name of the same file; empty where there is none.
    """

    mode: int
    content: bytes
    mtime_ns: int
    twin: str = ""

    def shown(self, most: int = 40) -> str:
        """What it is, in a few characters: a short text as it is, anything else by size and digest."""
        if stat.S_ISDIR(self.mode):
            return "a folder"
        if stat.S_ISLNK(self.mode):
            return f"-> {os.fsdecode(self.content)}"
        if not stat.S_ISREG(self.mode):
            return "a pipe or device"
        return brief_content(self.content, most)


def brief_content(content: bytes, most: int = 40) -> str:
    """A file's content in a few characters."""
    text = content.decode("utf-8", errors="replace").rstrip("\n")
    if not content:
        return "empty"
    if len(text) <= most and text.isprintable():
        return text
    return f"{len(content)} bytes {hashlib.sha256(content).hexdigest()[:6]}"


LARGEST_TREE = 256 << 20
"""So many bytes may be in a folder: it is in memory, and planted anew for each trial."""

MOST_IN_TREE, DEEPEST_FOLDER = 100_000, 200
"""So many names may be in it, and so deep may folders lie in each other."""

MOST_LINES = 200
"""So many lines of a file are shown; of a longer one, or of what is no text, a digest."""


def lines_of_text(content: bytes) -> tuple[str, ...]:
    """The lines of a short text; none of anything else."""
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return ()
    return tuple(lines) if len(lines) <= MOST_LINES and "\0" not in content.decode("utf-8") else ()


@dataclass(frozen=True)
class Tree:
    """Everything below a folder, by its path in it, folders before what is in them."""

    entries: dict[str, TreeEntry]

    @staticmethod
    def read(folder: str, named: str) -> Tree:
        """The tree below `folder`, which holds still. Raises OSError or Unreadable where it cannot be read.

        Raises UsageError, with how it is `named`, where more is in it than a hunt takes; nothing is read past that.
        """
        entries: dict[str, TreeEntry] = {}
        seen: dict[tuple[int, int], str] = {}
        room = LARGEST_TREE
        for path in _paths(folder, ""):
            whole = f"{folder}/{path}"
            found = os.lstat(whole)
            twin = ""
            if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
                twin = seen.setdefault((found.st_dev, found.st_ino), path)
            content = b"" if twin not in ("", path) else _content(whole, found.st_mode, room)
            room -= len(content)
            if limit := _passed(len(entries), path, room):
                raise _too_much(named, limit, path)
            entries[path] = TreeEntry(found.st_mode, content, found.st_mtime_ns, "" if twin == path else twin)
        return Tree(entries)

    def plant(self, folder: str) -> None:
        """Makes all of it in `folder`, an empty one. Raises OSError where that cannot be done."""
        for path, entry in self.entries.items():
            whole = f"{folder}/{path}"
            if entry.twin:
                os.link(f"{folder}/{entry.twin}", whole)
            elif stat.S_ISLNK(entry.mode):
                os.symlink(entry.content, whole)
            else:
                _make(whole, entry)
        for path, entry in reversed(self.entries.items()):
            os.utime(f"{folder}/{path}", ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)

    def digest(self) -> str:
        """A digest of names, modes and contents (not of times)."""
        whole = hashlib.sha256()
        for line in self.lines():
            whole.update(line.encode("utf-8", errors="surrogateescape") + b"\n")
        return whole.hexdigest()

    def lines(self) -> Iterator[str]:
        """A line for each name, percent-encoded, with its mode and the digest of its content."""
        for path, entry in sorted(self.entries.items()):
            content = self.entries[entry.twin].content if entry.twin else entry.content
            yield f"{quote(path)} {entry.mode:o} {hashlib.sha256(content).hexdigest()[:24]}"

    def without(self, globs: tuple[str, ...]) -> Tree:
        """The same without what one of `globs` matches, and what is below."""
        kept = {path: entry for path, entry in self.entries.items() if not _matches(path, globs)}
        return Tree({path: entry for path, entry in kept.items() if not entry.twin or entry.twin in kept})

    def differences(self, other: Tree) -> list[str]:
        """The names of which mode or content differ, or that only one has, in order."""
        names = sorted(self.entries.keys() | other.entries.keys())
        return [path for path in names if self._what(path) != other._what(path)]

    def _what(self, path: str) -> tuple[int, bytes] | None:
        entry = self.entries.get(path)
        if entry is None:
            return None
        return entry.mode, self.entries[entry.twin].content if entry.twin else entry.content

    def shown(self, path: str) -> str:
        """What is at a path, in a few characters."""
        entry = self.entries.get(path)
        return entry.shown() if entry else "absent"


def _matches(path: str, globs: tuple[str, ...]) -> bool:
    parts = path.split("/")
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    return any(fnmatch(name, glob) for name in above for glob in globs)


def _paths(folder: str, below: str) -> Iterator[str]:
    with os.scandir(f"{folder}/{below}") as found:
        entries = sorted(islice(found, MOST_IN_TREE + 1), key=lambda entry: entry.name)
    for entry in entries:
        path = f"{below}{entry.name}"
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _paths(folder, f"{path}/")


def _passed(names: int, path: str, room: int) -> str:
    """The limit that the next name has passed, if it has one; `room` is what is left for contents."""
    if names == MOST_IN_TREE:
        return f"{MOST_IN_TREE:,} names"
    if path.count("/") >= DEEPEST_FOLDER:
        return f"folders {DEEPEST_FOLDER} deep"
    return f"{LARGEST_TREE >> 20} MB" if room < 0 else ""


def _too_much(named: str, limit: str, path: str) -> Exception:
    from dstamp_sim.core.errors import UsageError, cut  # noqa: PLC0415 - the nursery, which is small, reads nothing

    why = "a hunt keeps all of it in memory, and makes it anew for each trial"
    return UsageError(
        f"hunt: {named} holds more than {limit} (the first too many: {cut(path)}): {why}; leave less there"
    )


def _content(path: str, mode: int, most: int) -> bytes:
    """What a name holds, a byte more than `most` where it is more."""
    from dstamp_sim.disk.reading import opened  # noqa: PLC0415 - as above

    if stat.S_ISLNK(mode):
        return os.fsencode(os.readlink(path))
    if not stat.S_ISREG(mode):
        return b""
    with opened(Path(path)) as file:
        return file.read(most + 1)


def _make(path: str, entry: TreeEntry) -> None:
    if stat.S_ISDIR(entry.mode):
        os.mkdir(path)
    elif stat.S_ISREG(entry.mode):
        with open(path, "wb") as file:
            file.write(entry.content)
    elif stat.S_ISFIFO(entry.mode):
        os.mkfifo(path)
    else:
        raise OSError(f"{path} is a device or a socket, which a start state cannot hold")
    os.chmod(path, stat.S_IMODE(entry.mode))
