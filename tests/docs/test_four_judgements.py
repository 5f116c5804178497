"""docs/four-judgements.md: the table is what its script computes, and what it says is refuted is."""

from pathlib import Path

import pytest

from dstamp_sim.engines.parallel.threads import cores
from dstamp_sim.incident.judge_mechanisms import case_of
from dstamp_sim.incident.possible.abduction import Judging
from dstamp_sim.incident.possible.ask import engines
from dstamp_sim.incident.possible.case import Bearing
from dstamp_sim.incident.possible.judge_variant import JudgementTask
from experiments.four_judgements import STAGES, incident, judgements, table

PAGE = (Path(__file__).parents[2] / "docs/four-judgements.md").read_text(encoding="utf-8")
ROWS = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("|")]
LEFT = {row[0]: row[1:] for row in ROWS[2:] if row[1] != "refuted"}


def test_the_outcomes_refute_by_proof_what_the_page_says_and_nothing_else():
    whole, counts = incident()
    outcomes = whole.evidence.outcomes
    case = case_of(whole.evidence, whole.model.hypotheses, whole.scenario.priors.longest_run_s)
    task, asked = JudgementTask(whole.model, case), engines()
    for name, cells in LEFT.items():
        refuted_by = [
            {
                number
                for number, made in enumerate(outcomes)
                if Judging(variant, case, asked)._outcome(made) is Bearing.CONTRADICTS
            }
            for variant in task.variants_of(name)
            if possible_alone(variant, case, asked)
        ]
        for cell, count in zip(cells[1:], [*counts[1:], len(outcomes)], strict=True):
            gone = all(min(numbers, default=99) < count for numbers in refuted_by)
            assert gone == (cell == "refuted"), (name, cell)


def possible_alone(variant, case, asked):
    """Whether no single observation contradicts the variant."""
    judging = Judging(variant, case, asked)
    return all(judging._bearing(item) is not Bearing.CONTRADICTS for item in (*case.runs, *case.probes))


def test_an_isolated_red_run_refutes_every_mechanism_that_needs_a_partner():
    company = {"stack-race", "checkout-race", "torn-checkout", "load-rollback", "recreate"}
    assert {name for name, cells in LEFT.items() if cells[1] == "refuted"} == company
    assert [name for name, _ in STAGES] == ROWS[0][1:]


@pytest.mark.slow(minutes=6)
def test_the_table_is_what_the_script_computes():
    assert [line for line in PAGE.splitlines() if line.startswith("|")] == list(table(judgements(cores())))
