"""Automata: errors name the model's file and line, nothing with a future is merged, what has no end is told."""

import inspect
from itertools import count
from pathlib import Path

import pytest

from dstamp_sim import (
    Chance,
    Flock,
    LockScope,
    ModelError,
    Op,
    Outcome,
    Placement,
    Process,
    Program,
    Register,
    SharedObject,
    System,
    Verdict,
    at_end,
    delay,
    explore,
    replay,
    section,
)
from dstamp_sim.core.automaton import Automaton, UnboundedProgram

HERE = Path(__file__).name

x = Register("x", 0)
coin = Chance("coin", "heads", "tails")


def complaint(program, *args, objects=(x, coin)) -> str:
    """What exploring one process of `program` complains of."""
    with pytest.raises(ModelError) as refused:
        explore(System(objects=objects, processes=[Process("p", program, *args)]))
    return str(refused.value)


def line_of(program, text: str) -> str:
    """`file:line: ` of the line of `program` that holds `text`."""
    lines, start = inspect.getsourcelines(program)
    (offset,) = [number for number, line in enumerate(lines) if text in line]
    return f"{inspect.getsourcefile(program)}:{start + offset}: "


# --- what a program may not do


def test_yielding_a_verbs_name_is_refused_with_the_line_and_the_method_to_call():
    def program() -> Program[None]:
        yield x.read()
        yield "lock"

    assert complaint(program) == (
        line_of(program, '"lock"')
        + "yielded 'lock': a process yields an Op; did you mean an object's method, such as flock.lock()?"
    )


def test_yielding_a_generator_is_refused_with_yield_from():
    def inner() -> Program[None]:
        yield x.read()

    def program() -> Program[None]:
        yield inner()

    text = complaint(program)
    assert text.startswith(line_of(program, "yield inner()")) and text.endswith("did you mean `yield from`?")


def test_yielding_nothing_is_refused():
    def program() -> Program[None]:
        yield

    assert "yielded None: a process yields an Op" in complaint(program)


def test_the_line_of_an_inner_generator_is_named():
    def inner() -> Program[None]:
        yield x.read()
        yield 42

    def program() -> Program[None]:
        yield from section("part", inner())

    assert complaint(program).startswith(line_of(inner, "42"))


def test_the_line_is_named_under_a_placement_too():
    def inner() -> Program[None]:
        yield 42

    def program() -> Program[None]:
        yield from section("part", inner())

    with pytest.raises(ModelError) as refused:
        explore(
            System(
                objects=[x],
                processes=[Process("p", program)],
                sections=["part"],
                locks=[LockScope("host")],
                placement=Placement.parse("host:part"),
            )
        )
    assert str(refused.value).startswith(line_of(inner, "42"))


def test_an_object_that_the_system_does_not_declare_is_refused_with_those_it_does():
    other = Register("other")

    def program() -> Program[None]:
        yield other.read()

    assert complaint(program) == (
        line_of(program, "other.read()") + "other.read() touches 'other', "
        "which System(objects=[...]) does not declare (declared: x, coin)"
    )


def test_an_object_of_the_same_name_is_not_the_declared_one():
    twin = Register("x", 0)

    def program() -> Program[None]:
        yield twin.read()

    assert "does not declare" in complaint(program)


def test_an_unhashable_argument_is_refused():
    def program() -> Program[None]:
        yield x.write((1, [2]))

    assert complaint(program) == (
        line_of(program, "write") + "write was given ((1, [2]),), which is not hashable: use tuples and frozensets"
    )


def test_an_unhashable_result_of_a_program_is_refused():
    def program() -> Program[list]:
        yield x.read()
        return [1]

    text = complaint(program)
    assert f"{HERE}:" in text and "returned [1], which is not hashable" in text


def test_an_unhashable_state_or_result_of_an_object_is_refused():
    class Lists(SharedObject):
        def outcomes(self, state, op: Op):
            return (Outcome([], None),) if op.verb == "state" else (Outcome(state, []),)

    lists = Lists("lists")

    def program(verb: str) -> Program[None]:
        yield lists.op(verb)

    place = line_of(program, "lists.op")
    for verb in ("state", "result"):
        assert complaint(program, verb, objects=[lists]) == (
            f"{place}lists.{verb}() returns the {verb} [], which is not hashable: use tuples and frozensets"
        )


