"""Schedules drawn by a strategy, over tables in compiled code: what they decided, how they ended. Never a proof."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dstamp_sim.core.errors import UsageError, cut, unknown
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.numbers import many
from dstamp_sim.core.schedule import CRASH, Schedule
from dstamp_sim.core.semantics import Move, Semantics
from dstamp_sim.core.system import System
from dstamp_sim.core.value import key, text
from dstamp_sim.engines.explore.settings import HISTORY_LIMIT
from dstamp_sim.engines.sampling import oracle, random_walk, uniform, walker
from dstamp_sim.engines.sampling.counting import BITS, Interleavings, interleavings_of
from dstamp_sim.engines.sampling.oracle import CountedGraph, Memory, Offer
from dstamp_sim.engines.sampling.questions import Questions
from dstamp_sim.engines.sampling.strategies import STRATEGIES
from dstamp_sim.engines.sampling.strategy import Options, Strategy
from dstamp_sim.engines.sampling.walker import Room, Tallies
from dstamp_sim.engines.tables import kernel
from dstamp_sim.engines.tables.tables import Tables

NAMES = tuple(strategy.name for strategy in STRATEGIES)
"""The names of strategies, in the order of help."""

LONGEST_FIGURE = 18
"""Digits of a figure that an option may have."""

MOST_STEPS_DRAWN = 2_000
"""The most steps of one schedule; daemons may go on for ever."""

_CHUNK = 4096
_PILOT = 64
"""The number of random walks; the longest is taken for the length of a schedule."""

SampleProgress = Callable[[int], None]
"""Called now and then with the number of schedules so far."""

FinalResults = Mapping[str, Any]
"""The results by process with which a schedule ended."""


@dataclass(frozen=True)
class Sample:
    """What the schedules of one strategy showed.

    By property: how many schedules decided it (violated it, or reached what it asks for), and the first one that did.
    `failing`: how many violate a property, whichever.
    `ends`: distinct results with how many schedules ended so, most frequent first. `cut`: schedules that did not end
    within the allowed steps. `stopped`: why there are fewer than the budget, or empty. `independent`: whether schedules
    were drawn independently of each other, so that confidence can be computed. `guarantee`: PCT's least probability.
    """

    strategy: str
    schedules: int
    decided: Mapping[str, int]
    first: Mapping[str, Schedule]
    failing: int
    ends: Sequence[tuple[FinalResults, int]]
    steps: int
    longest: int
    cut: int
    stopped: str = ""
    independent: bool = True
    guarantee: float | None = None


@dataclass(frozen=True)
class Settings:
    """A strategy, its options (the others have their defaults), the seed, and the most steps."""

    strategy: str = "random-walk"
    options: Options = field(default_factory=dict)
    seed: int = 0
    most_steps: int = MOST_STEPS_DRAWN
    bits: int = field(default=BITS, repr=False)

    @staticmethod
    def parse(written: str, *, seed: int = 0, most_steps: int = MOST_STEPS_DRAWN) -> Settings:
        """The settings of a strategy written as `pct` or `pct:depth=2`. Raises UsageError as `chosen` does."""
        strategy, colon, rest = written.partition(":")
        options: dict[str, int] = {}
        for item in rest.split(",") if colon else ():
            name, equals, value = item.partition("=")
            if not equals or not value.strip().lstrip("-").isdecimal() or len(value) > LONGEST_FIGURE:
                raise UsageError(f"{cut(written)!r}: write a strategy's options as name=number, such as pct:depth=2")
            options[name] = int(value)
        made = Settings(strategy, options, seed, most_steps)
        made.chosen()
        return made

    @property
    def written(self) -> str:
        """The strategy as `parse` reads it."""
        options = ",".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.strategy}:{options}" if options else self.strategy

    def chosen(self) -> tuple[int, Strategy, Options]:
        """The strategy's place among all, itself, and its options. Raises UsageError for unknown names."""
        if self.strategy not in NAMES:
            raise UsageError(unknown("strategy", self.strategy, NAMES))
        for name, value, least in (("most_steps", self.most_steps, 1), ("seed", self.seed, 0)):
            if value < least:
                raise UsageError(f"{name}={value}, but it must be {least} or more")
        place = NAMES.index(self.strategy)
        return place, STRATEGIES[place], STRATEGIES[place].completed(self.options)


