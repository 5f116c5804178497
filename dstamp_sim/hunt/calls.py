"""The system calls that a hunt looks at: what each is about, and its number on each kind of processor.

A form says where a call's objects stand among its arguments, a word each:

    P0r     argument 0 is a path                     F0r     argument 0 is a descriptor
    A0r     0 is a folder's descriptor, 1 a path     D0r     0 is a folder's descriptor: its listing
    S1r     argument 1 is a socket's address         L0      0 is a descriptor that is locked or unlocked
    K0 G1   a process, or a thread, gets a signal    X       the process ends

and what is done: `r` reads, `w` writes, `n` makes or removes the name, `l` reads and follows no last link, `s` reads
and follows it unless a flag says no, `o` as the flags of an open say.
"""

from __future__ import annotations

import platform
from typing import NamedTuple

SLEEPS = frozenset({"nanosleep", "clock_nanosleep"})
TIMERS = frozenset({"alarm", "setitimer", "timer_settime", "timerfd_settime"})
LISTED = {"open": 1, "openat": 2, "openat2": 2}
"""Where the flags of an open stand."""
FOLLOWS = {"newfstatat": 3, "statx": 2}
"""Where the flag stands that says whether a last link is followed."""

FORMS: dict[str, str] = {
    "read": "F0r", "write": "F0w", "readv": "F0r", "writev": "F0w", "pread64": "F0r", "pwrite64": "F0w",
    "preadv": "F0r", "pwritev": "F0w", "preadv2": "F0r", "pwritev2": "F0w", "sendfile": "F0w F1r",
    "splice": "F0r F2w", "copy_file_range": "F0r F2w", "mmap": "F4r", "fallocate": "F0w", "ftruncate": "F0w",
    "truncate": "P0w", "open": "P0o", "creat": "P0n", "openat": "A0o", "openat2": "A0o",
    "stat": "P0r", "lstat": "P0l", "newfstatat": "A0s", "statx": "A0s", "access": "P0r", "faccessat": "A0r",
    "faccessat2": "A0r", "readlink": "P0l", "readlinkat": "A0l", "chdir": "P0r", "getdents": "D0r",
    "getdents64": "D0r", "rename": "P0n P1n", "renameat": "A0n A2n", "renameat2": "A0n A2n", "mkdir": "P0n",
    "mkdirat": "A0n", "rmdir": "P0n", "unlink": "P0n", "unlinkat": "A0n", "link": "P0r P1n", "linkat": "A0r A2n",
    "symlink": "P1n", "symlinkat": "A1n", "mknod": "P0n", "mknodat": "A0n", "chmod": "P0w", "fchmod": "F0w",
    "fchmodat": "A0w", "fchmodat2": "A0w", "chown": "P0w", "lchown": "P0w", "fchown": "F0w", "fchownat": "A0w",
    "utime": "P0w", "utimes": "P0w", "futimesat": "A0w", "utimensat": "A0w", "setxattr": "P0w", "lsetxattr": "P0w",
    "fsetxattr": "F0w", "getxattr": "P0r", "lgetxattr": "P0l", "fgetxattr": "F0r", "removexattr": "P0w",
    "lremovexattr": "P0w", "fremovexattr": "F0w", "listxattr": "P0r", "llistxattr": "P0l", "flistxattr": "F0r",
    "execve": "P0r", "execveat": "A0r", "connect": "S1r", "bind": "S1n", "flock": "L0", "fcntl": "L0",
    "kill": "K0", "tkill": "G0", "tgkill": "G1", "exit_group": "X", "getrandom": "",
    **dict.fromkeys(sorted(SLEEPS | TIMERS), ""),
}  # fmt: skip

_X86_64: dict[str, int] = {
    "read": 0, "write": 1, "open": 2, "stat": 4, "lstat": 6, "mmap": 9, "pread64": 17, "pwrite64": 18, "readv": 19,
    "writev": 20, "access": 21, "nanosleep": 35, "alarm": 37, "setitimer": 38, "sendfile": 40, "connect": 42,
    "bind": 49, "execve": 59, "kill": 62, "fcntl": 72, "flock": 73, "truncate": 76, "ftruncate": 77, "getdents": 78,
    "chdir": 80, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "symlink": 88,
    "readlink": 89, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "utime": 132, "mknod": 133,
    "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "getxattr": 191, "lgetxattr": 192, "fgetxattr": 193,
    "listxattr": 194, "llistxattr": 195, "flistxattr": 196, "removexattr": 197, "lremovexattr": 198,
    "fremovexattr": 199, "tkill": 200, "getdents64": 217, "timer_settime": 223, "clock_nanosleep": 230,
    "exit_group": 231, "tgkill": 234, "utimes": 235, "openat": 257, "mkdirat": 258, "mknodat": 259, "fchownat": 260,
    "futimesat": 261, "newfstatat": 262, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266,
    "readlinkat": 267, "fchmodat": 268, "faccessat": 269, "splice": 275, "utimensat": 280, "fallocate": 285,
    "timerfd_settime": 286, "preadv": 295, "pwritev": 296, "renameat2": 316, "getrandom": 318, "execveat": 322,
    "copy_file_range": 326, "preadv2": 327, "pwritev2": 328, "statx": 332, "openat2": 437, "faccessat2": 439,
    "fchmodat2": 452,
}  # fmt: skip

