"""A trial is quiet only where nobody in it moves, whatever /proc/PID/stat says."""

import os
import resource
import select
import signal
import socket
import time
from pathlib import Path

import pytest

from dstamp_sim.hunt.quiet import Rest, Watch, devices
from dstamp_sim.hunt.trap import die_with_parent, machine

MANY = 12_000
"""Descriptors of a child: each is a name in /proc that its parent clears away when it buries the child."""


@pytest.fixture
def watched():
    """`watched(act)` is a `Watch` of a child that acts; the child is killed with the test, and its children with it."""
    opened = []

    def start(act):
        pid = os.fork()
        if pid == 0:
            try:
                act()
            finally:
                os._exit(0)
        opened.append((pid, Watch(pid, machine(), devices("", ()))))
        return opened[-1][1]

    yield start
    for pid, watch in opened:
        watch.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def in_a_child(act):
    """The process id of a child that acts, and ends with its parent."""
    pid = os.fork()
    if pid == 0:
        die_with_parent()
        act()
        os._exit(0)
    return pid


def rest_of(watch):
    """What the members wait for, once they do."""
    until = time.monotonic() + 30
    while (found := watch.rest(set(), reaps=True)) is None:
        assert time.monotonic() < until
        time.sleep(0.001)
    return found


def test_a_parent_that_still_buries_its_child_is_not_quiet(watched):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < MANY + 100:
        pytest.skip("a process may not have so many descriptors here")
    born, ready, go, told, rest = (os.pipe() for _ in range(5))

    def child():
        resource.setrlimit(resource.RLIMIT_NOFILE, (MANY + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        for _ in range(MANY):
            os.dup(0)
        os.write(ready[1], b"r")
        os.read(go[0], 1)

    def parent():
        pid = in_a_child(child)
        os.write(born[1], str(pid).encode())
        os.waitpid(pid, 0)
        os.write(told[1], b"x")
        os.read(rest[0], 1)

    watch = watched(parent)
    pid = int(os.read(born[0], 99))
    os.read(ready[0], 1)
    assert len(list(Path(f"/proc/{pid}/fd").iterdir())) > MANY
    os.write(go[1], b"x")
    while not select.select([told[0]], [], [], 0)[0]:
        quiet = watch.rest(set(), reaps=True) is not None
        assert not quiet or select.select([told[0]], [], [], 0)[0]
    assert rest_of(watch) == Rest()


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (lambda: os.read(os.pipe()[0], 1), Rest()),
        (lambda: [pair[0].recv(1) for pair in [socket.socketpair()]], Rest(outside=True)),
        (lambda: select.select([os.pipe()[0]], [], []), Rest(outside=True)),
        (lambda: signal.sigtimedwait({signal.SIGUSR1}, 600), Rest(timed=True)),
        (lambda: os.kill(os.getpid(), signal.SIGSTOP), Rest(stopped=True)),
    ],
    ids=["a pipe", "a socket", "a select", "a signal or a time", "a stop"],
)
def test_what_a_member_waits_for_is_told(act, found, watched):
    watch = watched(lambda: os.wait() if in_a_child(act) else None)
    assert rest_of(watch) == found
    assert found.for_ever == (found == Rest())


def test_who_computes_is_not_quiet(watched):
    def compute():
        while True:
            pass

    watch = watched(compute)
    time.sleep(0.05)
    assert {watch.rest(set(), reaps=True) for _ in range(50)} == {None}
