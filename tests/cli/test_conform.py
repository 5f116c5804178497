"""`dstamp conform` and `dstamp real`: bad input is refused before anything is started."""

import re


def test_one_thing_at_a_time_is_asked_for(dstamp):
    for arguments in ((), ("x.json", "--measure"), ("--measure", "--trials", "3")):
        code, _, errors = dstamp("conform", *arguments)
        assert code == 2 and "give one of a WITNESS, --trials N and --measure" in errors


def test_a_file_that_is_no_witness_is_refused(dstamp, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    code, _, errors = dstamp("conform", "x.json")
    assert code == 2 and "x.json: not a witness" in errors


def test_an_object_without_a_counterpart_is_named(dstamp):
    code, _, errors = dstamp("conform", "--trials", "1", "--model", "classic/bank")
    assert code == 2
    assert re.search(r"Register 'balance' has no real counterpart \(those that have: Flock, GitCheckout", errors)


def test_free_runs_of_versions_are_refused(dstamp):
    code, _, errors = dstamp("conform", "--trials", "1", "--set", "stack_deploy=two_steps")
    assert code == 2 and "leave stack_deploy at at_once" in errors


def test_an_unknown_placement_is_answered_with_the_nearest(dstamp):
    code, _, errors = dstamp("conform", "--trials", "1", "--placement", "deploy_ap")
    assert code == 2 and "did you mean 'deploy_app'" in errors


def test_the_users_engine_is_only_used_when_there_is_one(dstamp, monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    code, out, _ = dstamp("real", "doctor", "--yes-use-this-engine")
    assert code == 1 and "DOCKER_HOST is not set" in out


def test_an_engine_that_does_not_answer_is_named(dstamp, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    code, out, _ = dstamp("real", "doctor", "--yes-use-this-engine")
    assert code == 1 and "DOCKER_HOST=unix:///nowhere/docker.sock does not answer" in out
