"""`dstamp replay`: the main job, run by run."""

import json
import shutil
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from dstamp_sim.inputs.model_file import bundled
from models.cc_ci import MECHANISMS
from tests.todays import ALL, the_day


def test_the_incident_is_replayed_run_by_run_and_ends_with_0(dstamp):
    code, out, _ = dstamp("replay", "--no-judge")
    assert code == 0
    for run in ("184", "m2b-discourse", "m2p-discourse", "ab-discourse-7ae7b0f-oldmain"):
        assert run in out
    assert "of 4 observed runs reproduced" in out
    assert "wrote out/replay-stack-race.png" in out
    assert Path("out/replay-stack-race.svg").exists()


def test_a_run_that_is_not_reproduced_says_why_in_a_sentence(dstamp):
    rows = json.loads(dstamp("replay", "--no-judge", "--json")[1])["runs"]
    alone = next(row for row in rows if row["run"] == "m2b-discourse")
    assert alone["reproduced"] is False
    assert alone["why"].startswith("no other run's base deploy falls between its redeploy (06-10 ")


def test_the_last_of_the_cluster_never_reads_the_bases_stamp_under_the_leading_hypothesis(dstamp):
    for seed in range(20):
        rows = json.loads(dstamp("replay", "--no-judge", "--json", "--seed", str(seed))[1])["runs"]
        red = [row["run"] for row in rows if row["simulated"]["stamp"] == "eb96de94+U"]
        assert set(red) <= {"m2p-discourse", "ab-discourse-7ae7b0f-oldmain"}
        assert len(red) <= 1


@pytest.mark.parametrize("name", MECHANISMS)
def test_every_mechanism_can_be_replayed_and_its_witness_shown(dstamp, name):
    code, out, _ = dstamp("replay", "--mechanism", name)
    assert code == 0
    assert f"mechanism {name}: " in out
    code, again, _ = dstamp("show", f"out/replay-{name}.witness.json", "--out", "again")
    assert code == 0
    assert "184" in again


