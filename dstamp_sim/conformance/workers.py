"""Workers: one OS process per model process, forked by a small process and killed when a model process dies."""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from dstamp_sim.engines.parallel.processes import die_with

_MESSAGE_BYTES = 1 << 16

BLOCKED = "(would block)"
"""A hand's result if the real thing would block and it must not wait."""


class Hand(Protocol):
    """Performs the ops of one object inside a worker; picklable, and a separate one in every worker."""

    def perform(self, verb: str, args: tuple[Any, ...], *, wait: bool) -> Any:
        """Performs one op for real; `BLOCKED` where it would block and `wait` is false."""


class Worker:
    """A model process's OS process, seen from outside: it performs one op at a time."""

    def __init__(self, name: str, pid: int, connection: socket.socket) -> None:
        self.name, self.pid = name, pid
        self._connection = connection
        self._process = os.pidfd_open(pid)

    def fileno(self) -> int:
        """The descriptor that is readable when an answer has come: workers can be selected on."""
        return self._connection.fileno()

    def ask(self, part: str, verb: str, args: tuple[Any, ...], *, wait: bool) -> Any:
        """Performs an op and returns its raw result. Raises what the worker raised."""
        self.send(part, verb, args, wait=wait)
        return self.receive()[0]

    def send(self, part: str, verb: str, args: tuple[Any, ...], *, wait: bool) -> None:
        """Requests an op; `receive` returns its result."""
        self._connection.send(pickle.dumps((part, verb, args, wait)))

    def receive(self) -> tuple[Any, float, float]:
        """The raw result of the requested op, and when it began and ended (`time.monotonic` of this machine)."""
        message = self._connection.recv(_MESSAGE_BYTES)
        if not message:
            raise RuntimeError(f"worker {self.name} died during an op")
        failure, result, began, ended = pickle.loads(message)
        if failure is not None:
            raise failure
        return result, began, ended

    def kill(self) -> None:
        """Kills the process and its children with SIGKILL, and returns after the kernel has released what it held."""
        os.killpg(self.pid, signal.SIGKILL)
        self._buried()

    def leave(self) -> None:
        """Lets the process end by itself; returns after the kernel has released what it held."""
        self._connection.shutdown(socket.SHUT_WR)
        self._buried()

    def close(self) -> None:
        """Ends the process, if it is alive, and forgets it."""
        if self._process >= 0:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._buried()

    def _buried(self) -> None:
        select.select([self._process], [], [])
        os.close(self._process)
        self._process = -1
        self._connection.close()


class Crew:
    """The workers of one run: hired by name, all gone when the crew is dismissed."""

    def __init__(self, source: Forker) -> None:
        self._source = source
        self._workers: list[Worker] = []

    def hire(self, name: str, hands: Mapping[str, Hand]) -> Worker:
        """A fresh worker for the model process `name`, with its own hands."""
        worker = self._source.fork(name, hands)
        self._workers.append(worker)
        return worker

    def dismiss(self) -> None:
        """Ends every worker."""
        for worker in self._workers:
            worker.close()
        self._workers.clear()


class Forker:
    """Makes workers: a process without threads that has imported their modules, so that a fork is safe and quick."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._one_at_a_time = threading.Lock()

    def fork(self, name: str, hands: Mapping[str, Hand]) -> Worker:
        """A new worker that performs ops by `hands`, in a separate process group."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._one_at_a_time:
            socket.send_fds(self._orders, [pickle.dumps((name, dict(hands)))], [theirs.fileno()])
            pid = int(self._orders.recv(64))
        return Worker(name, pid, ours)


@contextmanager
def forker() -> Iterator[Forker]:
    """A forker at work; it and all its workers are gone when the block ends, and when this process dies."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "dstamp_sim.conformance.workers", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    with process, ours:
        try:
            yield Forker(ours)
        finally:
            ours.shutdown(socket.SHUT_RDWR)


def _serve_orders(orders: socket.socket) -> None:
    """The forker's life: fork a worker for each order, until no caller is left."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the workers
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, _MESSAGE_BYTES, 1)
        if not message:
            return
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            orders.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            die_with(parent)
            with suppress(BrokenPipeError, ConnectionResetError):
                _work(socket.socket(fileno=descriptors[0]), pickle.loads(message)[1])
            os._exit(0)
        with suppress(ProcessLookupError):  # it has ended: nobody is left at its other end
            os.setpgid(pid, pid)  # before anybody knows it: it is killed with its children
        os.close(descriptors[0])
        orders.send(str(pid).encode())


def _work(connection: socket.socket, hands: Mapping[str, Hand]) -> None:
    """A worker's life: perform the requests (nothing on no part: a delay), until no caller is left."""
    while message := connection.recv(_MESSAGE_BYTES):
        part, verb, args, wait = pickle.loads(message)
        began = time.monotonic()
        failure, result = None, None
        try:
            if part:
                result = hands[part].perform(verb, args, wait=wait)
            else:
                time.sleep(args[0])
        except Exception as error:
            failure = RuntimeError(f"{part}.{verb}{args}: {error!r}")
        connection.send(pickle.dumps((failure, result, began, time.monotonic())))


if __name__ == "__main__":
    import dstamp_sim.conformance.parts  # noqa: F401 - what every worker needs, imported once

    with suppress(BrokenPipeError, ConnectionResetError):  # whoever ordered is gone
        _serve_orders(socket.socket(fileno=int(sys.argv[1])))
