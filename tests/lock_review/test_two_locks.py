"""Two different locks together, designs that are no span, and the assumption that would change the choice."""

from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from dstamp_sim import Placement, Verdict
from dstamp_sim.core.scenario import Distribution, Shape
from dstamp_sim.lock_review.answer import answer, flip_text
from dstamp_sim.lock_review.compare import DECLARED, AfterDeath, JudgedPlacement, candidates, span_numbers, written
from dstamp_sim.lock_review.flip import _scaled, what_would_flip
from dstamp_sim.lock_review.joined import of_two_locks, pairs_of_locks, worth_judging
from dstamp_sim.lock_review.review import review_model
from tests.lock_review.test_compare import judged

HERE = Path(__file__).parent
SECTIONS = ["fetch", "prepare", "render", "deploy", "wait", "check"]
ASKED = frozenset({"recipe", "stack"})
NEEDS = {"recipe": (0, 2), "stack": (3, 5)}
"""The sections that a lock must cover for each property to hold."""


def covers(placement, stretch, sections=SECTIONS):
    """Whether one span covers a stretch: what is asked of a placement in these tests."""
    first, last = stretch
    return any(span_numbers(s, sections)[0] <= first and last <= span_numbers(s, sections)[1] for s in placement.spans)


def keeps(placement, needs=NEEDS):
    held = tuple(name for name, stretch in needs.items() if covers(placement, stretch))
    verdict = Verdict.HOLDS if len(held) == len(needs) else Verdict.VIOLATED
    return JudgedPlacement(placement, verdict, "any number", held=held, deadlock=Verdict.HOLDS)


def singles(locks):
    stretches = combinations_with_replacement(range(len(SECTIONS)), 2)
    spans = [Placement.parse(f"{lock}:{SECTIONS[a]}..{SECTIONS[b]}") for a, b in stretches for lock in locks]
    return [Placement("none"), *spans]


def joined(found, judge=keeps):
    """All that is judged, and the placements that were joined, round by round."""
    found, rounds = list(found), []
    while wanted := worth_judging(found, ASKED, SECTIONS):
        found += map(judge, wanted)
        rounds.append([written(one) for one in wanted])
    return found, rounds


def test_the_smallest_spans_that_keep_one_property_each_are_joined():
    found, rounds = joined(map(keeps, singles(["a", "b"])))
    assert rounds[0] == ["a:fetch..render, b:deploy..check", "b:fetch..render, a:deploy..check"]
    assert {one.shape for one in found if one.safe and of_two_locks(one)} == set(rounds[0])


def test_what_is_safe_is_made_shorter_until_it_is_no_more():
    """Alone the property needs the first five sections; beside the other lock three are enough."""

    def judge(placement):
        needs = {"recipe": (0, 2) if len(placement.spans) == 2 else (0, 4), "stack": (3, 5)}
        return keeps(placement, needs)

    found, _ = joined(map(judge, singles(["a", "b"])), judge)
    assert "a:fetch..render, b:deploy..check" in {one.shape for one in found if one.safe}


def test_where_no_span_of_another_lock_keeps_the_rest_all_of_them_are_tried():
    needs = {"recipe": (0, 2), "stack": (0, 9)}
    found, rounds = joined((keeps(one, needs) for one in singles(["a", "b"])), lambda one: keeps(one, needs))
    smallest = [one for one in rounds[0] if "a:fetch..render" in one]
    assert len(smallest) == 21 + 6, "each span of the other lock, in both orders for the six that begin with fetch"
    assert not [one for one in found if one.safe]


def test_both_orders_are_tried_where_two_spans_begin_together():
    both = {written(one) for one in candidates(["one", "two"], ["a", "b"], 2, "a")}
    assert {"a:one, b:one", "b:one, a:one"} <= both
    assert "b:two, a:one" not in both


def test_what_one_span_keeps_is_not_joined():
    needs = {"recipe": (0, 2), "stack": (0, 2)}
    found = [keeps(one, needs) for one in singles(["a", "b"])]
    assert worth_judging(found, ASKED, SECTIONS) == []


def test_how_many_pairs_there_are_is_counted():
    assert pairs_of_locks(list(map(keeps, singles(["a", "b"])))) == 21 * 21
    assert pairs_of_locks(list(map(keeps, singles(["a"])))) == 0


FLEET = """
title = "runs of four domains"
model = "two_locks"
seed = 1

[arrivals]
over = "domain"
domains = 4
per_day = 8000
runs = 60
source = "assumed"

[delays]
render = { constant_s = 2, source = "assumed" }
check = { constant_s = 30, source = "assumed" }
"""


@pytest.fixture
def few_pairs(monkeypatch):
    """A model of two sections is treated as one with so many that not all pairs of spans are enumerated."""
    monkeypatch.setattr("dstamp_sim.lock_review.compare.MOST_SECTIONS_FOR_PAIRS", 1)
    monkeypatch.setattr("dstamp_sim.lock_review.review.MOST_SECTIONS_FOR_PAIRS", 1)


@pytest.fixture
def fleet(tmp_path):
    (tmp_path / "four.toml").write_text(FLEET, encoding="utf-8")
    return tmp_path / "four.toml"


def test_two_locks_that_mend_one_fault_each_are_recommended_where_they_cost_less(few_pairs, fleet, tmp_path):
    found = review_model(str(HERE / "two_locks.py"), settings=["domain=1,2"], scenario=fleet, out=tmp_path / "out")
    waits = {one.shape: one.price.waited_p95_s.mean for one in found.judged if one.safe and one.price}
    best = found.recommended[0].shape
    assert best == "recipe:render, stack:deploy"
    assert waits["recipe:render..deploy"] > 5 * waits[best]
    assert found.of("recipe:render").held == ("its own recipe is rendered",)
    text = "\n".join(answer(found))
    assert f"Two locks together: {found.joined.tried} of 9 pairs of their spans were judged." in text
    assert "Designs that are not spans: own (broken by 2 in 9 steps" in text
    assert "recipe?:render..deploy (safe for any number" in text
    assert "Not judged, as they name unknown locks: elsewhere." in text
    assert "The choice " in text


