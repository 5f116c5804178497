"""Which properties a state decides: the one place where predicates are asked, for every engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dstamp_sim.core.errors import blamed
from dstamp_sim.core.properties import Kind, LooksAtAll, Property, Results, StateView
from dstamp_sim.core.semantics import Semantics, State


class Judge:
    """Asks properties about states, remembering answers per distinct question; counts how often each was exercised.

    `tell_apart` collects the properties whose predicates looked at the names of processes. Raises ModelError when a
    predicate raises or looks at an object that it does not name.
    """

    def __init__(self, semantics: Semantics, properties: Sequence[Property]) -> None:
        self.properties = tuple(properties)
        self.exercised: Counter[str] = Counter()
        self._semantics = semantics
        self.tell_apart: set[str] = set()
        self._answers: dict[tuple[str, Any], bool] = {}
        self._slots = {id(item): slot for slot, item in enumerate(semantics.shared)}
        ask: dict[Kind, Callable[[Property, State], bool]] = {
            Kind.ALWAYS: self._always,
            Kind.EACH_RESULT: self._each_result,
            Kind.AT_END: self._at_end,
            Kind.REACHABLE: self._reachable,
            Kind.NO_DEADLOCK: self._deadlock,
        }
        self._asked = [(index, prop, ask[prop.kind]) for index, prop in enumerate(self.properties)]

    def decides(self, state: State) -> Iterator[int]:
        """The indices of the properties that `state` decides: violates, or reaches where that is what is asked."""
        for index, prop, ask in self._asked:
            if ask(prop, state):
                yield index

    def state_ok(self, prop: Property, seen: tuple[Any, ...]) -> bool:
        """An always property's answer on the states of the objects that it reads, in that order."""
        return self._ask(prop, (seen,), lambda: (StateView(prop.reads, seen),))

    def result_ok(self, prop: Property, name: str, result: Any) -> bool:
        """An each-result property's answer on one result of a process declared as `name`."""
        return self._ask(prop, (name, result), lambda: (result,))

    def results_ok(
        self,
        prop: Property,
        results: tuple[tuple[str, Any], ...],
        seen: tuple[Any, ...],
        only: frozenset[str] | None = None,
    ) -> bool:
        """An at-end or reachable property's answer on results by name and the states of what it reads.

        With `only`, no results but those of these processes are known: raises LooksAtAll if it looks at others.
        """
        given = Results(dict(results), only)
        views = (StateView(prop.reads, seen),) if prop.reads else ()
        answer = self._ask(prop, (results, seen), lambda: (given, *views))
        if given.told_apart:
            self.tell_apart.add(prop.name)
        return answer

    def _always(self, prop: Property, state: State) -> bool:
        self.exercised[prop.name] += 1
        return not self.state_ok(prop, self._seen(prop, state))

    def _each_result(self, prop: Property, state: State) -> bool:
        violated = False
        for pid, process in enumerate(self._semantics.processes):
            node = self._semantics.node(state, pid)
            if node is not None and node.ended and prop.of in (None, process.name):
                self.exercised[prop.name] += 1
                violated = violated or not self.result_ok(prop, process.name, node.result)
        return violated

    def _at_end(self, prop: Property, state: State) -> bool:
        if not self._semantics.ended(state):
            return False
        self.exercised[prop.name] += 1
        return not self._results_ok_in(prop, state)

    def _reachable(self, prop: Property, state: State) -> bool:
        self.exercised[prop.name] += 1
        return self._results_ok_in(prop, state)

    def _deadlock(self, prop: Property, state: State) -> bool:
        self.exercised[prop.name] += 1
        stuck = not any(self._semantics.outcomes(state, pid) for pid in range(len(state.local)))
        return stuck and not self._semantics.ended(state)

    def _results_ok_in(self, prop: Property, state: State) -> bool:
        return self.results_ok(prop, tuple(self._semantics.results(state).items()), self._seen(prop, state))

    def _seen(self, prop: Property, state: State) -> tuple[Any, ...]:
        return tuple(state.shared[self._slots[id(item)]] for item in prop.reads)

    def _ask(self, prop: Property, about: tuple[Any, ...], arguments: Callable[[], tuple[Any, ...]]) -> bool:
        known = self._answers.get((prop.name, about))
        if known is None:
            known = self._answers[prop.name, about] = _call(prop, arguments())
        return known


def _call(prop: Property, arguments: tuple[Any, ...]) -> bool:
    try:
        return bool(prop.predicate(*arguments))
    except LooksAtAll:
        raise
    except BaseException as error:
        code = getattr(prop.predicate, "__code__", None)
        where = f"{code.co_filename}:{code.co_firstlineno}" if code else "?"
        told = blamed(error, where, f"property {prop.name!r}")
        raise type(told)(f"{told} for {arguments}{_hint(error, arguments)}") from error


def _hint(error: BaseException, arguments: tuple[Any, ...]) -> str:
    """Whose results there are, where a predicate asked for those of a name that has none."""
    given = next((each for each in arguments if isinstance(each, Results)), None)
    if not isinstance(error, KeyError) or given is None:
        return ""
    names = ", ".join(given) or "nobody"
    return f"; those with a result are {names}: copies are called p#1, p#2, and who died has none"
