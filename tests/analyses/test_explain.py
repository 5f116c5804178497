"""The sentence, word for word, of every mechanism of the incident and every racy classic."""

import tomllib
from pathlib import Path

import pytest

from dstamp_sim import Process, Program, Register, System, always, at_end, explore, replay
from dstamp_sim.analyses import what_if
from dstamp_sim.analyses.explain import Story, explain
from dstamp_sim.inputs.model_file import load_model

LOCK = "app-domain lock disc-f25969"
SAYS = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))


def explained(reference, placement=None, **parameters):
    system = load_model(reference).build(parameters, placement)
    judgement = next(j for j in explore(system).judgements if j.trace is not None)
    return explain(system, judgement.trace, about=judgement.prop)


@pytest.mark.parametrize("reference", SAYS)
def test_the_sentence_and_its_proof_are_word_for_word(reference):
    why = explained(reference)
    assert {"sentence": why.sentence, "proof": why.proof} == SAYS[reference]


@pytest.mark.parametrize(
    ("placement", "lock"),
    [
        ("none", "No lock was held"),
        (
            "redeploy_to_check",
            f"run#1 held {LOCK} all the while, but run#2's deploy_app never asked for it",
        ),
        (
            "deploy_app+chaos_redeploy",
            f"run#2 held {LOCK}, which did not help: "
            "run#1 let go of it at step 21, between its chaos_redeploy and its check_hc1",
        ),
        (
            "checkout_only",
            "Neither run#1's window nor run#2's deploy_app was under recipe lock discourse",
        ),
    ],
)
def test_why_the_lock_did_not_help_depends_on_where_it_was(placement, lock):
    assert explained("cc_ci:stack_race", placement).lock == lock


def test_another_domains_lock_is_another_lock():
    why = explained("cc_ci:checkout_race", "deploy_app_to_check", pr=(1, 2))
    assert why.lock == (
        "run-2 held app-domain lock disc-da17a5, which did not help: run-1's checkout_head and chaos_version never "
        f"asked for it, and holds {LOCK}, which is another"
    )


def test_two_doctors_who_each_see_the_other_on_call_are_a_write_skew():
    calls = [Register("alice on call", True), Register("bob on call", True)]

    def leave(me: int) -> Program[None]:
        if (yield calls[1 - me].read()):
            yield calls[me].write(False)

    system = System(
        objects=calls,
        processes=[Process("alice", leave, 0), Process("bob", leave, 1)],
        properties=[always("somebody is on call", lambda s: s[calls[0]] or s[calls[1]], reads=calls)],
    )
    why = explain(system, explore(system).trace)
    assert why.cause.story is Story.STALE
    assert why.cycle.name == "write skew (G2-item)"


def test_a_private_object_of_one_process_is_never_blamed_for_anothers():
    notes, board = Register("notes", 0, private=True), Register("board", 0)

    def write(value: int) -> Program[int]:
        yield notes.write(value)
        yield board.write((yield notes.read()))
        return (yield board.read())

    system = System(
        objects=[notes, board],
        processes=[Process("a", write, 1), Process("b", write, 2)],
        properties=[at_end("each reads its own", lambda results: sorted(results.values()) == [1, 2])],
    )
    why = explain(system, explore(system).trace)
    assert "notes" not in why.sentence + why.proof
    assert "saw board 2, which b's write" in why.sentence


def test_a_trace_in_which_nothing_came_out_wrong_says_so():
    system = load_model("classic/bank").build({}, None)
    assert (
        explain(system, replay(system, "customer#1*2 customer#2")).sentence == "Nothing came out wrong in this trace."
    )


def test_a_long_trace_says_that_earlier_readings_were_not_all_tried(monkeypatch):
    assert "not all tried" not in explained("classic/bank").sentence
    monkeypatch.setattr(what_if, "MOST_QUESTIONS", 1)
    assert "(the trace is long: earlier readings were not all tried)" in explained("classic/bank").sentence


def test_that_no_run_depends_on_another_is_said_only_where_a_serial_order_explains_all():
    x, y = Register("x", 0), Register("y", 0)

    def copies_over(source, target):
        seen = yield source.read()
        yield target.write(seen + 1)

    def system(*processes):
        fails = always("z stays", lambda state: state[z] == 0, reads=[z])
        return System(objects=[x, y, z], processes=processes, properties=[fails])

    z = Register("z", 0)
    breaks = Process("third", lambda: (yield z.write(1)))
    alone = system(breaks)
    assert explain(alone, replay(alone, "third")).why_no_cycle == "no run depends on another one that depends on it"
    skewed = system(Process("a", copies_over, x, y), Process("b", copies_over, y, x), breaks)
    why = explain(skewed, replay(skewed, "a b a b third"))
    assert why.why_no_cycle == "runs depend on each other here, but not through what is told"


def test_a_wish_that_was_reached_has_not_failed():
    why = explained("cc_ci:stack_race", question="all_but_one_red")
    assert "is reached at step 33" in why.sentence
    assert "fails" not in why.sentence
    assert "Right would have been" not in why.sentence


def test_an_order_that_is_called_right_was_performed_and_is():
    system = load_model("cc_ci:stack_race").build({}, None)
    assert "run#2's deploy_app before run#1's chaos_redeploy" in explained("cc_ci:stack_race").right
    assert replay(system, "run#1*18 run#2*10 run#1*5").results["run#1"].upgrade == "pass"
