"""A cure as a patch: where whole commands end, what the lock adds, and that what is said of it was searched."""

import json
import subprocess

import pytest

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.hunt.cure import Cure, Cures
from dstamp_sim.hunt.hunt import hunt_for
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.patch import patches_of
from dstamp_sim.hunt.played_lock import CallAnchor, LockedStretch
from dstamp_sim.hunt.search import Bounds, Found, Search, look_around
from dstamp_sim.hunt.shell_script import LineSpan, ShellScript, script_of
from dstamp_sim.hunt.tree import Tree, TreeEntry
from tests.hunt.cases import IS_7

LINES = """#!/bin/bash
# adds one
set -e
if [ -e f ]; then
  n=$(cat f)
fi

echo $((n+1)) \\
  > f
cat <<X >> log
a line
X
[ -e f ]
echo $? >> log
add() {
  echo 'two
lines' && \\
    true
}
"""
COUNTER = "#!/bin/sh\nset -e\necho $1 > log.$1\nn=$(cat f)\necho $((n+1)) > f\necho $n >> log.$1"


def folder_with(**scripts):
    """A folder by value: scripts by name, which may be executed."""
    return Tree({f"{name}.sh": TreeEntry(0o100755, text.encode(), 0) for name, text in scripts.items()})


def counting(text, *, runs=None):
    return Job(runs or {"a": "./add.sh a", "b": "./add.sh b"}, "echo 5 > f", IS_7, folder_with(add=text))


def cured(job, preemptions=1):
    found = hunt_for(job, Bounds(preemptions, seconds=3600.0), again=1, cure=True)
    assert found.verdict is Verdict.VIOLATED
    return found.patches


def test_parts_are_whole_commands_of_the_outermost_level():
    spans = [(3, 3), (4, 7), (8, 9), (10, 12), (13, 14), (15, 19)]
    assert ShellScript("x.sh", LINES).parts == [LineSpan(*span) for span in spans]


def test_a_script_that_is_marked_or_locked_at_each_part_does_the_same(tmp_path):
    def left(number, text):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "f").write_text("5\n")
        done = subprocess.run(["bash", "-c", text], cwd=folder, capture_output=True, text=True, check=False)
        (folder / ".hunt.lock").unlink(missing_ok=True)
        return done.returncode, done.stdout, done.stderr, {file.name: file.read_text() for file in folder.iterdir()}

    script = ShellScript("x.sh", f"{LINES}add\nexit 3\n")
    texts = [script.text, script.marked(), *(script.locked(part) for part in script.parts)]
    (once,) = {str(left(number, text)) for number, text in enumerate(texts)}
    assert once.startswith("(3, ")


def test_the_lock_takes_a_descriptor_that_is_free_and_the_scripts_end_lets_go():
    script = ShellScript("x.sh", "#!/bin/sh\nexec 9>log 8<&1\necho x >&9\nfalse")
    assert script.locked(script.parts[-1]).splitlines()[1:] == [
        "exec 7>>.hunt.lock", "exec 9>log 8<&1", "echo x >&9", "flock 7", "false",
    ]  # fmt: skip
    full = ShellScript("x.sh", "".join(f"exec {n}>log\n" for n in range(3, 10)))
    with pytest.raises(UsageError, match="descriptors 3 to 9 are all in use"):
        full.locked(full.whole())


