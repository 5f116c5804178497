"""The sentence, word for word, of every mechanism of the incident and every racy classic."""

import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from dstamp_sim import (
    Outcome,
    Process,
    Program,
    Register,
    SharedObject,
    System,
    always,
    at_end,
    each_result,
    explore,
    replay,
)
from dstamp_sim.analyses import together, what_if
from dstamp_sim.analyses.cause_kinds import CauseKind
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


def test_no_lock_is_drawn_as_missing_where_one_was_held_in_a_part_of_the_window():
    """The first run holds the removed file's lock from step 9 on, and its window ends at step 10."""
    why = explained("classic/lock_file")
    assert "both held /run/deploy.lock, but not the same one" in why.lock
    assert why.gap is None
    assert explained("classic/bank").gap.lock == ""


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


def readers_of(pages):
    """Editors each change a page before the reader, for whom each change is one too many, reads all of them."""
    registers = [Register(f"page {number}", "old") for number in range(pages)]

    def edit(page):
        yield page.write("new")

    def read():
        found = "old"
        for page in registers:
            if (yield page.read()) == "new":
                found = "new"
        return found

    editors = [Process(f"editor-{number}", edit, page) for number, page in enumerate(registers)]
    old = each_result("the reader sees nothing new", lambda result: result != "new")
    system = System(objects=registers, processes=[Process("reader", read), *editors], properties=[old])
    return system, replay(system, " ".join([f"editor-{number}" for number in range(pages)]) + f" reader*{pages}")


def test_where_no_order_of_two_steps_alone_decides_the_smallest_set_of_them_is_told():
    why = explain(*readers_of(2))
    assert why.sentence == (
        "reader's read at step 3 saw page 0 'new', which editor-0's write at step 1 had written; reader's read at step "
        "4 saw page 1 'new', which editor-1's write at step 2 had written; so 'the reader sees nothing new' fails at "
        "step 4. Tried and safe: reader's read at step 3 before editor-0's write, and reader's read at step 4 before "
        "editor-1's write, both at once."
    )
    assert why.dropped == ()
    three = explain(*readers_of(3))
    assert three.cause.story is CauseKind.TOGETHER and len(three.cause.parts) == 3
    assert three.sentence.endswith(", all at once.")
    assert explain(*readers_of(4)).cause.story is CauseKind.TURN, "a set of four is no sentence"


def test_that_not_all_sets_were_tried_is_said(monkeypatch):
    assert "tried)" not in explain(*readers_of(3)).sentence
    monkeypatch.setattr(together, "MOST_SETS", 5)
    three = explain(*readers_of(3))
    assert len(three.cause.parts) == 3, "all of them at once, and none of them can be left out"
    assert "fails at step 6 (not all smaller sets of steps were tried). Tried and safe:" in three.sentence
    assert "decides it (not all could be tried). Tried" in explain(*readers_of(4)).sentence


def test_a_cause_that_was_performed_is_not_doubted_where_the_trace_is_long(monkeypatch):
    monkeypatch.setattr(what_if, "MOST_QUESTIONS", 1)
    bank = explained("classic/bank")
    assert bank.cause.reruns and "tried)" not in bank.sentence
    assert "decides it (not all could be tried). Tried" in explain(*readers_of(4)).sentence


def test_a_daemon_that_does_harm_alone_is_named_though_all_wait_for_it():
    flag = Register("flag", 0)

    def write():
        yield flag.write(1)

    def wait():
        yield flag.wait_for(1)

    low = always("the flag is low", lambda state: state[flag] == 0, reads=[flag])
    system = System(
        objects=[flag],
        processes=[Process("waiter", wait), Process("clock", write, daemon=True)],
        properties=[low],
    )
    why = explain(system, replay(system, "clock"))
    assert why.sentence == "clock's write at step 1 set flag to 1; so 'the flag is low' fails at step 1."
    assert why.proof == "No cycle: clock alone suffices."


def test_a_lapse_is_named_though_the_number_of_the_last_holder_stays():
    """A lease is a pair: its holder, and how often it was taken. Its model does not say that it is a hold."""
    lease, total = NumberedLease("lease", (0, 0)), Register("total", 0)

    def work():
        token = yield lease.op("acquire")
        seen = yield total.read()
        yield total.write(seen + 1)
        yield lease.op("release", token)

    def time():
        token = yield lease.op("wait_newer", 0)
        yield lease.op("release", token)

    system = System(
        objects=[lease, total],
        processes=[Process("run", work, copies=2), Process("time", time, daemon=True)],
        properties=[at_end("both count", lambda _, state: state[total] == 2, reads=[total])],
    )
    (judgement,) = (j for j in explore(system).judgements if j.trace is not None)
    why = explain(system, judgement.trace, about=judgement.prop)
    assert why.cause.story is CauseKind.LAPSE
    assert why.sentence == (
        "time's release at step 4 set lease to (0, 1), which run#1's acquire at step 1 had set to (1, 1); so run#2's "
        "acquire at step 5 read lease (0, 1), and 'both count' fails at step 10. "
        "Tried and safe: without time's release."
    )


class NumberedLease(SharedObject):
    def outcomes(self, state, op):
        holder, given = state
        match op.verb, op.args:
            case "acquire", ():
                return () if holder else (Outcome((given + 1, given + 1), given + 1),)
            case "release", (token,):
                return (Outcome((0, given) if holder == token else state),)
            case "wait_newer", (token,):
                return (Outcome(state, holder),) if holder > token else ()
        raise self.unknown_verb(op)


def test_what_fails_before_any_step_is_said_without_a_search_for_steps():
    flag = Register("flag", 0)

    def write():
        yield flag.write(1)

    high = always("the flag is high", lambda state: state[flag] == 1, reads=[flag])
    system = System(objects=[flag], processes=[Process("p", write)], properties=[high])
    assert (
        explain(system, replay(system, "")).sentence == "'the flag is high' fails at the start: it begins with flag 0."
    )


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


class Slip(NamedTuple):
    paid: bool
    left: int


@pytest.mark.parametrize(
    ("looks_at", "told"),
    [
        (lambda slip: slip.left >= 0, "customer's read at step 1 saw left -1"),
        (lambda slip: slip.paid, "customer returned Slip(paid=False, left=-1)"),  # whatever was left
        (lambda slip: slip != (False, -1), "customer's read at step 1 saw left -1"),
    ],
)
def test_a_reading_is_no_cause_of_what_does_not_look_at_it(looks_at, told):
    left = Register("left", -1)

    def program():
        return Slip(paid=False, left=(yield left.read()))

    prop = each_result("in order", lambda slip: bool(looks_at(slip)))
    system = System(objects=[left], processes=[Process("customer", program)], properties=[prop])
    assert told in explain(system, replay(system, "customer")).sentence
