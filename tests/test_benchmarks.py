"""benchmarks/README.md quotes the benchmark's tables: exactly those of the saved results."""

import json
from dataclasses import replace

import pytest

from benchmarks import paired, zones
from benchmarks.ours import system
from benchmarks.table import BEGIN, END, README, RESULTS, quote, tables
from benchmarks.tools import SPIN, WORKLOADS, read_pan
from dstamp_sim import explore
from dstamp_sim.engines.explore.settings import NO_REDUCTION

RESULT = json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_readme_quotes_the_saved_results():
    text = README.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert quote(text, RESULT) == text


def test_a_changed_result_is_noticed():
    changed = {**RESULT, "about": {**RESULT["about"], "limit_s": 1234}}
    assert quote(README.read_text(encoding="utf-8"), changed) != README.read_text(encoding="utf-8")


def test_every_workload_is_measured_by_us_and_by_spin():
    done = {(c["tool"], c["workload"]) for c in RESULT["cells"] if c["ended"] == "done"}
    assert set(SPIN) == set(WORKLOADS)
    for workload in WORKLOADS:
        assert {("dstamp", workload), ("dstamp raw", workload), ("SPIN", workload), ("SPIN raw", workload)} <= done


def test_the_tables_have_a_line_for_each_workload():
    lines = tables(RESULT)
    for workload in WORKLOADS:
        assert sum(line.startswith(f"| {workload} |") for line in lines) == 2


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_saved_count_is_what_an_exploration_by_histories_gives_now(workload):
    """The results were saved before local states were compared by value."""
    done = [c for c in RESULT["cells"] if c["ended"] == "done"]
    cell = next(c for c in done if (c["tool"], c["workload"]) == ("dstamp raw", workload))
    histories = replace(NO_REDUCTION, by_value=False)
    report = explore(system(workload, cell["n"]), keep_going=workload != "philosophers", reductions=histories)
    assert (report.coverage.states, report.coverage.transitions) == (cell["states"], cell["transitions"])


def test_what_pan_prints_is_read():
    out = "errors: 0\n  229 states, stored\n 177 states, matched\n 406 transitions (= stored+matched)\n"
    assert read_pan(out + "pan: elapsed time 0.5 seconds\n") == {"states": 229, "transitions": 406, "seconds": 0.5}


def test_pairs_are_measured_in_turn_and_told_by_the_median_of_their_ratios():
    asked: list[str] = []
    took = {"here": iter([9.0, 1.0, 2.0, 4.0]), "there": iter([9.0, 2.0, 2.0, 2.0])}

    def measure(python: str) -> float:
        asked.append(python)
        return next(took[python])

    found = paired.pairs(measure, "here", "there", 3)
    assert asked[2:] == ["here", "there", "there", "here", "here", "there"]  # the first two fill the caches
    assert found == [(1.0, 2.0), (2.0, 2.0), (4.0, 2.0)]
    assert paired.line("bank", found) == "| bank | 2.00 | 2.00 | 1.000 | 0.50 to 2.00 |"


def test_an_exploration_of_a_users_own_object_is_among_them():
    assert str(paired.BOARD) in paired.EXPLORATIONS
    assert paired.BOARD.exists()


def test_the_table_of_exact_time_counts_the_zones_of_fischers_protocol():
    assert zones.searched(2)[:2] == (27, 35)


def test_the_incident_is_judged_within_its_delays_in_less_than_ten_seconds():
    said, seconds = zones.judged("deploy_app_to_check")
    assert said == "HOLDS, 46 zones"
    assert seconds < 10
