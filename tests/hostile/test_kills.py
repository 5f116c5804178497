"""Whatever is killed at whatever moment: every file is the old one or the new one, and no process is left."""

import json
import os
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from tests.conftest import COUNTED
from tests.hostile.killed import COMMANDS, WRITES, Killer
from tests.hostile.valid import MODEL
from tests.hunt.conftest import can_hold, refusal  # noqa: F401 - fixtures
from tests.todays import PARTS, todays

ROOT = Path(__file__).parents[2]
LONG_S = 240.0
"""More than anything here takes on a busy machine: only a hang is longer."""

SOON_OWN_S = 1.0
"""What is left of a command that was ended is gone after a second, if it has a processor.

Not counted is the time in which what is left, or this test, could run and waited for a processor that others had
(/proc/PID/task/TID/schedstat): on a busy machine a second of wall time says how busy it is. Time asleep is counted.
"""

SOON_S = 15.0
"""And is gone after so long, whatever else the machine does; it was 0.1 s at a load of 5."""

LIGHT = (
    ("describe", "explore", "prove", "mutate", "sample"),
    ("show", "export", "export model", "replay", "ingest", "matrix", "new"),
)
"""The commands that take 0.05 to 0.4 s of processor; a process loads the package for several."""

HEAVY = (("conform",), ("hunt",), ("judge",), ("margin",), ("real",), ("review",), ("show hunt",), ("update",))
"""Those that take half a second to three."""

MOMENTS = range(50)
"""The moments at which every command is ended in a week with --slow; the ones after these are always taken.

A heavy command takes two weeks, with its writes; without --slow only one heavy command is ended, another each day.
"""


def killed(folder, commands, moments, writes):
    """What came of commands that were ended at these moments and inside of these writes, by name."""
    words = [",".join(map(str, part)) for part in (commands, moments, writes)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.killed", *words],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_nothing_lost(tally):
    assert tally["wrong"] == []
    assert tally["outlived_own_s"] <= SOON_OWN_S and tally["outlived_s"] < SOON_S, tally


@pytest.fixture
def commands(request):
    """The commands of a test, on a machine that can do what they do."""
    if {"hunt", "show hunt"} & {*request.param}:
        request.getfixturevalue("can_hold")
    return request.param


NEEDS = {("real",): [pytest.mark.needs("dockerd", "busybox")]}
NOT_TODAY = {
    names: [pytest.mark.slow]
    for number, names in enumerate(HEAVY)
    if number not in todays(range(len(HEAVY)), parts=len(HEAVY))
}
EVERY = pytest.mark.parametrize(
    "commands",
    [
        pytest.param(names, marks=[*NEEDS.get(names, []), *NOT_TODAY.get(names, [])], id=" ".join(names))
        for names in (*LIGHT, *HEAVY)
    ],
    indirect=True,
)


@EVERY
def test_commands_that_are_ended_leave_every_file_old_or_new_and_no_process(
    tmp_path, commands, request, record_property
):
    slow = request.config.getoption("--slow")
    parts = PARTS if commands in LIGHT else 2 * PARTS
    moments, writes = (todays(MOMENTS, parts), todays(range(WRITES), parts)) if slow else (range(50, 53), (3, 17, 31))
    tallies = killed(tmp_path, commands, moments, writes)
    assert any({"-9", "-15", "130"} & tally["ended"].keys() for tally in tallies.values()), "no run was ended"
    for command, tally in tallies.items():
        told = ", ".join(f"{count} with {code}" for code, count in sorted(tally["ended"].items()))
        after = f"nothing was left {tally['outlived_s']:.2f} s later, {tally['outlived_own_s']:.2f} of them its own"
        record_property(COUNTED, f"{command}: {told}; {after}; {tally['cpu_s']:.0f} s used")
        assert_nothing_lost(tally)


def test_every_command_is_ended_here():
    assert {*chain(*LIGHT, *HEAVY)} == COMMANDS.keys()


PRESSED_AT_THE_END = """
import os, signal
import dstamp_command, dstamp_sim.cli as cli
signal.signal(signal.SIGINT, signal.default_int_handler)
whole, when = cli.main, {when!r}
def pressed(*_):
    os.kill(os.getpid(), signal.SIGINT)
def main():
    try:
        whole()
    finally:
        pressed()
if when == "before":
    cli.main = main
else:
    cli.leave_threads = pressed
dstamp_command.main()
"""


@pytest.mark.parametrize(("when", "code", "told"), [("before", 130, "dstamp: interrupted\n"), ("after", 0, "")])
def test_ctrl_c_as_a_command_ends_leaves_no_traceback(tmp_path, when, code, told):
    (tmp_path / "bank.py").write_text(MODEL)
    done = subprocess.run(
        [sys.executable, "-c", PRESSED_AT_THE_END.format(when=when), "describe", "bank.py"],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, told)


def test_ctrl_c_in_a_finalizer_ends_the_command(tmp_path):
    finalized = (
        "from dstamp_sim.core.errors import Interrupted\n"
        "class X:\n    def __del__(self):\n        raise Interrupted\nX()\n"
    )
    (tmp_path / "bank.py").write_text(finalized + MODEL)
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    done = subprocess.run(
        [sys.executable, "-c", f"{heeded}; from dstamp_command import main; main()", "describe", "bank.py"],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "dstamp: interrupted\n")


@pytest.mark.parametrize("twin", ["half", "gone", "left"])
def test_a_file_that_is_half_or_gone_or_left_in_the_temporary_folder_is_seen(tmp_path, twin):
    (tmp_path / "here").mkdir()
    killer = Killer.__new__(Killer)
    killer.command, killer.folder = COMMANDS["explore"], tmp_path / "here"
    killer.old, killer.new, killer.temp = {"out/x": b"old"}, {"out/x": b"new"}, tmp_path / "temp"
    killer.temp.mkdir()
    if twin != "gone":
        (tmp_path / "here/out").mkdir()
        (tmp_path / "here/out/x").write_bytes(b"ne" if twin == "half" else b"new")
    if twin == "left":
        (killer.temp / "copy").touch()
    assert list(killer._wrong(-9, "", {"out/x": b"old"})), twin


PARENT = """
import sys, time
from dstamp_sim.engines.parallel.processes import Processes
def begin(): pass
def task(_, number):
    import os
    os.write(2, b"%d\\n" % os.getpid())  # at once, for two write here
    time.sleep(10_000)
if __name__ == "__main__":
    list(Processes(2, begin, ()).in_turn(task, [1, 2]))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_workers_end_with_their_parent_and_leave_no_stream_open(tmp_path, hangs_up, number):
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
