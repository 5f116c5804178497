"""A judgement ends: a row that needs more than its time is undetermined, and one may ask for some rows only."""

import json
from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest

from dstamp_sim import UsageError
from dstamp_sim.incident.judge_mechanisms import JudgementInterrupted, case_of, judge_mechanisms
from dstamp_sim.incident.loaded import load_incident
from dstamp_sim.incident.possible.ask import engines
from dstamp_sim.incident.possible.budget import ROWS, Budget, OutOfTime
from dstamp_sim.incident.possible.case import Possible
from dstamp_sim.incident.possible.judge_variant import JudgementTask

BANK_SCENARIO = Path(__file__).parents[2] / "experiments/bank/scenario.toml"
BANK = load_incident(BANK_SCENARIO)
CASE = case_of(BANK.evidence, BANK.model.hypotheses, BANK.scenario.priors.longest_run_s)


def test_rows_without_time_are_undetermined_and_the_judgement_goes_on():
    found = judge_mechanisms(replace(BANK, row_s=0.0)).standing
    for row in found.rows:
        assert (row.verdict, row.why) == (Possible.UNDETERMINED, "out of time (0 s of processor)")
    assert found.left == ["check-race", "booked-twice", "early-report"]
    assert found.posterior["booked-twice"] > 0.3  # the worlds are drawn all the same


def test_what_was_found_before_the_time_was_over_is_kept(monkeypatch):
    """The time ends after the first witness: then the number of failures is an upper limit."""
    asked = engines()
    over = []

    def reach(system):
        if over:
            raise OutOfTime("out of time")
        answer = asked.reach(system)
        over.extend([True] if answer.trace is not None and len(system.instances()) >= len(CASE.runs) else [])
        return answer

    monkeypatch.setattr(Budget, "timed", lambda *_: replace(asked, reach=reach))
    task = JudgementTask(BANK.model, CASE)
    row = task.row(task.variants_of("booked-twice")[0])
    assert row.verdict is Possible.POSSIBLE
    assert not row.timed.exact_faults


def test_a_process_that_spent_its_time_still_has_a_tenth_for_each_row():
    task = JudgementTask(BANK.model, CASE, Budget(row_s=100.0, begun_s=process_time() - 100 * ROWS))
    assert task.row(task.variants_of("early-report")[0]).verdict is Possible.IMPOSSIBLE
    late = Budget(row_s=100.0, begun_s=process_time() - 100 * ROWS).timed(engines())
    now = process_time()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("dstamp_sim.incident.possible.budget.process_time", lambda: now + 11)
        with pytest.raises(OutOfTime, match="10 s of processor"):
            late.reach(None)


def test_only_the_mechanisms_that_are_named_are_judged():
    some = BANK.only(["early-report"])
    found = judge_mechanisms(some).standing
    assert [row.mechanism for row in found.rows] == ["early-report"]
    assert some.command == "dstamp replay scenario.toml --only early-report --report REPORT.md"
    assert replace(BANK, row_s=2.5).command == "dstamp replay scenario.toml --budget 2.5 --report REPORT.md"
    with pytest.raises(UsageError, match="did you mean 'check-race'"):
        BANK.only(["check-rice"])


def test_the_progress_names_the_mechanism_at_hand():
    said = []
    judge_mechanisms(BANK, tell=lambda _done, _total, what="": said.append(what))
    assert list(dict.fromkeys(filter(None, said))) == ["check-race", "booked-twice", "early-report", "likelihoods"]


def interrupted_after(rows, asked=judge_mechanisms, **how):
    """The judgement of the bank, with Ctrl-C after so many rows."""
    done = []

    def tell(_done, _total, what=""):
        done.append(what)
        if len(done) > rows:
            raise KeyboardInterrupt

    with pytest.raises(JudgementInterrupted) as stopped:
        asked(BANK, tell=tell, **how)
    return stopped.value


@pytest.mark.parametrize("rows", [0, 2])
def test_ctrl_c_leaves_the_rows_that_are_finished(rows):
    whole = judge_mechanisms(BANK).standing.rows
    stopped = interrupted_after(rows)
    assert [(row.mechanism, row.verdict) for row in stopped.rows] == [(r.mechanism, r.verdict) for r in whole[:rows]]
    assert stopped.in_all == len(whole)


def test_an_interrupted_replay_prints_what_is_finished_and_that_it_is_not_the_whole(dstamp, monkeypatch):
    asked = judge_mechanisms
    monkeypatch.setattr(
        "dstamp_sim.incident.incident.judge_mechanisms",
        lambda *_, **__: (_ for _ in ()).throw(interrupted_after(2, asked)),
    )
    code, out, err = dstamp("replay", BANK_SCENARIO)
    assert (code, err.splitlines()[-1]) == (130, "dstamp: interrupted")
    assert "Interrupted: 2 of 3 rows are judged; nothing was weighed." in out
    assert "check-race" in out
    assert "early-report" not in out
    code, out, _ = dstamp("replay", BANK_SCENARIO, "--json")
    found = json.loads(out)
    assert (code, found["interrupted"], found["rows_judged"], found["rows_in_all"]) == (130, True, 2, 3)
    assert [row["mechanism"] for row in found["mechanisms"]] == ["check-race", "booked-twice"]