def test_unhashable_arguments_of_a_process_are_refused_at_once():
    def program(items: list) -> Program[None]:
        yield x.read()

    with pytest.raises(ModelError, match=r"process 'p': it is given .* not hashable: use tuples"):
        Process("p", program, [1])


def test_a_program_that_raises_is_refused_with_the_raising_line():
    def fails(value: int) -> int:
        return 1 // value

    def program() -> Program[int]:
        return fails((yield x.read()))

    assert complaint(program) == (
        line_of(fails, "1 // value") + "the program raised ZeroDivisionError('integer division or modulo by zero')"
    )


def test_a_program_called_with_the_wrong_arguments_is_refused_where_it_is_defined():
    def program(needed: int) -> Program[None]:
        yield x.read()

    text = complaint(program)
    assert text.startswith(line_of(program, "def program")) and "starting the program raised TypeError" in text


def test_a_program_that_is_no_generator_function_is_refused():
    def program() -> None:
        return None

    assert complaint(program).endswith("a program is a generator function; this one returned None")


def test_releasing_what_is_not_held_is_refused_with_the_line():
    flock = Flock("lock")

    def program() -> Program[None]:
        yield flock.release(1)

    assert complaint(program, objects=[flock]) == (
        line_of(program, "release") + "lock.release(1) releases what this process does not hold"
    )


def test_a_program_that_does_not_repeat_itself_is_refused_with_both_ops():
    calls = count()

    def program() -> Program[None]:
        yield coin.draw()
        yield x.write(next(calls))
        yield coin.draw()

    # The way through heads continues the first run; the one through tails starts the program again.
    text = complaint(program)
    assert f"{HERE}:" in text and "not deterministic: given the same results it yielded x.write(0) once and" in text


# --- what is merged and what is not


def test_two_rounds_of_a_loop_with_the_same_locals_are_two_nodes():
    def twice() -> Program[str]:
        for _same in (0, 0):  # the iterator is in no local variable
            yield x.read()
        return "done"

    report = explore(System(objects=[x], processes=[Process("p", twice)]))
    assert (report.coverage.states, report.coverage.transitions) == (3, 2)


def test_two_iterators_at_different_items_are_told_apart_by_what_they_yield_next():
    def written(first: tuple[int, ...], second: tuple[int, ...]) -> Program[None]:
        side = yield coin.draw()
        items = iter(first if side == "heads" else second)
        side = ""
        for _ in (0, 0):
            yield x.write(next(items))

    finals = set()
    collects = at_end("collects", lambda _, state: finals.add(state[x]) or True, reads=[x])
    explore(System(objects=[x, coin], processes=[Process("p", written, (1, 2), (3, 4))], properties=[collects]))
    assert finals == {2, 4}


def automaton(program, *args, limit: int | None = None) -> Automaton:
    return Automaton(program, args, (), [x, coin], history_limit=limit)


def test_the_same_answers_give_the_same_node():
    def program() -> Program[None]:
        yield coin.draw()
        yield coin.draw()

    table = automaton(program)
    heads = table.advance(0, Outcome(None, "heads", "heads"))
    assert table.advance(0, Outcome("other state", "heads")) == heads
    assert table.advance(0, Outcome(None, "tails")) != heads


def test_ended_nodes_are_merged_by_their_result():
    def program(same: bool) -> Program[str]:
        side = yield coin.draw()
        return "done" if same else side

    for same, ends in ((True, 1), (False, 2)):
        table = automaton(program, same)
        assert len({table.advance(0, Outcome(None, side)) for side in ("heads", "tails")}) == ends


def test_a_node_knows_its_op_its_place_its_sections_and_its_depth():
    def inner() -> Program[None]:
        yield x.write(1)

    def program() -> Program[None]:
        yield delay("rest")
        yield from section("outer", section("inner", inner()))

    table = automaton(program)
    node = table.nodes[table.advance(0, Outcome(None))]
    assert (str(node.op), node.sections, node.depth) == ("x.write(1)", ("outer", "inner"), 1)
    assert f"{node.place}: " == line_of(inner, "x.write(1)")
    assert node.place.source == "yield x.write(1)"


