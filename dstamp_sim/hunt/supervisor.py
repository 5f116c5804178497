"""Bears trials and ends them: the side of the nursery that the hunt is on."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from dstamp_sim.hunt import trap
from dstamp_sim.hunt.folding import NOT_FOLDED, Folding
from dstamp_sim.hunt.nursery import START, Birth
from dstamp_sim.hunt.touches import Naming, OutsidePaths, Uses
from dstamp_sim.hunt.trial import HeldTrial, refused


class Supervisor:
    """Bears trials and ends them; a context. Everything that it made is gone when it is, however it ends.

    `trials` counts those of runs that were held.

    `allowed` paths stay writable; a trial that lasts longer than `seconds` is ended. Raises UsageError where
    this machine cannot hold system calls.
    """

    def __init__(self, *, allowed: tuple[str, ...] = (), seconds: float = 30.0) -> None:
        self.allowed, self.seconds = allowed, seconds
        self.machine = trap.machine()
        self.names = {number: name for name, number in self.machine.numbers.items()}
        self.outside: OutsidePaths = {}
        self.trials = 0

    def __enter__(self) -> Supervisor:
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        package = str(Path(__file__).parents[1])
        command = [sys.executable, "-S", "-B", "-c", START, package, str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
        )  # in a session of its own: Ctrl-C is the supervisor's
        theirs.close()
        self.sock.send(pickle.dumps(list(self.allowed)))
        answer = self.sock.recv(4000)
        if answer != b"ready":
            self.__exit__(None, None, None)
            raise refused(answer.decode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.sock.close()
        self._process.wait()

    @contextlib.contextmanager
    def trial(
        self, birth: Birth, uses: Uses | None = None, folding: Folding = NOT_FOLDED, *, watch: bool = False
    ) -> Iterator[HeldTrial]:
        """A trial that has begun, and ends with the context. One at a time. Without `uses` all calls are held."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        gates = {name: os.pipe() for name in birth.commands}
        content = os.memfd_create("birth")
        os.write(content, pickle.dumps(birth))
        os.lseek(content, 0, os.SEEK_SET)
        readers = [reader for reader, _ in gates.values()]
        socket.send_fds(self.sock, [b"bear"], [theirs.fileno(), content, *readers])
        word, _, rest = self.sock.recv(4000).decode().partition(" ")
        for descriptor in (content, *readers):
            os.close(descriptor)
        theirs.close()
        writers = {name: writer for name, (_, writer) in gates.items()}
        trial = HeldTrial(
            mine, writers, self.machine, seconds=self.seconds, uses=uses, watch=watch,
            naming=Naming(self.names, folding, None if self.allowed else self.outside),
        )  # fmt: skip
        try:
            if word != "born":
                raise refused(rest)
            trial.begin(int(rest))
            yield trial
        finally:
            if word == "born":
                self.sock.send(b"end")
                self.sock.recv(99)
            trial.close()
