"""No arrow and no sign runs through a label, and every step of a story has its words: in the layout's numbers."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from dstamp_sim import explore
from dstamp_sim.core.errors import DstampError
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.pipeline.explained import annotations_of, explained
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.shapes import Arrow, Label, Layout
from tests.random_systems import random_system
from tests.rendering import sample_traces as samples
from tests.rendering.test_layout import PICTURES

HALF = {"step": 1, "change": 3, "write": 4, "check_own": 5, "check_other": 9, "check_wrong": 9, "death": 6}
"""Half of a sign's width, as the drawing has it; those of steps stand on their point, others around it."""


def crossings(layout: Layout) -> list[tuple[object, Label]]:
    """Every arrow or sign with a label that it runs through; an arrow's own name and a check's own letter aside."""
    labels = [label for label in layout.labels if label.kind != "letter"]
    through = [(a, b) for a in layout.arrows for b in labels if _crosses(a, b) and not _is_name_of(b, a)]
    signs = [(m, b) for m in layout.marks if m.owner != "key" for b in labels if _touch(_extent(m), b.extent)]
    return [*through, *[pair for pair in signs if pair[0].owner]]


def _crosses(arrow: Arrow, label: Label) -> bool:
    pieces = [(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pairwise(arrow.points)]
    return any(_touch(piece, label.extent) for piece in pieces)


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


def test_daemons_steps_have_words():
    trace, lanes = samples.orchestrated()
    plain = trace.__class__(**{**vars(trace), "starts_s": None})
    words = [label.text for label in lay_out(plain, lanes).labels if label.kind == "deed"]
    assert any(word.startswith("write") for word in words)