@pytest.mark.parametrize(
    "command", ["./add.sh v1", "add.sh", "X=1 exec bash -eu ./add.sh 'v 1' >> log 2>&1", "sh sub/../add.sh"], ids=str
)
def test_a_command_is_a_script_whatever_its_arguments(command):
    assert script_of(command, folder_with(add=COUNTER)).path == "add.sh"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("./add.sh; true", "its command is not one script"), ("cd x && ./add.sh", "its command is not one script"),
        ("sh -c ./add.sh", "its command is not one script"), ("cat f", "cat is no file of the start state"),
        ("./py.sh", "py.sh is no script of sh or bash"), ("sh ./broken.sh", "no whole command that bash can read"),
        ("./add.sh 'x", "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_script_is_said_to_be_none(command, why):
    start = folder_with(add=COUNTER, py="#!/usr/bin/env python3\n", broken="#!/bin/sh\nif\n")
    with pytest.raises(UsageError, match=why):
        script_of(command, start)


@pytest.mark.needs("patch")
def test_a_patch_is_the_narrowest_lines_and_what_it_makes_has_no_failing_schedule(dstamp, tmp_path, can_hold):
    (tmp_path / "in").mkdir()
    script = tmp_path / "in" / "add.sh"
    script.write_text(COUNTER)
    script.chmod(0o755)
    options = [
        "--from",
        "in",
        "--setup",
        "echo 5 > f",
        "--check",
        IS_7,
        "--run",
        "a=./add.sh a",
        "--run",
        "b=./add.sh b",
    ]
    code, out, _ = dstamp("hunt", *options, "--budget", 3600, "--again", 1, "--cure", "--json")
    assert code == 1
    (patch,) = json.loads(out)["patches"]
    assert (patch["lines"], patch["whole_space"]) == ({"add.sh": {"first": 4, "last": 5}}, True)
    assert 0 < patch["held"] < patch["calls"]
    subprocess.run(["patch", "-s", "-p1", "-i", "../out/cure-1.patch"], cwd=tmp_path / "in", check=True)
    lines = COUNTER.splitlines()
    assert script.read_text().splitlines() == [
        lines[0], "exec 9>>.hunt.lock", *lines[1:3], "flock 9", *lines[3:5], "flock -u 9", lines[5],
    ]  # fmt: skip
    code, out, _ = dstamp("hunt", *options, "--budget", 3600, "--out", "patched")
    assert (code, "none found in the whole space of up to 2 preemptions" in out) == (0, True)


@pytest.mark.parametrize("lines", [(3, 3), (4, 4), (5, 5)])
def test_lines_that_are_fewer_leave_a_schedule_that_fails(lines, staged):
    stage = staged(counting(ShellScript("add.sh", COUNTER).locked(LineSpan(*lines))))
    look_around(stage)
    assert Search(stage, Bounds(1)).run().failing is not None


def test_of_two_patches_the_first_holds_up_fewer_calls(can_hold):
    makes = "#!/bin/sh\n: > x\n: > y"
    looks = "#!/bin/sh\n[ -e x ] && x=1; ls / > /run/z\n[ -e y ] && y=1\necho x$x y$y > /run/saw"
    check = "[ \"$(cat /run/saw)\" != 'x1 y' ] || { echo 'x and not y'; exit 1; }"
    patches = cured(Job({"a": "./makes.sh", "b": "./looks.sh"}, "", check, folder_with(makes=makes, looks=looks)))
    assert [patch.spans["looks.sh"] for patch in patches.found] == [LineSpan(3, 3), LineSpan(2, 2)]
    assert {patch.spans["makes.sh"] for patch in patches.found} == {LineSpan(2, 3)}
    one, two = patches.found
    assert one.held < two.held
    assert all(patch.found.whole for patch in patches.found)


def test_lines_that_are_no_cure_are_searched_and_not_told_and_whole_scripts_are_tried(staged):
    stage, bounds = staged(counting(COUNTER)), Bounds(1, seconds=3600.0)
    look_around(stage)
    read = CallAnchor("read", "f", 1)
    wrong = Cure(dict.fromkeys("ab", LockedStretch(read, read)), 2, Found(stage, bounds))
    patches = patches_of(stage, bounds, Cures((wrong,), 1, all_tried=True))
    assert patches.tried == 2
    assert [patch.spans for patch in patches.found] == [{"add.sh": LineSpan(2, 6)}]


def test_without_a_script_it_is_said_why_there_is_no_patch(can_hold):
    found = cured(counting(COUNTER, runs={"a": "./add.sh a", "b": "n=$(cat f); echo $((n+1)) > f"}))
    assert found.text() == ["", "no patch: b: its command is not one script; put its commands into one"]
