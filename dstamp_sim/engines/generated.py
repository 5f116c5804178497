"""Hypothesis chooses who moves: schedules, settings and timings as strategies, and a state machine per system.

A schedule is read off a tape of bytes, a byte a choice, lazily against what is possible there: "stay with the process
that moved last" first, deaths last. Hypothesis shrinks to fewer bytes first (a dead process needs none), then to
smaller ones, which switch less; `minimise` goes on from there. Its example database, `@reproduce_failure`, `@example`
and profiles work as for any strategy.
"""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin
from weakref import WeakKeyDictionary

from hypothesis import currently_in_test_context, target
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dstamp_sim.core.errors import ScheduleError, UsageError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.core.schedule import CRASH, Choice, Schedule
from dstamp_sim.core.semantics import Move, Semantics, State
from dstamp_sim.core.system import System
from dstamp_sim.engines.replay import begun

Draw = Callable[[st.SearchStrategy[bytes]], bytes]

MOST_DRAWN = 1_000
"""The most choices of one schedule; daemons may go on for ever."""


class Generator:
    """Draws schedules of one system; remembers how often states were met, for `target`."""

    def __init__(self, system: System, properties: Sequence[str], most_steps: int) -> None:
        self.semantics = Semantics(system)
        for prop in system.properties_named(properties) if properties else ():
            if prop.in_time:
                raise UsageError(
                    f"property {prop.name!r} ({prop.kind.value}): a schedule that ends shows nothing of it"
                )
        asked = [p for p in system.properties_named(properties) if not p.is_wish and (properties or not p.asks_ahead)]
        self.judge = Judge(self.semantics, asked)
        self.most_steps = most_steps
        self.moves = lru_cache(_REMEMBERED)(self._moves)
        self.violated = lru_cache(_REMEMBERED)(self._violated)
        self.after = lru_cache(_REMEMBERED)(self.semantics.perform)
        self._met: Counter[Any] = Counter()

    def _moves(self, state: State, last: int) -> list[Move]:
        """The possible moves, in the order in which Hypothesis prefers them: staying, others as declared, deaths."""
        return sorted(self.semantics.moves(state), key=lambda m: (m.outcome == CRASH, m.pid != last))

    def _violated(self, state: State) -> Property | None:
        """The first property that fails in `state`."""
        return next((self.judge.properties[index] for index in self.judge.decides(state)), None)

    def draw(self, draw: Draw) -> Schedule:
        """The schedule drawn, to its end, to the first violation, or to `most_steps`; calls `target` in a test."""
        tape = _Tape(draw)
        start = self._begin(tape)
        state, last, choices = self.semantics.started(start).initial(), -1, list[Choice]()
        rarest = self.rarity(state)
        while len(choices) < self.most_steps and self.violated(state) is None and (moves := self.moves(state, last)):
            move = moves[tape.choice(len(moves))]
            choices.append(self.semantics.choice(move))
            state, last = self.after(state, move), move.pid
            rarest = max(rarest, self.rarity(state))
        if currently_in_test_context():
            with suppress(InvalidArgument):  # the second schedule of this system in one example
                target(rarest, label=f"rarest state of {', '.join(self.semantics.names)}")
        return Schedule(tuple(choices), start=tuple(start.items()))

    def _begin(self, tape: _Tape) -> dict[str, int]:
        """The start drawn, unless it is chosen."""
        system = self.semantics.system
        if system.start is not None:
            return dict(system.start)
        return {name: tape.choice(len(item.initials)) for name, item in system.several.items()}

    def first_violation(self, schedule: Iterable[Choice]) -> tuple[Property, Schedule] | None:
        """The property that fails first along `schedule`, and the choices up to there. Raises ScheduleError."""
        semantics = begun(self.semantics, schedule)
        state, done = semantics.initial(), list[Choice]()
        for choice in (*schedule, None):
            failed = self.violated(state)
            if failed is not None:
                self.judge.check()
                return failed, Schedule(tuple(done), start=semantics.start)
            if choice is not None:
                try:
                    state = self.after(state, self.semantics.move(state, choice))
                except ScheduleError as error:
                    raise ScheduleError(f"step {len(done) + 1}, {choice}: {error}") from error
                done.append(choice)
        self.judge.check()
        return None

    def rarity(self, state: State) -> float:
        """How rarely the shared objects were in this state so far, in nats."""
        self._met[state.shared] += 1
        return math.log(self._met.total() / self._met[state.shared]) if len(self._met) < _MANY else 0.0


_REMEMBERED = 100_000
"""How many steps and judgements are kept between examples: examples are much alike, above all while shrinking."""

_MANY = 10_000
"""From this number of distinct states on, rarity means nothing, and counting costs too much."""


