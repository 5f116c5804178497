"""Whole hunts: what is said, what is written, what a file performs again, what a test of scripts shows."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from dstamp_sim.core.verdict import Verdict
from dstamp_sim.hunt.hunt import hunt_for
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.nursery import START
from dstamp_sim.hunt.pictures import pointed_at
from dstamp_sim.hunt.search import Bounds
from dstamp_sim.hunt.seen_trace import lanes_of, trace_of
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.testing import Raced, Undecided, hunt
from tests.hunt.cases import COUNT, GIT, IS_7, LOCKED, PYTHON, both

COUNTER = ["hunt", "--setup", "echo 5 > f", "--run", f"a={COUNT}", "--run", f"b={COUNT}", "--check", IS_7]
NOBODY = 65534


def processes_with(token):
    """The processes whose command line has a token, but for this one."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                found += [entry.name] if token.encode() in (entry / "cmdline").read_bytes() else []
        except OSError:
            continue
    return found


def test_the_command_tells_a_lost_update_in_three_lines(dstamp, can_hold):
    code, out, _ = dstamp(*COUNTER, "--again", 3)
    lines = out.splitlines()
    assert code == 1
    assert lines[0].startswith("VIOLATED in trial")
    assert [line.split()[1] for line in lines[2:5]] == ["a", "b", "a"]
    assert "read f" in lines[2] and lines[2].endswith("finds 5")
    assert "write f" in lines[3] and lines[3].endswith("empty => 6")
    assert lines[4].endswith("empty => 6    too late")
    assert lines[5] == "then: f is 6, not 7"
    assert "performed again 3 times by its calls: failed 3 times" in lines
    assert "  a up to before a's 2nd read of f" in lines
    assert [Path(line.split()[1]).name for line in lines if line.startswith("wrote")] == [
        "hunt.hunt.json", "hunt.png", "hunt.svg", "hunt.html",
    ]  # fmt: skip


def test_as_json_it_is_one_document(dstamp, can_hold):
    code, out, _ = dstamp(*COUNTER, "--again", 1, "--json")
    document = json.loads(out)
    assert (code, document["verdict"], document["why"]) == (1, "VIOLATED", "f is 6, not 7")
    assert [line["remark"] for line in document["story"]] == ["", "", "too late"]
    assert document["again"] == {"times": 1, "failed": 1, "in_place": 1}


def test_the_whole_bounded_space_is_claimed_only_where_it_was_visited(can_hold):
    job = Job(both(LOCKED + COUNT), "echo 5 > f", IS_7)
    whole = hunt_for(job, Bounds(1))
    assert (whole.verdict, whole.found.left) == (None, 0)
    assert (
        whole.headline()
        == f"none found in the whole space of up to 1 preemption: {whole.found.played} schedules, each played"
    )
    part = hunt_for(job, Bounds(2, seconds=0.2))
    assert part.verdict is Verdict.UNDETERMINED
    assert "the budget of 0.2 s was spent; at least" in part.headline()


def test_without_a_check_the_end_must_be_one_of_a_serial_order(can_hold):
    found = hunt_for(Job(both(COUNT), "echo 5 > f"), Bounds(1), again=2)
    assert found.shrunk.outcome.why == "no serial order leaves this: f is 6, not 7"
    assert hunt_for(Job(both(COUNT), "echo 5 > f", ignore=("f",)), Bounds(1)).verdict is None


def test_what_differs_from_trial_to_trial_is_not_compared_and_said(can_hold):
    found = hunt_for(Job(both("date +%s%N > stamp.$RUN; echo >> f")), Bounds(1))
    assert found.verdict is None
    assert found.text()[1:] == [
        "not seen: stamp.a differs from trial to trial, and was not compared",
        "not seen: stamp.b differs from trial to trial, and was not compared",
    ]


def test_what_no_trial_orders_is_listed_by_the_calls_that_were_seen(can_hold):
    dial = f"{PYTHON} -c \"import socket; socket.socket().connect_ex(('127.0.0.1', 9))\""
    racy = {"a": f"{dial}; {COUNT}", "b": f"(echo 1 > g) & echo 2 > g; wait; {COUNT}"}
    found = hunt_for(Job(racy, "echo 5 > f", IS_7), Bounds(1), again=1)
    assert found.verdict is Verdict.VIOLATED
    assert "not seen: a uses a network socket, which no trial orders" in found.text()
    plain = hunt_for(Job(both(COUNT), "echo 5 > f", IS_7), Bounds(1), again=1)
    assert plain.found.not_seen() == []


