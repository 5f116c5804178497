"""`dstamp prove`: verdicts for any number of copies, witnesses that are shown again, refusals."""

import json
import re

import pytest


def test_the_incident_fails_with_two_runs_and_the_witness_is_shown_again(dstamp):
    code, out, _ = dstamp("prove", "cc_ci")
    assert code == 1
    assert "HC1 reads no wrong commit (fails after 33 steps with 2 of run, the fewest)" in out
    code, out, _ = dstamp("show", "out/cc-ci-hc1-reads-no-wrong-commit.witness.json", "--out", "again")
    assert code == 0
    assert "run#2" in out


def test_a_safe_placement_holds_for_every_number_of_runs(dstamp):
    code, out, _ = dstamp(
        "prove", "cc_ci", "--placement", "deploy_app_to_check", "--property", "HC1 reads no wrong commit"
    )
    assert code == 0
    assert "for every number of copies of run" in out


def test_what_cannot_be_decided_for_every_number_says_why(dstamp):
    code, out, _ = dstamp("prove", "cc_ci", "--placement", "deploy_app_to_check")
    assert code == 3
    assert "UNDETERMINED no deadlock (not decided for every number of copies: one more copy may" in out


def test_what_stays_undecided_comes_with_the_command_that_looks_one_copy_further(dstamp):
    code, out, _ = dstamp("prove", "classic/bank_fixed")
    assert code == 3
    further = re.search(r"More copies may still fail; one more: dstamp (explore .*)\n", out)
    assert further is not None
    upto = int(re.search(r"no deadlock .*HOLDS with 1 to (\d+)", out)[1])
    assert further[1] == f"explore classic/bank_fixed --set customers={upto + 1} --keep-going"
    code, out, _ = dstamp(*further[1].split())
    assert code == 0
    assert "no deadlock" in out


def test_json_has_the_numbers_of_copies(dstamp):
    code, out, _ = dstamp("prove", "classic/bank", "--json")
    judged = {item["property"]: item for item in json.loads(out)["properties"]}
    assert code == 1
    assert judged["one withdrawal at most"]["copies"] == {"customer": 2}
    assert judged["never overdrawn"]["verdict"] == "HOLDS"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["classic/philosophers"], "classic/philosophers fixes the number of every process"),
        (["classic/bank", "--set", "customers=2"], "classic/bank fixes the number of every process"),
        (["classic/bank", "--set", "customers=many"], "it is declared a number or any"),
        (["classic/bank", "--property", "no deadlock"], "cannot be decided for any number of copies"),
        (["cc_ci", "--placement", "run_id_at_check"], "runs=any: runs with an id each"),
        (["cc_ci", "--set", "question=all_red"], "question='all_red' is none of safe"),
    ],
)
def test_what_does_not_fit_is_refused(dstamp, arguments, message):
    code, _, err = dstamp("prove", *arguments)
    assert code == 2
    assert message in err


def test_explore_asks_for_a_number(dstamp):
    code, _, err = dstamp("explore", "cc_ci", "--set", "runs=any")
    assert code == 2
    assert "this engine needs a number of copies; `prove` does not" in err
