"""The process that trials are born from: small, single-threaded, and with nothing on the disk.

It runs apart, as `python -S -c START`, for a fork of the whole command would be slow and, beside threads, unsafe. It
has its own mounts, where everything but what is allowed is read-only. A trial is a clone of it with new process ids:
its init mounts an empty /tmp, /run and /dev/shm, plants the start state, starts the runs under their filters, and
later runs the check. The nursery ends when its supervisor does, and all trials with it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import select
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from dstamp_sim.hunt import trap
from dstamp_sim.hunt.tree import Tree

SCRATCH, OUTPUT = "/tmp/hunt", "/run"
HOME = "/tmp/home"
PRIVATE = ("/tmp", "/run", "/dev/shm")
CHECK_SECONDS = 60
GONE = (BrokenPipeError, ConnectionResetError)
"""What a socket raises when the supervisor at its other end is gone: then there is nobody to tell."""

START = (
    "import sys, types; package = types.ModuleType('dstamp_sim'); package.__path__ = [sys.argv[1]]; "
    "sys.modules['dstamp_sim'] = package; from dstamp_sim.hunt.nursery import main; main(int(sys.argv[2]))"
)
"""What Python runs: without the package's own `__init__`, which takes a second to import."""


@dataclass(frozen=True)
class Birth:
    """What a trial is made of. `held` says whether its runs come under filters; a setup does not."""

    tree: Tree
    commands: Mapping[str, str]
    check: str | None
    env: Mapping[str, str]
    held: bool = True


@dataclass
class _Init:
    """The first process of a trial, from the inside."""

    birth: Birth
    sock: socket.socket
    gates: Mapping[str, int]
    exits: dict[str, int] = field(default_factory=dict)

    def live(self) -> None:
        trap.mount("none", "/", "", trap.NOT_SHARED)
        trap.mount("proc", "/proc", "proc")
        trap.mount("/proc/sys", "/proc/sys", "", trap.BIND)
        trap.writable("/proc/sys", yes=False)  # the kernel's settings are everybody's
        for folder in PRIVATE:
            trap.mount("none", folder, "tmpfs")
            os.chmod(folder, 0o1777)
        for folder in (SCRATCH, HOME):
            os.mkdir(folder)
        self.birth.tree.plant(SCRATCH)
        runs = {self._start(name): name for name in self.birth.commands}
        while runs:
            pid, status = os.waitpid(-1, 0)
            if pid in runs:
                self._ended(runs.pop(pid), os.waitstatus_to_exitcode(status))
        self.sock.recv(9)
        self.sock.send(self._check())
        self.sock.recv(9)

    def _start(self, name: str) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                self._run(name)
            except BaseException as error:
                with contextlib.suppress(*GONE):
                    self.sock.send(b"error %s" % str(error).encode())
            finally:
                os._exit(127)
        return pid

    def _run(self, name: str) -> None:
        os.setsid()
        os.chdir(SCRATCH)
        out = os.open(f"{OUTPUT}/{name}.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open("/dev/null", os.O_RDONLY)
        for end, descriptor in ((null, 0), (out, 1), (out, 2)):
            os.dup2(end, descriptor)
        listener = [trap.install()] if self.birth.held else []
        socket.send_fds(self.sock, [f"run {name} {os.getpid()}".encode()], listener)
        for descriptor in listener:
            os.close(descriptor)
        select.select([self.gates[name]], [], [])
        os.execve(_shell(), ["bash", "-c", self.birth.commands[name]], {**self.birth.env, "RUN": name})

    def _ended(self, name: str, code: int) -> None:
        self.exits[name] = code if code >= 0 else 128 - code
        self.sock.send(f"end {name} {code}".encode())

    def _check(self) -> bytes:
        """What the check says: `check CODE WORDS`, or `late SECONDS` where it did not end."""
        if self.birth.check is None:
            return b"check 0"
        env = {**self.birth.env, **{f"EXIT_{name}": str(code) for name, code in self.exits.items()}}
        command = [_shell(), "-c", self.birth.check]
        try:
            done = subprocess.run(command, cwd=SCRATCH, env=env, check=False, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=CHECK_SECONDS)  # fmt: skip
        except subprocess.TimeoutExpired:
            return b"late %d" % CHECK_SECONDS
        return b"check %d %s" % (done.returncode, done.stdout.strip()[-2000:])


def _shell() -> str:
    return "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"


def _own_mounts(allowed: list[str]) -> None:
    """Own mounts; an ordinary user gets the right to make them in a user namespace, and stays who he is."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        trap.unshare(trap.NEW_MOUNTS)
    except trap.Unavailable:
        trap.unshare(trap.NEW_MOUNTS | trap.NEW_USER)
        for file, line in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            trap.map_identity(file, line)
    trap.mount("none", "/", "", trap.NOT_SHARED)
    for path in allowed:
        trap.mount(path, path, "", trap.BIND)
    trap.writable("/", yes=False)
    for path in allowed:
        trap.writable(path, yes=True)


def _bear(descriptors: list[int]) -> int:
    """The process id of a new trial's init."""
    sock_fd, content, *gate_fds = descriptors
    pid = trap.clone(trap.NEW_NAMESPACES)
    if pid:
        for descriptor in descriptors:
            os.close(descriptor)
        return pid
    sock = socket.socket(fileno=sock_fd)
    try:
        trap.die_with_parent()
        with open(content, "rb") as file:
            birth: Birth = pickle.load(file)
        _Init(birth, sock, dict(zip(birth.commands, gate_fds, strict=True))).live()
    except BaseException as error:
        with contextlib.suppress(*GONE):
            sock.send(f"error {error}".encode()[:2000])
    finally:
        os._exit(0)


def main(descriptor: int) -> None:
    """Serves one supervisor until that is gone: a request is a trial, `end` ends the last one."""
    with contextlib.suppress(*GONE):
        _serve(socket.socket(fileno=descriptor))


def _serve(sock: socket.socket) -> None:
    if not (told := sock.recv(60_000)):
        return
    allowed: list[str] = pickle.loads(told)
    try:
        _own_mounts(allowed)
    except OSError as error:
        sock.send(b"error %s" % str(error).encode())
        return
    trap.filter_here()  # every run is a fork of this
    gc.disable()  # it would touch, and so copy, memory that forks share
    sock.send(b"ready")
    child = 0
    while True:
        requested, descriptors, _, _ = socket.recv_fds(sock, 99, 40)
        if not requested:
            break
        if requested == b"end":
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, 9)
            os.waitpid(child, 0)
            sock.send(b"ended")
            continue
        try:
            child = _bear(descriptors)
            sock.send(b"born %d" % child)
        except OSError as error:
            sock.send(b"error %s" % str(error).encode())
