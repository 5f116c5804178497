"""`dstamp explore`: verdicts, stories, witnesses, exit codes."""

import json
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "models" / "classic" / "bank.py"


def test_the_example_model_saved_anywhere_is_explored_with_three_customers(dstamp, tmp_path):
    (tmp_path / "somewhere").mkdir()
    model = tmp_path / "somewhere" / "my_bank.py"
    model.write_bytes(EXAMPLE.read_bytes())
    code, out, _ = dstamp("explore", model, "--set", "customers=3")
    assert code == 1
    assert "VIOLATED     at end: one withdrawal at most (fails after 5 steps)" in out
    assert "customer#2 ends: True" in out
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        ".dstamp-results",
        "my-bank-one-withdrawal-at-most.png",
        "my-bank-one-withdrawal-at-most.svg",
        "my-bank-one-withdrawal-at-most.witness.json",
    ]


def test_a_model_that_holds_ends_with_0_and_says_that_the_whole_space_was_seen(dstamp):
    code, out, _ = dstamp("explore", "classic/bank_fixed")
    assert code == 0
    assert out.splitlines()[1] == "HOLDS"
    assert "the whole space" in out


def test_a_limit_that_ran_out_ends_with_3(dstamp):
    code, out, _ = dstamp("explore", "cc_ci", "--limit", "10")
    assert code == 3
    assert "UNDETERMINED" in out
    assert "the limit of 10 states was reached" in out


def test_mechanisms_are_factories_and_may_be_named_either_way(dstamp):
    for words in (["cc_ci:swarm_rollback"], ["cc_ci:swarm-rollback"], ["cc_ci", "--mechanism", "swarm-rollback"]):
        code, out, _ = dstamp("explore", *words)
        assert code == 1
        assert "eb96de94+U" in out


def test_a_placement_written_out_is_laid_over_the_model(dstamp):
    code, out, _ = dstamp("explore", "cc_ci", "--placement", "app-domain:deploy_app..check_hc1")
    assert code == 0
    assert "lock placement app-domain:deploy_app..check_hc1" in out


def test_a_named_placement_brings_its_parameters_along(dstamp):
    assert dstamp("explore", "cc_ci", "--placement", "stack_per_run")[0] == 0


def test_only_the_named_property_is_judged(dstamp):
    code, out, _ = dstamp("explore", "classic/bank", "--property", "never overdrawn")
    assert code == 0
    assert "one withdrawal" not in out


def test_json_is_one_document_with_verdict_coverage_and_schedule(dstamp):
    code, out, _ = dstamp("explore", "classic/bank", "--json", "--keep-going", "--no-symmetry", "--no-merge")
    document = json.loads(out)
    assert (code, document["verdict"]) == (1, "VIOLATED")
    assert document["coverage"]["states"] == 11
    schedules = {p["property"]: p["schedule"] for p in document["properties"]}
    assert schedules["one withdrawal at most"] == "customer#1 customer#2*2 customer#1"


def test_crashes_are_allowed_on_request(dstamp):
    code, out, _ = dstamp("explore", "classic/philosophers_ordered", "--crashes", "1")
    assert code == 1
    assert "dies" in out


def test_a_saved_witness_is_shown_again_step_by_step(dstamp):
    dstamp("explore", "classic/bank")
    code, out, _ = dstamp("show", "out/bank-one-withdrawal-at-most.witness.json", "--out", "again")
    assert code == 0
    assert "customer#2 ends: True" in out
    assert Path("again/bank-one-withdrawal-at-most.witness.png").exists()


def test_what_never_occurred_is_listed(dstamp, tmp_path):
    (tmp_path / "model.py").write_text(
        "from dstamp_sim import *\n"
        "r = Register('r', 0)\n"
        "def p():\n"
        "    seen = yield r.read()\n"
        "    if seen:\n"
        "        yield r.write(2)\n"
        "    yield r.wait_for(7)\n"
        "def build() -> System:\n"
        "    return System(objects=[r], processes=[Process('p', p)], sections=['s'])\n"
    )
    _, out, _ = dstamp("explore", "model.py", "--property", "no deadlock", "--keep-going")
    assert "section never entered: s" in out
    assert "op waited for and never performed: r.wait_for(7)" in out
    assert "yield never reached: " in out
    assert "model.py:6 yield r.write(2)" in out