def sample(
    system: System,
    budget: int = 10_000,
    settings: Settings | None = None,
    *,
    properties: Sequence[str] = (),
    progress: SampleProgress | None = None,
) -> Sample:
    """Walks `budget` schedules of `system` to their ends as `settings` say: what they decided, how they ended.

    Deterministic: the same arguments return the same schedules, and a longer budget begins with those of a shorter one.
    Ctrl-C returns the sample so far. Raises UsageError for a bad setting, and where interleavings cannot be counted
    for `uniform`; ModelError if the model breaks a rule.
    """
    asked, chosen = system.properties_named(properties), settings or Settings()
    chosen.chosen()
    if budget < 1:
        raise UsageError(f"budget={budget}, but it must be 1 or more")
    semantics = Semantics(system, history_limit=HISTORY_LIMIT)
    return _Sampler(semantics, Judge(semantics, asked), chosen).run(budget, progress)


class _Sampler:
    def __init__(self, semantics: Semantics, judge: Judge, settings: Settings) -> None:
        self.semantics, self.judge, self.settings = semantics, judge, settings
        self.place, self.strategy, self.options = settings.chosen()
        if self.strategy.counts or not self.strategy.independent:
            semantics.initial()  # it goes through the schedules of one initial state
        self.counted = interleavings_of(semantics, judge) if self.strategy.counts else None
        self.tables = self.counted.tables if self.counted else Tables(semantics, judge, merge=False)
        self.questions = Questions(self.tables, judge)
        self.processes = len(semantics.names)
        self.memory = self._memory(self.counted)
        self.room = self._room()
        self.tallies = self._tallies(1024)
        self.walked = 0

    def run(self, budget: int, progress: SampleProgress | None) -> Sample:
        if self.strategy.needs_length:
            self._measure_length()
        stopped = ""
        try:
            while self.walked < budget and not stopped:
                why = self._walk(self.place, min(budget, self.walked + _CHUNK))
                stopped = self.strategy.all_tried(self.memory, self.options) if why == walker.NO_MORE else ""
                if progress is not None:
                    progress(self.walked)
        except KeyboardInterrupt:
            stopped = "interrupted"
        except MemoryError:
            stopped = f"memory ran out after {many(self.walked, 'schedule')}"
        self.judge.check()
        return self._sample(stopped)

    def _walk(self, place: int, end: int) -> int:
        """Walks schedules up to number `end`; returns why it came back, after making sure that it can go on."""
        why, self.walked = walker.walk(
            place, self.settings.seed, self.walked, end, len(self.tables.objects), self.tables.steps(),
            self.tables.deaths(), self.questions.asked(), self.memory, self.room, self.tallies,
        )  # fmt: skip
        if why == walker.MISSED:
            self.tables.fill_all(self.room.misses[: self.room.missed[1]])
        elif why == walker.ASK:
            self.questions.answer()
        elif why == walker.FULL:
            self._more_ends()
        elif why == walker.UNDECIDED:
            self._decide_exactly()
        return int(why)

    def _measure_length(self) -> None:
        """How long schedules are: the longest of some random walks; they are not counted."""
        while self.walked < _PILOT:
            self._walk(STRATEGIES.index(random_walk.STRATEGY), _PILOT)
        self.memory.numbers[oracle.LENGTH] = max(1, self.tallies.numbers[walker.LONGEST])
        self.tallies, self.walked = self._tallies(1024), 0

    def _decide_exactly(self) -> None:
        """A draw fell into a cell that a boundary divides: decide it by further draws, and walk that schedule again."""
        assert self.counted is not None
        step = int(np.flatnonzero(self._undecided())[0])
        state = int(self.memory.numbers[oracle.AT])
        drawn = int(self.memory.numbers[oracle.DEPTH])
        generator = random.Random(f"{self.settings.seed}:{self.walked}:{step}")
        edge = uniform.resolve(self.counted.shares(state), drawn, self.settings.bits, generator)
        self.memory.forced[step] = self.counted.first[state] + edge

    def _undecided(self) -> Any:
        return self.memory.forced == uniform.OPEN

    def _sample(self, stopped: str) -> Sample:
        names = [prop.name for prop in self.judge.properties]
        numbers = self.tallies.numbers
        return Sample(
            strategy=self.settings.strategy,
            schedules=self.walked,
            decided=dict(zip(names, self.tallies.decided.tolist(), strict=True)),
            first={name: self._schedule(i) for i, name in enumerate(names) if self.tallies.first[i] >= 0},
            failing=int(numbers[walker.FAILING]),
            ends=self._ends(),
            steps=int(numbers[walker.STEPS]),
            longest=int(numbers[walker.LONGEST]),
            cut=int(numbers[walker.CUT]),
            stopped=stopped,
            independent=self.strategy.independent,
            guarantee=self._guarantee(),
        )

    def _guarantee(self) -> float | None:
        if self.strategy.guarantee is None:
            return None
        actors = self.processes * (2 if self.semantics.system.crashes else 1)
        of_one_start = self.strategy.guarantee(actors, int(self.memory.numbers[oracle.LENGTH]), self.options)
        return of_one_start / len(self.room.starts)

    def _schedule(self, prop: int) -> Schedule:
        """The first schedule that decided a property, as choices."""
        moves = self.tallies.first_moves[prop, : self.tallies.first_steps[prop]].tolist()
        n = self.processes
        made = (Move(actor, outcome) if actor < n else Move(actor - n, CRASH) for actor, outcome in moves)
        begins = walker.start_of(
            self.memory.rng, self.settings.seed, int(self.tallies.first[prop]), len(self.room.starts)
        )
        start = self.tables.start_of(self.room.starts[begins].tolist())
        return self.semantics.schedule(start, made)

    def _ends(self) -> list[tuple[FinalResults, int]]:
        """Distinct results with counts; local states with the same result are one."""
        counts: Counter[Hashable] = Counter()
        meaning: dict[Hashable, FinalResults] = {}
        for number in range(int(self.tallies.numbers[walker.ENDS])):
            pairs = zip(self.semantics.names, self.tallies.ends[number].tolist(), strict=True)
            end = {name: self.tables.result(local) for name, local in pairs if local >= 0}
            what = key(tuple(end.items()))
            meaning[what] = end
            counts[what] += int(self.tallies.counts[number])
        ends = ((meaning[what], count) for what, count in counts.items())
        return sorted(ends, key=lambda item: (-item[1], [(name, text(result)) for name, result in item[0].items()]))

    def _memory(self, counted: Interleavings | None) -> Memory:
        steps, none = self.settings.most_steps + 1, np.zeros(0, np.int64)
        graph = CountedGraph(none, none.astype(np.int16), none.astype(np.int32), none.astype(np.int32),
                      none.astype(np.uint64), none.astype(np.bool_), self.settings.bits)  # fmt: skip
        memory = Memory(
            rng=np.zeros(1, np.uint64),
            priority=np.zeros(2 * self.processes),
            points=np.zeros(0, np.int64),
            stack=np.zeros(steps, np.int32),
            options=np.zeros(steps, np.int32),
            forced=np.full(steps, uniform.FREE, np.int64),
            numbers=np.zeros(16, np.int64),
            graph=counted.graph(self.settings.bits) if counted else graph,
        )
        return self.strategy.set_up(memory, self.options)

    def _room(self) -> Room:
        n, starts = self.processes, self.tables.initial_rows().astype(np.int32)
        offer = Offer(np.zeros(n, np.int32), np.zeros(n, np.int8), np.zeros(n, np.int32))
        moves = np.zeros((self.settings.most_steps, 2), np.int32)
        return Room(starts, starts[0].copy(), np.zeros(n, np.int32), moves, offer, np.zeros((64, 3), np.int64),
                    np.zeros(2, np.int64))  # fmt: skip

    def _tallies(self, ends: int) -> Tallies:
        props, numbers = len(self.judge.properties), np.zeros(walker.NUMBERS, np.int64)
        numbers[walker.MOST_STEPS] = self.settings.most_steps
        return Tallies(
            decided=np.zeros(props, np.int64),
            first=np.full(props, -1, np.int64),
            first_moves=np.zeros((props, self.settings.most_steps, 2), np.int32),
            first_steps=np.zeros(props, np.int64),
            ends=np.zeros((ends, self.processes), np.int32),
            slots=np.full(2 * ends, -1, np.int32),
            counts=np.zeros(ends, np.int64),
            numbers=numbers,
        )

    def _more_ends(self) -> None:
        old = self.tallies
        new, count = self._tallies(2 * len(old.counts)), len(old.counts)
        new.ends[:count], new.counts[:count] = old.ends, old.counts
        kernel.rehash(new.ends, count, new.slots)
        self.tallies = old._replace(ends=new.ends, slots=new.slots, counts=new.counts)
