"""Schedules: the text form replays exactly, whatever the names; what cannot be read is refused by its token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dstamp_sim import CRASH, Choice, Process, Program, Register, Schedule, ScheduleError, System, delay, replay

names = st.text(min_size=1) | st.sampled_from(
    ["a b", "a*3", "a:1", "a!", "%41", "%", "run#1", "é", "\n", "*", ":", "!"]
)
choices = st.builds(Choice, names, st.sampled_from([0, 0, 0, 1, 2, CRASH]))


@given(st.lists(choices))
def test_every_schedule_survives_its_text_form(written):
    schedule = Schedule(tuple(written))
    assert Schedule.parse(str(schedule)) == schedule


@given(st.lists(choices))
def test_the_text_form_is_one_line_of_tokens_without_stray_blanks(written):
    text = str(Schedule(tuple(written)))
    assert text == " ".join(text.split())


@given(st.lists(st.builds(Choice, st.sampled_from("abc"), st.just(0))))
def test_each_stretch_of_one_process_is_one_token(written):
    schedule = Schedule(tuple(written))
    stretches = len(str(schedule).split())
    assert stretches == schedule.switches + (1 if written else 0)


@given(names)
def test_a_process_with_a_hostile_name_replays_from_text(name):
    x = Register("x", 0)

    def program() -> Program[None]:
        yield x.write(1)
        yield delay("rest")

    system = System(objects=[x], processes=[Process(name, program)])
    trace = replay(system, Schedule((Choice(name), Choice(name))))
    assert replay(system, str(trace.schedule)) == trace


def test_the_text_form_is_as_documented():
    written = "m2p*3 ab m2p:1 ab!"
    schedule = Schedule.parse(written)
    assert schedule.choices == (*[Choice("m2p")] * 3, Choice("ab"), Choice("m2p", 1), Choice("ab", CRASH))
    assert str(schedule) == written


def test_equal_outcomes_are_counted_together_and_deaths_are_not():
    assert str(Schedule.parse("a:1 a:1 a:2 a a")) == "a:1*2 a:2 a*2"
    assert str(Schedule((Choice("a", CRASH),) * 2)) == "a! a!"


def test_blanks_of_any_kind_separate_and_nothing_is_an_empty_schedule():
    assert Schedule.parse(" a\n\tb ") == Schedule((Choice("a"), Choice("b")))
    assert Schedule.parse("") == Schedule()


@pytest.mark.parametrize("token", ["*3", "a*0", "a*", "a*-1", "a:", "a:x", "a!*2", "a!:1", "!", ":1", "a:1:2", "a*2*3"])
def test_a_token_that_is_no_choice_is_refused_by_name_with_the_remedy(token):
    with pytest.raises(ScheduleError) as refused:
        Schedule.parse(f"ok {token} ok")
    assert str(refused.value).startswith(f"{token!r} is not a choice: write NAME")


def test_slices_of_a_schedule_are_schedules():
    schedule = Schedule.parse("a b*2 c")
    assert schedule[1:3] == Schedule.parse("b*2")
    assert schedule[-1] == Choice("c") and len(schedule) == 4


def test_switches_count_how_often_another_process_moves():
    assert Schedule.parse("a*3").switches == 0
    assert Schedule.parse("a b a").switches == 2
    assert Schedule().switches == 0


def one_op() -> Program[None]:
    yield delay("rest")


def blocked() -> Program[None]:
    yield never.wait_for("never")


never = Register("never")
SYSTEM = System(objects=[never], processes=[Process("one", one_op), Process("stuck", blocked)])


@pytest.mark.parametrize(
    ("schedule", "complaint"),
    [
        ("one two", "step 2, two: unknown process 'two'"),
        ("won", "step 1, won: unknown process 'won'; did you mean 'one'?"),
        ("one*2", "step 2, one: one has ended"),
        ("stuck", "step 1, stuck: stuck is blocked in never.wait_for('never')"),
        ("one:1", "step 1, one:1: delay rest has no outcome 1, only 0..0"),
        ("one!", "step 1, one!: one cannot die here: the system allows 0 crashes in all"),
    ],
)
def test_a_schedule_that_does_not_fit_is_refused_at_its_step_with_the_reason(schedule, complaint):
    with pytest.raises(ScheduleError) as refused:
        replay(SYSTEM, schedule)
    assert str(refused.value).startswith(complaint)


def test_a_process_that_died_cannot_move():
    with pytest.raises(ScheduleError, match="step 2, one: one has died"):
        replay(SYSTEM.with_crashes(1), "one! one")


def test_a_name_that_is_no_text_at_all_survives_too():
    schedule = Schedule((Choice("half a pair \ud800"),))
    assert Schedule.parse(str(schedule)) == schedule
    assert str(schedule).isascii()
