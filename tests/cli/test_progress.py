"""Where errors are piped, a long command says now and then how far it is; a short one says nothing."""

from pathlib import Path

BANK = Path(__file__).parents[1] / "lock_review" / "bank_with_locks.py"


def test_a_review_whose_errors_are_piped_says_how_far_it_is(dstamp, monkeypatch):
    monkeypatch.setattr("dstamp_sim.engines.parallel.threads.cores", lambda: 1)
    monkeypatch.setattr("dstamp_sim.cli.progress.EVERY_S", 0.0)
    code, out, err = dstamp("review", BANK)
    assert code == 0
    assert "so far: 1 of 5 placements judged\n" in err
    assert "so far: 5 of 5 placements judged\n" in err
    assert "so far" not in out


def test_an_exploration_says_how_many_states_it_has_seen(dstamp, monkeypatch):
    monkeypatch.setattr("dstamp_sim.cli.progress.EVERY_S", 0.0)
    _, out, err = dstamp("explore", "cc_ci", "--set", "runs=2")
    assert " states, " in err and "states/s" in err
    assert "states/s" not in out


def test_a_short_command_says_nothing(dstamp):
    assert dstamp("explore", "classic/bank_fixed")[2] == ""
