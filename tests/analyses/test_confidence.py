"""Confidence limits: published values, and their own definition."""

from math import comb

import pytest

from dstamp_sim.analyses.confidence import all_that_was_never_seen, below, interval, never_seen


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0.0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0), (1, 100, 0.0003, 0.0545)],
)
def test_the_interval_is_the_published_one_of_clopper_and_pearson(hits, trials, low, high):
    assert interval(hits, trials) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("hits", "trials"), [(3, 20), (17, 40), (1, 1000)])
def test_at_each_limit_what_was_seen_or_more_extreme_has_half_of_what_is_left(hits, trials):
    def at_most(k, p):
        return sum(comb(trials, i) * p**i * (1 - p) ** (trials - i) for i in range(k + 1))

    low, high = interval(hits, trials)
    assert at_most(hits, high) == pytest.approx(0.025)
    assert 1 - at_most(hits - 1, low) == pytest.approx(0.025)


def test_nothing_in_so_many_trials_is_about_three_over_them():
    assert never_seen(10_000) == pytest.approx(3 / 10_000, rel=0.01)
    assert (1 - never_seen(50)) ** 50 == pytest.approx(0.05)


def test_after_few_trials_nothing_is_known_of_what_was_never_seen_and_after_many_little_is_left():
    assert all_that_was_never_seen(5, 5) == 1.0
    assert all_that_was_never_seen(0, 1_000_000) < 0.01


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (1.0, "up to 100%"),
        (0.9999, "below 100%"),
        (0.0331, "below 3.4%"),
        (0.003, "below 0.3%"),
        (0.001, "below 0.1%"),
        (0.00099, "below 1e-3"),
        (3e-7, "below 1e-6"),
    ],
)
def test_an_upper_limit_is_written_no_lower_than_it_is_and_never_as_nothing(limit, words):
    assert below(limit) == words