def test_of_a_line_that_is_passed_each_time_only_its_yield_is_said_to_be_never_reached(dstamp, tmp_path):
    (tmp_path / "model.py").write_text(
        "from dstamp_sim import *\n"
        "box = Register('box', 0)\n"
        "def work(look):\n"
        "    if look and (yield box.read()):\n"
        "        return 'seen'\n"
        "    yield box.write(1)\n"
        "def build() -> System:\n"
        "    return System(objects=[box], processes=[Process('p', work, False)])\n"
    )
    _, out, _ = dstamp("explore", "model.py")
    assert "model.py:4 if look and (yield box.read()):" in out
    assert out.count("yield never reached: ") == 1
    assert "never passed" not in out


def test_help_has_examples_and_exit_codes(dstamp):
    assert "Exit codes: 0 HOLDS or done" in " ".join(dstamp("--help")[1].split())
    assert "dstamp explore classic/bank" in " ".join(dstamp("explore", "--help")[1].split())


def test_a_timed_witness_is_minimised_and_replays(dstamp, tmp_path):
    drawn = json.loads(dstamp("replay", "--seed", 0, "--draws", 100, "--json")[1])["draws"]
    seed = next(item["first_seed"] for item in drawn["properties"] if item["decided"])
    dstamp("replay", "--no-judge", "--seed", seed, "--out", "out")
    code, out, _ = dstamp("show", "out/replay-stack-race.witness.json", "--minimise", "--html")
    assert code == 0
    assert "out/replay-stack-race-minimised.witness.json" in out and "minimised.witness.html" in out
    code, out, _ = dstamp("show", "out/replay-stack-race-minimised.witness.json")
    assert code == 0 and "Circular information flow (G1c)" in out


def test_a_trace_in_which_nothing_came_out_wrong_cannot_be_minimised(dstamp):
    dstamp("replay", "--mechanism", "stale-stack")
    code, _, err = dstamp("show", "out/replay-stale-stack.witness.json", "--minimise")
    assert code == 2 and "nothing went wrong" in err


def test_a_lock_order_with_a_cycle_is_named(dstamp):
    assert "lock order has a cycle: philosopher 0 takes fork 1" in dstamp("explore", "classic/philosophers")[1]
    assert "lock order" not in dstamp("explore", "classic/philosophers_ordered")[1]


def test_a_report_of_one_transition_says_transition(dstamp, tmp_path):
    tmp_path.joinpath("once.py").write_text(
        "from dstamp_sim import Process, Register, System, always\n"
        "x = Register('x', 0)\n"
        "def p():\n    yield x.write(1)\n"
        "SMALL = always('small', lambda state: state[x] < 2, reads=[x])\n"
        "def build() -> System:\n"
        "    return System(objects=[x], processes=[Process('p', p)], properties=[SMALL])\n",
        encoding="utf-8",
    )
    _, out, _ = dstamp("explore", str(tmp_path / "once.py"))
    assert "2 states, 1 transition, depth 1: the whole space" in out


def test_interleavings_without_end_are_not_counted_and_the_verdict_is_kept(dstamp, tmp_path):
    tmp_path.joinpath("beats.py").write_text(
        "from dstamp_sim import Process, Register, System\n"
        "x = Register('x', 0)\n"
        "def beat():\n    yield x.write(1)\n"
        "def p():\n    yield x.read()\n"
        "def build() -> System:\n"
        "    return System(objects=[x], processes=[Process('heartbeat', beat, daemon=True), Process('p', p)])\n",
        encoding="utf-8",
    )
    code, out, _ = dstamp("explore", str(tmp_path / "beats.py"), "--count")
    assert code == 0 and "HOLDS" in out
    assert "interleavings not counted: there are infinitely many interleavings: a daemon (heartbeat)" in out
