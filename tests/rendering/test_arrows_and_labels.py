"""No arrow and no sign runs through a label, and every step of a story has its words: in the layout's numbers."""

import re
from dataclasses import replace
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest

from dstamp_sim import explore
from dstamp_sim.core.errors import DstampError
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.pipeline.explained import annotations_of, explained
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.routes import Route, Routes
from dstamp_sim.rendering.timeline.shapes import Arrow, Label, Layout
from tests.random_systems import random_system
from tests.rendering import sample_traces as samples
from tests.rendering.test_layout import PICTURES

HALF = {"step": 1, "change": 3, "write": 4, "check_own": 5, "check_other": 9, "check_wrong": 9, "death": 6}
"""Half of a sign's width, as the drawing has it; those of steps stand on their point, others around it."""


HEAD_HALF, HEAD_LENGTH = 7.0, 11.0

GALLERY = Path(__file__).parents[2] / "docs/gallery"


def crossings(layout: Layout) -> list[tuple[object, Label]]:
    """Every arrow or sign with a label that it runs through; an arrow's own name and a check's own letter aside."""
    labels = [label for label in layout.labels if label.kind != "letter"]
    through = [(a, b) for a in layout.arrows for b in labels if _crosses(a, b) and not _is_name_of(b, a)]
    signs = [(m, b) for m in layout.marks if m.owner != "key" for b in labels if _touch(_extent(m), b.extent)]
    return [*through, *[pair for pair in signs if pair[0].owner]]


