"""The way home of a hunt's file: it is performed again, drawn, exported, and refused where programs changed."""

import json
import re

import pytest

from dstamp_sim.core.schedule import Choice
from dstamp_sim.hunt.hunt import hunt_for
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.pictures import pointed_at
from dstamp_sim.hunt.search import Bounds
from dstamp_sim.hunt.seen_trace import lanes_of, trace_of
from dstamp_sim.rendering.page import fields
from dstamp_sim.rendering.timeline.layout import lay_out
from tests.hunt.cases import COUNT, IS_7, LOCKED, both

FILE = "out/hunt.hunt.json"
HALF_LOCKED = f"n=$(cat f); {LOCKED}echo $((n+1)) > f"
"""Reads before it takes the lock."""


def hunted(dstamp, command, *options, setup="echo 5 > f"):
    runs = ["--run", f"a={command}", "--run", f"b={command}"]
    code, _, err = dstamp("hunt", "--setup", setup, *runs, "--check", IS_7, "--again", 1, *options)
    assert (code, err) == (1, err)


def edited(tmp_path, **changes):
    """Changes keys of the hunt's file."""
    file = tmp_path / FILE
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content | changes), encoding="utf-8")
    return content


def test_show_performs_a_hunt_file_again_and_tells_its_story(dstamp, can_hold, tmp_path):
    hunted(dstamp, COUNT)
    code, out, err = dstamp("show", FILE, "--again", 3, "--html", "--out", "again")
    lines = out.splitlines()
    assert (code, lines[:2]) == (1, ["f is 6, not 7", "performed again 3 times by its calls: failed 3 times"])
    assert [line.split()[1] for line in lines[3:6]] == ["a", "b", "a"] and lines[5].endswith("too late")
    assert sorted(file.name for file in (tmp_path / "again").glob("hunt*")) == ["hunt.html", "hunt.png", "hunt.svg"]
    assert err.splitlines()[:2] == ["running setup: echo 5 > f", f"running a: {COUNT}"]


def test_what_the_file_says_of_the_failure_is_not_believed(dstamp, can_hold, tmp_path):
    hunted(dstamp, COUNT)
    edited(tmp_path, stretches=[{"run": "a", "call": "", "object": "", "nth": 0, "dies": False}])
    code, out, _ = dstamp("show", FILE, "--again", 2, "--html")
    assert (code, out.splitlines()[1:]) == (0, ["performed again 2 times by its calls: failed 0 times"])
    code, _, err = dstamp("export", FILE, "--to", "mermaid")
    assert code == 2 and "nothing went wrong, so there is nothing to export" in err


def test_a_hunt_file_is_refused_where_a_script_of_its_changed(dstamp, can_hold, tmp_path):
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / "count.sh"
    script.write_text(f"echo begin > /dev/null\n{COUNT}\n")
    hunted(dstamp, "sh count.sh", "--from", "scripts")
    assert dstamp("show", FILE, "--again", 1)[0] == 1
    script.write_text(f"{LOCKED}\n{COUNT}\n")
    code, _, err = dstamp("show", FILE)
    assert code == 2 and "count.sh is another since" in err


def test_a_hunt_file_is_refused_where_a_program_outside_changed(dstamp, can_hold, tmp_path):
    hunted(dstamp, COUNT)
    programs = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))["programs"]
    (cat,) = (path for path in programs if re.search(r"/(cat|coreutils|busybox)$", path))
    edited(tmp_path, programs=programs | {cat: "0" * 24})
    code, _, err = dstamp("show", FILE)
    assert code == 2 and f"{cat} is another since" in err


def test_a_hunt_file_from_elsewhere_is_not_run_without_trust(dstamp, can_hold, tmp_path, tmp_path_factory):
    hunted(dstamp, COUNT)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.hunt.json"
    (tmp_path / FILE).rename(elsewhere)
    for command in (["show"], ["export", "--to", "mermaid"]):
        code, _, err = dstamp(*command, elsewhere)
        assert (
            code == 2 and "it lies outside of the current folder" in err and "--trust" in err and "running" not in err
        )
    assert dstamp("show", elsewhere, "--trust", "--again", 1)[0] == 1


def test_options_of_the_other_kind_of_file_are_refused(dstamp, tmp_path):
    code, _, err = dstamp("show", "x.hunt.json", "--minimise")
    assert code == 2 and "its schedule is simple already" in err
    code, _, err = dstamp("show", "x.witness.json", "--again", 2)
    assert code == 2 and "--again is for a hunt's file" in err


