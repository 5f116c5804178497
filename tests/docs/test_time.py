"""What docs/time.md says of its examples comes out of the files that it shows."""

import re
from pathlib import Path

import pytest

TIME = (Path(__file__).parents[2] / "docs/time.md").read_text(encoding="utf-8")
[MODEL, DEPLOY] = re.findall(r"```python\n(.*?)```", TIME, re.S)
[SCENARIO, DELAYS] = re.findall(r"```toml\n(.*?)```", TIME, re.S)
[PRINTED, GAVE_UP] = re.findall(r"```\n\$ dstamp (explore .*?)```", TIME, re.S)


@pytest.fixture
def lease(tmp_path, monkeypatch):
    """Writes the page's files with work between other bounds; returns the command of the page."""
    monkeypatch.chdir(tmp_path)
    Path("lease.py").write_text(MODEL, encoding="utf-8")

    def written(bounds="[10, 31]"):
        Path("lease.toml").write_text(SCENARIO.replace("[10, 31]", bounds), encoding="utf-8")
        return PRINTED.splitlines()[0].split()

    return written


def test_the_page_shows_what_is_printed(dstamp, lease):
    code, out, _ = dstamp(*lease())
    assert code == 1
    assert PRINTED.splitlines()[1:] == [line for line in out.splitlines() if line in PRINTED.splitlines()]
    assert "fails at 0:00:40" in out


@pytest.mark.parametrize(
    ("bounds", "code", "said"),
    [
        ("[10, 20]", 0, "no job is lost (impossible within these bounds)"),
        ("[10, 30]", 1, "possible within these bounds, at the earliest at 40 s, at the latest at 60 s"),
        ('[10, 30], open_ends = ["high"]', 0, "no job is lost (impossible within these bounds)"),
    ],
)
def test_a_lease_is_safe_for_work_that_is_shorter_and_broken_at_its_end(dstamp, lease, bounds, code, said):
    found, out, _ = dstamp(*lease(bounds))
    assert found == code
    assert said in out


def test_the_witness_is_shown_again_with_its_moments(dstamp, lease):
    dstamp(*lease())
    code, out, _ = dstamp("show", "out/lease-no-job-is-lost.witness.json", "--out", "again")
    assert code == 0
    assert "fails at 0:00:40" in out


@pytest.mark.parametrize(
    ("longest", "code", "said"),
    [(480, 1, GAVE_UP.splitlines()[1]), (299, 0, "each result: everybody deploys (impossible within these bounds)")],
)
def test_who_waits_too_long_gives_up_at_that_moment(dstamp, tmp_path, monkeypatch, longest, code, said):
    monkeypatch.chdir(tmp_path)
    Path("deploy.py").write_text(DEPLOY, encoding="utf-8")
    scenario = SCENARIO.partition("[delays]")[0] + DELAYS.replace("480", str(longest))
    Path("deploy.toml").write_text(scenario.replace("lease.py", "deploy.py"), encoding="utf-8")
    found, out, _ = dstamp(*GAVE_UP.splitlines()[0].split())
    assert found == code
    assert said in out