def test_calls_of_one_run_at_once_are_told(can_hold):
    twice = "(echo 1 >> f) & (echo 2 >> f) & wait"
    found = hunt_for(Job({"a": twice, "b": "echo 3 >> f"}, check="true"), Bounds(0))
    assert found.found.not_seen() == ["a made several calls at once, whose order was not varied"]


@pytest.mark.needs("git")
def test_two_runs_with_a_checkout_each_do_not_race(can_hold):
    setup = f"mkdir one && cd one && {GIT}\ncd .. && git clone -q one two && cd two && git checkout -q base"
    runs = {
        "a": "cd one && git checkout -q head && git rev-parse HEAD > ../stamp",
        "b": "cd two && git checkout -q -b other",
    }
    check = '[ "$(cat stamp)" = "$(git -C one rev-parse head)" ]'
    found = hunt_for(Job(runs, setup, check), Bounds(1))
    assert (found.verdict, found.found.reasons()) == (None, [])


def test_an_interrupted_search_says_what_it_played(can_hold):
    def press(played, left):
        if played == 3:
            raise KeyboardInterrupt

    found = hunt_for(Job(both(LOCKED + COUNT), "echo 5 > f", IS_7), Bounds(2), tell=press)
    assert found.verdict is Verdict.UNDETERMINED
    assert found.headline().startswith("UNDETERMINED: none found in 3 schedules; interrupted; at least")


def test_the_same_seed_plays_the_same_schedules(can_hold):
    job = Job(both(COUNT), "echo 5 > f", IS_7)
    texts = [hunt_for(job, Bounds(2, seed=7), again=1).text() for _ in range(2)]
    assert texts[0] == texts[1]


def test_a_network_socket_leaves_the_verdict_open(can_hold):
    dial = f"{PYTHON} -c \"import socket; socket.socket().connect_ex(('127.0.0.1', 9))\""
    found = hunt_for(Job({"a": dial, "b": "true"}, check="true"), Bounds(1))
    assert found.verdict is Verdict.UNDETERMINED
    assert "a uses a network socket, which no trial orders" in found.headline()


def test_the_picture_shades_from_what_was_read_to_what_came_too_late(can_hold):
    job = Job(both(COUNT), "echo 5 > f", IS_7)
    shrunk = hunt_for(job, Bounds(1), again=1).shrunk
    trace, pointed = trace_of(job, shrunk.outcome), pointed_at(job, shrunk)
    layout = lay_out(trace, lanes_of(trace, shrunk), annotations=pointed)
    assert [box.owner for box in layout.boxes if box.kind == "window"][:1] == ["a"]
    assert "'5'" in [label.text for label in layout.labels]
    assert pointed.sentence.startswith("b's write of f (step ")
    assert pointed.sentence.endswith("which was too late.")


def test_a_test_of_scripts_is_red_with_the_story_and_green_with_the_fix(can_hold):
    with pytest.raises(Raced) as raced:
        hunt(both(COUNT), setup="echo 5 > f", check=IS_7, preemptions=1)
    assert "then: f is 6, not 7" in str(raced.value)
    hunt(both(LOCKED + COUNT), setup="echo 5 > f", check=IS_7, preemptions=1)
    with pytest.raises(Undecided, match="which is no pass"):
        hunt(both(LOCKED + COUNT), setup="echo 5 > f", check=IS_7, seconds=0.1)


def test_a_repository_of_a_script_and_a_test_is_red_with_the_story_and_green_with_the_fix(can_hold, tmp_path):
    script, test = tmp_path / "add.sh", tmp_path / "test_add.py"
    test.write_text(
        "from dstamp_sim.testing import hunt\n\n\n"
        "def test_two_may_add():\n"
        f"    runs = {both('sh add.sh')!r}\n"
        f"    hunt(runs, folder='.', setup='echo 5 > f', check={IS_7!r}, preemptions=1)\n"
    )
    told = []
    for text in (COUNT, LOCKED + COUNT):
        script.write_text(text + "\n")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_add.py"]
        told.append(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False))
    red, green = told
    assert (red.returncode, "VIOLATED in trial 3" in red.stdout, "then: f is 6, not 7" in red.stdout) == (1, True, True)
    assert (green.returncode, "1 passed" in green.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "write --run NAME=COMMAND at least twice"),
        (["--run", "a"], "write NAME=COMMAND"),
        (["--run", "a=x", "--run", "a=y"], "each name once"),
        (["--run", "a=x", "--run", "b=y", "--from", "nowhere"], "--from nowhere: no such folder"),
        (["--run", "a=x", "--run", "b=y", "--crashes", "1"], "--crashes needs --check"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments, says, dstamp):
    code, _, err = dstamp("hunt", *arguments)
    assert code == 2
    assert says in err


