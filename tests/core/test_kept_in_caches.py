"""What caches keep: a sound habit that is let pass, unless what they keep is changed."""

import functools
from typing import Any

from dstamp_sim import Op, Outcome, Program, SharedObject, Verdict, explore
from tests.core.refusals import coin, complaint, line_of, system


def test_a_cache_of_functools_and_a_cached_property_are_let_pass():
    class Table(SharedObject):
        @functools.cached_property
        def size(self) -> int:
            return 3

        @functools.cache  # noqa: B019 - a test
        def half(self, value: int) -> int:
            return value // 2

        def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
            return (Outcome(state, self.half(self.size)),)

    table = Table("table")

    def p() -> Program[int]:
        return (yield table.op("half"))

    assert explore(system(p, objects=[table])).verdict is Verdict.HOLDS


@functools.cache
def basket() -> list[str]:
    return []


@functools.lru_cache(maxsize=8, typed=True)
def basket_of(name: str, size: int = 3) -> dict[str, Any]:
    return {}


class Shelf:
    @functools.cached_property
    def basket(self) -> list[str]:
        return []


SHELF = Shelf()


def test_what_a_cache_keeps_may_not_be_changed():
    def adds() -> Program[None]:
        drawn = yield coin.draw()
        basket().append(drawn)

    def sets() -> Program[None]:
        drawn = yield coin.draw()
        basket_of("a", size=2)["value"] = drawn

    def adds_to_a_property() -> Program[None]:
        drawn = yield coin.draw()
        SHELF.basket.append(drawn)

    for program in (adds, sets, adds_to_a_property):
        said = complaint(system(program))
        assert said.startswith(line_of(program, "basket")) and "in its cache changed while the model ran" in said, said
        assert "return what cannot change, such as a tuple" in said


def test_what_a_cache_keeps_may_be_read():
    @functools.cache
    def table() -> dict[str, list[int]]:
        return {"heads": [1, 2], "tails": [3]}

    def p() -> Program[int]:
        return sum(table()[(yield coin.draw())])

    assert explore(system(p, copies=2)).verdict is Verdict.HOLDS
