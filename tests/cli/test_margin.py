"""`dstamp margin`: the lease of docs/time.md, its table, its JSON, its picture."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from dstamp_sim.engines.zones.margins import Margins
from dstamp_sim.engines.zones.within import Possibility
from dstamp_sim.engines.zones.zones import ZoneSearch
from dstamp_sim.margin.margin import find_margins
from dstamp_sim.margin.margin_picture import window
from dstamp_sim.pipeline.exact_time import load_timed_subject

TIME = (Path(__file__).parents[2] / "docs/time.md").read_text(encoding="utf-8")


@pytest.fixture
def lease(dstamp, tmp_path, monkeypatch):
    """Asks for the margins of the page's lease, with work between other bounds."""
    monkeypatch.chdir(tmp_path)
    model, scenario = (re.findall(rf"```{kind}\n(.*?)```", TIME, re.S)[0] for kind in ("python", "toml"))
    Path("lease.py").write_text(model, encoding="utf-8")

    def ask(*options, work="[10, 31]"):
        Path("lease.toml").write_text(scenario.replace("[10, 31]", work), encoding="utf-8")
        return dstamp("margin", "lease.py", "--within", "lease.toml", *options)

    return ask


def test_the_page_shows_what_is_printed(lease):
    [shown] = re.findall(r"```\n\$ dstamp margin lease.py --within lease.toml\n(.*?)```", TIME, re.S)
    code, out, _ = lease("--property", "no job is lost")
    assert code == 0
    assert shown.splitlines() == out.splitlines()[1 : len(shown.splitlines()) + 1]


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ("[10, 31]", "work, longest 31 s now; impossible below 30 s"),
        ("[10, 30]", "work, longest 30 s now; impossible below 30 s"),
        ('[10, 30], open_ends = ["high"]', "work, longest 30 s now; possible above 30 s"),
        ("[10, 20]", "work, longest 20 s now; possible from 30 s"),
    ],
)
def test_a_lease_of_30_s_is_safe_for_work_of_less_than_30(lease, work, said):
    _, out, _ = lease(work=work)
    assert said in " ".join(out.split())


def test_json_has_each_length_and_both_sides_of_a_flip(lease):
    code, out, _ = lease("--json", "--property", "no job is lost")
    [found] = json.loads(out)["properties"]
    assert code == 0
    assert (found["possibility"], found["whole"]) == ("possible", True)
    [work] = [one for one in found["durations"] if one["duration"] == "work, longest"]
    assert [(one["from_s"], one["to_s"], one["to_in"], one["possibility"]) for one in work["lengths"]] == [
        (10.0, 30.0, False, "impossible"),
        (30.0, None, False, "possible"),
    ]
    [flip] = work["flips"]
    assert flip["asked_again"] == {"30 s": "possible", "29.999 s": "impossible"}
    assert flip["because"] == ["'lease ttl' of ttl lasts at least 30 s"]


def test_a_search_that_is_cut_short_is_said_and_is_no_answer(lease):
    code, out, _ = lease("--limit", "2", "--property", "no job is lost")
    assert code == 3
    assert "not known within these bounds (the limit of 2 zones was reached)" in out


def test_ctrl_c_keeps_what_was_found(lease, monkeypatch):
    asked = []

    def pressed(search, run=ZoneSearch.run):
        asked.append(search)
        if len(asked) == 6:
            raise KeyboardInterrupt
        return run(search)

    monkeypatch.setattr(ZoneSearch, "run", pressed)
    code, out, _ = lease("--property", "no job is lost")
    assert code == 3
    assert "lease ttl" in out
    assert "no other duration was moved: interrupted" in out


def test_a_flip_that_is_not_so_when_it_is_asked_again_is_an_error(lease, monkeypatch):
    def wrong(self, lever, shift, alone=Margins._alone):
        side, way = alone(self, lever, shift)
        return side._replace(possibility=self.present.possibility), way

    monkeypatch.setattr(Margins, "_alone", wrong)
    code, _, err = lease("--property", "no job is lost")
    assert code == 70
    assert "does not flip" in err


def test_a_side_of_a_flip_that_cannot_be_asked_again_is_said_to_be_not_known(lease, monkeypatch):
    def tired(self, lever, shift, alone=Margins._alone):
        side, way = alone(self, lever, shift)
        return (side._replace(possibility=Possibility.UNKNOWN) if shift else side), way

    monkeypatch.setattr(Margins, "_alone", tired)
    code, out, _ = lease("--property", "no job is lost")
    assert code == 0
    assert "not known at " in out


def test_a_bar_shows_where_a_duration_is_and_where_it_flips(lease):
    lease()
    [found] = find_margins(
        load_timed_subject("lease.py", Path("lease.toml"), properties=["no job is lost"]), limit=1_000, budget_s=100
    )
    shown = {one.name: window(one) for one in found.durations}
    assert shown["work, longest"] == pytest.approx((29.4, 31.6))
    assert shown["start of first"] == pytest.approx((0.0, 57.6))
    assert shown["work, shortest"] == (0.0, 20.0)
    assert replace(found, stopped="interrupted").is_whole is False
