"""The timeline's numbers, on traces whose picture is known by hand."""

from dataclasses import replace
from datetime import datetime
from itertools import combinations, pairwise

import pytest

from dstamp_sim import Lane, explore, replay
from dstamp_sim.core.trace import Trace
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.rendering.timeline.axis import Axis, clock_axis, duration
from dstamp_sim.rendering.timeline.facts import facts_of
from dstamp_sim.rendering.timeline.layout import MOST_STEPS, lay_out
from dstamp_sim.rendering.timeline.names import spread
from dstamp_sim.rendering.timeline.shapes import WIDTH, Box, Label, Layout, elide, measure, wrap
from tests.holders import lease_that_lapses
from tests.rendering import sample_traces as samples

HC1 = {
    f"run#{n}": ("fail · chaos commit 'eb96de94+U', not the intended PR-head '7ae7b0f76efb' (HC1)", False)
    for n in range(9)
}
PICTURES = {
    "incident": lambda: lay_out(*samples.incident(), title="t", subtitle="s", origin=samples.ORIGIN),
    "eight runs": lambda: lay_out(*samples.eight_runs()),
    "eight verdicts": lambda: lay_out(*samples.eight_runs(), verdicts=HC1),
    "two runs": lambda: lay_out(*samples.two_runs()),
    "lost update": lambda: lay_out(samples.lost_update()),
    "deadlock": lambda: lay_out(samples.deadlock()),
    "death": lambda: lay_out(samples.deadlock(crashes=1)),
    "orchestrated": lambda: lay_out(*samples.orchestrated()),
    "long": lambda: lay_out(samples.long(3000)),
    **{
        f"told {name}": lambda name=name: told_picture(name)
        for name in ("cc_ci", "cc_ci:torn_checkout", "cc_ci:load_rollback", "classic/bank", "classic/philosophers")
    },
    "hostile": lambda: lay_out(samples.hostile(), title=samples.HOSTILE[0], subtitle=samples.HOSTILE[1]),
}


def told_picture(reference: str) -> Layout:
    trace, lanes, annotations = samples.annotated(reference)
    return lay_out(trace, lanes, annotations=annotations)


@pytest.mark.parametrize("name", PICTURES)
def test_no_two_labels_overlap_and_none_leaves_the_picture(name: str) -> None:
    layout = PICTURES[name]()
    for one, other in combinations(layout.labels, 2):
        assert not _overlap(one, other), (one, other)
    for label in layout.labels:
        left, top, right, bottom = label.extent
        assert left >= 0 and top >= 0 and right <= WIDTH and bottom <= layout.height, label


@pytest.mark.parametrize("name", PICTURES)
def test_the_same_trace_gives_the_same_layout(name: str) -> None:
    assert PICTURES[name]() == PICTURES[name]()


def test_the_window_is_shaded_from_the_write_that_was_lost_to_the_check() -> None:
    """Run 1 redeploys at step 19 and checks at step 31; steps are drawn in the middle of their stretch."""
    layout = told_picture("cc_ci")
    (window,) = _boxes(layout, "window", "run#1")
    ticks = {label.text: label.x for label in layout.labels if label.kind == "tick"}
    assert (window.x, window.right) == (pytest.approx(ticks["19"]), pytest.approx(ticks["31"]))


def test_the_lock_that_was_missing_is_a_hollow_bar_over_the_window() -> None:
    layout = told_picture("cc_ci")
    (window,), (missing,) = _boxes(layout, "window", "run#1"), _boxes(layout, "missing", "run#1")
    assert (missing.x, missing.right, missing.name) == (window.x, window.right, "app-domain lock disc-f25969")


def test_every_edge_of_the_cycle_is_an_arrow_with_its_name() -> None:
    layout = told_picture("classic/bank")
    assert [(arrow.kind, arrow.writer, arrow.reader) for arrow in layout.arrows] == [
        ("cycle", "customer#1", "customer#2"),
        ("cycle", "customer#2", "customer#1"),
    ]
    assert [label.text for label in layout.labels if label.kind == "link"] == ["rw", "ww"]


