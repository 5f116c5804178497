"""`dstamp explore --checkpoint` and `--resume`: killed, on a full disk, and asked for what is not there."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dstamp_sim.pipeline import keeping
from tests.todays import todays

UNREDUCED = ("--no-por", "--no-symmetry", "--no-merge", "--property", "no deadlock")
LARGE = ("explore", "cc_ci", "--set", "runs=4", *UNREDUCED)
RUN = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); from dstamp_command import main; main()"


def begun(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, *LARGE, "--limit", "400000", "--json", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def document(out: str) -> dict:
    """What a command printed, without what differs from one command to the other."""
    return {key: value for key, value in json.loads(out).items() if key != "files"}


@pytest.mark.slow
def test_an_exploration_killed_at_random_moments_goes_on_to_the_same_document(tmp_path):
    whole = begun(tmp_path)
    start = time.monotonic()
    expected = document(whole.communicate()[0])
    takes_s = time.monotonic() - start
    for number in todays(range(20)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for after in (0.5, 1.0):
            there = (folder / "kept/at-once.json").exists()
            run = begun(folder, "--resume" if there else "--checkpoint", "kept", "--checkpoint-every", "0")
            time.sleep(takes_s * after * random.Random(f"{number} {after}").uniform(0.5, 1.0))
            run.send_signal(signal.SIGKILL)
            run.communicate()
        there = (folder / "kept/at-once.json").exists()
        last = begun(folder, "--resume" if there else "--checkpoint", "kept", "--checkpoint-every", "0")
        assert document(last.communicate()[0]) == expected


def test_what_was_kept_is_gone_on_with_and_it_is_said(dstamp, tmp_path):
    code, _, told = dstamp(*LARGE, "--limit", "5000", "--checkpoint", "kept")
    assert code == 3
    assert "keeps its states in kept, up to 8,192 MB" in told
    assert "if this ends early, --resume goes on with it" in told
    code, out, told = dstamp(*LARGE, "--limit", "9000", "--resume", "kept", "--json")
    assert code == 3
    assert "goes on from" in told
    assert document(out) == document(dstamp(*LARGE, "--limit", "9000", "--json")[1])


def test_another_question_is_refused_with_all_that_differs(dstamp, tmp_path):
    dstamp(*LARGE, "--limit", "5000", "--checkpoint", "kept")
    code, _, told = dstamp("explore", "cc_ci", "--set", "runs=5", "--resume", "kept")
    assert code == 2
    assert "parameter runs: 4, now 5; properties: no deadlock, now all; reduction merge: False, now True" in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resume", "nowhere"), "--resume nowhere: no checkpoint is there; --checkpoint begins one"),
        (("--resume", "cc_ci.txt"), "no checkpoint is there"),
        (("--checkpoint", "cc_ci.txt"), "cannot be written"),
        (("--checkpoint", "."), "--checkpoint .: the folder is not empty; give a new one"),
        (("--checkpoint", "kept", "--resume", "kept"), "give one of --checkpoint and --resume"),
        (("--checkpoint", "kept", "--set", "runs=1..3"), "--checkpoint is about one setting, not a matrix"),
        (("--checkpoint", "kept", "--checkpoint-every", "-1"), "is not from 0 to"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(dstamp, tmp_path, options, message):
    (tmp_path / "cc_ci.txt").write_text("mine")
    code, _, told = dstamp("explore", "cc_ci", *options)
    assert code == 2
    assert message in told
    assert {file.name for file in tmp_path.iterdir()} <= {"cc_ci.txt", "out"}


def test_nothing_is_kept_in_the_cache_of_what_was_short(dstamp, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    dstamp(*LARGE, "--limit", "5000")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(("limit", "kept"), [("5000", True), ("400000000", False)])
def test_what_takes_long_is_kept_in_the_cache_until_it_has_ended(dstamp, monkeypatch, tmp_path, limit, kept):
    monkeypatch.setattr(keeping, "UNASKED_S", 0.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    _, _, told = dstamp("explore", "cc_ci", "--set", "runs=3", *UNREDUCED, "--limit", limit)
    folder = re.search(r"kept from here on in (.*): if this", told)
    assert folder is not None
    assert Path(folder[1]).exists() is kept
