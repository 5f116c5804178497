"""Single trials: what is the same in each, what ends them, what is refused."""

import time

import pytest

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.hunt.follow import Follow
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.search import look_around
from dstamp_sim.hunt.trial_outcome import End
from tests.hunt.cases import COUNT, PYTHON


def play(stage, schedule="a"):
    return stage.play(Follow(tuple(Schedule.parse(schedule)), tuple(stage.job.runs)))


def calls(out):
    return [(step.run, step.call.name, step.call.object) for step in out.steps]


def content(out, path):
    return out.tree.entries[path].content.decode()


def test_every_trial_begins_with_the_same_state_and_makes_the_same_calls(staged):
    stage = staged(Job({"a": COUNT, "b": COUNT}, "echo 5 > f"))
    look_around(stage)
    outs = [play(stage, "a*3 b") for _ in range(4)]
    assert len({str(calls(out)) for out in outs}) == 1
    assert {content(out, "f") for out in outs} == {"6\n"}


def test_only_calls_on_what_another_run_uses_too_are_held(staged):
    stage = staged(Job({"a": "echo 1 > mine; cat shared > /dev/null", "b": "echo 2 > shared"}, "echo 0 > shared"))
    look_around(stage)
    assert {name for _, _, name in calls(play(stage))} == {"shared"}


def test_random_bytes_are_the_same_in_every_trial_and_others_in_every_run(staged):
    draw = f'{PYTHON} -c "import os; print(os.urandom(8).hex())" > $RUN'
    stage = staged(Job({"a": draw, "b": draw}))
    look_around(stage)
    one, two = play(stage), play(stage, "b")
    assert content(one, "a") == content(two, "a") != content(one, "b")


def test_a_sleep_takes_no_time_and_lets_the_others_go_first(staged):
    stage = staged(Job({"a": "sleep 1000; echo a >> f", "b": "echo b >> f"}))
    look_around(stage)
    assert content(play(stage, ""), "f") == "b\na\n"


def test_a_run_may_have_pipelines_threads_and_a_child_by_vfork(staged):
    threads = f'{PYTHON} -c "import threading as t; [t.Thread(target=print, args=(n,)).start() for n in (1, 2)]"'
    stage = staged(Job({"a": f"{threads} | sort | tee f > g", "b": "cat f 2>/dev/null; true"}))
    look_around(stage)
    assert content(play(stage), "g") == "1\n2\n"


def test_what_a_run_leaves_in_the_background_does_not_hold_up_the_end(staged):
    stage = staged(Job({"a": "(setsid sh -c 'while :; do sleep 1; done' &); echo a > f", "b": "cat f; true"}))
    look_around(stage)
    assert play(stage).end is End.GOOD


@pytest.mark.parametrize("script", ["while :; do :; done", "read x < pipe", "kill -STOP $$"], ids=str)
def test_a_trial_that_comes_to_no_end_is_ended_in_bounded_time(script, staged):
    stage = staged(Job({"a": script, "b": "true"}, "mkfifo pipe"), seconds=4.0)
    begun = time.monotonic()
    out = play(stage)
    assert out.end in (End.UNDECIDED, End.STUCK)
    assert time.monotonic() - begun < 40


def test_a_deadlock_is_told_at_once_and_by_name(staged):
    stage = staged(Job({"a": "flock p flock q true", "b": "flock q flock p true"}, "touch p q"))
    look_around(stage)
    out = play(stage, "a*3 b")
    assert (out.end, out.why) == (End.STUCK, "a and b wait for ever")


def test_a_wait_that_time_may_end_is_no_deadlock(staged):
    out = play(
        staged(Job({"a": "timeout 30 flock p true", "b": "exec 9>p; flock 9; read x < pipe"}, "mkfifo pipe")), "b"
    )
    assert out.end is End.UNDECIDED


def test_a_death_is_a_choice_and_takes_the_run_at_its_call(staged):
    stage = staged(Job({"a": "echo 1 > f; echo 2 > f", "b": "cat f > seen"}, check="true"))
    look_around(stage)
    out = play(stage, "a a!")
    assert out.exits["a"] == -9
    assert out.end is not End.DIVERGED


def test_a_write_outside_of_the_scratch_folder_is_named_and_refused(staged, tmp_path):
    job = Job({"a": "echo x > /etc/dstamp-hunt 2>/dev/null; true", "b": "true"})
    with pytest.raises(UsageError, match=r"a writes /etc/dstamp-hunt: outside of the scratch folder .* --allow PATH"):
        look_around(staged(job))


def test_the_settings_of_the_kernel_are_read_only(staged):
    write = "cat /proc/sys/kernel/domainname > /proc/sys/kernel/domainname"
    out = play(staged(Job({"a": write, "b": "true"})))
    assert (out.exits["a"], out.exits["b"]) == (1, 0)


def test_a_path_that_is_allowed_is_written_and_stays(staged, tmp_path_factory):
    allowed = "/opt"
    job = Job({"a": "echo x > /opt/dstamp-hunt-test && rm /opt/dstamp-hunt-test", "b": "true"})
    stage = staged(job, allowed=(allowed,))
    look_around(stage)
    assert stage.kept == {"/opt/dstamp-hunt-test": "a"}


def test_a_run_that_comes_to_no_end_by_itself_is_not_called_wrong(staged):
    stage = staged(Job({"a": "while :; do :; done", "b": "true"}), seconds=0.5)
    with pytest.raises(UsageError, match=r"a alone: not ended within 0\.5 s; a run that nothing can be said of"):
        look_around(stage)


def test_a_check_that_fails_without_a_race_is_said_to_be_wrong(staged):
    with pytest.raises(UsageError, match=r"a before b: bad: no; nothing raced .* wrong, not racy"):
        look_around(staged(Job({"a": "true", "b": "true"}, check="echo no; false")))


def test_a_setup_that_fails_is_told_with_what_it_said(staged):
    with pytest.raises(UsageError, match="the setup ends with code 3: oh"):
        staged(Job({"a": "true", "b": "true"}, "echo oh; exit 3"))


@pytest.mark.parametrize(
    ("runs", "ignore", "says"),
    [({"a": "true"}, (), "not 1: write --run"), ({"a": "true", "b c": "true"}, (), "'b c'"),
     ({"a": "true", "b": "true"}, ("x",), "--ignore would be ignored")],
)  # fmt: skip
def test_a_job_that_makes_no_sense_is_refused(runs, ignore, says):
    with pytest.raises(UsageError, match=says):
        Job(runs, check="true", ignore=ignore)
