"""Real run folders: what is read of them, and what is said of the bad ones."""

import json
import time
from pathlib import Path

import pytest

from dstamp_sim.incident.run_folders import LARGEST_RESULTS, read_run_folders
from dstamp_sim.inputs.model_file import load_model
from models.cc_ci import HYPOTHESES

CC_CI = HYPOTHESES.evidence
BANK = Path(__file__).parents[2] / "experiments/bank/overdraft.py"

GREEN = {"level": 4, "upgrade": "pass", "recipe": "discourse", "ref": "7ae7b0f76efb", "host": "ci-3"}
RED = {"level": 1, "upgrade": "fail", "ref": "7ae7b0f76efb"}
LOG = """2026-06-10T20:54:00Z start
2026-06-10T20:59:00Z DEBU app/deploy.go:372 version: taking chaos version: eb96de94+U
2026-06-10T21:03:00Z DEBU app/deploy.go:372 version: taking chaos version: 7ae7b0f7+U
2026-06-10T21:09:00Z chaos commit 'eb96de94+U', not the intended PR-head '7ae7b0f76efb' (HC1)
"""


def put(root, name, results, log=None):
    (root / name).mkdir()
    (root / name / "results.json").write_text(results if isinstance(results, str) else json.dumps(results))
    if log is not None:
        (root / f"{name}.console.log").write_text(log)


def test_results_and_log_become_a_run_and_unknown_keys_are_kept(tmp_path):
    put(tmp_path, "184", GREEN)
    put(tmp_path, "m2b", RED, LOG)
    green, red = read_run_folders(tmp_path, CC_CI).runs
    assert dict(CC_CI.compared(green.seen)) == {"level": 4, "upgrade": "pass"}
    assert green.other == {"host": "ci-3"}
    assert dict(CC_CI.compared(red.seen)) == {
        "stamp": "eb96de94+U",
        "level": 1,
        "upgrade": "fail",
        "computed": "7ae7b0f7+U",
    }
    assert (red.time.isoformat(), red.until.isoformat()) == ("2026-06-10T20:54:00+00:00", "2026-06-10T21:09:00+00:00")


def test_a_single_instant_is_not_known_to_be_a_start_or_an_end(tmp_path):
    put(tmp_path, "184", GREEN, LOG.splitlines()[0] + "\n")
    run = read_run_folders(tmp_path, CC_CI).runs[0]
    assert (run.time is not None, run.time_means, run.until) == (True, "unknown", None)


def test_what_the_model_does_not_declare_is_kept_and_compared_with_nothing(tmp_path):
    put(tmp_path, "a", GREEN | {"backup": "pass", "install": "pass"})
    run = read_run_folders(tmp_path, CC_CI).runs[0]
    assert run.other == {"host": "ci-3", "backup": "pass"}
    assert run.seen["install"] == "pass"
    assert dict(CC_CI.compared(run.seen)) == {"level": 4, "upgrade": "pass"}


def test_the_folders_of_another_model_are_read_by_what_it_declares(tmp_path):
    bank = load_model(str(BANK)).evidence
    put(tmp_path, "ann", {"paid": True, "account": 1, "teller": "eve"}, "2026-03-02T09:30:00 start\nbalance now 40\n")
    put(tmp_path, "bob", {"paid": True, "left": 40}, "balance now -20\n")
    put(tmp_path, "cat", {"left": -20}, "balance now -20\n")
    found = read_run_folders(tmp_path, bank)
    assert [(run.id, run.seen, run.other) for run in found.runs] == [
        ("ann", {"account": 1, "paid": True, "left": 40}, {"teller": "eve"}),
        ("cat", {"left": -20}, {}),
    ]
    assert [item.why for item in found.complaints] == ["its results name left 40, its log '-20'"]


def test_a_log_inside_the_folder_is_read_too(tmp_path):
    put(tmp_path, "a", RED)
    (tmp_path / "a" / "run.log").write_text("FATA secret not generated")
    assert read_run_folders(tmp_path, CC_CI).runs[0].other == {"reached": "secret not generated"}


@pytest.mark.parametrize(
    ("results", "why"),
    [
        ("", "empty"),
        ('{"level": 4, "upg', "cut off"),
        ("[1, 2]", 'it must be a table, such as {"paid": true} (given: [1, 2])'),
        ('{"level": "four"}', "level"),
        ('{"x": "' + "a" * LARGEST_RESULTS + '"}', "larger than 1 MB"),
        ('{"x": "\\ud800"}', "surrogate"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_results_file_is_named_and_the_rest_is_kept(tmp_path, results, why):
    put(tmp_path, "a-good", GREEN)
    put(tmp_path, "bad", results)
    put(tmp_path, "z-good", GREEN)
    found = read_run_folders(tmp_path, CC_CI)
    assert [run.id for run in found.runs] == ["a-good", "z-good"]
    assert [(item.file.parent.name, why in item.why) for item in found.complaints] == [("bad", True)]


def test_a_log_that_is_not_utf8_is_named_and_the_run_kept(tmp_path):
    put(tmp_path, "a", RED)
    (tmp_path / "a.console.log").write_bytes(b"taking chaos version: \xff\xfe")
    found = read_run_folders(tmp_path, CC_CI)
    assert [run.id for run in found.runs] == ["a"]
    spot = "line 1, byte 0xff after 'taking chaos version: '"
    assert found.complaints[0].why == f"not UTF-8 ({spot}): save it in that encoding"


@pytest.mark.parametrize(
    ("results", "log", "why"),
    [
        (GREEN, LOG, "its results say that upgrade passed, its log that the stamp was 'eb96de94+U'"),
        ({**RED, "ref": "0123456789ab"}, LOG, "its results name ref '0123456789ab', its log '7ae7b0f76efb'"),
    ],
)
def test_results_and_log_that_contradict_each_other_are_named_and_skipped(tmp_path, results, log, why):
    put(tmp_path, "a", results, log)
    found = read_run_folders(tmp_path, CC_CI)
    assert (found.runs, [item.why for item in found.complaints]) == ([], [why])


def test_a_log_that_ends_before_it_begins_is_skipped(tmp_path):
    put(tmp_path, "a", RED, "2026-06-11 10:00:00 b\n2026-06-10 10:00:00 a\n")
    found = read_run_folders(tmp_path, CC_CI)
    assert found.runs[0].time is None
    assert "is before its first" in found.complaints[0].why


@pytest.mark.slow
def test_ten_thousand_runs_are_read(tmp_path):
    for number in range(10_000):
        put(tmp_path, f"run-{number:05}", RED, LOG + "2026-06-10T21:04:00Z pulling images\n" * 500)
    begun = time.monotonic()
    assert len(read_run_folders(tmp_path, CC_CI).runs) == 10_000
    print(f"10,000 runs in {time.monotonic() - begun:.1f} s")  # noqa: T201 - a figure to read, not to assert
