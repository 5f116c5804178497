"""What a large gate takes on a day; over a week it takes everything."""

import pytest

from tests.todays import ALL, DAY, PARTS, in_parts, said, the_day, todays, todays_trials

SEEDS = range(300, 5000)


def of(day, monkeypatch):
    monkeypatch.setenv(DAY, str(day))
    return todays(SEEDS)


@pytest.mark.parametrize("first", [0, 20_784])
def test_seven_days_on_end_take_every_seed_once(first, monkeypatch):
    taken = [seed for day in range(first, first + PARTS) for seed in of(day, monkeypatch)]
    assert sorted(taken) == list(SEEDS)


def test_no_day_takes_many_more_than_another(monkeypatch):
    sizes = [len(of(day, monkeypatch)) for day in range(PARTS)]
    assert max(sizes) - min(sizes) <= 1


def test_every_seed_can_be_asked_for(monkeypatch):
    assert of(ALL, monkeypatch) == SEEDS


def test_the_parts_for_the_cores_are_the_seeds_of_the_day(monkeypatch):
    monkeypatch.setenv(DAY, "3")
    parts = in_parts(SEEDS, 50)
    assert [seed for part in parts for seed in part] == list(todays(SEEDS))
    assert {len(part) for part in parts[:-1]} == {50}


def test_random_trials_are_a_seventh_with_the_day_as_seed(monkeypatch):
    monkeypatch.setenv(DAY, "3")
    assert todays_trials(50) == (3, 8)
    monkeypatch.setenv(DAY, ALL)
    assert todays_trials(50) == (0, 50)


def test_a_day_that_is_set_is_kept_and_said(monkeypatch):
    monkeypatch.setenv(DAY, "9")
    assert the_day() == "9"
    assert said() == "large gates take part 3 of 7 of the seeds (DSTAMP_DAY=9; DSTAMP_DAY=all takes every seed)"


def test_of_a_few_every_day_takes_one(monkeypatch):
    for day in range(20_784, 20_798):
        monkeypatch.setenv(DAY, str(day))
        assert len(todays(range(6), 6)) == 1
