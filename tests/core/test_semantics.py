"""The semantics refuse what would make tables lie, and what no schedule may ask for."""

import pytest

from dstamp_sim import (
    Chance,
    Choice,
    ModelError,
    Outcome,
    Process,
    Register,
    ScheduleError,
    SharedObject,
    System,
    each_result,
    explore,
    replay,
)

x = Register("x", 0)


def write(value):
    yield x.write(value)


def read():
    return "bool" if (yield x.read()) is True else "other"


def test_values_that_python_calls_equal_but_a_program_can_tell_apart_are_refused():
    system = System(
        objects=[x],
        processes=[Process("w1", write, 1), Process("w2", write, True), Process("r", read)],
        properties=[each_result("no bool", lambda result: result != "bool", of="r")],
    )
    with pytest.raises(ModelError, match=r"which Python calls equal to .*, used before"):
        explore(system)


def test_processes_with_arguments_that_are_merely_equal_do_not_share_an_automaton():
    def tell(value):
        yield x.read()
        return repr(value)

    system = System(objects=[x], processes=[Process("a", tell, 1), Process("b", tell, True)])
    assert replay(system, "a b").results == {"a": "1", "b": "True"}


def test_what_ending_performs_is_checked_like_what_a_program_yields():
    class Door(SharedObject):
        def outcomes(self, state, op):
            return (Outcome(op.args[0], takes="key" if op.verb == "open" else None),)

        def at_exit(self, token):
            return self.op("open", True)

    door = Door("door", None)

    def opens():
        yield door.op("open", 1)

    with pytest.raises(ModelError, match=r"open was given \(True,\), which Python calls equal to \(1,\)"):
        explore(System(objects=[door], processes=[Process("p", opens)]))


def test_a_program_that_ends_earlier_when_it_is_run_again_is_not_deterministic():
    coin, starts = Chance("coin", "heads", "tails"), []

    def fickle():
        starts.append(1)
        yield coin.draw()
        if len(starts) == 1:
            yield coin.draw()

    system = System(objects=[coin], processes=[Process("p", fickle)])
    with pytest.raises(ModelError, match="not deterministic"):
        explore(system)


def test_a_choice_of_an_outcome_below_the_first_is_refused():
    system = System(objects=[x], processes=[Process("w", write, 1)])
    with pytest.raises(ScheduleError, match="has no outcome -2"):
        replay(system, [Choice("w", -2)])


def test_a_process_needs_a_name():
    with pytest.raises(ModelError, match="a text that is not empty"):
        Process("", write, 1)