def test_a_deadlock_has_an_arrow_from_every_waiting_to_the_lock_it_wants() -> None:
    layout = told_picture("classic/philosophers")
    assert [(arrow.writer[-1], arrow.reader[-1]) for arrow in layout.arrows] == [("0", "1"), ("1", "2"), ("2", "0")]


def test_the_sentence_is_the_caption() -> None:
    trace, lanes, annotations = samples.annotated("cc_ci")
    layout = lay_out(trace, lanes, annotations=annotations)
    words = " ".join(label.text for label in layout.labels if label.kind == "caption")
    assert words.split() == annotations.sentence.split()


def test_a_timed_witness_of_the_same_race_has_the_same_signs() -> None:
    trace, lanes, annotations = samples.annotated("cc_ci")
    steps = tuple(replace(step, time_s=60.0 * number) for number, step in enumerate(trace.steps))
    timed = replace(trace, steps=steps, starts_s={"run#1": 0.0, "run#2": 1200.0})
    one, other = lay_out(trace, lanes, annotations=annotations), lay_out(timed, lanes, annotations=annotations)
    assert [(a.kind, a.writer, a.reader) for a in one.arrows] == [(a.kind, a.writer, a.reader) for a in other.arrows]
    for kind in ("window", "missing", "hold", "wrong_seen"):
        assert [b.owner for b in one.boxes if b.kind == kind] == [b.owner for b in other.boxes if b.kind == kind]


def test_every_run_has_its_sections_in_order_without_overlap() -> None:
    layout = lay_out(*samples.two_runs())
    for process in ("run#1", "run#2"):
        boxes = _boxes(layout, "section", process)
        assert [box.name for box in boxes] == [
            *("fetch_recipe", "deploy_app", "checkout_head", "chaos_redeploy", "wait_converged", "check_hc1"),
            "teardown",
        ]
        assert all(a.right <= b.x + 1e-6 for a, b in pairwise(boxes))


def test_a_section_spans_its_first_to_its_last_step() -> None:
    """Run 1 performs steps 1 to 9: fetch_recipe is step 1 alone, deploy_app steps 2 to 6."""
    layout = lay_out(*samples.two_runs())
    fetch, deploy = _boxes(layout, "section", "run#1")[:2]
    assert fetch.right == pytest.approx(deploy.x)
    assert deploy.width == pytest.approx(5 * fetch.width)


def test_a_section_around_others_is_a_bracket_over_all_of_them() -> None:
    layout = lay_out(*samples.two_runs())
    first = next(line for line in layout.lines if line.kind == "bracket")
    inner = _boxes(layout, "section", "run#1")[2:6]
    assert first.points[0][0] == pytest.approx(inner[0].x, abs=1.1)
    assert first.points[-1][0] == pytest.approx(inner[-1].right, abs=1.1)


def test_a_section_around_others_fills_its_own_steps_behind_them() -> None:
    """Run 1's upgrade: its own box reaches from checkout_head (step 7) to check_hc1 (step 15)."""
    layout = lay_out(*samples.two_runs())
    (outer,) = _boxes(layout, "outer", "run#1")
    inner = _boxes(layout, "section", "run#1")[2:6]
    assert (outer.x, outer.right) == pytest.approx((inner[0].x, inner[-1].right))
    assert layout.boxes.index(outer) < min(layout.boxes.index(box) for box in inner)


def test_every_section_is_named_or_coded_and_the_codes_are_explained() -> None:
    labels = {label.text for label in lay_out(*samples.incident(), origin=samples.ORIGIN).labels}
    sections = ("fetch_recipe", "deploy_app", "checkout_head", "upgrade", "chaos_redeploy", "wait_converged")
    assert all(name in labels or any(text.endswith(f"= {name}") for text in labels) for name in sections)
    assert {text.split(" = ")[0] for text in labels if " = " in text} <= labels


