"""What a held call is about: the objects that it reads and writes, found in its arguments and its process's memory."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from dstamp_sim.hunt import quiet, trap
from dstamp_sim.hunt.calls import FOLLOWS, FORMS, LISTED, PLAIN, TIMERS
from dstamp_sim.hunt.folding import Folding
from dstamp_sim.hunt.nursery import PRIVATE, SCRATCH

_HERE = 0xFFFFFF9C
_NO_FOLLOW, _CREATE, _EXCLUSIVE, _TRUNCATE = 0x100, 0o100, 0o200, 0o1000
_MOST_LINKS = 40
_SPECIAL = ("/dev", "/proc", "/sys")


class Touch(NamedTuple):
    """An object and "r" or "w".

    Objects are paths in the scratch folder (elsewhere, whole ones), `folder/` for its listing, `flock:path`, and
    `process:run`.
    """

    object: str
    how: str


@dataclass(frozen=True)
class Call:
    """A held call by name, what it touches, and what of it lies outside of what is made anew for every trial.

    `outside` are paths that it would write there, `unseen` what it uses that no trial can order.
    """

    name: str
    touches: tuple[Touch, ...] = ()
    outside: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def is_sleep(self) -> bool:
        """Whether it lets time pass and does nothing else."""
        return self.name == "sleep"

    @property
    def object(self) -> str:
        """The object that it is foremost about: its last name; empty where it has none."""
        named = [touch.object for touch in self.touches if not touch.object.endswith("/")]
        return named[-1] if named else self.touches[-1].object if self.touches else ""


OutsidePaths = dict[tuple[str, str, bool], str]
"""Where paths lead that touch nothing of a trial: the same in every trial, where nobody writes outside."""


class Naming(NamedTuple):
    """What calls and objects are called: calls by number, drawn names; `outside` keeps where paths outside lead."""

    calls: Mapping[int, str]
    folding: Folding
    outside: OutsidePaths | None


@dataclass
class Touching:
    """Reads held calls of one trial. `root` is its root folder, seen from outside; `run_of` a run by its first pid.

    `programs` gathers the files outside that are executed.
    """

    root: str
    run_of: Callable[[int], str | None]
    ns_pid: Callable[[int], int]
    naming: Naming
    programs: set[str]
    _outside: list[str] = field(default_factory=list)
    _unseen: list[str] = field(default_factory=list)

    def call(self, notice: trap.Notice) -> Call:
        """What a notice is about. A call whose process has gone, or whose arguments lead nowhere, touches nothing."""
        name = self.naming.calls[notice.number]
        self._outside, self._unseen = [], ["a timer"] if name in TIMERS else []
        found: list[Touch] = []
        try:
            for form in FORMS[name].split():
                found += self._by_form(notice, name, form[0], int(form[1:2] or 0), form[2:])
            if name == "execve":
                self._note_program(notice)
        except (OSError, struct.error):
            found = []
        return Call(PLAIN.get(name, name), tuple(dict.fromkeys(found)), tuple(self._outside), tuple(self._unseen))

    def _note_program(self, notice: trap.Notice) -> None:
        path = os.fsdecode(trap.memory(notice.tid, notice.args[0], 4096).split(b"\0")[0])
        at, _ = self._walk(self._base(notice.tid, _HERE, path), path, follow=True)
        if _placed(at) is None and not at.startswith(_SPECIAL) and os.path.isfile(at):
            self.programs.add(at)

    def locks_of(self, pid: int) -> Iterator[str]:
        """The locked files of the trial that a process has open, as `flock:path`."""
        try:
            descriptors = os.listdir(f"/proc/{pid}/fdinfo")
        except OSError:
            return
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                if "\nlock:" in quiet.read(f"/proc/{pid}/fdinfo/{descriptor}"):
                    target = self._named(self._link(pid, int(descriptor)).removesuffix(" (deleted)"))
                    if target is not None:
                        yield f"flock:{target}"

    def _by_form(self, notice: trap.Notice, name: str, kind: str, at: int, how: str) -> list[Touch]:
        tid, args = notice.tid, notice.args
        match kind:
            case "P":
                return self._path(notice, name, _HERE, at, how)
            case "A":
                return self._path(notice, name, args[at] & 0xFFFFFFFF, at + 1, how)
            case "F" | "D" | "L":
                return self._descriptor(notice, name, kind, at, how)
            case "S":
                return self._address(tid, args[at], args[at + 1], how)
            case "K":
                return self._signal(args[at], args[1])
            case "G":
                return self._signal(args[0], args[2] if at else args[1])
            case _:
                run = self.run_of(self.ns_pid(tid))
                return [Touch(f"process:{run}", "w")] if run else []

    def _signal(self, pid: int, signal: int) -> list[Touch]:
        run = self.run_of(pid)
        return [Touch(f"process:{run}", "w" if signal else "r")] if run else []

    def _descriptor(self, notice: trap.Notice, name: str, kind: str, at: int, how: str) -> list[Touch]:
        whole = self._link(notice.tid, notice.args[at]).removesuffix(" (deleted)")
        target = self._named(whole)
        if name == "mmap" and notice.args[2] & 2 and notice.args[3] & 1:
            self._unseen.append(f"shared memory of {target or whole}")
        if target is None:
            if how == "w" and whole.startswith("/") and not whole.startswith(_SPECIAL):
                self._outside.append(whole)
            return []
        if kind == "L":
            return [Touch(f"flock:{target}", "w")]
        return [Touch(f"{target}/" if kind == "D" else target, how)]

    def _address(self, tid: int, address: int, size: int, how: str) -> list[Touch]:
        if size < 3:
            return []
        raw = trap.memory(tid, address, min(size, 110))
        family, path = struct.unpack("H", raw[:2])[0], raw[2:].split(b"\0")[0]
        if family == 1 and path:
            return self._resolve(tid, _HERE, os.fsdecode(path), how, follow=True)
        self._unseen.append("a network socket" if family in (2, 10) else f"a socket of family {family}")
        return []

    def _path(self, notice: trap.Notice, name: str, folder: int, at: int, how: str) -> list[Touch]:
        path = os.fsdecode(trap.memory(notice.tid, notice.args[at], 4096).split(b"\0")[0])
        if not path:
            return []
        follow = how not in ("n", "l")
        if how == "s":
            follow, how = not notice.args[FOLLOWS[name]] & _NO_FOLLOW, "r"
        elif how == "l":
            how = "r"
        elif how == "o":
            flags = notice.args[LISTED[name]]
            if name == "openat2":
                flags = struct.unpack("Q", trap.memory(notice.tid, flags, 8))[0]
            follow = flags & (_CREATE | _EXCLUSIVE) != _CREATE | _EXCLUSIVE
            how = "c" if flags & _CREATE else "w" if flags & _TRUNCATE else "u" if flags & 3 else "r"
        return self._resolve(notice.tid, folder, path, how, follow=follow)

    def _resolve(self, tid: int, folder: int, path: str, how: str, *, follow: bool) -> list[Touch]:
        """The file, the links passed, the folders above, and the folder's listing where a name comes or goes.

        `how` is also "c" (makes the name if it is not there) and "u" (opens to write, and changes nothing yet).
        """
        at, passed = self._walk(self._base(tid, folder, path), path, follow=follow)
        last = self._named(at)
        if last is None:
            if how != "r" and not at.startswith(_SPECIAL) and not os.path.isdir(self.root + at):
                self._outside.append(at)
            return [Touch(name, "r") for name in passed]
        found = [Touch(name, "r") for name in passed if name != last]
        comes_or_goes = how == "n" or (how == "c" and not os.path.lexists(self.root + at))
        if comes_or_goes:
            found.append(Touch(f"{os.path.dirname(last) or '.'}/", "w"))
        return [*found, Touch(last, "r" if how in ("r", "u") else "w")]

    def _base(self, tid: int, folder: int, path: str) -> str:
        if path.startswith("/"):
            return "/"
        return os.readlink(f"/proc/{tid}/cwd") if folder == _HERE else self._link(tid, folder)

    def _walk(self, base: str, path: str, *, follow: bool) -> tuple[str, list[str]]:
        """Where a path leads, and the named things on the way."""
        kept, key = self.naming.outside, (base, path, follow)
        if kept is not None and key in kept:
            return kept[key], []
        at, passed = self._walk_slowly(base, path, follow=follow)
        if kept is not None and not passed and self._named(at) is None and not _magic(at) and not _magic(base):
            kept[key] = at
        return at, passed

    def _walk_slowly(self, base: str, path: str, *, follow: bool) -> tuple[str, list[str]]:
        if path.startswith(f"{SCRATCH}/"):
            base, path = SCRATCH, path.removeprefix(SCRATCH)
        at = base.rstrip("/")  # the kernel said it, so no part of it is a link
        above = accumulate(at.split("/")[1:], lambda whole, part: f"{whole}/{part}", initial="")
        passed = [name for folder in above if (name := self._named(folder))]
        todo, links = path.strip("/").split("/"), 0
        while todo:
            part = todo.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                at = os.path.dirname(at) if at != "/" else at
                at = "" if at == "/" else at
                continue
            here = f"{at}/{part}"
            if name := self._named(here):
                passed.append(name)
            if (todo or follow) and links < _MOST_LINKS and os.path.islink(self.root + here) and not _magic(here):
                links += 1
                target = os.readlink(self.root + here)
                todo = target.strip("/").split("/") + todo
                at = "" if target.startswith("/") else at
                continue
            at = here
        return at or "/", passed

    def _named(self, path: str) -> str | None:
        placed = _placed(path)
        return None if placed is None else self.naming.folding.fold(placed)

    def _link(self, tid: int, descriptor: int) -> str:
        return os.readlink(f"/proc/{tid}/fd/{descriptor & 0xFFFFFFFF}")


def _magic(path: str) -> bool:
    """Whether a link is one of the kernel's, which means something else to every process."""
    return path.startswith("/proc")


