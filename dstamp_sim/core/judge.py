"""Which properties a state decides: the one place where predicates are asked, for every engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.properties import Kind, Property, StateView
from dstamp_sim.core.semantics import Semantics, State


class Judge:
    """Asks properties about states, remembering answers per distinct question; counts how often each was exercised.

    Raises ModelError when a predicate raises or looks at an object that it does not name.
    """

    def __init__(self, semantics: Semantics, properties: Sequence[Property]) -> None:
        self.properties = tuple(properties)
        self.exercised: Counter[str] = Counter()
        self._semantics = semantics
        self._answers: dict[tuple[int, Any], bool] = {}
        self._slots = {id(item): slot for slot, item in enumerate(semantics.shared)}
        ask: dict[Kind, Callable[[int, Property, State], bool]] = {
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
            if ask(index, prop, state):
                yield index

    def _always(self, index: int, prop: Property, state: State) -> bool:
        self.exercised[prop.name] += 1
        return not self._ask(index, prop, (self._seen(prop, state),))

    def _each_result(self, index: int, prop: Property, state: State) -> bool:
        violated = False
        for pid, process in enumerate(self._semantics.processes):
            node = self._semantics.node(state, pid)
            if node is not None and node.ended and prop.of in (None, process.name):
                self.exercised[prop.name] += 1
                violated = violated or not self._ask(index, prop, (node.result,))
        return violated

    def _at_end(self, index: int, prop: Property, state: State) -> bool:
        if not self._semantics.ended(state):
            return False
        self.exercised[prop.name] += 1
        return not self._ask(index, prop, self._results_and_state(prop, state))

    def _reachable(self, index: int, prop: Property, state: State) -> bool:
        self.exercised[prop.name] += 1
        return self._ask(index, prop, self._results_and_state(prop, state))

    def _deadlock(self, index: int, prop: Property, state: State) -> bool:
        self.exercised[prop.name] += 1
        stuck = not any(self._semantics.outcomes(state, pid) for pid in range(len(state.local)))
        return stuck and not self._semantics.ended(state)

    def _results_and_state(self, prop: Property, state: State) -> tuple[Any, ...]:
        results = tuple(self._semantics.results(state).items())
        return (results, self._seen(prop, state)) if prop.reads else (results,)

    def _seen(self, prop: Property, state: State) -> tuple[Any, ...]:
        return tuple(state.shared[self._slots[id(item)]] for item in prop.reads)

    def _ask(self, index: int, prop: Property, about: tuple[Any, ...]) -> bool:
        known = self._answers.get((index, about))
        if known is None:
            known = self._answers[index, about] = self._call(prop, about)
        return known

    def _call(self, prop: Property, about: tuple[Any, ...]) -> bool:
        arguments: tuple[Any, ...]
        if prop.kind is Kind.ALWAYS:
            arguments = (StateView(prop.reads, about[0]),)
        elif prop.kind is Kind.EACH_RESULT:
            arguments = about
        else:
            arguments = (dict(about[0]), *(StateView(prop.reads, seen) for seen in about[1:]))
        try:
            return bool(prop.predicate(*arguments))
        except ModelError:
            raise
        except Exception as error:
            code = getattr(prop.predicate, "__code__", None)
            where = f"{code.co_filename}:{code.co_firstlineno}: " if code else ""
            raise ModelError(f"{where}property {prop.name!r} raised {error!r} for {arguments}") from error