def test_waiting_for_a_lock_is_hatched_from_the_last_step_to_the_acquisition() -> None:
    """Run 2 asks at 2.5 min + 1.07 * 1.5 min = 4.105 min; run 1 holds from 1.5 to 1.5 + 4 + 2.5 = 8 min."""
    trace, lanes = samples.eight_runs()
    layout = lay_out(trace, lanes)
    (wait,) = _boxes(layout, "wait", "run#2")
    (mine,) = _boxes(layout, "hold", "run#1")
    (next_,) = _boxes(layout, "hold", "run#2")
    a_minute = mine.width / 6.5
    assert wait.right == pytest.approx(mine.right) == pytest.approx(next_.x)
    assert wait.width == pytest.approx((8 - 4.105) * a_minute)


def test_a_deadlock_is_hatched_to_the_end_with_both_locks_held() -> None:
    layout = lay_out(samples.deadlock())
    for process, lock in (("left", "lock one"), ("right", "lock two")):
        (wait,) = _boxes(layout, "wait", process)
        (hold,) = _boxes(layout, "hold", process)
        assert hold.name == lock
        assert wait.right == pytest.approx(hold.right)
    assert "✗ waits for lock two.acquire()" in _verdict(layout, "left")


def test_a_death_is_marked_and_drops_what_was_held() -> None:
    layout = lay_out(samples.deadlock(crashes=1))
    (death,) = [mark for mark in layout.marks if mark.kind == "death" and mark.owner == "first"]
    holds = _boxes(layout, "hold", "first")
    assert [hold.right for hold in holds] == pytest.approx([death.x, death.x])
    assert holds[0].y != holds[1].y


def test_what_is_held_and_no_lock_is_no_lock_bar_and_ends_where_it_lapses() -> None:
    layout = lay_out(replay(lease_that_lapses(), "run#1 time run#2*3 run#1*2"))
    (lapsed,), (held,) = _boxes(layout, "keep", "run#1"), _boxes(layout, "keep", "run#2")
    assert (lapsed.name, held.name) == ("lease (lapses)", "lease")
    assert lapsed.right < held.x
    assert not [box for box in layout.boxes if box.kind == "hold"]
    texts = [label.text for label in layout.labels]
    assert "held, not a lock" in texts and "lock held" not in texts


def test_a_strip_shows_every_value_and_marks_the_wrong_ones_and_the_one_a_check_saw() -> None:
    layout = lay_out(*samples.two_runs())
    strip = [box for box in layout.boxes if box.owner == "service disc-1a2b3c" and box.kind != "object"]
    assert [(box.kind, box.name) for box in strip] == [
        ("wrong", samples.BASE),
        ("value", samples.HEAD),
        ("wrong_seen", samples.BASE),
        ("value", samples.HEAD),
    ]
    assert all(a.right == pytest.approx(b.x) for a, b in pairwise(strip))
    assert any(line.kind == "absent" for line in layout.lines)


def test_the_arrow_goes_from_the_write_that_was_seen_to_the_check() -> None:
    """Run 2 writes in step 13 and run 1 checks in step 15, so the arrow spans two steps."""
    layout = lay_out(*samples.two_runs())
    arrow = next(arrow for arrow in layout.arrows if arrow.reader == "run#1")
    assert (arrow.kind, arrow.writer) == ("wrong", "run#2")
    a_step = _boxes(layout, "section", "run#1")[0].width
    assert arrow.points[3][0] - arrow.points[0][0] == pytest.approx(2 * a_step)
    assert _in_lane(layout, "run#2", arrow.points[0][1]) and _in_lane(layout, "run#1", arrow.points[3][1])
    (seen,) = [box for box in layout.boxes if box.kind == "wrong_seen" and box.owner != "key"]
    assert seen.x == pytest.approx(arrow.points[0][0])


def test_a_check_of_ones_own_write_has_a_quiet_arrow_and_no_sentence() -> None:
    layout = lay_out(*samples.two_runs())
    arrow = next(arrow for arrow in layout.arrows if arrow.reader == "run#2")
    assert (arrow.kind, arrow.writer) == ("own", "run#2")
    assert sum("checking" in label.text for label in layout.labels) == 1