def test_every_format_of_a_trace_is_one_of_a_hunt_file(dstamp, can_hold, tmp_path):
    hunted(dstamp, HALF_LOCKED)
    for to in ("mermaid", "perfetto", "itf", "shiviz", "dot", "graphml"):
        code, out, err = dstamp("export", FILE, "--to", to, "--out", to)
        assert code == 0, (to, err)
        (file,) = (tmp_path / to).glob("hunt*")
        assert f"wrote {to}/{file.name}" in out
        assert "flock" in file.read_text(encoding="utf-8")


def half_locked():
    job = Job(both(HALF_LOCKED), "echo 5 > f", IS_7)
    return job, hunt_for(job, Bounds(1), again=1).shrunk


def test_the_picture_has_a_bar_for_each_lock_that_was_seen_to_be_held(can_hold):
    job, shrunk = half_locked()
    trace = trace_of(job, shrunk.outcome)
    held = {hold.process: hold for hold in trace.holds()}
    assert [(hold.name, hold.is_lock) for hold in trace.holds()] == [("flock:lock", True)] * 2
    first, second = sorted(held.values(), key=lambda hold: hold.since)
    assert first.until is not None and first.until <= second.since  # never both at once
    for hold in held.values():
        mine = [step for step in trace.steps[: hold.since + 1] if step.process == hold.process]
        assert any(step.op.verb == "flock" for step in mine)
    layout = lay_out(trace, lanes_of(trace, shrunk), annotations=pointed_at(job, shrunk))
    assert [box.name for box in layout.boxes if box.kind == "hold" and box.name] == ["flock:lock"] * 2


def test_links_and_clocks_follow_from_what_the_calls_touch(can_hold):
    job, shrunk = half_locked()
    steps, pointed = shrunk.outcome.steps, pointed_at(job, shrunk)
    for link in pointed.links:
        source, target = steps[link.source], steps[link.target]
        common = {t.object for t in source.call.touches} & {t.object for t in target.call.touches}
        assert source.run != target.run and common and link.source < link.target
    first, write, late = pointed.window[1], pointed.write, pointed.window[2]
    opens = {("rw", first, write - 1), ("ww", write, late - 1)}  # each write's own open comes before it, and truncates
    assert opens <= {link[:3] for link in pointed.links}
    me = tuple(job.runs).index(steps[first].run)
    assert pointed.clocks[first][1 - me] == 0 and pointed.clocks[write][me] >= pointed.clocks[first][me]
    assert pointed.clocks[late][1 - me] >= pointed.clocks[write][1 - me]


def test_a_lock_that_is_passed_on_is_held_from_the_step_that_passed_it_on(staged):
    stage = staged(Job(both(f"{LOCKED}echo $RUN >> f; echo $RUN >> f"), check="true"))
    stage.uses = {name: {"a": {"w"}, "b": {"w"}} for name in ("flock:lock", "f")}
    locked = []

    def until_a_has_the_lock_then_b_as_far_as_it_can(calls, last):
        name = next(run for run in ("ba" if locked else "ab") if run in calls)
        locked.extend([name] if calls[name].name == "flock" else [])
        return Choice(name)

    out = stage.play(until_a_has_the_lock_then_b_as_far_as_it_can, watch=True)
    first, second = trace_of(stage.job, out).holds()
    assert (first.process, second.process) == ("a", "b")
    assert first.until == second.since
    assert out.steps[second.since].run == "a"
    assert [step.run for step in out.steps if step.call.name == "flock" and step.blocks] == ["b"]


def test_the_page_shows_the_lines_of_a_file_that_a_step_changed(can_hold):
    runs = {"a": "echo two >> f", "b": "cat f > /dev/null"}
    job = Job(runs, "printf 'one\\n' > f", '[ "$(tail -n 1 f)" = one ]', any_exit=True)
    with pytest.raises(Exception, match="wrong, not racy"):
        hunt_for(job, Bounds(0))
    job, shrunk = half_locked()
    trace = trace_of(job, shrunk.outcome, line_by_line=True)
    changes = [change for step in trace.steps for change in step.changes if change.target == "f"]
    assert [dict(fields(change.after)) for change in changes] == [{"": "'empty'"}, {"1": "'6'"}] * 2
