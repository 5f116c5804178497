"""Many timed runs at once: Monte Carlo of the timed semantics over the same tables as the explorer's, compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.errors import ModelError, UsageError, unknown
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.scenario import SHAPES, Timing
from dstamp_sim.core.schedule import Choice, Schedule
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.shared_object import gives_up
from dstamp_sim.core.system import System
from dstamp_sim.engines.tables.tables import LOCAL, Grown, Tables
from dstamp_sim.engines.timed.sweep_kernel import MISSED, STANDSTILL, sweep_batch
from dstamp_sim.engines.timed.timed import STANDSTILL_OPS

Floats = NDArray[np.float64]
Seeds = NDArray[np.uint64]


def none_apart() -> Seeds:
    """No seeds: all processes of a run draw from one stream."""
    return np.zeros((0, 0), np.uint64)


@dataclass(frozen=True)
class Varied:
    """What differs from run to run of a sweep, an array with one number per run each; the rest is the timing's.

    `figures` are a delay's first and second figure. A start at or beyond the horizon never happens. Where there are
    `seeds`, run r's process p draws from a stream of its own, `Draws(seeds[r, p])`.
    """

    starts_s: Mapping[str, Floats] = field(default_factory=dict)
    probabilities: Mapping[str, Floats] = field(default_factory=dict)
    figures: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)
    seeds: Seeds = field(default_factory=none_apart)


NOTHING_VARIED = Varied()


@dataclass(frozen=True)
class Swept:
    """The ends of many runs: by run and process, a number of the `results` (None: it had not ended), and when.

    `waited_s` is how long each process was blocked; `busy_s`, by run and shared object (`objects` names them), how
    long it was in another than its initial state: for a lock, how long it was held. `near_s`, where processes draw
    apart, is how near in time each came to another's change of an object that it touches: it missed a race by so much.
    """

    names: tuple[str, ...]
    ends: NDArray[np.int32]
    ended_at_s: Floats
    results: Mapping[int, Any]
    waited_s: Floats
    objects: tuple[str, ...]
    busy_s: Floats
    near_s: Floats

    def where(self, name: str, wanted: Callable[[Any], bool]) -> NDArray[np.bool_]:
        """In which runs the result of process `name` satisfies `wanted`; False if it had not ended."""
        column = self.names.index(name)
        kept = [end for end in np.unique(self.ends[:, column]) if end in self.results and wanted(self.results[end])]
        return np.isin(self.ends[:, column], kept)


def sweep(system: System, timing: Timing, runs: int, *, seed: int | None = None) -> Swept:
    """`runs` timed runs of `system`, on the compiled clock; the same arguments return the same ends.

    Run r makes the schedule that `run_timed` makes of the same draws. Raises as `Sweeper.sweep`, which keeps its tables
    for further sweeps of one system.
    """
    return Sweeper(system).sweep(timing, runs, seed=seed)


class Sweeper:
    """The timed runs of one system. Keeps its tables, for further sweeps of the same system.

    Run r of a sweep with seed s makes the schedule that `run_timed(..., draws=Draws(s, r))` makes.
    """

    def __init__(self, system: System) -> None:
        self.semantics = Semantics(system)
        self.tables = Tables(self.semantics, Judge(self.semantics, ()), merge=False)
        self.row = np.array(self.tables.initial_row(), np.int32)
        self._delays: list[str] = []
        self._labels: list[str] = []
        self._delay_of, self._patience_of, self._label_of, self._gives_up = Grown(), Grown(), Grown(), Grown()
        self._described = 0

    def sweep(self, timing: Timing, runs: int, *, seed: int | None = None, varied: Varied = NOTHING_VARIED) -> Swept:
        """`runs` timed runs; the same arguments return the same ends.

        Raises ScenarioError for a delay without distribution or outcomes without probability, UsageError for a start
        of an unknown process and for deaths, which a sweep does not support, ModelError if time stands still.
        """
        ends, ended, _, waited, busy, near = self._swept(timing, runs, timing.seed if seed is None else seed, varied, 0)
        met = [int(end) for end in np.unique(ends)]
        results = {end: self.tables.result(end) for end in met if self.tables.has_result(end)}
        objects = tuple(item.name for item in self.tables.objects)
        return Swept(self.semantics.names, ends, ended, results, waited, objects, busy, near)

    def prepare(self) -> None:
        """Fills the tables for every state that their objects may have, as far as possible.

        This pays for many processes: a missing entry restarts the current run. Errors of a program where no schedule
        leads are ignored.
        """
        local = filled = 0
        while local < len(self.tables.keys) or filled < self.tables.first.size:
            if local == len(self.tables.keys):
                local, filled = 0, self.tables.first.size
            slot, begin = int(self.tables.target.data[local]), int(self.tables.base.data[local])
            known = len(self.tables.states[slot]) if slot >= 0 else int(slot == LOCAL)
            for state in np.flatnonzero(self.tables.entries.data[begin : begin + known] < 0).tolist():
                with suppress(ModelError):
                    self._fill(None, local, state)
            local += 1

    def schedule(self, timing: Timing, run: int, *, seed: int, steps: int = 100_000) -> Schedule:
        """The schedule of run number `run` of a sweep, as far as its first `steps` steps."""
        _, _, moves, *_ = self._swept(timing, run + 1, seed, NOTHING_VARIED, steps, begin=run)
        made = moves[moves[:, 0] >= 0]
        return Schedule(tuple(Choice(self.semantics.names[pid], int(outcome)) for pid, outcome in made))

    def _swept(
        self, timing: Timing, runs: int, seed: int, varied: Varied, steps: int, begin: int = 0
    ) -> tuple[NDArray[np.int32], Floats, NDArray[np.int32], Floats, Floats, Floats]:
        self._check(timing, varied)
        count = len(self.semantics.names)
        ends, ended = np.zeros((runs, count), np.int32), np.full((runs, count), np.inf)
        moves, waited = np.full((steps, 2), -1, np.int32), np.zeros((runs, count))
        busy = np.zeros((runs, len(self.tables.objects)))
        near = np.zeros((runs if len(varied.seeds) else 0, count))
        must_end = np.array([not process.daemon for process in self.semantics.processes])
        starts = _filled(self.semantics.names, timing.starts_s, varied.starts_s, runs, otherwise=0.0)
        late = [self._late(name, timing, varied) for name in self.semantics.names]
        at, known = begin, (-1, -1)
        while at < runs:
            self._describe(timing)
            tables = self.tables
            if known != (len(self._delays), len(self._labels)):
                known = len(self._delays), len(self._labels)
                figures, shapes = self._figures(timing, varied, runs)
                given = _filled(self._labels, timing.probabilities, varied.probabilities, runs, otherwise=np.nan)
            code, at, local, state = sweep_batch(
                at, self.row, must_end,
                tables.target.data, tables.base.data, tables.entries.data,
                tables.first.data, tables.next_local.data, tables.next_state.data,
                self._delay_of.data, self._patience_of.data, self._label_of.data, self._gives_up.data,
                starts, np.array(late, np.int64), shapes, figures, given,
                seed % 2**63, varied.seeds, timing.horizon_s, STANDSTILL_OPS, ends, ended, moves,
                waited, busy, near,
            )  # fmt: skip
            moves[:] = moves if at >= runs else -1
            if code == MISSED:
                self._fill(timing, local, state)
            elif code == STANDSTILL:
                raise ModelError(f"{self._place(local)}: {STANDSTILL_OPS:,} ops at one instant: a loop without a delay")
        self.semantics.check()
        return ends, ended, moves, waited, busy, near

    def _check(self, timing: Timing, varied: Varied) -> None:
        if timing.deaths_s:
            raise UsageError("a sweep does not support deaths: replay the scenario instead")
        known = set(self.semantics.names)
        for name in (*timing.starts_s, *timing.late, *varied.starts_s):
            if name not in known:
                raise UsageError(unknown("process", name, self.semantics.names))

    def _late(self, name: str, timing: Timing, varied: Varied) -> int:
        """The number of the delay by which a process starts late; -1 for none, as where its start is varied."""
        return self._delay(None if name in varied.starts_s else timing.late.get(name), timing)

    def _fill(self, timing: Timing | None, local: int, state: int) -> None:
        """Fills an entry of the tables, with the labels of its outcomes; checks that they have probabilities.

        Without a timing it does not check.
        """
        self.tables.fill(local, state)
        key = self.tables.keys[local]
        node = self.tables.node(key)
        assert node is not None
        slot = int(self.tables.target.data[local])
        outcomes = (
            self.semantics.look_up(self.tables.objects[slot], self.tables.states[slot][state], node)
            if slot >= 0
            else self.tables.local_outcomes(key, node)
        )
        if len(outcomes) > 1 and timing is not None:
            timing.weights([outcome.label for outcome in outcomes], node.op)
        for outcome in outcomes:
            self._label_of.append(_number(self._labels, outcome.label))
            self._gives_up.append(gives_up(outcomes))

    def _describe(self, timing: Timing) -> None:
        """Notes which of the new local states are about to wait for time, or give up after one, and for which delay."""
        for number in range(self._described, len(self.tables.keys)):
            node = self.tables.node(self.tables.keys[number])
            op = node and node.op
            self._delay_of.append(self._delay(str(op.args[0]) if op and op.is_delay else None, timing))
            self._patience_of.append(self._delay(op.patience or None if op else None, timing))
        self._described = len(self.tables.keys)

    def _delay(self, name: str | None, timing: Timing) -> int:
        """The number of a delay; -1 for none."""
        if name is None:
            return -1
        timing.delay(name)
        return _number(self._delays, name)

    def _figures(self, timing: Timing, varied: Varied, runs: int) -> tuple[Floats, NDArray[np.int64]]:
        figures = np.zeros((runs, max(len(self._delays), 1), 2))
        shapes = np.zeros(max(len(self._delays), 1), np.int64)
        for index, name in enumerate(self._delays):
            given = timing.delay(name)
            shapes[index] = SHAPES.index(given.shape)
            first, second = varied.figures.get(name, (*given.figures, 0.0)[:2])
            figures[:, index, 0], figures[:, index, 1] = first, second
        return figures, shapes

    def _place(self, local: int) -> object:
        node = self.tables.node(self.tables.keys[local])
        return node.place if node else "?"


def _filled(
    names: Sequence[str], plain: Mapping[str, float], varied: Mapping[str, Floats], runs: int, *, otherwise: float
) -> Floats:
    """A row per run, a column per name: the varied number, else the plain one, else `otherwise`."""
    filled = np.zeros((runs, max(len(names), 1)))
    for column, name in enumerate(names):
        filled[:, column] = varied.get(name, plain.get(name, otherwise))
    return filled


def _number(names: list[str], name: str) -> int:
    """The place of `name` in `names`; it is appended if it is new."""
    if name not in names:
        names.append(name)
    return names.index(name)