def test_every_race_is_told_in_a_sentence() -> None:
    texts = [label.text for label in lay_out(*samples.two_runs()).labels]
    told = "saw eb96de94+U, which is wrong: written by run#2 in deploy_app at step 13."
    assert f"run#1, checking service disc-1a2b3c at step 15, {told}" in texts


def test_what_a_daemon_wrote_is_an_arrow_from_its_slim_lane() -> None:
    layout = lay_out(*samples.orchestrated())
    (arrow,) = layout.arrows
    assert (arrow.kind, arrow.writer, arrow.reader) == ("wrong", "swarm orchestrator", "run")
    lanes = {box.owner: box for box in layout.boxes if box.kind in ("odd", "even")}
    assert lanes["swarm orchestrator"].height < lanes["run"].height / 1.5


def test_long_idle_gaps_are_cut_and_their_length_is_written() -> None:
    layout = lay_out(*samples.incident(), origin=samples.ORIGIN)
    assert [box.name for box in layout.boxes if box.kind == "cut"] == ["5 d 18 h", "3 h 31 min"]
    assert [label.text for label in layout.labels if label.kind == "cut"] == ["5 d 18 h", "3 h 31 min"]
    widths = [box.width for box in layout.boxes if box.kind == "cut"]
    assert widths == pytest.approx([64, 64])


def test_all_pieces_of_the_clock_have_one_scale() -> None:
    axis = clock_axis([(0, 100), (10_000, 10_300)], [], 0, 1000, None)
    scales = [(p.right - p.left) / (p.end - p.start) for p in axis.pieces]
    assert len(scales) == 2 and scales[0] == pytest.approx(scales[1])
    assert axis.pieces[0].left == 0 and axis.pieces[-1].right == pytest.approx(1000)


def test_moments_keep_their_order_across_a_cut() -> None:
    axis = clock_axis([(0, 100), (10_000, 10_300)], [], 0, 1000, None)
    places = [axis.x(moment) for moment in (-5, 0, 50, 100, 5000, 10_000, 10_300, 20_000)]
    assert places == sorted(places)


def test_a_sleep_that_outlasts_everything_else_is_cut_too() -> None:
    """A delay of 10 hours between two minutes of work."""
    assert len(clock_axis([(0, 36_120)], [20, 60, 36_060, 36_090], 0, 1000, None).pieces) == 2


def test_the_clock_shows_the_date_where_a_piece_begins() -> None:
    layout = lay_out(*samples.incident(), origin=samples.ORIGIN)
    ticks = [label.text for label in layout.labels if label.kind == "tick"]
    assert [tick for tick in ticks if "-" in tick] == ["06-05 02:20", "06-10 20:55", "06-11 00:45"]
    assert "from 06-11 00:48" in [label.text for label in layout.labels]


def test_a_clock_passes_midnight_with_the_new_date() -> None:
    axis: Axis = clock_axis([(0, 7200)], [], 0, 1000, datetime(2026, 6, 10, 23, 0))
    assert "06-11 00:00" in [tick.text for tick in axis.ticks()]


def test_an_untimed_axis_counts_the_steps_from_one() -> None:
    ticks = [label.text for label in lay_out(samples.lost_update()).labels if label.kind == "tick"]
    assert ticks == ["1", "2", "3", "4"]


def test_an_untimed_step_says_what_it_did() -> None:
    deeds = [label.text for label in lay_out(samples.lost_update()).labels if label.kind == "deed"]
    assert deeds == ["read → 100", "write 40", "read → 100", "write 40"]


def test_verdicts_stand_at_the_lanes_end_with_a_sign_beside_their_colour() -> None:
    trace, lanes = samples.two_runs()
    layout = lay_out(trace, lanes, verdicts={"run#1": ("fail · eb96de94+U", False), "run#2": ("pass", True)})
    assert _verdict(layout, "run#1") == "✗ fail · eb96de94+U"
    assert _verdict(layout, "run#2") == "✓ pass"
    assert {box.kind for box in layout.boxes if box.kind.startswith("verdict")} == {"verdict_bad", "verdict_good"}


