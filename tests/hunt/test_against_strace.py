"""What strace shows of common commands, a trial sees too: each name that they use, and each kind of call."""

import re
import shutil
import subprocess

import pytest

from dstamp_sim.hunt.calls import FORMS
from dstamp_sim.hunt.folding import NOT_FOLDED
from dstamp_sim.hunt.follow import Follow
from dstamp_sim.hunt.job import Job

SETUP = "echo 5 > f; mkdir d; ln -s f l; echo 6 > d/in; touch old"
COMMANDS = [
    "cat f", "cp f new", "mv f new", "rm f", "ls -l", "mkdir e", "rmdir d 2>/dev/null; true", "touch t", "ln -s f m",
    "ln f hard", "readlink l", "cat l", "chmod 600 f", "flock f true", "sed -i s/5/6/ f", "dd if=f of=q 2>/dev/null",
    "tail -n 1 f", "head -n 1 f", "find . -name in", "sort f d/in", "wc -l f", "stat f", "truncate -s 1 f",
    "install -m 600 f z", "mktemp xXXXXXX", "cp -a d c", "tee y < f", "cmp f l", "grep 5 f", "rm -r d",
    "echo x >> f", "mkfifo p", "cp -p f /tmp/other && mv /tmp/other back", "mv -T l d/l", "[ f -nt old ]; true",
]  # fmt: skip
NOT_CONTENT = frozenset(
    {"close", "dup", "dup2", "dup3", "lseek", "ioctl", "statfs", "fstatfs", "fadvise64", "fsync", "fdatasync"}
    | {"fstat", "fchdir", "getcwd"}
)
"""Calls that strace shows and that neither read nor change a name or a content."""
CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")


@pytest.fixture(scope="module")
def strace():
    """strace, where it is and may trace; elsewhere the test is skipped."""
    program = shutil.which("strace")
    if program is None or subprocess.run([program, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no strace that may trace: another machine's run compares")
    return program


def shown(strace, command, folder):
    """The calls of a command that strace shows to use names in a folder: (call, name in it)."""
    log = folder.with_suffix(".log")
    folder.mkdir()
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    subprocess.run(["bash", "-c", SETUP], cwd=folder, env=env, check=True)
    tracing = [strace, "-f", "-y", "-qq", "-s", "500", "-e", "trace=%file,%desc", "-o", str(log)]
    subprocess.run([*tracing, "bash", "-c", command], cwd=folder, env=env, check=True, capture_output=True)
    found = set()
    for line in log.read_text(encoding="utf-8").splitlines():
        if not (match := CALL.match(line)) or " = -1 " in line:
            continue
        call, rest = match.groups()
        rest = re.sub(rf'<{folder}/([^<>]+)>, "([^"/][^"]*)"', r', "\1/\2"', rest)
        names = re.findall(rf"<{folder}/([^<>]+)>", rest)
        found |= {(call, name) for name in [*names, *quoted(call, rest)]}
    return found


def quoted(call, rest):
    """The paths in the folder that a call is given: not the text of a link, nor an attribute."""
    if FORMS.get(call, "")[:1] not in ("P", "A") or call.startswith("exec"):
        return []
    names = re.findall(r'"([^"]*)"', rest)
    if call.startswith("symlink"):
        names = names[-1:]
    elif call.startswith("readlink") or call.endswith("xattr"):
        names = names[:1]
    return [name for name in names if not name.startswith("/")]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_each_name_that_strace_shows_is_one_that_a_trial_sees(command, strace, staged, tmp_path):
    stage = staged(Job({"a": command, "b": "true"}, SETUP))
    uses = stage.play(Follow((), ("a",)), only="a", learn=True).uses
    seen = {name.rstrip("/").removeprefix("flock:") for name in uses}
    calls = shown(strace, command, tmp_path / "traced")
    assert {call for call, _ in calls} <= FORMS.keys() | NOT_CONTENT
    names = {NOT_FOLDED.fold(re.sub(r"^x\w{6}$", "tmp.\\g<0>", name.removeprefix("./"))) for _, name in calls}
    assert names - {re.sub(r"^x\w{6}$", "tmp.*", name) for name in seen} - {".", ""} == set()