def test_the_same_seed_writes_the_same_bytes(dstamp):
    dstamp("replay", "--no-judge", "--out", "one")
    dstamp("replay", "--no-judge", "--out", "two")
    for name in ("replay-stack-race.witness.json", "replay-stack-race.svg"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()


@pytest.mark.parametrize("written", ["bank", "experiments/bank", "experiments/bank/scenario.toml", "mine"])
def test_an_incident_of_the_package_is_replayed_by_its_name_and_a_users_own_by_its_folder(dstamp, written):
    shutil.copytree(bundled("experiments/bank"), "mine")
    code, out, err = dstamp("replay", written, "--no-judge")
    assert code == 0, err
    assert "The overdrawn account of 3 March" in out


def test_a_placement_changes_what_comes_out(dstamp):
    rows = json.loads(dstamp("replay", "--no-judge", "--json", "--placement", "deploy_app_to_exit")[1])["runs"]
    assert all(row["simulated"]["stamp"] == "7ae7b0f7+U" for row in rows)


MODEL = """
from typing import NamedTuple
from dstamp_sim import Process, Register, System, delay

register = Register("register", 0)

class Outcome(NamedTuple):
    saw: int
    failure: str = ""

def visit():
    seen = yield register.read()
    yield delay("think")
    yield register.write(seen + 1)
    return Outcome(seen)

def build(visitors: int = 2) -> System:
    return System(objects=[register], processes=[Process("visitor", visit, copies=visitors)])
"""

SCENARIO = """
title = "two visitors"
model = "visits.py"
seed = 1
[[starts]]
name = "ann"
at = 2026-01-01T10:00:00
[[starts]]
name = "bob"
at = 2026-01-01T10:00:05
[delays]
think = { constant_s = 10, source = "measured" }
"""


def test_a_users_own_model_is_replayed_from_a_scenario_beside_it(dstamp, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "visits.py").write_text(MODEL)
    (folder / "scenario.toml").write_text(SCENARIO)
    code, out, _ = dstamp("replay", folder / "scenario.toml")
    assert code == 0
    assert "saw" in out
    assert "Assumed" not in out
    rows = {row["run"]: row for row in json.loads(dstamp("replay", folder / "scenario.toml", "--json")[1])["runs"]}
    assert rows["ann"]["simulated"] == rows["bob"]["simulated"] == {"saw": 0, "failure": ""}
    assert rows["ann"]["reproduced"] is None


PROPERTY = (
    """, properties=[at_end("both are counted", lambda results, state: state[register] == 2, reads=[register])]"""
)


@pytest.fixture
def visits(tmp_path):
    """A scenario of two visitors who think for 10 s, `apart_s` apart, with a property that fails if they overlap."""

    def write(apart_s, extra=""):
        model = MODEL.replace("copies=visitors)]", f"copies=visitors)]{PROPERTY}").replace("System,", "System, at_end,")
        (tmp_path / "visits.py").write_text(model)
        (tmp_path / "visits.toml").write_text(SCENARIO.replace("10:00:05", f"10:00:{apart_s:02}") + extra)
        return tmp_path / "visits.toml"

    return write


def test_a_replay_judges_its_trace_as_show_does_and_ends_with_1_where_a_property_fails(dstamp, visits):
    code, out, _ = dstamp("replay", visits(5))
    assert code == 1
    _, shown, _ = dstamp("show", "out/replay-model.witness.json")
    judged = [line for line in out.splitlines() if "both are counted" in line or "deadlock" in line]
    assert judged[:2] == [
        "  fails at 01-01 10:00:15  at end: both are counted",
        "  holds so far             no deadlock",
    ]
    assert "bob" in judged[2]  # the sentence
    assert all(line in shown.splitlines() for line in judged)


def test_a_replay_in_which_nothing_fails_ends_with_0_and_claims_no_more_than_so_far(dstamp, visits):
    code, out, _ = dstamp("replay", visits(15))
    assert code == 0
    assert "  holds so far  at end: both are counted" in out.splitlines()
    assert "HOLDS" not in out


def test_a_property_that_the_draw_never_came_to_ask_ends_with_3(dstamp, visits):
    """All think for longer than a replay lasts."""
    scenario = visits(15)
    scenario.write_text(scenario.read_text().replace("constant_s = 10", "constant_s = 1e12"))
    code, out, _ = dstamp("replay", scenario)
    assert "  never asked   at end: both are counted" in out.splitlines()
    assert code == 3


def test_a_draw_that_ends_in_a_deadlock_breaks_that_property(dstamp, visits):
    model = visits(15).with_name("visits.py")
    model.write_text(model.read_text().replace("    seen = yield", "    yield register.wait_for(7)\n    seen = yield"))
    code, out, _ = dstamp("replay", model.with_name("visits.toml"), "--json")
    told = [item["in_this_trace"] for item in json.loads(out)["properties"]]
    assert (code, told) == (1, ["never asked", "fails from the start", "fails from the start"]), (
        "stuck, and so in a trap"
    )


def test_without_evidence_nothing_is_said_of_what_was_observed(dstamp, visits):
    _, out, _ = dstamp("replay", visits(5))
    assert "observed" not in out and "reproduced" not in out


def test_a_result_that_no_property_judges_has_no_tick_and_one_that_breaks_a_property_has_a_cross(dstamp, visits):
    dstamp("replay", visits(5))
    assert "✓ 0" not in Path("out/replay-model.svg").read_text()
    model = visits(5).with_name("visits.py")
    judged = """each_result("is first", lambda result: result == 0), at_end"""
    source = (
        model.read_text().replace("System, at_end,", "System, at_end, each_result,").replace("[at_end", f"[{judged}")
    )
    model.write_text(source.replace("return Outcome(seen)", "return seen"))
    dstamp("replay", visits_again := model.with_name("visits.toml"))
    assert Path("out/replay-model.svg").read_text().count("✓ 0") == 2
    visits_again.write_text(SCENARIO.replace("10:00:05", "10:00:15"))
    dstamp("replay", visits_again)
    svg = Path("out/replay-model.svg").read_text()
    assert svg.count("✓ 0") == 1 and svg.count("✗ 1") == 1


THINKS = SCENARIO.replace("constant_s = 10", "uniform_s = [0, 10]")


def test_draws_say_how_often_each_property_fails_and_which_seed_shows_it(dstamp, visits):
    """Ann thinks for up to 10 s and bob comes after 5: half of the draws fail; 200 of them, within four sigmas."""
    scenario = visits(5)
    scenario.write_text(THINKS)
    code, out, _ = dstamp("replay", scenario, "--draws", 200, "--json")
    assert code == 1
    lost, deadlock, trap = json.loads(out)["draws"]["properties"]
    assert 72 <= lost["decided"] <= 128 and lost["asked"] == 200
    assert lost["probability_95"][0] < 0.5 < lost["probability_95"][1]
    assert deadlock["decided"] == trap["decided"] == 0 and deadlock["first_seed"] is None
    assert dstamp("replay", scenario, "--seed", lost["first_seed"])[0] == 1
    assert all(dstamp("replay", scenario, "--seed", seed)[0] == 0 for seed in range(1, lost["first_seed"]))
    assert (
        f"fails in {lost['decided']} (the first has seed {lost['first_seed']})"
        in (dstamp("replay", scenario, "--draws", 200)[1])
    )


LEASED = """
from dstamp_sim import Outcome, Process, Register, SharedObject, System, at_end, delay

class Lease(SharedObject):
    def outcomes(self, state, op):
        holder, given = state
        match op.verb, op.args:
            case "acquire", ():
                return () if holder else (Outcome((given + 1, given + 1), given + 1),)
            case "wait_newer", (token,):
                return (Outcome(state, holder),) if holder > token else ()
            case ("release" | "lapse"), (token,):
                return (Outcome((0, given) if holder == token else state),)
        raise self.unknown_verb(op)

lease, file = Lease("lease", (0, 0)), Register("file", 0)

def apply():
    token = yield lease.op("acquire")
    seen = yield file.read()
    yield delay("job")
    yield file.write(seen + 1)
    yield lease.op("release", token)

def timer(runs):
    last = 0
    for _ in range(runs):
        last = yield lease.op("wait_newer", last)
        yield delay("ttl")
        yield lease.op("lapse", last)

def build(runs: int = 2) -> System:
    return System(
        objects=[lease, file],
        processes=[Process("apply", apply, copies=runs), Process("timer", timer, runs, daemon=True)],
        properties=[at_end("both are in", lambda results, state: state[file] == runs, reads=[file])],
    )
"""

LEASED_DAY = """
title = "A lease of 30 s, jobs of 10 to 20 s"
model = "leased.py"
seed = 1
[[starts]]
name = "first"
at = 2026-06-01T09:00:00
[[starts]]
name = "second"
at = 2026-06-01T09:00:05
[delays]
job = { uniform_s = [10, 20], source = "assumed" }
ttl = { constant_s = 30, source = "the rule" }
"""


@pytest.mark.parametrize(("ttl_s", "most_failing"), [(30, 0), (15, 1000)])
def test_what_only_durations_rule_out_fails_for_the_explorer_and_in_no_draw(dstamp, tmp_path, ttl_s, most_failing):
    """Case c2. No job outlasts a lease of 30 s; one of 15 s lapses amid half of the first jobs, and of those many fail.

    The limit, by hand: none of 1,000 leaves at most 1 - 0.025^(1/1000) = 0.37 %.
    """
    (tmp_path / "leased.py").write_text(LEASED)
    (tmp_path / "day.toml").write_text(LEASED_DAY.replace("constant_s = 30", f"constant_s = {ttl_s}"))
    code, out, _ = dstamp("explore", tmp_path / "leased.py")
    assert code == 1
    assert "VIOLATED     at end: both are in" in out
    code, out, _ = dstamp("replay", tmp_path / "day.toml", "--draws", 1000, "--json")
    both_in = json.loads(out)["draws"]["properties"][0]
    assert both_in["asked"] == 1000
    if most_failing == 0:
        assert (code, both_in["decided"]) == (0, 0)
        assert 0.0036 < both_in["probability_95"][1] < 0.0038
    else:
        assert code == 1
        assert 200 < both_in["decided"] < most_failing


def test_deaths_of_a_scenario_are_drawn_too(dstamp, visits):
    scenario = visits(5)
    scenario.write_text(SCENARIO.replace('name = "ann"', 'name = "ann"\ndies_after_s = 3'))
    code, out, _ = dstamp("replay", scenario, "--draws", 3)
    assert code == 1
    assert "at end: both are counted: fails in 3 (the first has seed 1)" in out


def test_late_starts_of_a_scenario_are_drawn_too(dstamp, visits):
    scenario = visits(5)
    scenario.write_text(SCENARIO.replace('name = "bob"', 'name = "bob"\nlate = "think"'))
    code, out, _ = dstamp("replay", scenario)
    assert code == 0
    assert "  holds so far  at end: both are counted" in out.splitlines()


def test_observed_starts_are_not_late(dstamp, tmp_path):
    given = bundled("experiments/incident/scenario.toml").read_text("utf-8")
    (tmp_path / "scenario.toml").write_text(given.replace('name = "184"', 'name = "184"\nlate = "janitor"'))
    (tmp_path / "evidence.toml").write_bytes(bundled("experiments/incident/evidence.toml").read_bytes())
    code, _, err = dstamp("replay", tmp_path / "scenario.toml")
    assert code == 2
    assert "starts that were observed are not late: leave out `late`, or the evidence" in " ".join(err.split())


@pytest.fixture
def contradictory(tmp_path):
    """The incident's evidence, had the last run come out with a stamp that nothing in the model can make."""
    before, stamp, after = bundled("experiments/incident/evidence.toml").read_text("utf-8").rpartition("eb96de94+U")
    assert stamp
    file = tmp_path / "contradictory.toml"
    file.write_text(f"{before}deadbeef{after}", encoding="utf-8")
    return file


TOGETHER = (0, 1, 3, 9)
"""Of 13 in a circle: these four, moved on by one each day, come to every two just once in 13 days."""


@pytest.fixture
def some():
    """The mechanisms of the day: every two are of one day in thirteen."""
    names = [*MECHANISMS]
    return names if the_day() == ALL else [names[(int(the_day()) + number) % len(names)] for number in TOGETHER]


def test_every_two_mechanisms_are_of_one_day():
    days = [[(day + number) % len(MECHANISMS) for number in TOGETHER] for day in range(len(MECHANISMS))]
    assert Counter(two for day in days for two in combinations(sorted(day), 2)) == Counter(
        combinations(range(len(MECHANISMS)), 2)
    )


@pytest.mark.slow(minutes=0.5)
def test_evidence_that_no_mechanism_can_give_is_reported_with_the_observation_that_conflicts(
    dstamp, contradictory, some
):
    only = [word for name in some for word in ("--only", name)]
    code, out, _ = dstamp("replay", "--evidence", contradictory, "--json", *only)
    assert code == 0
    judgement = json.loads(out)["judgement"]
    assert {row["mechanism"] for row in judgement["mechanisms"]} == {*some}
    assert {row["verdict"] for row in judgement["mechanisms"]} == {"impossible"}
    conflict = judgement["conflict"]
    assert conflict["names"] == ["ab-discourse-7ae7b0f-oldmain"]
    assert (conflict["smallest"], conflict["proved"]) == (True, True)
    assert conflict["values"] == {"ab-discourse-7ae7b0f-oldmain": {"stamp": "deadbeef"}}
    assert conflict["says"].endswith("partners: ab-discourse-7ae7b0f-oldmain (stamp `deadbeef`)")
    assert not any(row["verdict"] == "possible" for row in judgement["pairs"])
    assert judgement["pairs_refuted"] > (300 if len(some) == len(MECHANISMS) else 10)
    assert sum(weight["posterior"] for weight in judgement["weights"].values()) == 0


def test_evidence_beside_which_no_judgement_is_wanted_is_not_judged(dstamp):
    evidence = Path(__file__).parents[2] / "experiments/bank/evidence.toml"
    code, out, _ = dstamp("replay", "bank", "--evidence", evidence, "--no-judge", "--json")
    assert code == 0
    assert "judgement" not in json.loads(out)
    code, _, told = dstamp("replay", "bank", "--no-judge", "--report", "report.md")
    assert code == 2
    assert "--report is about the judgement: leave out --no-judge" in told