_AARCH64: dict[str, int] = {
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "getxattr": 8, "lgetxattr": 9, "fgetxattr": 10,
    "listxattr": 11, "llistxattr": 12, "flistxattr": 13, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
    "fcntl": 25, "flock": 32, "mknodat": 33, "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37,
    "renameat": 38, "truncate": 45, "ftruncate": 46, "fallocate": 47, "faccessat": 48, "chdir": 49, "fchmod": 52,
    "fchmodat": 53, "fchownat": 54, "fchown": 55, "openat": 56, "getdents64": 61, "read": 63, "write": 64,
    "readv": 65, "writev": 66, "pread64": 67, "pwrite64": 68, "preadv": 69, "pwritev": 70, "sendfile": 71,
    "splice": 76, "readlinkat": 78, "newfstatat": 79, "timerfd_settime": 86, "utimensat": 88, "exit_group": 94,
    "nanosleep": 101, "setitimer": 103, "timer_settime": 110, "clock_nanosleep": 115, "kill": 129, "tkill": 130,
    "tgkill": 131, "bind": 200, "connect": 203, "execve": 221, "mmap": 222, "renameat2": 276, "getrandom": 278,
    "execveat": 281, "copy_file_range": 285, "preadv2": 286, "pwritev2": 287, "statx": 291, "openat2": 437,
    "faccessat2": 439, "fchmodat2": 452,
}  # fmt: skip


class Processor(NamedTuple):
    """A kind of processor: its audit word, the numbers of the calls above, and of those that are needed for the trap.

    `closed` are calls in which a thread waits for what only another member of the trial can do (pipe, lock, child);
    `waits` are those that wait for a child, `endless` those of the closed ones that no time ends; `pipes` are those
    that wait for the other end of their first argument, `locks` for a lock of it.
    """

    arch: int
    numbers: dict[str, int]
    seccomp: int
    clone: int
    closed: frozenset[int]
    waits: frozenset[int]
    endless: frozenset[int]
    pipes: frozenset[int]
    locks: frozenset[int]


PROCESSORS = {
    "x86_64": Processor(
        0xC000003E, _X86_64, 317, 56, frozenset({0, 1, 34, 56, 57, 58, 61, 72, 73, 128, 130, 202, 247, 435}),
        frozenset({61, 247}), frozenset({0, 1, 56, 57, 58, 61, 72, 73, 247, 435}),
        frozenset({0, 1}), frozenset({72, 73}),
    ),
    "aarch64": Processor(
        0xC00000B7, _AARCH64, 277, 220, frozenset({25, 32, 63, 64, 95, 98, 133, 137, 220, 260, 435}),
        frozenset({95, 260}), frozenset({25, 32, 63, 64, 95, 220, 260, 435}),
        frozenset({63, 64}), frozenset({25, 32}),
    ),
}  # fmt: skip

IO_URING_SETUP = 425

PLAIN = {
    **dict.fromkeys(("openat", "openat2", "creat"), "open"),
    **dict.fromkeys(("newfstatat", "statx", "lstat"), "stat"),
    **dict.fromkeys(("faccessat", "faccessat2"), "access"),
    **dict.fromkeys(("readv", "pread64", "preadv", "preadv2"), "read"),
    **dict.fromkeys(("writev", "pwrite64", "pwritev", "pwritev2"), "write"),
    **dict.fromkeys(("renameat", "renameat2"), "rename"),
    **dict.fromkeys(("unlinkat", "rmdir"), "unlink"),
    **dict.fromkeys(("fchmodat", "fchmodat2", "fchmod"), "chmod"),
    **dict.fromkeys(("fchownat", "fchown", "lchown"), "chown"),
    **dict.fromkeys(("utime", "utimes", "futimesat", "utimensat"), "touch"),
    **dict.fromkeys(("tkill", "tgkill"), "kill"),
    **dict.fromkeys(("getdents", "getdents64"), "list"),
    **dict.fromkeys(SLEEPS, "sleep"),
    "mkdirat": "mkdir", "linkat": "link", "symlinkat": "symlink", "readlinkat": "readlink", "mknodat": "mknod",
    "ftruncate": "truncate", "execveat": "execve", "fcntl": "lock", "exit_group": "exit",
}  # fmt: skip
"""What calls that do the same are called in stories and hunt files, on every kind of processor."""


def this_processor() -> Processor | None:
    """The table of the processor that this runs on; None where there is no table for it."""
    return PROCESSORS.get(platform.machine())
