"""Whatever is killed at whatever moment: every file is the old one or the new one, and no process is left."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hostile.rows import MODEL

ROOT = Path(__file__).parents[2]
LONG_S = 240.0
"""More than anything here takes on a busy machine: only a hang is longer."""

HEARD = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
"""A job in the background of a shell ignores Ctrl-C."""

KILLED_AT_A_WRITE = """
import os, signal, sys
from dstamp_sim.cli import main
from dstamp_sim.disk import writing
calls, at, number = [0], int(sys.argv.pop(1)), int(sys.argv.pop(1))
def counted(of):
    def call(*args, **options):
        calls[0] += 1
        if calls[0] == at:
            os.kill(os.getpid(), number)
        return of(*args, **options)
    return call
def writes(*args, of=writing._write, **options):
    for name in ("write", "fsync", "open", "fchmod"):
        if not hasattr(getattr(os, name), "__wrapped__"):
            setattr(os, name, counted(getattr(os, name)))
            getattr(os, name).__wrapped__ = True
    return of(*args, **options)
writing._write = writes
writing.Path.replace = counted(writing.Path.replace)
main()
"""
"""Runs a command that is sent signal NUMBER as it makes the call to the system that is the AT-th of its writes."""


def run(folder, program, *words, **options):
    return subprocess.Popen(
        [sys.executable, "-c", HEARD + program, *words],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def results(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.fixture
def explored(tmp_path):
    """A folder with a model and its results, made of a text that was other: by name, the old and the new content."""
    model = tmp_path / "bank.py"
    contents = []
    for name in ("q", "p"):
        model.write_text(MODEL.replace("Process('p'", f"Process('{name}'"))
        with run(tmp_path, "from dstamp_sim.cli import main; main()", "explore", "bank.py") as running:
            running.communicate(timeout=LONG_S)
        contents.append(results(tmp_path / "out"))
        kept = {name: (tmp_path / "out" / name).read_bytes() for name in contents[0]}
    old, new = contents
    assert old.keys() == new.keys() and all(old[name] != new[name] for name in old)
    ledger = (tmp_path / "out" / ".dstamp-results").read_bytes()

    def again():
        for name, content in old.items():
            (tmp_path / "out" / name).write_bytes(content)
        (tmp_path / "out" / ".dstamp-results").write_bytes(ledger)

    assert kept
    return tmp_path, old, new, again


def assert_old_or_new(folder, old, new):
    there = results(folder / "out")
    assert there.keys() == old.keys()
    for name, content in there.items():
        assert content in (old[name], new[name]), f"{name} is half"


def test_a_kill_inside_of_any_write_leaves_every_file_old_or_new(explored):
    folder, old, new, again = explored
    rng, ended = random.Random(0), []
    for at in sorted(rng.sample(range(1, 17), 4)):
        again()
        number = rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
        with run(folder, KILLED_AT_A_WRITE, str(at), str(int(number)), "explore", "bank.py") as running:
            _, err = running.communicate(timeout=LONG_S)
        assert_old_or_new(folder, old, new)
        assert "Traceback" not in err, err
        ended.append(running.returncode)
    assert any(code in (-signal.SIGKILL, -signal.SIGTERM, 130) for code in ended), ended


@pytest.mark.slow
def test_a_kill_at_fifty_moments_leaves_every_file_old_or_new(explored):
    folder, old, new, again = explored
    rng = random.Random(1)
    for _ in range(50):
        again()
        with run(folder, "from dstamp_sim.cli import main; main()", "explore", "bank.py") as running:
            time.sleep(rng.uniform(0, 2.5))
            running.send_signal(rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)))
            running.communicate(timeout=LONG_S)
        assert_old_or_new(folder, old, new)


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
