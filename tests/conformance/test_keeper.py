"""Killed at any point, what was started for the real parts leaves no process, mount, namespace or file behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dstamp_sim.conformance import keeper
from dstamp_sim.conformance.keeper import scratch_folder
from tests.patience import PATIENCE_S

# What a test run does, in a process that can be killed; it says where its engine is as soon as it knows.
PROGRAM = """
from dstamp_sim.conformance.play import follow, play
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.conformance.keeper import private_engine, scratch_folder
from dstamp_sim.conformance.parts import bench
from dstamp_sim.conformance.workers import forker

system = load_model("cc_ci:torn_checkout").build({})
with scratch_folder() as folder, forker() as source, private_engine() as engine:
    print(engine.address, flush=True)
    for number in range(1000):
        with bench(system, source, folder / str(number), engine) as parts:
            play(system, parts, follow("run#1*12"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment_s", [0.4, 0.7, 1.0, "up", 1.5, 3.0])
@pytest.mark.needs("git", "dockerd", "busybox")
@pytest.mark.usefixtures("engine")
def test_nothing_is_left_when_it_is_killed(moment_s, tmp_path):
    environment = dict(os.environ, TMPDIR=str(tmp_path))
    running = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)
    spaces = set()
    if moment_s == "up":
        spaces = namespaces_of(running.stdout.readline())
    else:
        time.sleep(moment_s)
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    until = time.monotonic() + PATIENCE_S
    while (left := left_over(tmp_path, spaces)) and time.monotonic() < until:
        time.sleep(0.1)
    assert left == []


@pytest.mark.slow
@pytest.mark.needs("git", "dockerd", "busybox")
@pytest.mark.usefixtures("engine")
def test_nothing_is_left_when_its_keepers_are_killed_instead(tmp_path):
    environment = dict(os.environ, TMPDIR=str(tmp_path))
    running = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)
    spaces = namespaces_of(running.stdout.readline())
    kept = list(tmp_path.glob("dstamp-real-*"))
    assert len(kept) == 2  # the scratch folder's keeper and the engine's
    for folder in kept:
        os.kill(int(folder.name.removeprefix("dstamp-real-").partition(".")[0]), signal.SIGKILL)
    until = time.monotonic() + PATIENCE_S
    while (any(tmp_path.iterdir()) or groups_left()) and time.monotonic() < until:
        time.sleep(0.1)
    assert (list(tmp_path.iterdir()), groups_left()) == ([], [])
    running.kill()
    running.communicate()
    while (left := left_over(tmp_path, spaces)) and time.monotonic() < until:
        time.sleep(0.1)
    assert left == []


def namespaces_of(address):
    """The namespaces of the engine at `address`: none of them is ours."""
    process = Path(address.removeprefix("unix://")).parts[2]
    kinds = ("mnt", "pid", "net", "ipc")
    found = {str(Path(f"/proc/{process}/ns/{kind}").readlink()) for kind in kinds}
    assert not found & {str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in kinds}
    return found


def left_over(folder, spaces):
    """What still reminds of a killed run: files and mounts in its folder, processes that it started, its cgroups."""
    left = [str(path) for path in folder.iterdir()]
    left += [line for line in Path("/proc/self/mounts").read_text().splitlines() if "dstamp" in line]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            kept = {str((process / "ns" / kind).readlink()) for kind in ("mnt", "pid", "net", "ipc")}
            if f"TMPDIR={folder}".encode() in (process / "environ").read_bytes() or kept & spaces:
                left.append(f"{process}: {(process / 'cmdline').read_bytes()!r}")
        except OSError:
            continue  # it ended while we looked
    return left + groups_left()


def groups_left():
    """The cgroups of keepers that are no more."""
    groups = [*Path("/sys/fs/cgroup").glob("dstamp-*"), *Path("/sys/fs/cgroup").glob("*/dstamp-*")]
    return [str(group) for group in groups if not Path(f"/proc/{group.name.rpartition('-')[2]}").exists()]


def test_a_scratch_folder_is_gone_afterwards_and_so_are_those_of_dead_keepers(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "dstamp-real-999999999.abc").mkdir()
    with scratch_folder() as folder:
        assert list(tmp_path.iterdir()) == [folder] and list(folder.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_where_no_engine_can_start_every_reason_and_its_remedy_is_said(monkeypatch):
    monkeypatch.setattr(keeper, "_which", lambda command: None if command != "unshare" else "/usr/bin/unshare")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(keeper.NoEngine) as refused, keeper.private_engine():
        pass
    for reason in ("no dockerd on the PATH: apt-get install docker.io", "install busybox-static", "this is user 1000"):
        assert reason in str(refused.value)


def test_a_busybox_that_needs_libraries_is_no_busybox_for_an_image_of_one_file(monkeypatch):
    assert not any("libraries" in reason for reason in keeper.obstacles())
    monkeypatch.setattr(keeper, "_which", lambda command: "/bin/sh" if command == "busybox" else "/usr/bin/true")
    assert "/bin/sh needs libraries, and the toy service's image has none" in " ".join(keeper.obstacles())
