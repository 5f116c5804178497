"""Each row of a review is what `explore` says of its placement, and what a brute force says of locks taken by hand.

Random systems with two locks, whose sections lie in one another; small, so that every state can be written down.
"""

import re
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dstamp_sim import explore
from dstamp_sim.core.properties import BUILT_IN, END_POSSIBLE, NO_DEADLOCK
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from dstamp_sim.inputs.model_file import load_model, read_settings
from dstamp_sim.lock_review.answer import counts
from dstamp_sim.lock_review.compare import Standing
from dstamp_sim.lock_review.judge_placement import ReviewSubject
from dstamp_sim.lock_review.review import review_model
from tests.lock_review import nested
from tests.oracle import search
from tests.todays import todays

HERE = Path(__file__).parent


def standing(verdicts):
    """The status of a placement, by the names of the properties and their verdicts as text."""
    built_in = {prop.name for prop in BUILT_IN}
    if any(verdict == "VIOLATED" for name, verdict in verdicts.items() if name not in built_in):
        return Standing.BROKEN
    if verdicts[NO_DEADLOCK.name] == "VIOLATED":
        return Standing.DEADLOCK
    return Standing.TRAP if verdicts[END_POSSIBLE.name] == "VIOLATED" else Standing.SAFE


def by_hand(seed, one):
    """The verdicts of a brute force on the system whose programs take the locks of a placement themselves."""
    return search(nested.build(seed, one.shape if one.placement.spans else "")).verdicts


def explored(system, one):
    """The verdicts of an exploration of one placement alone, with no reduction."""
    report = explore(system.with_locks(one.placement), reductions=NO_REDUCTION, keep_going=True)
    return {judgement.prop.name: judgement.verdict.name for judgement in report.judgements}


def differences(review, declared, asked):
    """The rows of a review that say otherwise than `asked` does of them, and its counts if they are not those."""
    found = Counter()
    for one in review.judged:
        verdicts = asked(one)
        found[standing(verdicts)] += 1
        if (standing(verdicts), {name for name in declared if verdicts[name] == "HOLDS"}) != (
            one.standing,
            {*one.held},
        ):
            yield f"{one.shape} is {one.standing}, {one.held} hold; but {verdicts}"
    failing = found.total() - found[Standing.SAFE]
    numbers = [int(number) for number in re.findall(r"\d+", counts(review.judged))]
    if numbers[:2] != [found[Standing.SAFE], found.total()] or sum(numbers[2:]) != failing:
        yield f"{counts(review.judged)!r}, but {found}"


def of_seed(seed, out):
    """What differs in the review of a random system, and how many placements it has."""
    system = nested.build(seed)
    review = review_model(str(HERE / "nested.py"), settings=[f"seed={seed}"], out=out)
    declared = [prop.name for prop in system.properties]
    return list(differences(review, declared, lambda one: by_hand(seed, one))), review


FEW = [*range(3), 6]


@pytest.mark.parametrize("seed", FEW)
def test_a_review_counts_what_locks_taken_by_hand_do(seed, tmp_path):
    assert of_seed(seed, tmp_path)[0] == []


@pytest.mark.slow
def test_reviews_of_many_random_systems_count_what_locks_taken_by_hand_do(tmp_path):
    for seed in todays(range(7, 56)):
        assert of_seed(seed, tmp_path)[0] == [], seed


MODELS = {
    "two_locks.py": ["runs=2"],
    "booking.py": ["jobs=2"],
    "bank_with_locks.py": ["customers=2"],
}


def of_model(model, settings, out):
    """What differs in the review of a model, but for its placements without spans, and the review."""
    loaded = load_model(str(HERE / model))
    system = loaded.build(read_settings(loaded.factory, settings))
    review = review_model(str(HERE / model), settings=settings, out=out)
    rows = replace(review, judged=tuple(one for one in review.judged if not one.placement.sets))
    return list(differences(rows, [prop.name for prop in system.properties], partial(explored, system))), review


@pytest.mark.parametrize(("model", "settings"), MODELS.items(), ids=MODELS)
def test_each_row_of_a_models_review_is_what_an_exploration_of_it_alone_says(model, settings, tmp_path):
    assert of_model(model, settings, tmp_path)[0] == []


def test_pairs_of_two_locks_that_are_joined_later_are_what_an_exploration_of_them_says(monkeypatch, tmp_path):
    monkeypatch.setattr("dstamp_sim.lock_review.compare.MOST_SECTIONS_FOR_PAIRS", 1)
    monkeypatch.setattr("dstamp_sim.lock_review.review.MOST_SECTIONS_FOR_PAIRS", 1)
    wrong, review = of_model("two_locks.py", ["runs=2"], tmp_path)
    assert wrong == [] and review.joined.tried > 0


def test_a_review_that_leaves_out_the_span_within_another_is_caught(monkeypatch, tmp_path):
    build = ReviewSubject.build
    monkeypatch.setattr(
        ReviewSubject,
        "build",
        lambda self, placement, settings: build(self, replace(placement, spans=placement.spans[:1]), settings),
    )
    assert any(of_seed(seed, tmp_path)[0] for seed in FEW)
