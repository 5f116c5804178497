"""The fuzzer finds no fault and no hang; and it would find one."""

import pytest

from dstamp_sim.core.errors import UsageError
from tests.conftest import COUNTED
from tests.hostile import fuzz as fuzzer
from tests.hostile.fuzz import Tally, fuzz
from tests.todays import todays_trials


def assert_clean(tally: Tally, inputs: int) -> None:
    assert tally.faults == [], tally.faults[:5]
    assert tally.outcomes.total() == inputs
    assert tally.outcomes["refused"] > inputs / 4 and tally.outcomes["read"] > inputs / 50, tally.outcomes


def test_mutated_files_of_every_kind_are_read_or_refused_with_a_sentence(tmp_path, record_property):
    tally = fuzz(tmp_path, 250)
    record_property(COUNTED, tally.counts())
    assert_clean(tally, 250)


@pytest.mark.slow
def test_five_thousand_mutated_files_a_week_are_read_or_refused_with_a_sentence(tmp_path, record_property):
    seed, inputs = todays_trials(5_000)
    tally = fuzz(tmp_path, inputs, seed)
    record_property(COUNTED, tally.counts())
    assert_clean(tally, inputs)


def raising(error):
    def read(*_):
        raise error

    return read


@pytest.mark.parametrize(
    "error", [KeyError("x"), RecursionError("deep"), UsageError("nonsense"), UsageError("in.toml: " + "x" * 9_000)]
)
def test_a_reader_that_raises_or_refuses_in_the_dark_is_a_fault(tmp_path, monkeypatch, error):
    monkeypatch.setattr(fuzzer, "read_scenario", raising(error))
    tally = fuzz(tmp_path, 10)
    assert [kind for kind, _ in tally.faults] == ["scenario 1", "scenario 9"]
