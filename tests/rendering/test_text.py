"""The text listing of a trace: who did what in columns, and what changed by its fields."""

from typing import NamedTuple

from dstamp_sim import Outcome, Process, Register, SharedObject, System, replay
from dstamp_sim.core.value import text
from dstamp_sim.rendering.page import fields
from dstamp_sim.rendering.text import at_least, at_most, change_text, story
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.shapes import clean


def test_steps_of_processes_without_sections_are_lined_up():
    service = Register("service", 0)

    def look():
        return (yield service.read())

    system = System(objects=[service], processes=[Process("scale-down", look), Process("job", look)])
    assert story(replay(system, "scale-down job")) == [
        "1  scale-down    service.read() -> 0  | scale-down ends: 0",
        "2  job           service.read() -> 0  | job ends: 0",
    ]


class Txn(NamedTuple):
    status: str
    wrote: int = 0


class Table(SharedObject):
    """Two transactions, each with fields of its own, beside a plain pair."""

    def outcomes(self, state, op):
        (first, second), pair = state
        return (Outcome(((first._replace(status=op.args[0]), second), pair)),)


def test_a_nested_state_is_told_by_the_field_that_changed():
    table = Table("table", ((Txn("new"), Txn("new")), (1, 1)))
    system = System(objects=[table], processes=[Process("p", lambda: (yield table.op("set", "running")))])
    [step] = replay(system, "p").steps
    assert [change_text(change) for change in step.changes] == ["table: [0][0].status = 'running'"]
    assert fields(step.changes[0].after) == [
        ["[0][0].status", "'running'"],
        ["[0][0].wrote", "0"],
        ["[0][1].status", "'new'"],
        ["[0][1].wrote", "0"],
        ["[1]", "(1, 1)"],
    ]


def test_a_share_has_two_figures_and_is_rounded_to_the_side_that_stays_true():
    assert (at_most(0.20634), at_least(0.20634)) == ("21 %", "20 %")
    assert (at_most(0.00012341), at_least(0.00012341)) == ("0.013 %", "0.012 %")
    assert (at_most(1.0), at_least(0.0)) == ("100 %", "0 %")


class Found(SharedObject):
    """What is asked for is there, or it is not: None."""

    def outcomes(self, state, op):
        return (Outcome(state, state),) if op.verb == "get" else (Outcome(op.args[0]),)


def test_none_is_said_where_it_is_an_answer():
    """The second `get` finds nothing; a write returns None, too, and that says nothing."""
    entry = Found("entry", "there")

    def user():
        yield entry.op("get")
        yield entry.op("put", None)
        yield entry.op("get")

    trace = replay(System(objects=[entry], processes=[Process("user", user)]), "user*3")
    assert [line.split("|")[0].strip() for line in story(trace)] == [
        "1  user    entry.get() -> 'there'",
        "2          entry.put(None)",
        "3          entry.get() -> None",
    ]
    words = [label.text for label in lay_out(trace).labels if label.kind in ("deed", "story")]
    assert words == ["get → 'there'", "put None", "get → None"]


class Form(NamedTuple):
    owner: int | None = 3
    note: str = "a note that is much too long for its box on any lane, whatever else is shortened"
    turns: int = 0


class Paper(SharedObject):
    def outcomes(self, state, op):
        return (Outcome(state._replace(**{op.verb: op.args[0]})),)


def test_a_lane_says_what_changed_in_order_of_time_and_never_a_part_of_a_value():
    paper = Paper("paper", Form())

    def clerk():
        yield paper.op("owner", None)
        for turn in range(1, 30):
            yield paper.op("turns", turn)
        yield paper.op("note", "a second note that is as long as the first one was, so that it needs a code as well")

    layout = lay_out(replay(System(objects=[paper], processes=[Process("clerk", clerk)]), "clerk*31"))
    notes = [label.text for label in layout.labels if label.kind == "note"]
    assert notes[0] == f"V1 = {clean(str(text(Form())))}"
    assert "V2 = owner: 3 → None" in notes
    lane = sorted((label for label in layout.labels if label.kind.startswith(("flag", "on_value"))), key=lambda a: a.x)
    codes = [int(label.text[1:]) for label in lane if label.text.startswith("V")]
    assert codes == sorted(codes) and len(codes) > 2
    assert not any("…" in label.text for label in lane)
