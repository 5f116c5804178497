"""Claims are verified by other means than those that found them, and what is not so is caught, with what is."""

from dataclasses import replace

import pytest

from dstamp_sim import Choice, Process, Program, Register, Schedule, System, always, replay
from dstamp_sim.analyses.accesses import Location
from dstamp_sim.analyses.claims import Fails, Overwrote, Read, TriedAndSafe
from dstamp_sim.analyses.explain import step_number
from dstamp_sim.analyses.reruns import Moved, Rerun, Without
from dstamp_sim.analyses.speech import Speech
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.verify import Narrator, against

X = Register("x", 0)
PLACE = Location("x", ())


def add() -> Program[int]:
    seen = yield X.read()
    yield X.write(seen + 1)
    return (yield X.read())


def made() -> Record:
    """Both p and q read 0; then q writes 1, and p writes 1 over it: `x` never comes to 2."""
    system = System(
        objects=[X],
        processes=[Process("p", add), Process("q", add)],
        properties=[always("no second 1", lambda s: s[X] != 2, reads=[X])],
    )
    return Record(system, replay(system, "p q*3 p*2"))


def said(claim):
    return claim.words(Speech(made().trace, step_number))


LAST = Read(5, PLACE, 1, 4)
FIRST = Read(1, PLACE, 0, None)
OVER = Overwrote(4, PLACE, 1, 2)


def test_a_reading_knows_its_words():
    assert said(LAST) == "p's read at step 6 saw x 1, which p's own write at step 5 had written"
    assert said(FIRST) == "q's read at step 2 saw x 0, as it was from the start"
    assert said(OVER) == "p's write at step 5 wrote over the 1 of q's write at step 3"


@pytest.mark.parametrize("claim", [LAST, FIRST, OVER])
def test_what_is_so_is_verified(claim):
    assert against(claim, made()) == ""


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (replace(LAST, writer=2), "what step 6 found in x was written by step 5"),
        (replace(LAST, writer=None), "what step 6 found in x was written by step 5"),
        (replace(LAST, value=0), "step 6 found 1 in x"),
        (replace(LAST, step=4), "step 5 does the same whatever is in x"),
        (replace(FIRST, writer=2), "what step 2 found in x was written by nobody"),
        (replace(OVER, over=4), "what step 5 found in x was written by step 3"),
        (replace(OVER, step=3), "step 4 does not write x"),
    ],
)
def test_a_wrong_twin_is_caught_with_what_is_so(claim, why):
    assert against(claim, made()) == why


def other(schedule: str) -> tuple[Choice, ...]:
    return Schedule.parse(schedule).choices


def serial() -> Record:
    """As `made`, but q begins when p has written, and so 2 comes about."""
    record = made()
    return Record(record.system, replay(record.system, "p*2 q*3 p"))


FAILS = Fails("no second 1", None, False, 3)
EARLIER = TriedAndSafe(FAILS, (Rerun(Moved((2,), 1, False), other("p q*3 p*2")),))


def test_a_trial_is_performed_again_and_must_make_its_change():
    assert against(FAILS, serial()) == ""
    assert against(EARLIER, serial()) == ""
    assert EARLIER.words(Speech(serial().trace, step_number)) == "Tried and safe: q's read before p's write"


@pytest.mark.parametrize(
    ("rerun", "why"),
    [
        (Rerun(Moved((2,), 1, False), other("p*2 q*3 p")), "it ends with ['no second 1']"),
        (Rerun(Moved((2,), 1, False), other("p q*3 p")), "it stops before the end"),
        (Rerun(Moved((2,), 0, False), other("p q*3 p*2")), "step 3 does not come before step 1"),
        (Rerun(Moved((2,), 1, False), other("p*9")), "it cannot be performed: p has ended"),
        (Rerun(Without((2,)), other("p q*3 p*2")), "step 3 is not left out"),
    ],
)
def test_a_rerun_that_is_not_safe_not_complete_or_not_that_change_is_caught(rerun, why):
    assert against(TriedAndSafe(FAILS, (rerun,)), serial()) == why


def test_steps_are_named_by_section_else_by_verb_else_by_moment():
    say = Speech(made().trace, step_number)
    assert list(say.names([0, 4]).values()) == ["p's read", "p's write"]
    assert list(say.names([0, 5]).values()) == ["p's read at step 1", "p's read at step 6"]


def test_only_what_is_verified_is_said_and_the_rest_is_counted():
    narrator = Narrator(made(), step_number)
    assert narrator.tell([FIRST, replace(LAST, value=0)]) == said(FIRST)
    assert narrator.said == [FIRST]
    assert narrator.dropped == [(replace(LAST, value=0), "step 6 found 1 in x")]


def test_a_claim_names_the_steps_of_its_parts_and_takes_no_value_for_one():
    fails = Fails("no second 1", None, False, 4)
    safe = TriedAndSafe((Rerun(Without((2, 3)), ()),), fails)
    assert [list(claim.steps_named()) for claim in (LAST, FIRST, OVER)] == [[5, 4], [1], [4, 2]]
    assert sorted(safe.steps_named()) == [2, 3, 4]
