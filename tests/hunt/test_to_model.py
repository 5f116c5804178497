"""A model of what trials showed: explored, it fails as the programs do, and its story is theirs; a twin's holds."""

import pytest

from dstamp_sim.core.schedule import Choice
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.hunt.follow import next_of
from dstamp_sim.hunt.hunt import hunt_for
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.model_text import NOT_AS_FOUND, model_text
from dstamp_sim.hunt.search import Bounds, look_around
from dstamp_sim.hunt.seen_model import model_of
from dstamp_sim.testing import assert_holds, assert_violated, system_of
from tests.hunt.cases import CASES, COUNT, IS_7, both
from tests.todays import todays

BOUNDS = {"counter": 2, "pid file": 2, "two locks": 1, "one checkout, two runs": 1}
NAMES = [
    pytest.param(name, marks=[pytest.mark.slow, pytest.mark.needs("git")] if "checkout" in name else ())
    for name in BOUNDS
]
CHECKED_OUT = {
    "begin_checkout": ("open", "index.lock"), "release_index": ("rename", "index"),
    "end_checkout": ("rename", "HEAD"), "head": ("read", "HEAD"),
}  # fmt: skip
"""Which call of git's on which file below .git a phase of a checkout is."""


def todays_twins():
    """All but that of two checkouts, whose space takes its time: that on one day of seven."""
    return NAMES if 3 in todays(range(7)) else NAMES[:-1]


def bounded(name):
    (case,) = [case for case in CASES if case.name == name]
    return case, Bounds(BOUNDS[name], seconds=3600.0)


class Told:
    """Lets the runs make the calls of a model's story in its order, and on the way to each whatever else they make."""

    def __init__(self, steps, order):
        self.left = [
            (step.choice.process, *call_of(step.op)) for step in steps if step.op and step.op.verb != "release"
        ]
        self.order = order

    def __call__(self, calls, last):
        while self.left:
            run, name, target = self.left[0]
            if run not in calls:
                return Choice(next_of(calls, last, self.order))
            if (calls[run].name, calls[run].object) == (name, target):
                self.left.pop(0)
            return Choice(run)
        return Choice(next_of(calls, last, self.order))


def call_of(op):
    if op.verb in CHECKED_OUT:
        name, file = CHECKED_OUT[op.verb]
        return name, f".git/{file}"
    return (
        ("flock", op.target.name.replace("flock of ", "flock:")) if "acquire" in op.verb else (op.verb, op.target.name)
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_models_shortest_story_is_what_the_hunt_found_and_the_programs_do_it(name, staged, tmp_path):
    case, bounds = bounded(name)
    file = tmp_path / "seen.py"
    found = hunt_for(case.racy(), bounds, again=1, to_model=file)
    assert (found.verdict, found.files) == (Verdict.VIOLATED, (file,))
    trace = assert_violated(system_of(str(file)), "no deadlock" if name == "two locks" else NOT_AS_FOUND)
    stage = staged(case.racy())
    look_around(stage)
    chooser = Told(trace.steps, tuple(case.runs))
    out = stage.play(chooser)
    assert out.why == found.shrunk.outcome.why
    assert (out.end, chooser.left) == (found.shrunk.outcome.end, [])


@pytest.mark.parametrize("name", todays_twins())
def test_the_model_of_a_corrected_twin_holds(name, can_hold, tmp_path):
    case, bounds = bounded(name)
    file = tmp_path / "seen.py"
    hunt_for(case.corrected(), bounds, to_model=file)
    assert_holds(system_of(str(file)))


def test_what_no_trial_showed_is_marked_and_is_not_taken_to_hold(staged, tmp_path):
    stage = staged(Job(both(COUNT), "echo 5 > f", IS_7))
    look_around(stage)
    file = tmp_path / "seen.py"
    file.write_text(model_text(model_of(stage, Bounds(0, seconds=3600.0), None)), encoding="utf-8")
    trace = assert_violated(system_of(str(file)), "every end is one that trials judged")
    unseen = [change for step in trace.steps for change in step.changes if change.after == "no trial showed it"]
    assert unseen or "no trial showed it" in trace.results.values()
    assert "return UNSEEN" in file.read_text(encoding="utf-8")


def test_the_command_writes_the_model_and_says_so(dstamp, can_hold, tmp_path):
    runs = ["--run", f"a={COUNT}", "--run", f"b={COUNT}"]
    options = ["--setup", "echo 5 > f", *runs, "--check", IS_7, "--again", 1, "--preemptions", 1]
    code, out, _ = dstamp("hunt", *options, "--budget", 3600, "--to-model", "seen.py")
    assert (code, "wrote seen.py" in out) == (1, True)
    code, out, _ = dstamp("explore", "seen.py", "--property", NOT_AS_FOUND)
    assert (code, "Lost update" in out) == (1, True)
