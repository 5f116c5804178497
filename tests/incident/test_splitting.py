"""Rare evidence: the estimate by splitting is that of plain worlds where these agree, and the analytic one beyond."""

import math
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import pytest

from dstamp_sim import Process, Register, System, delay
from dstamp_sim.analyses.confidence import positive_mean_interval
from dstamp_sim.core.mechanism import Hypotheses, Mechanism, Window
from dstamp_sim.core.observable import Field, Observable
from dstamp_sim.core.scenario import Distribution, Priors, Shape, Timing
from dstamp_sim.incident import judge_mechanisms
from dstamp_sim.incident.incident import judge_incident
from dstamp_sim.incident.likely.likelihood import weigh
from dstamp_sim.incident.likely.splitting import SplittingSize, split
from dstamp_sim.incident.likely.worlds import UNSEEN
from dstamp_sim.incident.loaded import load_incident
from dstamp_sim.incident.possible.case import Case, Observation
from dstamp_sim.incident.report.first_screen import first_screen
from tests.todays import todays

BANK = Path(__file__).parents[2] / "experiments/bank/scenario.toml"
COUNTED = 0.0141
"""P(evidence) of the bank's check-race, counted in a million worlds (0.0139 to 0.0144)."""

LONGEST_S = 100.0
SPAN_S = 2.5 * LONGEST_S
"""When a partner can come: from a longest run before the first observed run to half of one after the second."""

STARTS = {"early": LONGEST_S, "late": 2 * LONGEST_S}
SMALL = SplittingSize(particles=1000, moves=5, repetitions=8)


class Seen(NamedTuple):
    """What a run of the model shows."""

    red: bool


def two_windows(runs):
    """Each partner opens a window as it comes; an observed run is red if it comes while one is open."""
    window = Register("window", 0)

    def observed():
        return Seen((yield window.read()) > 0)

    def partner():
        yield window.write(1)
        yield delay("window")
        yield window.write(0)

    programs = [observed] * len(STARTS) + [partner] * (runs - len(STARTS))
    return System(objects=[window], processes=[Process(f"run#{n}", one) for n, one in enumerate(programs)])


RACE = Mechanism("a partner's window is open", two_windows, Window("a partner", bool, "a", "b", "its a", "its b"))
HYPOTHESES = Hypotheses(nothing=two_windows, evidence=Observable((Field("red", bool),)))
CASE = Case([Observation(name, (("red", True),)) for name in STARTS], (), (), ())


def asked(share, *, seed, worlds=1000, size=SMALL):
    """The likelihood by plain worlds, and by splitting, where a window is this share of the span."""
    window = Distribution(Shape.CONSTANT, (share * SPAN_S,))
    timing = Timing({"window": window}, STARTS, seed=seed)
    priors = Priors(LONGEST_S, (1.0, 1.0), 0.5, 0.0, {}, worlds, "test")
    sweepers = {}
    plain = weigh(
        RACE, HYPOTHESES, CASE, timing, priors, seed=seed, needs={}, impossible=(), sweepers=sweepers
    )  # fmt: skip
    rare = split(plain, RACE, HYPOTHESES, CASE, timing, priors, needs={}, sweepers=sweepers, size=size)
    return plain.likelihood, rare.likelihood


def exactly(share):
    """The chance that both runs come in a window, of at most UNSEEN partners, one on average, that come at any time."""
    number = [math.exp(-1) / math.factorial(n) for n in range(UNSEEN)]
    number.append(1 - sum(number))
    return sum(p * (1 - 2 * (1 - share) ** n + (1 - 2 * share) ** n) for n, p in enumerate(number))


def containing(share, seeds):
    """How many intervals contain the computed chance, and whether that of all estimates together does."""
    found = [asked(share, seed=seed)[1] for seed in seeds]
    within = sum(one.interval.low <= exactly(share) <= one.interval.high for one in found)
    low, high = positive_mean_interval([value for one in found for value in one.split])
    return within, low <= exactly(share) <= high


def test_two_uniform_starts_and_a_window_come_out_as_computed():
    assert containing(3.2e-5, range(4)) == (4, True)


@pytest.mark.slow
def test_of_the_intervals_around_a_computed_chance_no_more_miss_it_than_may():
    within, together = containing(1e-3, range(10, 22))
    assert within >= 10
    assert together


def test_the_computed_chance_is_a_billionth():
    assert exactly(3.2e-5) == pytest.approx(1e-9, rel=0.1)


def test_the_same_seed_returns_the_same_estimates_and_another_seed_others():
    one, again, other = (asked(1e-3, seed=seed)[1].split for seed in (1, 1, 2))
    assert one == again
    assert one != other


def disagreeing(shares, seeds):
    """The seeds with which the two intervals have nothing in common."""
    found = []
    for share in shares:
        for seed in seeds:
            plain, rare = asked(share, seed=seed, worlds=40_000)
            apart = plain.interval.low > rare.interval.high or rare.interval.low > plain.interval.high
            found += [(share, seed)] * apart
    return found


def test_both_estimates_agree_where_plain_worlds_do():
    assert len(disagreeing([0.4, 0.1, 0.01], todays(range(7)))) == 0


@pytest.mark.slow
def test_both_estimates_agree_for_95_of_100_seeds():
    seeds = todays(range(100))
    for share in (0.4, 0.1, 0.03, 0.01):
        assert len(disagreeing([share], seeds)) <= max(1, len(seeds) // 20)


def test_the_mean_of_all_repetitions_is_unbiased():
    """A wrong twin, which keeps only the repetitions that reached the evidence, is far from it."""
    tiny = SplittingSize(particles=40, moves=2, repetitions=120, share=0.3)
    _, rare = asked(1e-2, seed=3, size=tiny)
    low, high = positive_mean_interval(rare.split)
    assert low <= exactly(1e-2) <= high
    assert 0 in rare.split
    assert fmean(one for one in rare.split if one) > high


def test_evidence_that_no_world_shows_keeps_the_limit_of_plain_worlds():
    plain, rare = asked(0.0, seed=1)
    assert rare == plain
    assert rare.estimate == 0 < rare.interval.high


def test_a_judgement_that_is_asked_for_rare_evidence_has_a_figure_and_its_interval_everywhere(tmp_path, monkeypatch):
    monkeypatch.setattr(judge_mechanisms, "SplittingSize", lambda: SMALL)
    bank = load_incident(BANK)
    few = replace(bank.scenario.priors, runs=4, variations={})  # so few that hardly any can agree
    rare = replace(bank, scenario=replace(bank.scenario, priors=few), rare=True)
    summary = judge_incident(rare, replayed=None, out=tmp_path, report=tmp_path / "REPORT.md").summary
    weight = summary.weights["check-race"]
    low, high = weight.interval
    assert weight.split == SMALL.repetitions
    assert low < COUNTED < high
    assert summary.weights["early-report"].split == 0
    report = (tmp_path / "REPORT.md").read_text(encoding="utf-8")
    assert f"| {weight.estimate:.2g} | {low:.2g} to {high:.2g} |" in report
    assert f"the mean of {SMALL.repetitions} independent estimates" in report
    assert summary.as_json()["weights"]["check-race"]["interval"] == (low, high)
    assert f"P(evidence) is {weight.estimate:.1g} ({low:.1g} to {high:.1g}) for check-race" in str(
        first_screen(summary, tmp_path / "report.html")
    )
    assert summary.command == "dstamp replay scenario.toml --rare --report REPORT.md"