def test_an_empty_program_has_ended_at_its_start():
    def program() -> Program[str]:
        return "at once"
        yield

    table = automaton(program)
    assert table.nodes[0].ended and table.nodes[0].result == "at once"


# --- loops


def waits_in_a_loop() -> Program[None]:
    while (yield x.read()) != 1:
        pass


def counts_in_a_loop() -> Program[None]:
    rounds = 0
    while True:
        yield x.read()
        rounds += 1


def test_a_loop_that_comes_back_to_where_it_was_is_finite():
    report = explore(System(objects=[x], processes=[Process("p", waits_in_a_loop)]), keep_going=True)
    verdicts = {judgement.prop.name: judgement.verdict.value for judgement in report.judgements}
    assert verdicts == {"no deadlock": "HOLDS", "the end stays possible": "VIOLATED"} and report.coverage.exhausted
    assert (report.coverage.states, report.coverage.transitions) == (2, 2)


def test_a_loop_that_counts_is_undetermined_with_its_line_the_variable_and_the_remedy():
    report = explore(System(objects=[x], processes=[Process("p", counts_in_a_loop)]), ops=50)
    assert report.verdict is Verdict.UNDETERMINED and not report.coverage.exhausted
    assert report.coverage.stopped == (
        line_of(counts_in_a_loop, "x.read()")
        + "this line was passed 51 times by one process, and rounds was new each time (0, 1, 2, ...): no end to it "
        "within 50 ops (--ops allows more). Let it come back to where it was, with the values that it had then: "
        "daemon=True, or an op that blocks"
    )


def test_the_history_limit_counts_ops():
    table = automaton(waits_in_a_loop, limit=3)
    node = 0
    for _ in range(3):
        node = table.advance(node, Outcome(0, 0))
    with pytest.raises(UnboundedProgram, match="passed 4 times"):
        table.advance(node, Outcome(0, 0))


def test_a_bounded_loop_longer_than_the_limit_of_ops_is_said_to_have_no_end_within_it_and_ends_with_a_larger_one():
    def long() -> Program[None]:
        for number in range(90):  # noqa: B007 - it is named
            yield x.read()

    system = System(objects=[x], processes=[Process("p", long)])
    assert (
        "number was new each time (0, 1, 2, ...): no end to it within 60 ops"
        in explore(system, ops=60).coverage.stopped
    )
    report = explore(system)
    assert report.verdict is Verdict.HOLDS and report.coverage.states == 91


def test_the_same_repetition_as_a_daemon_is_finite():
    def reads() -> Program[None]:
        yield x.read()

    report = explore(System(objects=[x], processes=[Process("p", reads, daemon=True)]))
    assert report.verdict is Verdict.HOLDS
    assert (report.coverage.states, report.coverage.transitions) == (1, 1)


# --- lines


def test_lines_with_a_yield_that_were_never_passed_are_listed():
    def program() -> Program[None]:
        if (yield x.read()) == 1:
            yield x.write(2)
        yield x.write(0)

    coverage = explore(System(objects=[x], processes=[Process("p", program)])).coverage
    assert [place.source for place in coverage.lines_never_passed] == ["yield x.write(2)"]


def test_an_op_that_always_blocks_is_listed_with_its_line():
    def program() -> Program[None]:
        yield x.wait_for(9)

    coverage = explore(System(objects=[x], processes=[Process("p", program)])).coverage
    place = line_of(program, "wait_for").removesuffix(": ")
    assert coverage.ops_never_performed == (f"x.wait_for(9) ({place})",)


def test_a_line_that_one_of_two_processes_passed_is_not_listed():
    def program(value: int) -> Program[None]:
        if value == 1:
            yield x.write(1)
        else:
            yield x.write(2)

    def never_passed(*values: int) -> int:
        processes = [Process(f"p{value}", program, value) for value in values]
        return len(explore(System(objects=[x], processes=processes)).coverage.lines_never_passed)

    assert (never_passed(1), never_passed(1, 2)) == (1, 0)


def test_a_trace_names_the_line_of_each_step():
    trace = replay(System(objects=[x], processes=[Process("p", waits_in_a_loop)]), "p*2")
    assert [step.place.source for step in trace.steps] == ["while (yield x.read()) != 1:"] * 2
