"""`dstamp conform` and `dstamp real`: bad input is refused before anything is started."""

import re


def test_one_thing_at_a_time_is_asked_for(dstamp):
    for arguments in ((), ("x.json", "--measure"), ("--measure", "--trials", "3")):
        code, _, errors = dstamp("conform", *arguments)
        assert code == 2 and "name a WITNESS, or use --trials N or --measure" in errors


def test_an_option_of_the_trials_is_refused_elsewhere(dstamp):
    for arguments in (("x.json", "--placement", "deploy_app"), ("--measure", "--seed", "3", "--set", "runs=3")):
        code, _, errors = dstamp("conform", *arguments)
        assert (
            code == 2 and f"{arguments[1] if arguments[0] == 'x.json' else '--set, --seed'} would be ignored" in errors
        )


def test_a_file_that_is_no_witness_is_refused(dstamp, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    code, _, errors = dstamp("conform", "x.json")
    assert code == 2 and "x.json: not a witness" in errors


def test_an_object_without_a_counterpart_is_named(dstamp):
    code, _, errors = dstamp("conform", "--trials", "1", "--model", "classic/bank")
    assert code == 2
    assert re.search(r"Register 'balance' has no real counterpart \(those that have: Flock, GitCheckout", errors)


def test_free_runs_of_versions_are_refused_with_the_reason_and_what_to_do_instead(dstamp):
    code, _, errors = dstamp("conform", "--trials", "1", "--model", "cc_ci", "--set", "stack_deploy=two_steps")
    assert code == 2
    for told in ("has versions", "at instants that no process sees", "versioned=False", "dstamp conform WITNESS"):
        assert told in " ".join(errors.split())


def test_trials_need_a_model(dstamp):
    code, _, errors = dstamp("conform", "--trials", "1")
    assert code == 2 and "needs --model" in errors


def test_an_unknown_placement_is_answered_with_the_nearest(dstamp):
    code, _, errors = dstamp("conform", "--trials", "1", "--model", "cc_ci", "--placement", "deploy_ap")
    assert code == 2 and "did you mean 'deploy_app'" in errors


def test_the_users_engine_is_only_used_when_there_is_one(dstamp, monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("PATH", "")  # what a private engine would need does not matter here
    code, out, _ = dstamp("real", "doctor", "--yes-use-this-engine")
    assert code == 2 and "DOCKER_HOST is not set" in out


def test_an_engine_that_does_not_answer_is_named(dstamp, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    code, out, _ = dstamp("real", "doctor", "--yes-use-this-engine")
    assert code == 2 and "DOCKER_HOST=unix:///nowhere/docker.sock does not answer" in out
