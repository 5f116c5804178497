"""One race, timed and untimed: the same sentence but for its moments, and the same things stand out in the picture."""

import re

import pytest

from dstamp_sim import explore
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.pipeline.explained import annotations_of, explained
from dstamp_sim.rendering.timeline.layout import lay_out

RACE = "HC1 reads no wrong commit"
DELAYS_S = {
    "fetch_recipe": 60,
    "deploy_app": 120,
    "checkout_head": 5,
    "chaos_redeploy": 20,
    "wait_converged": 300,
    "teardown": 60,
}


@pytest.fixture(scope="module")
def races():
    """(explanation, layout) of the stack race, untimed and timed: run#2's deploy falls into run#1's wait."""
    system = load_model("cc_ci").build({}, None)
    [prop] = system.properties_named([RACE])
    delays = {name: Distribution(Shape.CONSTANT, (seconds,), "") for name, seconds in DELAYS_S.items()}
    timed = run_timed(system, Timing(delays=delays, starts_s={"run#1": 0.0, "run#2": 310.0}, seed=1))
    found = []
    for trace in (explore(system, properties=[RACE]).trace, timed):
        why = explained(system, trace, about=prop)
        found.append((why, lay_out(trace, system.lanes, annotations=annotations_of(trace, why))))
    return found


def test_the_sentences_differ_in_their_moments_only(races):
    untimed, timed = (why.sentence for why, _ in races)
    assert re.sub(r"at step \d+", "then", untimed) == re.sub(r"at \d:\d\d:\d\d", "then", timed)


def test_the_timed_sentence_writes_moments_as_its_picture_does(races):
    _, (why, layout) = races
    [checked] = [label.text for label in layout.labels if label.text.startswith("run#1, checking service")]
    assert re.findall(r"at (\d:\d\d:\d\d)", checked) == re.findall(r"at (\d:\d\d:\d\d)", why.sentence)[:2]


def test_the_window_the_missing_lock_the_cause_and_the_wrong_value_stand_out_in_both(races):
    for _, layout in races:
        kinds = [box.kind for box in layout.boxes]  # one of each, and one in the key
        assert [kinds.count(kind) for kind in ("window", "missing", "wrong_seen")] == [2, 2, 2]
        assert [arrow.kind for arrow in layout.arrows].count("wrong") == 1
        assert [arrow.kind for arrow in layout.arrows].count("cycle") == 1