HUNTING = """
import sys, time, types
package = types.ModuleType("dstamp_sim")  # without its own imports, which take a second
package.__path__ = [sys.argv[1] + "/dstamp_sim"]
sys.modules["dstamp_sim"] = package
from dstamp_sim.hunt.job import Job, prepared
from dstamp_sim.hunt.search import look_around
from dstamp_sim.hunt.supervisor import Supervisor

def hold(calls, last):
    print("held", flush=True)
    time.sleep(999)

run = "(exec -a TOKEN sleep 9); echo $RUN >> f"
with Supervisor(seconds=999.0) as living:
    stage = prepared(Job({"a": run, "b": run}, check="true"), living)
    look_around(stage)
    stage.play(hold)
"""


def gone(token):
    """Whether no process with a token is left, or will be within a minute."""
    until = time.monotonic() + 60
    while processes_with(token) and time.monotonic() < until:
        time.sleep(0.02)
    return processes_with(token) == []


@pytest.fixture
def hunting():
    """`hunting(token)` is a supervisor's process that says "held" while it holds two runs; all have the token."""
    opened = []

    def start(token):
        command = [sys.executable, "-c", HUNTING.replace("TOKEN", token), str(Path(__file__).parents[2])]
        opened.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return opened[-1]

    yield start
    for process in opened:
        process.kill()
        process.communicate()


def test_a_kill_in_the_middle_of_a_trial_leaves_no_process(hunting, can_hold):
    token = f"dstamp-hunt-test-{os.getpid()}"
    mounts, names = Path("/proc/self/mounts").read_text(), {*Path("/tmp").glob("*hunt*")}
    process = hunting(token)
    assert process.stdout.readline() == "held\n"
    assert len(processes_with(token)) >= 3
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert gone(token)
    assert Path("/proc/self/mounts").read_text() == mounts
    assert {*Path("/tmp").glob("*hunt*")} <= names


@pytest.mark.parametrize("moments", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_kill_at_any_moment_leaves_no_process(moments, hunting, can_hold):
    random = Random(1)
    for moment in range(moments):
        token = f"dstamp-hunt-test-{os.getpid()}-{moment}-"
        process = hunting(token)
        time.sleep(random.random() * 4)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert gone(token)


def test_nothing_is_left_in_the_folder_for_temporary_files(can_hold):
    before = {entry.name for entry in Path("/tmp").iterdir()}
    hunt_for(Job(both("echo x > /tmp/dstamp-hunt-test; mktemp > /dev/null")), Bounds(0))
    assert not [name for name in {entry.name for entry in Path("/tmp").iterdir()} - before if "hunt" in name]


def test_an_ordinary_user_can_hunt_too(can_hold):
    """Needs user namespaces; where this Python cannot be read by anybody else, or those are refused, it is left out."""
    if os.geteuid() != 0:
        pytest.skip("every other test is this one")
    root = str(Path(__file__).parents[2])
    code = (
        "import sys, types; p = types.ModuleType('dstamp_sim'); p.__path__ = [sys.argv[1] + '/dstamp_sim']; "
        "sys.modules['dstamp_sim'] = p; from dstamp_sim.hunt.job import Job, prepared; "
        "from dstamp_sim.hunt.search import *; from dstamp_sim.hunt.supervisor import Supervisor\n"
        "with Supervisor() as living:\n"
        "    stage = prepared(Job({'a': sys.argv[2], 'b': sys.argv[2]}, 'echo 5 > f', sys.argv[3]), living)\n"
        "    look_around(stage)\n    print(Search(stage, Bounds(1)).run().failing.why)"
    )
    command = ["python3", "-S", "-c", code, root, COUNT, IS_7]
    try:
        done = subprocess.run(
            command, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, cwd="/", check=False
        )
    except PermissionError:
        pytest.skip("no Python on the path may be run by an ordinary user")
    if "refused" in done.stderr or "Permission" in done.stderr or "No module" in done.stderr:
        pytest.skip(f"an ordinary user cannot here: {done.stderr.splitlines()[-1]}")
    assert done.stdout == "f is 6, not 7\n", done.stderr


def test_the_nursery_imports_only_the_standard_library_and_this_wing():
    code = START.replace("main(int(sys.argv[2]))", "print([n for n in sys.modules if n.startswith('dstamp_sim')])")
    package = str(Path(__file__).parents[2] / "dstamp_sim")
    done = subprocess.run([sys.executable, "-S", "-c", code, package], capture_output=True, text=True, check=True)
    names = set(eval(done.stdout))
    assert names == {"dstamp_sim", *(f"dstamp_sim.hunt{x}" for x in ("", ".calls", ".nursery", ".trap", ".tree"))}
