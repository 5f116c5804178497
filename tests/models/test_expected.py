"""Every model and variant gives what its manifest entry says: exact counts, verdict, shortest counterexample."""

from pathlib import Path

import pytest

from dstamp_sim import CRASH, Verdict, explore
from models.cc_ci import MECHANISMS
from tests.expected_models import build, manifest, measured

ENTRIES = manifest()


def _name(entry):
    crashes = [f"crashes={entry['crashes']}"] if "crashes" in entry else []
    return " ".join([entry["model"], *entry.get("set", []), entry.get("placement", ""), *crashes]).strip()


@pytest.mark.parametrize("entry", ENTRIES, ids=_name)
def test_a_model_gives_what_the_manifest_says(entry):
    now = measured(entry)
    assert now == {key: entry[key] for key in now}


def test_the_manifest_covers_every_model_file_and_every_mechanism():
    models = {entry["model"] for entry in ENTRIES}
    classics = {f"classic/{file.name}" for file in Path("models/classic").glob("*.py")}
    assert classics <= models
    assert {f"cc_ci:{name.replace('-', '_')}" for name in MECHANISMS} <= models


TWINS = {
    "bank": "bank_fixed",
    "philosophers": "philosophers_ordered",
    "peterson_broken": "peterson",
    "lock_file": "lock_file_fixed",
    "two_phase_commit_impatient": "two_phase_commit",
    "redis_lock": "redis_lock_fenced",
    "job_queue": "job_queue_idempotent",
    "connection_pool": "connection_pool_fixed",
    "stale_refill": "stale_refill_leased",
    "condition_variable": "condition_variable_locked",
}


def test_each_racy_classic_stands_beside_its_fixed_twin():
    verdicts = {e["model"]: e["verdict"] for e in ENTRIES if not {"set", "crashes"} & set(e)}
    for racy, fixed in TWINS.items():
        assert verdicts[f"classic/{racy}.py"] == "VIOLATED"
        assert verdicts[f"classic/{fixed}.py"] == "HOLDS"


IN_TIME = {
    "readers_writers": "readers_writers_fair",
    "spin_lock": "spin_lock_tickets",
    "controllers": "controllers_one_owner",
}
"""Those that do nothing wrong, but may never do what they should."""


def test_each_classic_that_puts_somebody_off_for_ever_stands_beside_its_fair_twin():
    verdicts = {e["model"]: e["verdict"] for e in ENTRIES if not {"set", "crashes"} & set(e)}
    for starving, fair in IN_TIME.items():
        assert verdicts[f"classic/{starving}.py"] == "VIOLATED"
        assert verdicts[f"classic/{fair}.py"] == "HOLDS"


def test_a_death_breaks_no_fixed_twin_but_blocks_others_where_a_lock_outlives_its_owner():
    """A mutex and a wish in shared memory stay behind the dead; the kernel frees a flock."""
    blocked = {}
    for fixed in TWINS.values():
        [entry] = [e for e in ENTRIES if e["model"] == f"classic/{fixed}.py" and e.get("crashes")]
        report = explore(build(entry), keep_going=True)
        failing = [j for j in report.judgements if j.verdict is Verdict.VIOLATED]
        assert {j.prop.name for j in failing} <= {"no deadlock", "the end stays possible"}, fixed
        for judgement in (one for one in failing if one.prop.name == "no deadlock"):
            dead = {step.process for step in judgement.trace.steps if step.choice.outcome == CRASH}
            blocked[fixed] = set(judgement.trace.waiting.values())
            assert len(dead) == 1 and judgement.trace.waiting.keys().isdisjoint(dead)
    assert blocked == {
        "philosophers_ordered": {"fork 0.acquire()", "fork 1.acquire()"},
        "peterson": {"memory.wait_to_enter(0)"},
        "connection_pool_fixed": {"pool.receive()"},
        "condition_variable_locked": {"condition.acquire()"},
    }
