"""Which properties a state decides: the one place where predicates are asked, for every engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Hashable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from dstamp_sim.core.ahead import Ahead
from dstamp_sim.core.errors import ModelError, blamed
from dstamp_sim.core.properties import Looks, LooksAtAll, Property, PropertyKind, Results, StateView
from dstamp_sim.core.repeated import in_other_orders, shaken
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.serial import serial_ends
from dstamp_sim.core.value import key


class Judge:
    """Asks properties about states, remembering answers per distinct question; counts how often each was exercised.

    `tell_apart` collects the properties whose predicates looked at the names of processes. Raises ModelError when a
    predicate raises, answers neither True nor False, or looks at an object that it does not name.
    """

    def __init__(self, semantics: Semantics, properties: Sequence[Property]) -> None:
        self.properties = tuple(properties)
        self.exercised: Counter[str] = Counter()
        self._semantics = semantics
        self.tell_apart: set[str] = set()
        self._answers: dict[tuple[str, Any], bool] = {}
        self._unchecked: list[_Question] = []
        self._serial: dict[Property, frozenset[Hashable]] = {}
        self._slots = {id(item): slot for slot, item in enumerate(semantics.shared)}
        ask: dict[PropertyKind, Callable[[Property, State], bool]] = {
            PropertyKind.ALWAYS: self._always,
            PropertyKind.EACH_RESULT: self._each_result,
            PropertyKind.AT_END: self._at_end,
            PropertyKind.SERIAL: self._at_end,
            PropertyKind.REACHABLE: self._reachable,
            PropertyKind.NO_DEADLOCK: self._deadlock,
            PropertyKind.END_POSSIBLE: self._trapped,
        }
        self._asked = [(index, prop, ask[prop.kind]) for index, prop in enumerate(self.properties) if not prop.in_time]
        self.ahead = Ahead(semantics)

    def decides(self, state: State) -> Iterator[int]:
        """The indices of the properties that `state` decides: violates, or reaches in case of a wish.

        No state decides a property in time: whole behaviours do (`core.lasso`).
        """
        for index, prop, ask in self._asked:
            if ask(prop, state):
                yield index

    def why_not(self, prop: Property) -> str:
        """Why a property cannot be decided, though all states are known; empty if it can."""
        return serial_ends(self._semantics.system).why_not if prop.kind is PropertyKind.SERIAL else ""

    def decides_along(self, path: Sequence[State]) -> Iterator[tuple[int, int]]:
        """What the states of a path decide: the number of a state and the index of a property.

        In the order of the path, but for what asks ahead, which comes last.
        """
        for number, state in enumerate(path):
            for index, prop, ask in self._asked:
                if not prop.asks_ahead and ask(prop, state):
                    yield number, index
        for index, prop, _ in self._asked:
            if prop.asks_ahead and (trap := self.ahead.first_trap(path)) is not None:
                self.exercised[prop.name] += len(path)
                yield from ((number, index) for number in range(trap, len(path)))

    def check(self) -> None:
        """Asks the semantics and the predicates every question since the last call once more, and compares.

        The last question comes first, with sets in another order. Engines call it before they report. Raises ModelError
        as `Semantics.check` does, and if a predicate changes its answer.
        """
        self._semantics.check(self._ask_again)

    def _ask_again(self) -> None:
        while self._unchecked:
            question = self._unchecked.pop()
            in_other_orders(partial(self._compare, question, question._replace(about=shaken(question.about))))

    def _compare(self, question: _Question, again: _Question) -> None:
        before, now = self._answers[question.prop.name, question.about], self._answer(again)
        if now is not before:
            raise changed_its_mind(question.prop, f"{before} and then {now} for {_shown(question)}")

    def true_in(self, part: Property, state: State) -> bool:
        """Whether a part of a property in time (`Property.goal`, `.start`) is true in a state."""
        if part.kind is PropertyKind.NO_LIVELOCK:
            return self._semantics.ended(state)
        if part.kind is PropertyKind.ALWAYS:
            return self.state_ok(part, self._seen(part, state))
        return self._results_ok_in(part, state)

    def state_ok(self, prop: Property, seen: tuple[Any, ...]) -> bool:
        """An always property's answer on the states of the objects that it reads, in that order."""
        return self._ask(_Question(prop, seen))

    def result_ok(self, prop: Property, name: str, result: Any) -> bool:
        """An each-result property's answer on one result of a process declared as `name`."""
        return self._ask(_Question(prop, (name, result)))

    def results_ok(
        self,
        prop: Property,
        results: tuple[tuple[str, Any], ...],
        seen: tuple[Any, ...],
        only: frozenset[str] | None = None,
    ) -> bool:
        """An at-end or reachable property's answer on results by name and the states of what it reads.

        With `only`, only the results of these processes are known: raises LooksAtAll if it looks at others.
        """
        return self._ask(_Question(prop, (results, seen), only))

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
        if not self._semantics.ended(state) or self.why_not(prop):
            return False
        self.exercised[prop.name] += 1
        return not self._results_ok_in(prop, state)

    def _reachable(self, prop: Property, state: State) -> bool:
        self.exercised[prop.name] += 1
        return self._results_ok_in(prop, state)

    def _deadlock(self, prop: Property, state: State) -> bool:
        self.exercised[prop.name] += 1
        stuck = not any(self._semantics.outcomes(state, pid) for pid in range(len(state.local)))
        return stuck and not self._semantics.at_rest(state)

    def _trapped(self, prop: Property, state: State) -> bool:
        trapped = self.ahead.is_trap(state)
        self.exercised[prop.name] += trapped is not None
        return trapped is True

    def _results_ok_in(self, prop: Property, state: State) -> bool:
        return self.results_ok(prop, tuple(self._semantics.results(state).items()), self._seen(prop, state))

    def _seen(self, prop: Property, state: State) -> tuple[Any, ...]:
        return tuple(state.shared[self._slots[id(item)]] for item in prop.reads)

    def _ask(self, question: _Question) -> bool:
        asked = question.prop.name, question.about
        known = self._answers.get(asked)
        if known is None:
            known = self._answers[asked] = self._answer(question)
            self._unchecked.append(question)
        return known

    def _is_serial(self, prop: Property, results: tuple[tuple[str, Any], ...], seen: tuple[Any, ...]) -> bool:
        """Whether an end is, as far as it counts, that of a serial order; it is where no order can be compared."""
        if prop not in self._serial:
            ends = serial_ends(self._semantics.system)
            self._serial[prop] = frozenset(
                _that_counts(prop, tuple(e.results), self._seen(prop, e.state)) for e in ends.ends
            )
        return bool(self.why_not(prop)) or _that_counts(prop, results, seen) in self._serial[prop]

    def _answer(self, question: _Question) -> bool:
        """The predicate's answer now. Raises LooksAtAll if it looked at something unknown, whatever it answered."""
        looks = Looks()
        try:
            if question.prop.kind is PropertyKind.SERIAL:
                return self._is_serial(question.prop, *question.about)
            answer = question.prop.predicate(*_arguments(question, looks))
        except LooksAtAll:
            raise
        except BaseException as error:
            if looks.unknown and isinstance(error, Exception):
                raise LooksAtAll from error
            explained = blamed(error, _place(question.prop), f"property {question.prop.name!r}")
            raise type(explained)(f"{explained} for {_shown(question)}{_hint(error, question)}") from error
        if looks.unknown:
            raise LooksAtAll
        if looks.names:
            self.tell_apart.add(question.prop.name)
        if answer is True or answer is False:
            return answer
        raise ModelError(f"{_where(question.prop)} answered {answer!r}, neither True nor False{_remedy(answer)}")


