"""Whatever is killed at whatever moment: every file is the old one or the new one, and no process is left."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dstamp_sim import cli
from tests.hostile.killed import COMMANDS, Killer

ROOT = Path(__file__).parents[2]
LONG_S = 240.0
"""More than anything here takes on a busy machine: only a hang is longer."""

SOON_S = 15.0
"""After so long nothing is left of a command that was ended: a second, where the machine has nothing else to do."""

LIGHT = ("describe", "explore", "sample", "show", "export", "replay", "ingest")
"""The commands that take a second or less; the others are ended in the slow gate."""

PARTS = 2
"""The fifty moments of a command are tried in so many parts."""


def killed(folder, command, seed, moments, writes):
    """What came of a command that was ended at so many moments and inside of so many writes."""
    words = [sys.executable, "-m", "tests.hostile.killed", command, *map(str, (seed, moments, writes))]
    done = subprocess.run(
        words, cwd=folder, env=dict(os.environ, PYTHONPATH=str(ROOT)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_nothing_lost(tally):
    assert tally["wrong"] == []
    assert any(tally["ended"].get(code) for code in ("-9", "-15", "130")), "no run was ended"
    assert tally["outlived_s"] < SOON_S


@pytest.mark.parametrize("command", LIGHT)
def test_a_command_that_is_ended_leaves_every_file_old_or_new_and_no_process(tmp_path, command):
    assert_nothing_lost(killed(tmp_path, command, seed=0, moments=3, writes=3))


@pytest.mark.slow(minutes=1)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_fifty_moments_and_every_write_of_a_command_leave_every_file_old_or_new(tmp_path, command, part):
    tally = killed(tmp_path, command, seed=1 + part, moments=50 // PARTS, writes=0 if part else 1_000)
    assert_nothing_lost(tally)


def test_every_command_that_writes_or_has_workers_is_ended_here():
    tried = {one.words[0] for one in COMMANDS.values()}
    parts = {"conform", "real", "hunt"}  # what these start has tests of its own, on real parts
    assert tried | parts == {command.__name__ for _, command, _ in cli.COMMANDS}


@pytest.mark.parametrize("twin", ["half", "gone"])
def test_a_file_that_is_half_or_gone_is_seen(tmp_path, twin):
    (tmp_path / "here").mkdir()
    killer = Killer.__new__(Killer)
    killer.command, killer.folder = COMMANDS["explore"], tmp_path / "here"
    killer.old, killer.new = {"out/x": b"old"}, {"out/x": b"new"}
    if twin == "half":
        (tmp_path / "here/out").mkdir()
        (tmp_path / "here/out/x").write_bytes(b"ne")
    assert list(killer._wrong(-9, "", {"out/x": b"old"})), twin


PARENT = """
import sys, time
from dstamp_sim.engines.parallel.processes import spawned
def begin(): pass
def task(number):
    import os
    os.write(2, b"%d\\n" % os.getpid())  # at once, for two write here
    time.sleep(10_000)
if __name__ == "__main__":
    list(spawned(task, [1, 2], 2, begin, ()))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_workers_end_with_their_parent_and_leave_no_stream_open(tmp_path, number):
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    with subprocess.Popen(
        [sys.executable, str(program)], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        try:
            workers = [int(running.stderr.readline()) for _ in range(2)]
            running.send_signal(number)
            _, err = running.communicate(timeout=LONG_S)  # its end is that of every process that has the stream
        finally:
            running.kill()
    assert running.returncode == -number
    assert not any(Path(f"/proc/{pid}").exists() and b"parent" in cmdline(pid) for pid in workers)
    assert "Traceback" not in err


def cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