def _placed(path: str) -> str | None:
    """The name of the object at a path: in the scratch folder relative to it, elsewhere whole; None outside."""
    if path == SCRATCH:
        return "."
    if path.startswith(f"{SCRATCH}/"):
        return path[len(SCRATCH) + 1 :]
    return path if path.startswith(tuple(f"{folder}/" for folder in PRIVATE)) else None


Uses = dict[str, dict[str, set[str]]]
"""Object -> run -> "r", "w": what earlier trials saw."""


def conflicts(uses: Uses, run: str, touches: tuple[Touch, ...]) -> Iterator[Touch]:
    """The touches that another run may care about: it uses the object and one of them writes, or nobody knows it."""
    for touch in touches:
        users = uses.get(touch.object)
        others = [kinds for name, kinds in (users or {}).items() if name != run]
        if users is None or any("w" in kinds or (kinds and touch.how == "w") for kinds in others):
            yield touch


def merge(into: Uses, new: Uses) -> bool:
    """Adds what `new` saw; whether it was news."""
    grew = False
    for target, by_run in new.items():
        for run, kinds in by_run.items():
            have = into.setdefault(target, {}).setdefault(run, set())
            grew |= not kinds <= have
            have |= kinds
    return grew


def shared(uses: Uses) -> Uses:
    """The part of `uses` that makes calls steps: objects of several runs, one of which writes."""
    return {
        target: by_run
        for target, by_run in uses.items()
        if len(by_run) > 1 and any("w" in kinds for kinds in by_run.values())
    }