class _Tape:
    """Bytes drawn a few at a time: a draw for each is slow, and many that are not used make shrinking slow."""

    def __init__(self, draw: Draw) -> None:
        self._draw, self._bytes, self._at = draw, b"", 0

    def choice(self, count: int) -> int:
        """The next choice among `count`: a byte's remainder, so that small bytes are the choices themselves."""
        if count == 1:
            return 0
        if count > 256:
            return (self.choice(256) + 256 * self.choice(-(-count // 256))) % count
        if self._at == len(self._bytes):
            self._bytes, self._at = self._draw(_BYTES), 0
        self._at += 1
        return self._bytes[self._at - 1] % count


_BYTES = st.binary(min_size=8, max_size=8)

_GENERATORS: WeakKeyDictionary[System, dict[Any, Generator]] = WeakKeyDictionary()


def generator_of(system: System, properties: tuple[str, ...] = (), most_steps: int = MOST_DRAWN) -> Generator:
    """The generator of a system; the same one each time, so that its memory is useful."""
    known = _GENERATORS.setdefault(system, {})
    key = (properties, most_steps)
    if key not in known:
        known[key] = Generator(system, properties, most_steps)
    return known[key]


def schedules(
    system: System, *, properties: Sequence[str] = (), most_steps: int = MOST_DRAWN
) -> st.SearchStrategy[Schedule]:
    """Schedules of `system`, each drawn to its end or to the first state in which one of the properties fails.

    Every one replays strictly. Shrinks towards fewer choices, then fewer switches, first outcomes and no deaths. Calls
    `hypothesis.target` with how rare the rarest state was. Raises UsageError for an unknown property.
    """
    generator = generator_of(system, tuple(properties), most_steps)
    return st.composite(generator.draw)()


def scenarios(
    system: System,
    delays: Sequence[str],
    *,
    longest_s: float = 600.0,
    probabilities: Mapping[str, float] | None = None,
    deaths: bool = False,
) -> st.SearchStrategy[Timing]:
    """Timings for `run_timed`: start offsets, constant delays, a seed and, with `deaths`, one death; seconds.

    `delays` are the names of the system's delays, each up to `longest_s`. Shrinks towards everything at once.
    """
    seconds = st.floats(0, longest_s, allow_nan=False).map(lambda s: round(s, 3))
    names = system.must_end
    constant = seconds.map(lambda s: Distribution(Shape.CONSTANT, (s,), "drawn"))
    dying = st.dictionaries(st.sampled_from(names), seconds, max_size=1) if deaths and names else st.just({})
    return st.builds(
        Timing,
        delays=st.fixed_dictionaries(dict.fromkeys(delays, constant)),
        starts_s=st.fixed_dictionaries(dict.fromkeys(names, seconds)),
        deaths_s=dying,
        probabilities=st.just(dict(probabilities or {})),
        seed=st.integers(0, 2**16),
    )


def settings_of(factory: Callable[..., System], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Keyword arguments for a factory: those `given`, and every parameter declared `Literal` or `bool`.

    Each such parameter is its default, which it shrinks to, or another of its values; the rest keep their defaults.
    """
    options: dict[str, st.SearchStrategy[Any]] = dict(given)
    for name, parameter in inspect.signature(factory, eval_str=True).parameters.items():
        if name not in options and (values := _values(parameter.annotation)):
            first = parameter.default if parameter.default in values else values[0]
            options[name] = st.sampled_from([first, *(value for value in values if value != first)])
    return st.fixed_dictionaries(options)


def _values(annotation: Any) -> tuple[Any, ...]:
    if annotation is bool:
        return (False, True)
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def machine_of(
    system: System, fail: Callable[[Property, Schedule], None], *, properties: Sequence[str] = ()
) -> type[RuleBasedStateMachine]:
    """A state machine whose one rule lets a process move; `fail` is called when a property fails after a move."""
    generator = generator_of(system, tuple(properties))

    class SystemMachine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.state, self.last, self.choices = generator.semantics.initial(), -1, list[Choice]()

        @precondition(lambda self: bool(generator.moves(self.state, self.last)))
        @rule(data=st.data())
        def move(self, data: st.DataObject) -> None:
            moves = generator.moves(self.state, self.last)
            move = moves[data.draw(st.integers(0, len(moves) - 1))]
            self.choices.append(generator.semantics.choice(move))
            self.state, self.last = generator.semantics.perform(self.state, move), move.pid

        @precondition(lambda self: not generator.moves(self.state, self.last))
        @rule()
        def rest(self) -> None:
            """Everybody has ended or waits."""

        @invariant()
        def properties_hold(self) -> None:
            failed = generator.violated(self.state)
            if failed is not None:
                fail(failed, Schedule(tuple(self.choices)))

    return SystemMachine
