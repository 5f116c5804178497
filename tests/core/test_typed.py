"""Wrong types in a model: each is one sentence that names the value, the rule and the model's line."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dstamp_sim import (
    Flock,
    Lane,
    LockScope,
    ModelError,
    Op,
    Outcome,
    Process,
    Program,
    Register,
    SharedObject,
    System,
    always,
    at_end,
    delay,
    explore,
    section,
)
from dstamp_sim.core.value import text

HERE = Path(__file__).name

r = Register("r", 0)


def p() -> Program[int]:
    return (yield r.read())


WRONG = {
    "copies=1.5": lambda: Process("p", p, copies=1.5),
    "copies='two'": lambda: Process("p", p, copies="two"),
    "copies=None": lambda: Process("p", p, copies=None),
    "copies=True": lambda: Process("p", p, copies=True),
    "daemon='yes'": lambda: Process("p", p, daemon="yes"),
    "Process: name=5": lambda: Process(5, p),
    "program=p, but it must be a generator function, not called": lambda: Process("p", p()),
    "Register: name=5": lambda: Register(5, 0),
    "Register('q') begins with the state {}, which is not hashable": lambda: Register("q", {}),
    "begins with []: a list holds one state or more, each once": lambda: Register("q", []),
    "begins with [1, 1]: a list holds one state or more": lambda: Register("q", [1, 1]),
    "is private and begins with [1, 2]: give it one state": lambda: Register("q", [1, 2], private=True),
    "LockScope: name=5": lambda: LockScope(5),
    "crashes=1.5": lambda: System(objects=[r], processes=[Process("p", p)], crashes=1.5),
    "crashes='1'": lambda: System(objects=[r], processes=[Process("p", p)], crashes="1"),
    "lanes=[...] has Register('r')": lambda: System(objects=[r], processes=[], lanes=[r]),
    "it must be a list of scopes of locks": lambda: System(objects=[r], processes=[], locks=[Flock("x")]),
    "sections='crit', but it must be a list of names": lambda: System(objects=[r], processes=[], sections="crit"),
    "properties=[...] has <lambda>": lambda: System(objects=[r], processes=[], properties=[_LAMBDA]),
    "objects=Register('r')": lambda: System(objects=r, processes=[]),
    "processes=[...] has p": lambda: System(objects=[r], processes=[p]),
    "reads=[...] has 'r'": lambda: always("x", bool, reads=["r"]),
    "predicate=True": lambda: always("x", True, reads=[r]),
    "name=5, but": lambda: at_end(5, bool),
    "delay(3)": lambda: delay(3),
    "section(3, ...)": lambda: section(3, p()),
}

_LAMBDA = eval("lambda state: True")


class Deadly(SharedObject):
    on_death = 5


WRONG |= {
    "reads=Register('r'), but it must be a list of shared objects": lambda: always("x", bool, reads=r),
    "reads=[...] has 'r', but it must be a list of shared objects": lambda: at_end("x", bool, reads=["r"]),
    "properties=Property(": lambda: System(objects=[r], processes=[], properties=at_end("x", bool)),
    "processes=Process(name='p', program=<function p>": lambda: System(objects=[r], processes=Process("p", p)),
    "crashes=functools.partial(<function p>)": lambda: System(objects=[r], processes=[], crashes=partial(p)),
    "properties=[...] has <object object>": lambda: System(objects=[r], processes=[], properties=[object()]),
    "Deadly 'd': on_death=5, but it must be a method": lambda: Deadly("d", 0),
}


@pytest.mark.parametrize("said", WRONG)
def test_a_wrong_type_is_one_sentence_with_the_line(said):
    with pytest.raises(ModelError) as refused:
        WRONG[said]()
    text = str(refused.value)
    assert HERE in text.partition(": ")[0] and said in text and "\n" not in text and " at 0x" not in text


def test_a_value_without_a_name_is_written_alike_in_all_runs_as_no_address_tells_it():
    token = type("Token", (), {})()
    assert text(token) == f"<{__name__}.Token object>" and text((token, 1)) == f"(<{__name__}.Token object>, 1)"
    assert text("it lies at 0x7ffe12345678>") == "'it lies at 0x7ffe12345678>'"


def test_systems_changed_by_the_package_are_told_no_line_of_a_model():
    asked = System(objects=[r], processes=[Process("p", p)], lanes=[Lane(r)])
    assert asked.with_crashes(2).crashes == 2


class Odd(SharedObject):
    """An object that answers as it is told to."""

    def __init__(self, answer: Any, left: Any = 0, at_exit: Any = None) -> None:
        super().__init__("odd", 0)
        self.answer, self.left, self.exit = answer, left, at_exit

    def outcomes(self, state: Any, op: Op) -> Any:
        return self.answer

    def on_death(self, state: Any, token: Any) -> Any:
        return self.left

    def at_exit(self, token: Any) -> Any:
        return self.exit


def complaint(odd: SharedObject, *, crashes: int = 0) -> str:
    def asks() -> Program[None]:
        yield odd.op("ask")
        yield r.read()

    asked = System(objects=[r, odd], processes=[Process("p", asks)], crashes=crashes)
    with pytest.raises(ModelError) as refused:
        explore(asked)
    text = str(refused.value)
    assert HERE in text.partition(": ")[0]
    return text


@pytest.mark.parametrize("answer", [None, Outcome(0), "busy", 5, (1,), [None], {"state": 0}])
def test_outcomes_that_are_no_tuple_of_outcomes_are_refused_with_the_line_and_a_remedy(answer):
    said = complaint(Odd(answer))
    assert "outcomes of 'odd' returned" in said and "it returns a tuple of Outcomes" in said


def test_a_list_of_outcomes_will_do():
    odd = Odd([Outcome(0, 1)])

    def asks() -> Program[int]:
        return (yield odd.op("ask"))

    assert explore(System(objects=[odd], processes=[Process("p", asks)])).judgements[-1].verdict.value == "HOLDS"


def test_tokens_that_are_not_hashable_are_refused():
    assert "the token [], which is not hashable" in complaint(Odd((Outcome(0, takes=[]),)))


def test_what_a_death_leaves_is_checked_and_on_death_is_told_its_line():
    class Short(Odd):
        def on_death(self, state: Any) -> Any:
            return state

    holds = (Outcome(0, takes="x"),)
    assert "returns the state [], which is not hashable" in complaint(Odd(holds, left=[]), crashes=1)
    assert "on_death(self, state, token) of 'odd' raised TypeError" in complaint(Short(holds), crashes=1)


def test_at_exit_that_returns_no_op_is_refused():
    said = complaint(Odd((Outcome(0, takes="x"),), at_exit="free"))
    assert "at_exit(self, token) of 'odd' returned 'free': it returns an Op" in said


def test_a_coroutine_is_no_program():
    async def waits() -> int:
        return 1

    with pytest.raises(ModelError, match="written with `def` and `yield`, not `async def`"):
        explore(System(objects=[r], processes=[Process("p", waits)]))


def test_a_state_that_is_asked_for_by_name_is_told_the_line_and_the_object():
    by_name = always("x", lambda state: state["r"] == 0, reads=[r])
    with pytest.raises(ModelError) as refused:
        explore(System(objects=[r], processes=[Process("p", p)], properties=[by_name]))
    text = str(refused.value)
    assert HERE in text.partition(": ")[0] and "write state[obj], with the object 'r' itself" in text


def test_an_undeclared_section_is_told_with_its_line_and_the_nearest_name():
    def enters(name: str) -> Program[None]:
        yield from section(name, p())

    def asked(name: str, **lists: list[str]) -> System:
        return System(objects=[r], processes=[Process("p", enters, name)], **lists)

    with pytest.raises(ModelError) as refused:
        explore(asked("crti", sections=["crit"]))
    text = str(refused.value)
    assert HERE in text.partition(": ")[0] and "unknown section 'crti'; did you mean 'crit'?" in text
    for fine in (asked("crti", sections=["crit"], drawn=["crti"]), asked("crti"), asked("crit", sections=["crit"])):
        explore(fine)
