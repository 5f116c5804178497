"""Mappings: any folder and any log becomes evidence; what is wrong with a mapping is told."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dstamp_sim import ScenarioError
from dstamp_sim.incident.mapping import read_mapping
from dstamp_sim.incident.run_folders import read_run_folders
from dstamp_sim.inputs.model_file import load_model
from models.cc_ci import HYPOTHESES

ROOT = Path(__file__).parents[2]
BANK = load_model(str(ROOT / "experiments/bank/overdraft.py")).evidence
CC_CI = HYPOTHESES.evidence


def mapping(folder, text):
    file = folder / "mapping.toml"
    file.write_text(text, encoding="utf-8")
    return read_mapping(file)


def test_json_by_paths_with_its_own_times_zone_and_words(tmp_path):
    jobs = tmp_path / "jobs"
    for name, word, left in (("7", "ok", 40), ("8", "declined", 20)):
        (jobs / name / "out").mkdir(parents=True)
        content = {"slip": {"status": word, "amounts": [60, left]}, "begun": 1772443800, "teller": "eve"}
        (jobs / name / "out/slip.json").write_text(json.dumps(content))
    asked = mapping(
        tmp_path,
        r"""
        time = { format = "epoch" }
        values.paid = { ok = true, declined = false }
        always = { account = 1, company = "solo" }
        [[files]]
        glob = "*/out/slip.json"
        run = '^(?P<id>\d+)/'
        fields = { paid = "slip.status", left = "slip.amounts.1", time = "begun" }
        rest = true
        """,
    )
    first, second = read_run_folders(jobs, BANK, mapping=asked).runs
    assert (first.id, first.seen, first.company) == ("7", {"account": 1, "paid": True, "left": 40}, "solo")
    assert first.time == datetime.fromtimestamp(1772443800, UTC)
    assert first.other == {"teller": "eve", "slip": {"amounts": [60, 40]}}
    assert second.seen["paid"] is False


LOG = """03/02/26 09:30:00 [ann] begin
03/02/26 09:30:04 [bob] begin
03/02/26 09:30:07 [ann] balance now 40
03/02/26 09:30:09 [bob] FAILED, balance now -20
"""


def test_one_log_of_several_runs_is_read_by_the_mapping_of_the_page(tmp_path):
    (tmp_path / "bank.log").write_text(LOG)
    page = (ROOT / "docs/ingest.md").read_text(encoding="utf-8")
    asked = mapping(tmp_path, page.partition("```toml\n")[2].partition("```")[0])
    for root in (tmp_path, tmp_path / "bank.log"):
        ann, bob = read_run_folders(root, BANK, mapping=asked).runs
        assert (ann.id, ann.seen) == ("ann", {"left": 40})
        assert (bob.id, bob.seen) == ("bob", {"paid": False, "left": -20})
        assert (bob.time.isoformat(), bob.until.isoformat()) == (
            "2026-03-02T09:30:04+01:00",
            "2026-03-02T09:30:09+01:00",
        )


def test_the_incidents_folders_are_read_by_a_mapping_as_by_default(tmp_path):
    runs = tmp_path / "runs"
    (runs / "m2b").mkdir(parents=True)
    red = {"level": 1, "stages": {"upgrade": "fail", "backup": "fail"}, "ref": "7ae7b0f76efb", "host": "ci-3"}
    (runs / "m2b/results.json").write_text(json.dumps(red))
    (runs / "m2b.console.log").write_text(
        "2026-06-10T20:54:00Z start\n2026-06-10T20:59:00Z taking chaos version: 7ae7b0f7+U\n"
        "2026-06-10T21:09:00Z chaos commit 'eb96de94+U', not the intended PR-head '7ae7b0f76efb' (HC1)\n"
    )
    (runs / "bad").mkdir()
    by_default = read_run_folders(runs, CC_CI)
    by_mapping = read_run_folders(runs, CC_CI, mapping=read_mapping(ROOT / "experiments/incident/runs.toml"))
    assert by_mapping == by_default
    assert by_default.runs[0].seen["upgrade"] == "fail"
    assert by_default.runs[0].other == {"host": "ci-3", "stages": {"backup": "fail"}}
    assert [item.file.parent.name for item in by_default.complaints] == ["bad"]


@pytest.mark.parametrize(("field", "value"), [("ref", "0123456789ab"), ("recipe", "ghost")])
def test_a_run_of_another_commit_or_recipe_is_an_error_and_no_refutation(tmp_path, field, value, dstamp):
    (tmp_path / "x").mkdir()
    (tmp_path / "x/results.json").write_text(json.dumps({"level": 1, field: value}))
    found = read_run_folders(tmp_path, CC_CI)
    assert found.runs == []
    assert f"x: {field} {value!r}: the model" in found.complaints[0].why
    text = (ROOT / "experiments/incident/evidence.toml").read_text(encoding="utf-8")
    other = tmp_path / "evidence.toml"
    other.write_text(text.replace("7ae7b0f76efb", value, 1) if field == "ref" else text.replace("discourse", value))
    code, _, err = dstamp("replay", "--evidence", other)
    assert code == 2
    assert f"184: {field} {value!r}: the model" in err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at files: is missing"),
        ("files = []", "at files: "),
        ("files = [{ glob = '../x', run = '(?P<id>x)' }]", "leads out of the folder"),
        ("files = [{ glob = 'x', run = '(' }]", "is no regular expression"),
        ("files = [{ glob = 'x', run = 'x' }]", "names nothing"),
        ("files = [{ glob = 'x', run = '(?P<of>x)' }]", "does not say which run it is"),
        ("files = [{ glob = 'x', rest = true }]", "of which run"),
        ("files = [{ glob = 'x', run = '(?P<id>x)', rest = true, lines = ['(?P<a>x)'] }]", "not both"),
        ("files = [{ glob = 'x', run = '(?P<id>x)' }]\ntime = { zone = 'Mars' }", "zone = 'Mars' is unknown"),
        ("files = [{ glob = 'x', run = '(?P<id>x)' }]\ntimes = {}", "did you mean 'time'"),
        ("files = [{ glob = 'x', run = '(?P<id>x)' }]\ntime = { format = '%b %d %H:%M' }", "write one, such as"),
        ("files = [{ glob = 'x', run = '(?P<id>x)' }]\ntime = { year = 2026 }", "leave it out"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_with_its_place_and_rule(tmp_path, text, why):
    with pytest.raises(ScenarioError, match=r"mapping\.toml: ") as error:
        mapping(tmp_path, text)
    assert why in str(error.value)


def test_hostile_files_are_named_and_never_followed(tmp_path):
    secret, runs = tmp_path / "secret", tmp_path / "runs"
    secret.mkdir()
    runs.mkdir()
    (secret / "a.log").write_text("[eve] balance now 7\n")
    (runs / "link.log").symlink_to(secret / "a.log")
    (runs / "inside").symlink_to(secret)
    (runs / "binary.log").write_bytes(b"\x7fELF\xff\x00")
    (runs / "good.log").write_text("[ann] balance now 40\n")
    asked = mapping(
        tmp_path, r"files = [{ glob = '**/*.log', lines = ['\[(?P<id>\w+)\] balance now (?P<left>-?\d+)'] }]"
    )
    found = read_run_folders(runs, BANK, mapping=asked)
    assert [(run.id, run.seen) for run in found.runs] == [("ann", {"left": 40})]
    told = {item.file.name: item.why for item in found.complaints}
    assert "UTF-8" in told["binary.log"]
    assert "is not followed" in told["link.log"]


def test_a_syslog_names_no_year_and_a_file_that_cannot_be_read_is_no_run(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "ann.log").write_text("Feb 29 02:00:03 host bank[8]: begin\nFeb 29 02:04:10 host bank[8]: balance now 40\n")
    (logs / "bob.log").write_bytes(b"\xff")
    (logs / "cat.log").write_text("")
    asked = mapping(
        tmp_path,
        r"""
        files = [{ glob = "*.log", run = '^(?P<id>\w+)', lines = ['balance now (?P<left>-?\d+)'] }]
        time = { pattern = '^\w+ +\d+ [\d:]+', format = "%b %d %H:%M:%S", year = 2024 }
        """,
    )
    found = read_run_folders(logs, BANK, mapping=asked)
    assert [(run.id, run.time) for run in found.runs] == [("ann", datetime(2024, 2, 29, 2, 0, 3))]
    assert [item.file.name for item in found.complaints] == ["bob.log", "cat.log"]


def test_a_folder_is_ingested_replayed_and_judged(dstamp, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bank = ROOT / "experiments/bank"
    for name in ("overdraft.py", "scenario.toml"):
        Path(name).write_text((bank / name).read_text(encoding="utf-8"), encoding="utf-8")
    slips = {"ann": ("02T09:30:00", 40), "bob": ("03T10:00:00", 40), "cat": ("03T13:00:00", -20)}
    for name, (time, left) in slips.items():
        Path("runs", name).mkdir(parents=True)
        slip = {"paid": True, "left": left, "stages": {"coffee": "fail"}, **({"account": 1} if name == "ann" else {})}
        Path("runs", name, "results.json").write_text(json.dumps(slip))
        Path("runs", f"{name}.console.log").write_text(f"2026-03-{time} begin\n")
    code, out, _ = dstamp("ingest", "runs", "--model", "overdraft.py")
    assert (code, out) == (
        0,
        "kept and not compared, as the model has no such field: stages\n3 runs, 0 files skipped; wrote evidence.toml\n",
    )
    code, out, _ = dstamp("replay", "scenario.toml", "--json", "--judge")
    found = json.loads(out)
    assert code == 0
    assert [row["run"] for row in found["runs"]] == ["ann", "bob", "cat"]
    assert {row["verdict"] for row in found["judgement"]["mechanisms"]} == {"possible", "impossible"}
