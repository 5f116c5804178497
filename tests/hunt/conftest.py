"""What the tests of hunts need: a kernel that lets system calls be held."""

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dstamp_sim.core.errors import UsageError
from dstamp_sim.hunt.hunt import supervisor
from dstamp_sim.hunt.job import Job, prepared
from dstamp_sim.hunt.search import look_around
from tests.needs import LeftOut, leave_out

ACTIONS = Path("/proc/sys/kernel/seccomp/actions_avail")


def could_hold():
    """Whether this machine lets calls be held, by what other programs say of it."""
    version = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    if version < (5, 19) or not ACTIONS.exists() or "user_notif" not in ACTIONS.read_text(encoding="ascii"):
        return False
    unshare = shutil.which("unshare")
    command = [unshare, "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc", "true"]
    return unshare is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def refusal():
    """Why this machine cannot hold system calls; empty where it can."""
    try:
        with supervisor((), 120.0) as living:
            look_around(prepared(Job({"a": "true", "b": "true"}), living))
    except UsageError as error:
        return str(error)
    return ""


@pytest.fixture
def can_hold(refusal):
    """Nothing, where system calls can be held. Elsewhere the test is left out, and fails in CI if the machine could."""
    if refusal and could_hold():
        leave_out(because=refusal)
    if refusal:
        raise LeftOut((), refusal)


@pytest.fixture
def staged(can_hold):
    """`staged(job)` is the stage of a job; it is ended with the test."""
    opened = []

    def make(job, *, allowed=(), seconds=120.0):
        living = supervisor(allowed, seconds)
        living.__enter__()
        opened.append(living)
        return prepared(job, living)

    yield make
    for living in opened:
        living.__exit__(None, None, None)