def test_the_bound_on_pairs_is_said(few_pairs, monkeypatch, tmp_path):
    monkeypatch.setattr("dstamp_sim.lock_review.review.MOST_JOINED", 1)
    found = review_model(str(HERE / "two_locks.py"), out=tmp_path / "out")
    assert (found.joined.tried, found.joined.cut) == (1, True)
    assert (
        "Two locks together: 1 of 9 pairs of their spans were judged (more were worth it, but the bound is 1)."
        in answer(found)
    )


def test_two_locks_that_can_deadlock_are_named(tmp_path):
    found = review_model(str(HERE / "philosophers_with_locks.py"), locks=["left", "right"], out=tmp_path / "out")
    [line] = [line for line in answer(found) if line.startswith("Two locks that are not known to break")]
    assert "left:eat, right:eat" in line
    assert "right:eat, left:eat" in line


class Asked:
    """A question whose answers are given: what two deaths do, what four runs do, what a scenario costs."""

    scenario = None

    def __init__(self, after_two=AfterDeath.SAFE, with_four=Verdict.HOLDS):
        self.after_two, self.with_four = after_two, with_four

    def after_deaths(self, placement, deaths):
        assert deaths == 2
        return {"lock:deploy": self.after_two, "lock:fetch": AfterDeath.BREAKS}.get(placement.name, AfterDeath.SAFE)

    def with_number(self, placement, count):
        assert count == 4
        return JudgedPlacement(placement, self.with_four, "4", deadlock=Verdict.HOLDS)


SAFE, CHEAP = judged("lock:deploy", 100), replace(judged("lock:fetch", 10), after_death=AfterDeath.BREAKS)


def test_what_only_a_death_breaks_would_be_chosen_if_nobody_died():
    found = what_would_flip(Asked(), [SAFE, CHEAP], SAFE)
    assert flip_text(found) == (
        "The choice would change if no run ever died, to lock:fetch, 95 in 100 wait at most 10 s; "
        "nothing else that was tried changes it: if a second run died."
    )


def test_a_second_death_changes_the_choice_where_it_breaks_it():
    other = judged("lock:fetch..prepare", 200)
    found = what_would_flip(Asked(after_two=AfterDeath.BREAKS), [SAFE, other], SAFE)
    assert [(flip.assumption, flip.choice.partition(",")[0]) for flip in found.found] == [
        ("a second run died", "lock:fetch..prepare")
    ]


def test_one_more_run_is_tried_only_where_the_verdict_is_not_for_any():
    few = replace(SAFE, numbers="1 to 3")
    found = what_would_flip(Asked(with_four=Verdict.VIOLATED), [few], few)
    assert "if there were 4 runs, as it would no longer be safe" in flip_text(found)
    assert "4 runs" not in flip_text(what_would_flip(Asked(with_four=Verdict.VIOLATED), [SAFE], SAFE))


def test_what_is_not_decided_or_cannot_be_changed_is_not_said_to_have_been_tried():
    few, fixed = replace(SAFE, numbers="1 to 3"), replace(SAFE, numbers=DECLARED)
    unknown = Asked(after_two=AfterDeath.UNDECIDED, with_four=Verdict.UNDETERMINED)
    assert what_would_flip(unknown, [few], few).unmoved == ("no run ever died",)
    assert what_would_flip(Asked(), [fixed], fixed).unmoved == ("no run ever died", "a second run died")


def test_where_nothing_changes_it_what_was_tried_is_said():
    assert flip_text(what_would_flip(Asked(), [SAFE], SAFE)) == (
        "The choice stands; nothing that was tried changes it: if no run ever died, a second run died."
    )


def test_a_delay_is_scaled_by_its_durations_and_not_by_its_spread():
    assert _scaled(Distribution(Shape.UNIFORM, (1, 3)), 2.0).figures == (2, 6)
    assert _scaled(Distribution(Shape.LOGNORMAL, (5, 0.4)), 2.0).figures == (10, 0.4)


def test_arrivals_and_each_delay_of_the_scenario_are_tried(few_pairs, fleet, tmp_path):
    found = review_model(str(HERE / "two_locks.py"), settings=["domain=1,2"], scenario=fleet, out=tmp_path / "out")
    assert found.flips.unmoved == (
        "no run ever died",
        "a second run died",
        "runs came half or twice as often",
        "one of the 2 delays took half or twice as long",
    )


def test_what_only_a_death_breaks_is_a_contender_however_many_are_safe_with_one():
    others = [judged(f"lock:{name}", 100 + at) for at, name in enumerate(["prepare", "render", "wait", "check"])]
    found = what_would_flip(Asked(), [SAFE, *others, CHEAP], SAFE)
    assert [flip.choice.partition(",")[0] for flip in found.found] == ["lock:fetch"]


def test_where_no_span_keeps_a_part_only_that_is_said(few_pairs, tmp_path):
    text = (HERE / "bank_with_locks.py").read_text(encoding="utf-8")
    two = text.replace('[LockScope("account")]', '[LockScope("account"), LockScope("till")]')
    (tmp_path / "bank.py").write_text(two, encoding="utf-8")
    found = review_model(str(tmp_path / "bank.py"), out=tmp_path / "out")
    assert found.joined.tried == 0
    assert (
        "Two locks together: none of 9 pairs was worth judging, as no span protects a part of the failing properties."
        in answer(found)
    )
