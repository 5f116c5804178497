"""The end stays possible, on the command line: asked, shown, kept, replayed, reviewed; or said not to be asked."""

import json
from pathlib import Path

import pytest

from dstamp_sim import System, explore
from dstamp_sim.core.properties import END_POSSIBLE
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from dstamp_sim.engines.explore.shortest import traps_of
from dstamp_sim.pipeline.kept_witness import judged_again
from dstamp_sim.testing import assert_holds, assert_violated, system_of
from tests.analyses.trap_models import a_flag_is_left_behind, a_lease_outlives_its_holder, a_worker_is_waited_for

NAME = END_POSSIBLE.name
MODEL = '''"""A worker that dies is waited for, while a heartbeat beats on."""
from dstamp_sim import LockScope, Process, Register, System, section

done, beat = Register("done", False), Register("beat", 0)

def worker():
    yield from section("work", work())

def work():
    yield done.write(True)

def main():
    yield done.wait_for(True)

def heartbeat():
    yield beat.write(1)
    yield beat.write(0)

def build(mortal: bool = True) -> System:
    processes = [Process("worker", worker, killable=mortal), Process("main", main, killable=False)]
    heart = Process("heartbeat", heartbeat, daemon=True)
    spans = {"sections": ["work"], "locks": [LockScope("l")]}
    return System(objects=[done, beat], processes=[*processes, heart], crashes=1, **spans)
'''


@pytest.fixture
def pulse(dstamp):
    """Runs a command on the model: the exit code and what it prints."""
    Path("pulse.py").write_text(MODEL, encoding="utf-8")
    return lambda *arguments: dstamp(*arguments)[:2]


def verdicts(system: System) -> dict[str, str]:
    return {j.prop.name: j.verdict.value for j in explore(system, keep_going=True).judgements}


@pytest.mark.parametrize("model", [a_worker_is_waited_for, a_flag_is_left_behind, a_lease_outlives_its_holder])
def test_cases_that_were_said_to_hold_lead_into_a_trap_with_a_death_and_hold_without(model):
    assert verdicts(model(crashes=0)) == dict.fromkeys(verdicts(model(crashes=0)), "HOLDS")
    expected = dict.fromkeys(verdicts(model()), "HOLDS") | {NAME: "VIOLATED"}
    assert verdicts(model()) == expected


def test_a_queue_that_delivers_again_without_bound_has_as_many_traps_as_were_counted_by_hand():
    system = a_lease_outlives_its_holder()
    assert explore(system, reductions=NO_REDUCTION).coverage.states == 10_784
    assert len(traps_of(Semantics(system), 20_000)) == 144


def test_explore_tells_the_way_into_the_trap_and_keeps_it(pulse):
    code, out = pulse("explore", "pulse.py")
    assert code == 1 and "VIOLATED     the end stays possible (fails after 1 step)" in out
    assert "After worker's death at step 1 main cannot end any more" in out
    witness = Path("out/pulse-the-end-stays-possible.witness.json")
    code, out = pulse("show", str(witness), "--out", "again", "--html")
    assert code == 0 and "fails at step 1  the end stays possible" in out and "no deadlock" in out
    assert list(Path("again").glob("*.html"))


def test_a_kept_way_into_a_trap_is_performed_again_until_it_leads_into_none(pulse):
    pulse("explore", "pulse.py")
    kept = Path("out/pulse-the-end-stays-possible.witness.json")
    assert str(judged_again(kept).schedule) == "worker!"
    Path("pulse.py").write_text(MODEL.replace("done.wait_for(True)", "done.read()"), encoding="utf-8")
    assert judged_again(kept) is None


def test_it_is_listed_named_and_switched_off_like_any_property(pulse):
    assert f"{NAME}  built in" in pulse("describe", "pulse.py")[1]
    assert pulse("explore", "pulse.py", "--property", "no deadlock")[0] == 0
    assert pulse("explore", "pulse.py", "--property", NAME)[0] == 1
    assert pulse("explore", "pulse.py", "--set", "mortal=false")[0] == 0


def test_a_sample_says_that_it_does_not_ask_it(pulse):
    code, out = pulse("sample", "pulse.py", "--budget", "100")
    assert code == 3 and "the end stays possible (not asked: a schedule shows one way on" in out
    code, out = pulse("sample", "pulse.py", "--budget", "100", "--json")
    [asked] = [prop for prop in json.loads(out)["properties"] if prop["property"] == NAME]
    assert (asked["verdict"], asked["probability_95"]) == ("UNDETERMINED", None)


def test_assertions_ask_it(pulse):
    assert_violated(system_of("pulse.py", crashes=1), NAME)
    assert_holds(system_of("pulse.py", mortal=False))
    with pytest.raises(AssertionError, match="main cannot end any more"):
        assert_holds(system_of("pulse.py", crashes=1))


def test_a_review_calls_no_placement_safe_that_leads_into_a_trap(pulse):
    out = pulse("review", "pulse.py")[1]
    assert "0 of 2 placements are safe, 2 of the rest can lead into a trap" in out
    assert "trap after 1 step. After worker's death at step 1 main cannot end any more" in out
