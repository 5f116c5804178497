"""Locks: a mutex that outlives its owner's death, and flock(2) as Linux does it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, NamedTuple

from dstamp_sim.core.op import Op, Program
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.typed import expect, is_name
from dstamp_sim.core.value import key, text
from dstamp_sim.objects.waiting_line import WaitingLine


class Mutex(SharedObject):
    """A lock inside a program: held or free (its state is a bool), and left held when its holder dies or ends.

    Which waiter gets a freed mutex is not fixed: any process that asks may be next. With `fifo=True` the first one that
    asked is, by a line that comes beside it; only `try_acquire` barges in (as Java's `tryLock` of a fair lock does).
    Releasing one that this process does not hold is the model's error.
    """

    is_lock = True
    beside: tuple[WaitingLine, ...] = ()

    def __init__(self, name: str, *, fifo: bool = False, private: bool = False) -> None:
        super().__init__(name, False, private=private)
        self.beside = _line_beside(self, fifo=fifo)

    def turn(self, op: Op) -> Program[Any] | None:
        """With `fifo`, who acquires lines up."""
        return _through(self.beside, op)

    def acquire(self) -> Op:
        """Blocks until the mutex is free, then holds it; returns True."""
        return self.op("acquire")

    def try_acquire(self) -> Op:
        """Holds the mutex if it is free; returns True or None, and never blocks."""
        return self.op("try_acquire")

    def release(self, token: Hashable = True) -> Op:
        """Frees the mutex that this process holds; returns None."""
        return self.op("release", token)

    def outcomes(self, state: bool, op: Op) -> tuple[Outcome, ...]:
        """Deterministic; only `acquire` blocks."""
        match op.verb:
            case "acquire":
                return () if state else (Outcome(True, True, takes=True),)
            case "try_acquire":
                return (Outcome(True, None) if state else Outcome(True, True, takes=True),)
            case "release":
                return (Outcome(False, drops=True),)
        raise self.unknown_verb(op)


def _line_beside(lock: SharedObject, *, fifo: bool) -> tuple[WaitingLine, ...]:
    """The line before a lock that is FIFO."""
    who = f"{type(lock).__name__} {lock.name!r}"
    expect(isinstance(fifo, bool), who, "fifo", fifo, "True or False")
    expect(not (fifo and lock.private), who, "fifo", fifo, "False: nobody else asks for a lock that is private")
    return (WaitingLine(f"{lock.name} line"),) if fifo else ()


def _through(lines: tuple[WaitingLine, ...], op: Op) -> Program[Any] | None:
    """The way through a line, if there is one, to an op that waits for a lock."""
    return lines[0].take(op) if lines and op.verb in ("acquire", "lock") else None


class LockFile(NamedTuple):
    """The state of a flock's path: the inode it names (None: unlinked), how many were made, and which are locked.

    `locked` maps each locked inode to the number of descriptors that refer to the lock, as sorted pairs.
    """

    inode: int | None
    made: int
    locked: tuple[tuple[int, int], ...]


class Flock(SharedObject):
    """flock(2) on one path, with its inodes (DOMAIN, "flock, git", observed by running the real thing).

    - Advisory: only who asks is held up; nothing else is.
    - Bound to the open file description: a second `acquire` of the same process opens anew and blocks itself.
    - Shared over fork: `inherit` gives another process a descriptor of the same lock.
    - Released at the last close, or by the kernel when its holder ends or dies.
    - Wake order: about FIFO, but a releaser that locks again at once barges, so any process that asks may be next.
      With `fifo=True` the first one that asked is: what a flock would cost if nobody barged, not what Linux does.
    - Unlinking the file while others wait makes two holders: they lock an inode that the path no longer names.

    `acquire` and `try_acquire` open and lock in one op; where unlinking matters, use `open` and `lock`. A descriptor is
    an inode's number, so locking twice through one descriptor (a no-op in reality) is not told from a second open.
    """

    is_lock = True
    beside: tuple[WaitingLine, ...] = ()

    def __init__(self, path: str, *, fifo: bool = False, private: bool = False) -> None:
        super().__init__(path, LockFile(1, 1, ()), private=private)
        self.beside = _line_beside(self, fifo=fifo)

    def turn(self, op: Op) -> Program[Any] | None:
        """With `fifo`, who acquires or locks lines up."""
        return _through(self.beside, op)

    def acquire(self) -> Op:
        """Opens the file, blocks until its lock is free, and locks it; returns the descriptor (an inode number)."""
        return self.op("acquire")

    def try_acquire(self) -> Op:
        """Opens and locks the file without blocking (LOCK_NB); returns the descriptor, None if that would block."""
        return self.op("try_acquire")

    def open(self) -> Op:
        """Opens the file, creating it when it was unlinked; returns a descriptor, and locks nothing."""
        return self.op("open")

    def lock(self, descriptor: int) -> Op:
        """Blocks until the inode of an open descriptor is unlocked, then locks it; returns the descriptor."""
        return self.op("lock", descriptor)

    def inherit(self, descriptor: int) -> Op:
        """Takes over a descriptor of a lock that is held, as a forked child does; returns the descriptor."""
        return self.op("inherit", descriptor)

    def release(self, descriptor: int) -> Op:
        """Closes the descriptor (as dropping a Python file object does); the last close unlocks. Returns None."""
        return self.op("release", descriptor)

    def close(self, descriptor: int) -> Op:
        """Closes a descriptor through which this process locked nothing. Returns None."""
        return self.op("close", descriptor)

    def is_current(self, descriptor: int) -> Op:
        """Returns whether the path still names the inode of the descriptor (fstat against stat)."""
        return self.op("is_current", descriptor)

    def unlink(self) -> Op:
        """Removes the path's name; locks on its inode stay. Returns None."""
        return self.op("unlink")

    def outcomes(self, state: LockFile, op: Op) -> tuple[Outcome, ...]:
        """Deterministic; `acquire` and `lock` block while the inode is locked."""
        match op.verb, op.args:
            case "acquire" | "try_acquire" | "open", ():
                return self._opened(state, op.verb)
            case "lock", (int(inode),):
                return () if inode in dict(state.locked) else (_locked(state, inode),)
            case "inherit", (int(inode),):
                return (_locked(state, inode),) if inode in dict(state.locked) else ()
            case "release", (int(inode),):
                return (Outcome(_closed(state, inode), drops=inode),)
            case "close", (int(),):
                return (Outcome(state),)
            case "is_current", (int(inode),):
                return (Outcome(state, inode == state.inode),)
            case "unlink", ():
                return (Outcome(state._replace(inode=None)),)
        raise self.unknown_verb(op)

    def _opened(self, state: LockFile, verb: str) -> tuple[Outcome, ...]:
        linked = state if state.inode is not None else LockFile(state.made + 1, state.made + 1, state.locked)
        inode = linked.inode
        assert inode is not None
        if verb == "open":
            return (Outcome(linked, inode),)
        if inode not in dict(state.locked):
            return (_locked(linked, inode),)
        return (Outcome(linked, None),) if verb == "try_acquire" else ()

    def on_death(self, state: LockFile, token: Hashable) -> LockFile:
        """The kernel closes what the dead process held."""
        return _closed(state, token)

    def at_exit(self, token: Hashable) -> Op:
        """Ending closes every descriptor."""
        return self.op("release", token)


def _locked(state: LockFile, inode: int) -> Outcome:
    counts = dict(state.locked)
    counts[inode] = counts.get(inode, 0) + 1
    return Outcome(state._replace(locked=tuple(sorted(counts.items()))), inode, takes=inode)


def _closed(state: LockFile, inode: Any) -> LockFile:
    counts = {known: count - (known == inode) for known, count in state.locked}
    return state._replace(locked=tuple(sorted((known, count) for known, count in counts.items() if count)))


@dataclass(frozen=True)
class LockScope:
    """A flock of a model's vocabulary: its name, and what it is per (`of`, a function of the program's arguments).

    Processes for which `of` returns the same key (by type and content: 1 is not "1") share one flock, those for which
    it returns None take none; without `of` there is one for all. `fifo` is that of the flocks.
    """

    name: str
    of: Callable[..., Hashable] | None = None
    fifo: bool = False
    _made: dict[Hashable, Flock] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        expect(is_name(self.name), "LockScope", "name", self.name, "a text that is not empty")
        expect(self.of is None or callable(self.of), f"LockScope {self.name!r}", "of", self.of, "a function, or None")

    def lock(self, args: tuple[Any, ...]) -> Flock | None:
        """The flock that a process with these arguments takes, if any; the same object for the same key."""
        of = _FOR_ALL if self.of is None else self.of(*args)
        if of is None:
            return None
        made = self._made.get(key(of))
        if made is None:
            made = self._made[key(of)] = Flock(self._name_for(of), fifo=self.fifo)
        return made

    def _name_for(self, of: Hashable) -> str:
        """A name that no other key of this scope has."""
        if of is _FOR_ALL:
            return f"{self.name} lock"
        shown = of if isinstance(of, str) and _is_plain(of) else text(of)
        names = {made.name for made in self._made.values()}
        wanted = (f"{self.name} lock {shown}", f"{self.name} lock {shown} ({type(of).__name__})")
        numbered = (f"{wanted[1]} {number}" for number in count(2))
        return next(name for name in chain(wanted, numbered) if name not in names)


_FOR_ALL = object()


def _is_plain(of: str) -> bool:
    """Whether a text can be read in a name as it is: neither empty, nor with space at an end, nor a number's text."""
    return bool(of) and of == of.strip() and not of.isdecimal()
