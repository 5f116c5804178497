"""The sentence, word for word, of every mechanism of the incident and every racy classic."""

import tomllib
from pathlib import Path

import pytest

from dstamp_sim import Process, Program, Register, System, always, at_end, explore, replay
from dstamp_sim.analyses import what_if
from dstamp_sim.analyses.causes import CauseKind
from dstamp_sim.analyses.explain import explain
from dstamp_sim.inputs.model_file import load_model
from tests.analyses.story_models import each_of_two_deaths_is_enough

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
            f"run#1 held {LOCK} all the while, but run#2 never asked for it",
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
        "run-2 held app-domain lock disc-da17a5, which did not help: run-1 never "
        f"asked for it, and held {LOCK}, which is another"
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
    assert why.cause.story is CauseKind.STALE
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
    assert explain(system, replay(system, "customer#1*2 customer#2")).sentence == "Nothing went wrong in this trace."


def test_a_long_trace_says_that_earlier_readings_were_not_all_tried(monkeypatch):
    assert "not all tried" not in explained("classic/bank").sentence
    monkeypatch.setattr(what_if, "MOST_QUESTIONS", 1)
    assert "(the trace is long: earlier readings were not all tried)" in explained("classic/bank").sentence


def test_that_a_single_run_suffices_is_said_only_where_it_does_alone():
    x, y, z = Register("x", 0), Register("y", 0), Register("z", 0)

    def copies_over(source, target):
        seen = yield source.read()
        yield target.write(seen + 1)

    def system(limit, *processes):
        fails = always("z stays", lambda state: state[z] < limit, reads=[z])
        return System(objects=[x, y, z], processes=processes, properties=[fails])

    breaks = Process("third", copies_over, x, z)
    alone = system(1, breaks, Process("other", copies_over, y, x))
    assert explain(alone, replay(alone, "third*2")).proof == "No cycle: a single run suffices."
    together = system(2, breaks, Process("other", copies_over, y, x))
    why = explain(together, replay(together, "other*2 third*2"))
    assert why.proof == "No cycle: it comes about with one after the other, too: other, then third."


def two_readers(patience):
    """A system in which `patience` readers of a flag must all see it, and its end where none does but the last."""
    flag = Register("flag", "down")
    processes = [
        *(Process(f"reader {n}", lambda: (yield flag.read())) for n in range(patience)),
        Process("writer", lambda: (yield flag.write("up"))),
    ]
    alike = at_end("all see it up", lambda results: {r for r in results.values() if r} == {"up"})
    return System(objects=[flag], processes=processes, properties=[alike])


def test_one_that_came_too_early_is_told_alone_and_several_together():
    system = two_readers(2)
    alone = explain(system, replay(system, "reader%200 writer reader%201"))
    assert alone.sentence == (
        "reader 0's read at step 1 returned 'down', too early: it found flag 'down', which writer's write made 'up' "
        "only at step 2; so 'all see it up' fails at step 3. Tried and safe: reader 0's read after writer's write."
    )
    together = explain(system, replay(system, "reader%200 reader%201 writer"))
    assert together.cause.story is CauseKind.EARLY
    assert together.cause.others == (1,)
    assert together.right == "Tried and safe: reader 0's and reader 1's read after writer's write"


def test_of_several_that_came_early_those_that_need_not_wait_are_left_out():
    flag = Register("flag", "down")
    readers = [Process(f"reader {n}", lambda: (yield flag.read())) for n in range(3)]
    two = at_end("two see it up", lambda results: sum(r == "up" for r in results.values()) >= 2)
    system = System(
        objects=[flag], processes=[*readers, Process("writer", lambda: (yield flag.write("up")))], properties=[two]
    )
    why = explain(system, replay(system, "reader%200 reader%201 reader%202 writer"))
    assert len(why.cause.others) == 1


def test_a_wish_that_was_reached_has_not_failed():
    why = explained("cc_ci:stack_race", question="all_but_one_red")
    assert "is reached at step 33" in why.sentence
    assert "fails" not in why.sentence
    assert "Tried and safe" not in why.sentence


def test_an_order_that_is_called_right_was_performed_and_is():
    system = load_model("cc_ci:stack_race").build({}, None)
    assert "run#2's deploy_app before run#1's chaos_redeploy" in explained("cc_ci:stack_race").right
    assert replay(system, "run#1*18 run#2*10 run#1*5").results["run#1"].upgrade == "pass"


def test_two_deaths_of_which_each_is_enough_are_told_together():
    system = each_of_two_deaths_is_enough()
    why = explain(system, replay(system, "signer#1! signer#2!"))
    assert why.sentence == (
        "signer#1 died at step 1, before its signed.add(1); signer#2 died at step 2, before its signed.add(1); so "
        "'both have signed' fails at step 2. Tried and safe: without signer#1's death and signer#2's death."
    )
    assert why.dropped == ()
