"""The kernel's side: a seccomp filter that reports chosen system calls to a listener, which lets each go when it likes.

Plain ctypes: what is needed is three ioctls, one system call and some 250 BPF instructions.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import struct
from functools import cache
from typing import NamedTuple

from dstamp_sim.hunt.calls import IO_URING_SETUP, Processor, this_processor

_libc = ctypes.CDLL(None, use_errno=True)

ALLOW, NOTIFY, KILL, NO_SUCH_CALL = 0x7FFF0000, 0x7FC00000, 0x80000000, 0x00050000 | 38
_NEW_LISTENER, _WAIT_KILLABLE = 1 << 3, 1 << 5
_RECV, _SEND, _SET_FLAGS = 0xC0502100, 0xC0182101, 0x40082104
_LOAD, _EQUAL, _SET, _AT_LEAST, _GIVE = 0x20, 0x15, 0x45, 0x35, 0x06
_X32 = 0x40000000

NEW_NAMESPACES = 0x20000000 | 0x00020000 | 0x08000000
"""Flags of clone: own process ids, mounts, and System V objects."""
NEW_USER, NEW_MOUNTS = 0x10000000, 0x00020000
READ_ONLY, NOT_SHARED, BIND = 1, 0x4000 | 0x40000, 0x1000 | 0x4000


class Unavailable(OSError):
    """This machine cannot hold system calls; the text says what is missing."""


class Notice(NamedTuple):
    """A system call that waits: which thread's, which, with what."""

    id: int
    tid: int
    number: int
    args: tuple[int, ...]


_ONLY: dict[str, tuple[int, tuple[int, ...], int, bool]] = {
    "mmap": (3, (0x20, 0x800), _SET, False),
    "newfstatat": (3, (0x1000,), _SET, False),
    "statx": (2, (0x1000,), _SET, False),
    "fcntl": (1, (6, 7, 37, 38), _EQUAL, True),
}
"""Calls of which only some are reported: the argument, its values or bits, and whether those are the ones.

Anonymous memory and what is asked of a descriptor by name touch no name, and a library that the loader maps
(MAP_DENYWRITE, which nothing else sets) was read before; of fcntl only locks are of interest.
"""


def bpf(machine: Processor) -> bytes:
    """The filter: calls of the table are reported, io_uring does not exist, another processor's calls kill."""
    code = [
        (_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine.arch), (_GIVE, 0, 0, KILL),
        (_LOAD, 0, 0, 0), (_AT_LEAST, 0, 1, _X32), (_GIVE, 0, 0, KILL),
        (_EQUAL, 0, 1, IO_URING_SETUP), (_GIVE, 0, 0, NO_SUCH_CALL),
    ]  # fmt: skip
    for name, number in machine.numbers.items():
        body = _reported(name)
        code += [(_EQUAL, 0, len(body), number), *body]
    code.append((_GIVE, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in code)


def _reported(name: str) -> list[tuple[int, int, int, int]]:
    if name not in _ONLY:
        return [(_GIVE, 0, 0, NOTIFY)]
    argument, values, jump, are_reported = _ONLY[name]
    listed, others = (NOTIFY, ALLOW) if are_reported else (ALLOW, NOTIFY)
    body = [(_LOAD, 0, 0, 16 + 8 * argument)]
    for value in values:
        body += [(jump, 0, 1, value), (_GIVE, 0, 0, listed)]
    return [*body, (_GIVE, 0, 0, others)]


def machine() -> Processor:
    """The table of this processor. Raises Unavailable where there is none."""
    found = this_processor()
    if found is None:
        raise Unavailable(f"no table of system calls for {os.uname().machine} (there is one of x86_64 and aarch64)")
    return found


@cache
def filter_here() -> bytes:
    """The filter of this processor, made once. Raises Unavailable where there is none."""
    return bpf(machine())


def install() -> int:
    """The listener's descriptor: from now on this process and its children are under the filter.

    Raises Unavailable where the kernel has no user notification that only a kill interrupts (Linux 5.19).
    """
    here = machine()
    program = filter_here()
    held = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(held))
    if os.geteuid() != 0:
        _libc.prctl(38, 1, 0, 0, 0)  # no_new_privs: what an ordinary user must give for a filter
    listener: int = _libc.syscall(here.seccomp, 1, _NEW_LISTENER | _WAIT_KILLABLE, header)
    if listener < 0:
        raise Unavailable(
            f"seccomp: {os.strerror(ctypes.get_errno())}: "
            "the kernel, or the container around, refuses user notification (Linux 5.19 has it)"
        )
    return listener


