"""A hunt that a signal ends at any moment leaves no process, no namespace, no mount, no folder, and no half a file."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from dstamp_sim.hunt.quiet import family
from tests.hunt.cases import COUNT, IS_7, LOCKED

COMMAND = "import signal; signal.signal(2, signal.default_int_handler); from dstamp_command import main; main()"
"""As in the foreground: where these tests are a job in the background, SIGINT is ignored."""
LONGEST_S = 2.0
"""Until a command is ended, from its start or from its first trial on."""
CODES = {signal.SIGKILL: {-9}, signal.SIGTERM: {-15}, signal.SIGINT: {3, 130, -2}}


def hunting(folder, token, preemptions):
    """The command, hunting in a folder: with one preemption it finds something soon, with three it goes on and on."""
    racy = COUNT if preemptions == 1 else LOCKED + COUNT
    runs = [word for run in "ab" for word in ("--run", f"{run}=: {token}; {racy}")]
    options = ["--setup", "echo 5 > f", *runs, "--check", IS_7, "--preemptions", str(preemptions)]
    command = [sys.executable, "-c", COMMAND, "hunt", *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def spaces_of(pids):
    """The namespaces of processes that are not this one's."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            found |= {str(Path(f"/proc/{pid}/ns/{kind}").readlink()) for kind in ("mnt", "pid", "user")}
    return found - {str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in ("mnt", "pid", "user")}


def alive():
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def left(members, spaces):
    """What a hunt has left after a minute: its processes, by number and start, and processes in its namespaces."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = [pid for pid, born in members.items() if born_at(pid) == born]
        found += [pid for pid in alive() if spaces_of([pid]) & spaces]
        if not found:
            return []
        time.sleep(0.05)
    return found


def born_at(pid):
    """When a process began, so that another one of its number is not taken for it; None where there is none."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if words[0] == "Z" else words[19]


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moments", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_command_that_a_signal_ends_at_any_moment_leaves_nothing(moments, sign, can_hold, tmp_path):
    random = Random(sign + moments)
    mounts = Path("/proc/self/mounts").read_text()
    met = 0
    for moment in range(moments):
        token = f"dstamp-hunt-signal-{os.getpid()}-{moment}-"
        (tmp_path / token).mkdir()
        process = hunting(tmp_path / token, token, random.choice((1, 3)))
        while moment % 2 and process.poll() is None and not spaces_of(family(process.pid)):
            time.sleep(0.01)
        time.sleep(random.random() * LONGEST_S)
        members = {pid: born for pid in family(process.pid) if (born := born_at(pid))}
        spaces = spaces_of(members)
        met += bool(spaces)
        process.send_signal(sign)
        assert process.wait(60) in CODES[sign] | {1}  # it may have ended by itself, with what it found
        assert left(members, spaces) == []
        for file in (tmp_path / token).rglob("*.json"):
            json.loads(file.read_text(encoding="utf-8"))
    assert Path("/proc/self/mounts").read_text() == mounts
    assert not [entry for entry in Path("/tmp").iterdir() if "dstamp-hunt-signal" in entry.name]
    assert met >= moments // 4  # else it was ended too early, or too late, to have had anything