def _crosses(arrow: Arrow, label: Label) -> bool:
    pieces = [(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pairwise(arrow.points)]
    return any(_touch(piece, label.extent) for piece in (*pieces, *[_head(arrow)] * (arrow.kind != "own")))


def _head(arrow: Arrow) -> tuple[float, float, float, float]:
    """What an arrow's head takes, as the drawing has it: to both sides, and back from its tip."""
    (_, turn), (x, tip) = arrow.points[2:]
    back = tip + HEAD_LENGTH * (1 if turn > tip else -1)
    return x - HEAD_HALF, min(tip, back), x + HEAD_HALF, max(tip, back)


def _is_name_of(label: Label, arrow: Arrow) -> bool:
    """Its name stands on the level piece of an arrow."""
    (left, turn), (right, _) = arrow.points[1:3]
    return label.kind == "link" and label.y == turn and min(left, right) - 30 <= label.x <= max(left, right) + 30


def _extent(mark):
    half = HALF[mark.kind]
    low = 0 if mark.kind in ("step", "change") else half
    return mark.x - half, mark.y - (5 if not low else half), mark.x + half, mark.y + low


def _touch(one, other) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def told_steps_without_words(layout: Layout, annotations, trace) -> list[int]:
    """The steps named in the sentence that no label of their lane stands for."""
    drawn = {spot.number: spot for spot in layout.spots}
    named = {int(n) - 1 for n in re.findall(r"at step (\d+)", annotations.sentence)}
    lanes = {box.owner: box for box in layout.boxes if box.kind in ("odd", "even")}
    words = [label for label in layout.labels if label.kind in ("story", "deed")]
    lacking = []
    for number in sorted(named & drawn.keys()):
        lane = lanes[trace.steps[number].process]
        verb = trace.steps[number].op.verb if trace.steps[number].op else "dies"
        mine = [w for w in words if lane.y <= w.y <= lane.bottom and w.text.startswith(verb[:20])]
        if not mine:
            lacking.append(number)
    return lacking


def told_layout(system):
    """The layout of each property that fails in a system, explained; with its trace and what is told."""
    for judgement in explore(system, keep_going=True).judgements:
        if judgement.trace is not None:
            annotations = annotations_of(judgement.trace, explained(system, judgement.trace, about=judgement.prop))
            for trace in (judgement.trace, on_the_clock(judgement.trace)):
                yield lay_out(trace, system.lanes, annotations=annotations), annotations, trace


def on_the_clock(trace):
    """The same trace with times, some steps close together."""
    steps = tuple(replace(step, time_s=10.0 * n + n * 7919 % 9) for n, step in enumerate(trace.steps))
    return replace(trace, steps=steps, starts_s=dict.fromkeys(trace.processes, 0.0))


ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def arrows_and_labels(svg: str) -> Layout:
    """What a drawing has of a layout: its arrows and its labels; each arrow stands for a lane of its own."""
    arrows = []
    for kind, path in re.findall(r'<path class="arrow (\w+)" d="([^"]+)"', svg):
        x = [float(number) for number in re.findall(r"-?[\d.]+", path)]
        arrows.append(Arrow(kind, ((x[0], x[1]), (x[4], x[5]), (x[10], x[11]), (x[-2], x[-1])), "", ""))
    text = r'<text class="label (\w+)" x="([^"]+)" y="([^"]+)" font-size="([^"]+)" text-anchor="(\w+)"[^>]*>([^<]*)<'
    labels = [
        Label(unescape(words), float(x), float(y) - 0.35 * float(size), float(size), ANCHORS[anchor], kind)
        for kind, x, y, size, anchor, words in re.findall(text, svg)
    ]
    return Layout(0, 0, arrows=tuple(arrows), labels=tuple(labels))


@pytest.mark.parametrize("drawing", sorted(GALLERY.glob("*.svg")), ids=lambda file: file.stem)
def test_in_the_gallery_no_arrow_and_no_head_of_one_runs_through_a_label(drawing):
    drawn = arrows_and_labels(drawing.read_text(encoding="utf-8"))
    assert drawn.labels
    assert crossings(drawn) == []


def test_arrows_that_are_close_together_are_moved_apart():
    """Those of the torn checkout's witness: where one leaves, two arrive five pixels further on."""
    routes = Routes(
        ["a", "b"],
        [
            Route("cycle", "a", "b", 594.1, 597.3),
            Route("wrong", "b", "a", 597.3, 598.9),
            Route("cause", "b", "a", 597.3, 598.9),
        ],
    )
    for side in ([routes.all[0].start, *[r.end for r in routes.all[1:]]], [routes.all[0].end]):
        assert all(abs(x - y) >= 8 - 1e-6 for x, y in pairwise(sorted(side)))


@pytest.mark.parametrize("name", PICTURES)
def test_no_arrow_and_no_sign_runs_through_a_label(name):
    assert crossings(PICTURES[name]()) == []


MODELS = ("cc_ci", "classic/bank", "classic/peterson_broken", "classic/lock_file", "classic/philosophers")


@pytest.mark.parametrize("reference", MODELS)
def test_every_step_that_a_model_s_sentence_names_has_words(reference):
    for layout, annotations, trace in told_layout(load_model(reference).build({}, None)):
        assert told_steps_without_words(layout, annotations, trace) == []


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_of_random_systems_no_arrow_runs_through_a_label_and_the_story_has_its_words(first):
    seen = 0
    for seed in range(first, first + 20):
        try:
            pictures = list(told_layout(random_system(seed)))
        except DstampError:
            continue
        for layout, annotations, trace in pictures:
            seen += 1
            assert crossings(layout) == [], seed
            assert told_steps_without_words(layout, annotations, trace) == [], seed
            for one, other in _pairs(layout.labels):
                assert not _touch(one.extent, other.extent), (seed, one, other)
    assert seen


def _pairs(labels):
    return ((a, b) for n, a in enumerate(labels) for b in labels[n + 1 :])


def test_a_crossing_is_noticed():
    """The gate against a wrong twin: a label moved onto an arrow."""
    layout = PICTURES["told classic/bank"]()
    (x, y), (_, bend) = layout.arrows[0].points[:2]
    moved = Label("moved here", x, (y + bend) / 2, 11, "center", "deed")
    wrong = Layout(layout.width, layout.height, arrows=layout.arrows, labels=(moved,))
    assert [label for _, label in crossings(wrong)] == [moved]


def test_a_label_under_the_head_of_an_arrow_is_noticed():
    """The same of a label that the arrow itself passes by, and its head does not."""
    arrow = Arrow("cause", ((100, 200), (100, 150), (120, 150), (120, 100)), "a", "b")
    beside = Label("beside", 125, 106, 11, "left", "story")
    assert crossings(Layout(300, 300, arrows=(arrow,), labels=(beside,))) == [(arrow, beside)]
    below = replace(beside, y=120)
    assert crossings(Layout(300, 300, arrows=(arrow,), labels=(below,))) == []


def test_daemons_steps_have_words():
    trace, lanes = samples.orchestrated()
    plain = trace.__class__(**{**vars(trace), "starts_s": None})
    words = [label.text for label in lay_out(plain, lanes).labels if label.kind == "deed"]
    assert any(word.startswith("write") for word in words)