def hurry(listener: int) -> None:
    """Hands over between listener and caller on one processor, where the kernel can (Linux 6.6)."""
    _libc.ioctl(listener, ctypes.c_ulong(_SET_FLAGS), ctypes.c_ulong(1))


def receive(listener: int) -> Notice | None:
    """The next call that waits; None where it is gone (its process was killed)."""
    raw = bytearray(80)
    try:
        fcntl.ioctl(listener, _RECV, raw)
    except OSError:
        return None
    ident, tid, _, number, _, _, *args = struct.unpack("QIIiIQ6Q", raw)
    return Notice(ident, tid, number, tuple(args))


def release(listener: int, notice: Notice, gives: int | None = None) -> None:
    """Lets the call happen; with `gives` it does not happen, and returns that. Nothing where its process is gone."""
    answer = struct.pack("QqiI", notice.id, gives or 0, 0, 1 if gives is None else 0)
    with contextlib.suppress(FileNotFoundError):
        fcntl.ioctl(listener, _SEND, answer)


class _Stretch(ctypes.Structure):
    """Where some bytes of memory are."""

    _fields_ = (("address", ctypes.c_void_p), ("size", ctypes.c_size_t))


_PAGE = 4096


def memory(tid: int, address: int, size: int) -> bytes:
    """Up to `size` bytes of a process's memory. Raises OSError where it is gone."""
    here = ctypes.create_string_buffer(size)
    first = min(size, _PAGE - address % _PAGE)  # what lies behind the end of a page may not be there
    local = _Stretch(ctypes.addressof(here), size)
    remote = (_Stretch * 2)(_Stretch(address, first), _Stretch(address + first, size - first))
    count: int = _libc.process_vm_readv(tid, ctypes.byref(local), 1, remote, 2 if size > first else 1, 0)
    if count < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return here.raw[:count]


def poke(tid: int, address: int, data: bytes) -> None:
    """Writes into a process's memory. Raises OSError where it is gone."""
    with open(f"/proc/{tid}/mem", "r+b", buffering=0) as file:
        os.pwrite(file.fileno(), data, address)


def clone(flags: int) -> int:
    """As fork, with `flags`. Raises Unavailable where the kernel refuses."""
    pid: int = _libc.syscall(machine().clone, flags | 17, 0, 0, 0, 0)
    if pid < 0:
        raise Unavailable(f"clone: {os.strerror(ctypes.get_errno())}: own namespaces are refused here")
    return pid


def unshare(flags: int) -> None:
    """Moves this process into new namespaces. Raises Unavailable where the kernel refuses."""
    if _libc.unshare(flags):
        raise Unavailable(f"unshare: {os.strerror(ctypes.get_errno())}: own namespaces are refused here")


def map_identity(file: str, line: str) -> None:
    """Says who this process is in its new user namespace. Raises Unavailable where the kernel refuses."""
    try:
        with open(f"/proc/self/{file}", "w", encoding="ascii") as handle:
            handle.write(line)
    except OSError as error:
        raise Unavailable(f"{file} of a user namespace: {error.strerror}: it is refused here") from error


def mount(source: str, target: str, kind: str, flags: int = 0) -> None:
    """Mounts. Raises Unavailable where that is refused."""
    if _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), b""):
        raise Unavailable(f"mount {target}: {os.strerror(ctypes.get_errno())}")


def writable(target: str, *, yes: bool) -> None:
    """Makes all that is mounted at and below `target` writable, or not. Raises Unavailable before Linux 5.12."""
    attributes = struct.pack("4Q", 0 if yes else READ_ONLY, READ_ONLY if yes else 0, 0, 0)
    if _libc.syscall(442, -100, target.encode(), 0x8000, attributes, len(attributes)):
        raise Unavailable(f"mount_setattr {target}: {os.strerror(ctypes.get_errno())}")


def die_with_parent() -> None:
    """Has the kernel kill this process when its parent ends."""
    _libc.prctl(1, 9, 0, 0, 0)
