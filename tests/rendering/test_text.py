"""The text listing of a trace: who did what in columns, and what changed by its fields."""

from typing import NamedTuple

from dstamp_sim import Outcome, Process, Register, SharedObject, System, replay
from dstamp_sim.rendering.page import fields
from dstamp_sim.rendering.text import at_least, at_most, changed, story


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
    assert [changed(change) for change in step.changes] == ["table: [0][0].status = 'running'"]
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