def test_without_lanes_every_shared_object_that_changed_is_shown_and_no_lock() -> None:
    trace, _ = samples.two_runs()
    objects = [box.owner for box in lay_out(trace).boxes if box.kind == "object"]
    assert objects == ["service disc-1a2b3c"]


def test_a_long_trace_is_drawn_in_part_and_the_picture_says_so() -> None:
    layout = lay_out(samples.long(20_000))
    assert f"Not drawn: the first {20_000 - MOST_STEPS:,} of 20,000 steps." in [label.text for label in layout.labels]
    assert len(layout.boxes) + len(layout.marks) + len(layout.labels) < 1500


def test_a_trace_without_steps_is_a_picture_too() -> None:
    empty = Trace(("run",), (), {"x": 1}, (), {}, {})
    assert lay_out(empty).height > 0
    assert lay_out(Trace(("run",), (), {"x": 1}, (), {}, {}, {"run": 0.0})).height > 0


def test_a_value_that_changes_back_within_one_instant_is_seen_by_step_order() -> None:
    """Two runs at the same speed and start: writes and reads share instants; every check still has one writer."""
    system, lane = samples.cluster(2)
    trace = samples.in_time(system, {"run#1": 0.0, "run#2": 0.0}, dict.fromkeys(samples.MINUTES, 0.0))
    layout = lay_out(trace, [Lane(lane.target)])
    assert sorted(arrow.reader for arrow in layout.arrows) == ["run#1", "run#2"]


def test_flags_are_spread_without_overlap_as_near_as_they_can_be() -> None:
    assert spread([10, 12], [10, 10], (0, 100)) == [6, 16]
    assert spread([2, 50], [10, 10], (0, 100)) == [5, 50]
    assert spread([98, 99], [10, 10], (0, 100)) == [85, 95]


def test_texts_are_shortened_to_their_room() -> None:
    assert elide("short", 12, 100) == "short"
    assert measure(elide("x" * 300, 12, 100), 12) <= 100
    assert elide("xyz", 12, 5) == ""
    assert wrap("one two three", 12, 56, 2) == ["one two", "three"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(498_600, "5 d 18 h"), (12_000, "3 h 20 min"), (42, "42 s"), (86_400, "1 d"), (0.25, "0.25 s")],
)
def test_durations_are_written_in_their_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def _overlap(one: Label, other: Label) -> bool:
    a, b = one.extent, other.extent
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _boxes(layout: Layout, kind: str, owner: str) -> list[Box]:
    return sorted((box for box in layout.boxes if box.kind == kind and box.owner == owner), key=lambda box: box.x)


def _verdict(layout: Layout, process: str) -> str:
    box = next(box for box in layout.boxes if box.kind.startswith("verdict") and box.owner == process)
    inside = [label for label in layout.labels if label.x >= box.x and box.y <= label.y <= box.bottom]
    return " ".join(label.text for label in inside)


def _in_lane(layout: Layout, process: str, y: float) -> bool:
    lane = next(box for box in layout.boxes if box.kind in ("odd", "even") and box.owner == process)
    return lane.y <= y <= lane.bottom


@pytest.mark.parametrize("reference", ["cc_ci:abra_regression", "cc_ci:env_recheckout"])
def test_a_value_written_again_is_said_to_come_from_the_last_write_as_the_sentence_says(reference):
    words = [label.text for label in told_picture(reference).labels]
    [checked] = [text for text in words if "checking service" in text]
    assert "written by it itself in chaos_redeploy at step" in checked


def test_a_reading_that_came_too_early_saw_the_value_before():
    system = load_model("cc_ci:early_read").build({}, None)
    trace = explore(system).trace
    [check] = facts_of(trace, system.lanes, 99, {20: 18}).checks
    assert (trace.steps[check.step].label, check.seen.shown, check.seen.wrong) == ("read too early", "eb96de94+U", True)
    assert "deploy_app" in trace.steps[check.writer].sections
