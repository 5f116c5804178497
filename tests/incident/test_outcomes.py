"""The outcome of an experiment is asked of its own runs: what no order of their steps gives is refuted by proof."""

from pathlib import Path

import pytest

from dstamp_sim import Chance, Experiment, Mutex, Process, System
from dstamp_sim.incident.incident import update_evidence
from dstamp_sim.incident.judge_mechanisms import case_of
from dstamp_sim.incident.loaded import load_incident
from dstamp_sim.incident.possible.ask import engines
from dstamp_sim.incident.possible.case import Possible
from dstamp_sim.incident.possible.judge_variant import JudgementTask
from dstamp_sim.incident.possible.outcomes import OutcomeQuestion

BANK = Path(__file__).parents[2] / "experiments/bank/scenario.toml"


def answer(outcome_of, wanted, program, *objects, runs=2):
    experiment = Experiment("two at once", {}, tuple(0.0 for _ in range(runs)), outcome_of)
    system = System(objects=objects, processes=[Process(f"run-{n}", program) for n in range(runs)])
    return OutcomeQuestion(experiment, wanted).answer(system, engines()).verdict


def colors(seen):
    return " ".join(str(one.result) for one in seen)


def test_what_some_order_of_steps_gives_is_possible_and_all_else_impossible():
    coin = Chance("coin", "red", "green")

    def toss():
        return (yield coin.draw())

    assert answer(colors, "red green", toss, coin) is Possible.POSSIBLE
    assert answer(colors, "red blue", toss, coin) is Possible.IMPOSSIBLE


def test_runs_that_may_wait_for_ever_refute_nothing():
    left, right = Mutex("left"), Mutex("right")
    coin = Chance("coin", "one way", "the other")

    def take():
        first, then = (left, right) if (yield coin.draw()) == "one way" else (right, left)
        yield first.acquire()
        yield then.acquire()
        yield then.release()
        yield first.release()
        return "done"

    assert answer(colors, "None None", take, left, right, coin) is Possible.UNDETERMINED
    assert answer(colors, "done done", take, left, right, coin) is Possible.POSSIBLE


def test_an_outcome_that_asks_the_clock_is_left_to_the_worlds():
    coin = Chance("coin", "red", "green")

    def toss():
        return (yield coin.draw())

    assert answer(lambda seen: "late" if seen[0].end_s > 1 else "soon", "late", toss, coin) is Possible.UNDETERMINED


@pytest.mark.parametrize(
    ("observed", "refuted"),
    [("one withdrawal=overdrawn", {"check-race", "early-report"}), ("two at once=overdrawn", {"early-report"})],
)
def test_one_overdrawn_withdrawal_alone_refutes_the_race_by_proof(tmp_path, observed, refuted):
    known = load_incident(BANK)
    since = update_evidence(known, [observed], source="the branch", into=tmp_path / "after.toml", out=tmp_path / "out")
    case = case_of(since.evidence, since.model.hypotheses, since.scenario.priors.longest_run_s)
    rows = list(JudgementTask(since.model, case).rows(workers=1))
    assert {row.mechanism for row in rows if row.verdict is Possible.IMPOSSIBLE} == refuted
    assert {row.mechanism for row in rows if observed in row.against} == refuted
