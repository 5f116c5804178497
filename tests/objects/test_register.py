"""A register is a variable: reads, writes and compare-and-set are atomic, and waiting is one op."""

import pytest

from dstamp_sim import ModelError, Process, Program, Register, System, Verdict, always, at_end, explore, replay

x = Register("x", "old")


def result_of(state, op):
    (outcome,) = x.outcomes(state, op)
    return outcome.state, outcome.result


def test_a_register_starts_at_its_initial_value_and_at_none_without_one():
    assert x.initial == "old" and Register("y").initial is None


def test_a_read_gives_the_value_and_changes_nothing():
    assert result_of("old", x.read()) == ("old", "old")


def test_a_write_replaces_the_value_and_gives_none():
    assert result_of("old", x.write("new")) == ("new", None)


def test_compare_and_set_writes_only_over_the_expected_value_and_says_whether_it_did():
    assert result_of("old", x.compare_and_set("old", "new")) == ("new", True)
    assert result_of("other", x.compare_and_set("old", "new")) == ("other", False)


def test_wait_for_blocks_until_the_value_is_there():
    assert x.outcomes("old", x.wait_for("new")) == ()
    assert result_of("new", x.wait_for("new")) == ("new", None)


def test_an_unknown_verb_is_refused_with_the_objects_name_and_the_models_line():
    def program() -> Program[None]:
        yield x.op("raed")

    with pytest.raises(ModelError, match=r"test_register\.py:\d+: .*'x' has no verb 'raed'"):
        explore(System(objects=[x], processes=[Process("p", program)]))


def add_one() -> Program[None]:
    seen = yield count.read()
    yield count.write(seen + 1)


def add_one_at_once() -> Program[bool]:
    seen = yield count.read()
    return (yield count.compare_and_set(seen, seen + 1))


count = Register("count", 0)


def test_reading_and_then_writing_loses_an_update():
    lost = at_end("both counted", lambda _, state: state[count] == 2, reads=[count])
    system = System(objects=[count], processes=[Process("p", add_one, copies=2)], properties=[lost])
    judgement = explore(system).judgement("both counted")
    assert judgement.verdict is Verdict.VIOLATED
    assert str(judgement.trace.schedule) == "p#1 p#2*2 p#1"


def test_compare_and_set_counts_exactly_the_successes():
    exact = at_end("as many as succeeded", lambda results, state: state[count] == sum(results.values()), reads=[count])
    system = System(objects=[count], processes=[Process("p", add_one_at_once, copies=3)], properties=[exact])
    assert explore(system).verdict is Verdict.HOLDS


def test_a_private_register_is_one_for_each_process():
    mine = Register("mine", 0, private=True)

    def program() -> Program[int]:
        seen = yield mine.read()
        yield mine.write(seen + 1)
        return (yield mine.read())

    alone = at_end("each sees only its own", lambda results: set(results.values()) == {1})
    system = System(objects=[mine], processes=[Process("p", program, copies=2)], properties=[alone])
    assert explore(system).verdict is Verdict.HOLDS
    states = list(replay(system, "p#1*3").states())
    assert states[-1] == {"mine@p#1": 1, "mine@p#2": 0}


def test_a_property_may_not_read_a_private_register():
    mine = Register("mine", 0, private=True)
    with pytest.raises(ModelError, match="'mine', which is private to each process"):
        System(objects=[mine], processes=[], properties=[always("zero", lambda state: state[mine] == 0, reads=[mine])])
