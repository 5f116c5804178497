"""What the levels of a search tell of its end, against searches whose end is known."""

from math import comb

import pytest

from dstamp_sim.cli.forecast import Forecast
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from dstamp_sim.pipeline.explore import ExploreOptions
from dstamp_sim.pipeline.subject import load_subject


def forecast_of(widths):
    forecast, total = Forecast(), 0
    for depth, width in enumerate(widths):
        total += width
        forecast.told(total, depth)
    return forecast.says()


def estimate(said):
    number = said.removeprefix("levels get narrower: about ").removesuffix(" states in all if they go on so")
    return int(number.replace(",", ""))


def test_too_few_levels_tell_nothing():
    assert forecast_of([1, 2, 4, 8, 16]) == ""


def test_levels_that_grow_are_said_to_and_nothing_is_estimated():
    assert forecast_of([3**k for k in range(12)]) == "each level 3 times as wide as the last: no end in sight"


@pytest.mark.parametrize("processes", [24, 40, 60])
def test_past_the_widest_level_the_estimate_is_within_a_tenth_of_a_hypercube(processes):
    """Independent processes of one op each: the states at a depth are those who have moved."""
    widths = [comb(processes, k) for k in range(processes + 1)]
    for seen in range(processes * 2 // 3, processes):
        assert estimate(forecast_of(widths[: seen + 1])) == pytest.approx(2**processes, rel=0.1)


def test_the_last_level_may_still_be_under_way():
    widths = [comb(40, k) for k in range(30)]
    assert forecast_of([*widths, 1]) == forecast_of([*widths, comb(40, 30)])


def test_a_search_that_begins_again_is_a_new_one():
    forecast = Forecast()
    for depth in range(10):
        forecast.told(3**depth, depth)
    forecast.told(1, 0)
    assert forecast.says() == ""


@pytest.mark.parametrize(("model", "settings"), [("classic/philosophers", ["philosophers=7"]), ("cc_ci", ["runs=3"])])
def test_from_half_of_the_states_on_an_estimate_is_within_a_factor_of_two(model, settings):
    forecast, said = Forecast(), []

    def tell(states, _, depth):
        forecast.told(states, depth)
        said.append((states, forecast.says()))

    options = ExploreOptions(keep_going=True, reductions=NO_REDUCTION)
    whole = options.report(load_subject(model, settings), tell).coverage.states
    late = [estimate(words) for states, words in said if states > whole / 2 and words.startswith("levels")]
    assert late
    assert all(1 / 2 < one / whole < 2 for one in late)


def test_an_estimate_has_two_digits():
    assert estimate(forecast_of([comb(40, k) for k in range(30)])) % 10**11 == 0


def test_levels_of_one_state_end_at_once():
    assert estimate(forecast_of([1, 1, 1, 1, 1, 1, 1, 5, 4, 3, 2, 1])) == pytest.approx(22, abs=4)
