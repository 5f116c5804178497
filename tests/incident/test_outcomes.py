"""The outcome of an experiment is asked of its own runs: what no order of their steps gives is refuted by proof."""

from dataclasses import replace
from pathlib import Path

import pytest

from dstamp_sim import Chance, Experiment, ModelError, Mutex, Process, System, UsageError
from dstamp_sim.incident.evidence import ExperimentOutcome
from dstamp_sim.incident.incident import update_evidence
from dstamp_sim.incident.judge_mechanisms import case_of, judge_mechanisms, judge_since
from dstamp_sim.incident.loaded import load_incident
from dstamp_sim.incident.possible.ask import engines
from dstamp_sim.incident.possible.case import Possible
from dstamp_sim.incident.possible.judge_variant import JudgementTask
from dstamp_sim.incident.possible.outcomes import OutcomeQuestion
from models.cc_ci import HYPOTHESES

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
    assert {row.mechanism for row in rows if observed in row.against} == refuted - {"early-report"}


INSPECTED = HYPOTHESES.experiments["isolated run, inspected"]


def test_a_partial_outcome_fits_whatever_has_the_parts_that_it_names():
    look = Experiment(
        "look", {}, (0.0,), lambda seen: {"early": seen[0].result, "late": "b"},
        parts={"early": ("a", "b"), "late": ()}, words={"red": ("late=b", "early=b")},
    )  # fmt: skip
    came = look.came([type("Run", (), {"result": "a"})])
    assert came == "early=a, late=b"
    for observed, fits in {
        "early=a": True, "late=b": True, "late=b, early=a": True, "early=b": False, "early=b, late=b": False,
        "red": True, "red, early=a": True, "red, early=b": False,
    }.items():  # fmt: skip
        look.check(observed)
        assert look.fits(observed, came) is fits, observed


@pytest.mark.parametrize(
    ("observed", "says"),
    [
        ("erly status=updating", "did you mean 'early status'?"),
        ("early status=updatng", "early status: unknown value 'updatng'; did you mean 'updating'?"),
        ("rad", "did you mean 'red'?"),
        ("red, early status", "unknown value ''"),
    ],
)
def test_a_part_that_is_none_is_refused_with_the_nearest(observed, says):
    with pytest.raises(UsageError) as refused:
        INSPECTED.check(observed)
    assert says in str(refused.value)


def test_a_word_for_no_outcome_and_a_value_that_cannot_be_told_from_two_are_refused():
    with pytest.raises(ModelError, match="the word 'red' stands for no outcome"):
        Experiment("look", {}, (0.0,), colors, outcomes=("green",), words={"red": ("drift",)})
    with pytest.raises(ModelError, match="'a, b' has ', ' or '=' in it"):
        Experiment("look", {}, (0.0,), colors, parts={"early": ("a, b",)})


def test_a_word_is_observed_in_worlds_that_have_any_of_its_meanings():
    coin = Chance("coin", "drift", "other failure", "green")

    def toss():
        return (yield coin.draw())

    system = System(objects=[coin], processes=[Process("run", toss)])
    words = {"red": ("drift", "other failure"), "blue": ("did not end",)}
    experiment = Experiment(
        "a run", {}, (0.0,), colors, outcomes=("drift", "other failure", "green", "did not end"), words=words
    )
    found = {word: OutcomeQuestion(experiment, word).answer(system, engines()).verdict for word in words}
    assert found == {"red": Possible.POSSIBLE, "blue": Possible.IMPOSSIBLE}


@pytest.fixture(scope="module")
def bank_twice():
    """The bank, to which two outcomes came in."""
    known = load_incident(BANK)
    made = tuple(
        ExperimentOutcome(experiment=experiment, outcome=outcome, source="the branch")
        for experiment, outcome in (("two at once", "overdrawn"), ("one withdrawal", "overdrawn"))
    )
    return replace(known, evidence=known.evidence.model_copy(update={"outcomes": made}))


def test_what_stood_before_an_outcome_is_what_the_evidence_without_it_has(bank_twice):
    stood, found = judge_since(bank_twice, [0, 1])
    for count, standing in enumerate([*stood, found.standing]):
        evidence = bank_twice.evidence.model_copy(update={"outcomes": bank_twice.evidence.outcomes[:count]})
        alone = judge_mechanisms(replace(bank_twice, evidence=evidence)).standing
        assert standing.shares == alone.shares
        assert standing.varied == alone.varied
        assert [vars(item) for item in standing.next] == [vars(item) for item in alone.next]
        for row, other in zip(standing.rows, alone.rows, strict=True):
            assert (row.verdict, row.reasons, row.bearings) == (other.verdict, other.reasons, other.bearings)
    assert [standing.left for standing in stood] == [["check-race", "booked-twice"]] * 2
    assert found.standing.left == ["booked-twice"]


def test_a_mechanism_that_no_world_of_some_prior_has_gets_its_upper_limit_there(bank_twice):
    _, found = judge_since(replace(bank_twice, evidence=bank_twice.evidence.model_copy(update={"outcomes": ()})), [])
    nobody = found.standing.varied["nobody else was there"]
    assert nobody.posterior["check-race"] == 0
    assert 0 < nobody.most("check-race") == nobody.limits["check-race"][1] < 0.05
    assert nobody.most("early-report") == 0  # proved impossible
