"""`dstamp sample` and `dstamp explore --count`: what they print, their exit codes, and never HOLDS."""

import json

import pytest

from dstamp_sim.engines.sampling.sampler import NAMES


def test_it_finds_the_race_makes_it_short_and_saves_it(dstamp, tmp_path):
    code, out, err = dstamp("sample", "cc_ci", "--strategy", "pct", "--budget", "4000", "--seed", "1")
    assert code == 1, err
    assert "VIOLATED     each result: HC1 reads no wrong commit (" in out
    assert "with 95 % confidence" in out
    assert "a bug of the given depth is in each with probability 0.00024 or more" in out
    assert "to 33:" in out
    assert (tmp_path / "out" / "cc-ci-hc1-reads-no-wrong-commit.witness.json").exists()
    assert dstamp("show", tmp_path / "out" / "cc-ci-hc1-reads-no-wrong-commit.witness.json")[0] == 0


@pytest.mark.parametrize("strategy", ["random-walk", "pct", "pos", "uniform", "preemption-bounded"])
def test_what_is_fixed_is_never_said_to_hold(dstamp, strategy):
    code, out, err = dstamp("sample", "classic/bank_fixed", "--strategy", strategy, "--budget", "500")
    assert code == 3, err
    assert out.splitlines()[1] == "UNDETERMINED"
    assert "HOLDS" not in out


def test_a_bound_on_preemptions_that_is_too_small_is_no_proof(dstamp):
    code, out, _ = dstamp("sample", "cc_ci", "--strategy", "preemption-bounded:preemptions=1")
    assert code == 3
    assert "every schedule with at most 1 preemptions was tried; those with more were not" in out


def test_as_json_it_tells_every_result_with_its_count(dstamp):
    code, out, _ = dstamp("sample", "classic/bank", "--strategy", "uniform", "--budget", "600", "--json")
    told = json.loads(out)
    assert code == 1
    assert sum(result["schedules"] for result in told["results"]) == told["schedules"] == 600
    assert told["unseen_95"] > 0
    [bad] = [prop for prop in told["properties"] if prop["verdict"] == "VIOLATED"]
    assert bad["probability_95"][0] < 4 / 6 < bad["probability_95"][1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--strategy", "pst"), "unknown strategy 'pst'; did you mean 'pct'"),
        (("--property", "never overdrown"), "did you mean 'never overdrawn'"),
        (("--budget", "0"), "is not from 1 to"),
        (("--set", "customer=3"), "did you mean 'customers'"),
        (("--strategy", "random-walk:depth=2"), "depth=2 means nothing to random-walk: it has no options"),
        (("--strategy", "pct:preemptions=1"), "preemptions=1 means nothing to pct: unknown option 'preemptions'"),
        (("--strategy", "pct:depth"), "write a strategy's options as name=number, such as pct:depth=2"),
        (("--strategy", "pct:depth=0"), "depth=0, but it must be 1 or more"),
        (("--seed", "-1"), "is not from 0 to"),
        (("--seed", "x"), "Invalid value for '--seed'"),
        (("--crashes", "-1"), "is not from 0 to"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(dstamp, tmp_path, arguments, message):
    code, _, err = dstamp("sample", "classic/bank", *arguments)
    assert code == 2
    assert message in err.replace("\n", " ")
    assert not (tmp_path / "out").exists()


def test_counting_says_how_rare_the_violation_is(dstamp):
    _, out, _ = dstamp("explore", "classic/bank", "--count")
    assert "6 complete interleavings, every step counted:" in out
    assert "  violate one withdrawal at most: 4, 1 interleaving in 1.5 = 2/3" in out
    assert "  violate never overdrawn: none" in out


def test_counting_in_json_is_exact(dstamp):
    _, out, _ = dstamp("explore", "cc_ci", "--set", "runs=3", "--count", "--json")
    told = json.loads(out)
    assert told["interleavings"] == 21910287155923215430617600
    assert 0 < told["deciding"]["HC1 reads no wrong commit"] < told["interleavings"]


def test_the_same_seed_draws_the_same_schedules_and_another_seed_others(dstamp):
    first, again, other = (
        json.loads(dstamp("sample", "cc_ci", "--budget", "3000", "--seed", seed, "--json")[1]) for seed in "778"
    )
    assert first == again
    assert first["results"] != other["results"]
    assert {prop["verdict"] for prop in first["properties"]} == {prop["verdict"] for prop in other["properties"]}


def test_a_space_that_is_too_large_to_count_keeps_its_verdict_and_says_what_to_do_instead(dstamp):
    code, out, _ = dstamp("explore", "cc_ci:checkout_race", "--set", "runs=3", "--count")
    told = out.replace("\n", " ")
    assert code == 1 and "VIOLATED" in told
    assert "not counted: more than 2,000,000 states: too many to count interleavings exactly; use fewer" in told
    assert "dstamp sample --strategy random-walk" in told


def test_every_strategy_is_listed_with_its_options(dstamp):
    code, out, _ = dstamp("sample", "--strategies")
    assert code == 0
    assert [line.partition(":")[0] for line in out.splitlines() if not line.startswith(" ")] == [*NAMES]
    assert "  pct:depth=3  ordering constraints that the bug needs" in out