class _Question(NamedTuple):
    """A property and its arguments: states; a process and its result; or results by name and states."""

    prop: Property
    about: tuple[Any, ...]
    only: frozenset[str] | None = None


def _that_counts(prop: Property, results: tuple[tuple[str, Any], ...], seen: tuple[Any, ...]) -> Hashable:
    """What counts of an end: of each result what the property says, and the states of what it reads."""
    return tuple(sorted((name, key(prop.predicate(result))) for name, result in results)), tuple(map(key, seen))


def _arguments(question: _Question, looks: Looks) -> tuple[Any, ...]:
    """The predicate's arguments."""
    prop, about, only = question
    if prop.kind is PropertyKind.ALWAYS:
        return (StateView(prop.reads, about),)
    if prop.kind is PropertyKind.EACH_RESULT:
        return about[1:]
    results, seen = about
    return Results(dict(results), looks, only), *((StateView(prop.reads, seen),) if prop.reads else ())


def _shown(question: _Question) -> tuple[Any, ...]:
    """The predicate's arguments, for a message."""
    given = _arguments(question, Looks())
    return tuple(dict(question.about[0]) if isinstance(item, Results) else item for item in given)


def changed_its_mind(prop: Property, how: str) -> ModelError:
    """The error for a predicate that answers the same question in two ways."""
    return ModelError(
        f"{_where(prop)} answered {how}: a predicate depends on nothing but what it is given (no counter, no list as a "
        "default, no clock, no random numbers), and a set has no order: write sorted(...)"
    )


def _where(prop: Property) -> str:
    return f"{_place(prop)}: property {prop.name!r}"


def _place(prop: Property) -> str:
    code = getattr(prop.predicate, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else "?"


def _hint(error: BaseException, question: _Question) -> str:
    """Which processes have results, where a predicate asked for one that has none."""
    if not isinstance(error, KeyError) or question.prop.kind not in (PropertyKind.AT_END, PropertyKind.REACHABLE):
        return ""
    names = ", ".join(name for name, _ in question.about[0]) or "nobody"
    return f"; those with a result are {names}: copies are called p#1, p#2, and neither a daemon nor who died has one"


def _remedy(answer: object) -> str:
    if answer is None:
        return ": did you forget to return?"
    if isinstance(answer, Generator | Coroutine):
        answer.close()
        return ": write all(...) or any(...) round it; a predicate is a plain function, without yield or async"
    if callable(answer):
        return ": did you forget to call it?"
    return ": compare it with something, or write bool(...)"
