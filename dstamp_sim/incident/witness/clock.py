"""An order of steps put on the clock: starts and durations with which the timed semantics makes just these steps.

Ops take no time and are performed as soon as possible; so an order fits the clock exactly if the instants of its steps
solve a system of difference constraints: a delay lasts between two figures, dependent steps come one after the other, a
blocked process goes on in the instant of the step that freed it, a run has a longest duration. Such a system has a
solution where its graph has no negative cycle, and shortest paths are the latest and the earliest (Bellman 1958, Ford
1956; Cormen et al., Introduction to Algorithms, "Difference constraints and shortest paths").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import erf, exp, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.scenario import Distribution
from dstamp_sim.core.schedule import CRASH
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.engines.timed.sweep import Floats

ORIGIN = 0
"""The node of the clock's zero."""

APART_S = 0.001
"""The distance between dependent steps of different instants."""

WIDEST = 0.9973
"""A figure outside this middle share of a prior counts as excluded: three standard deviations of a normal."""

DEVIATIONS = np.linspace(-6.0, 6.0, 121)
"""The factors on all durations to try, in standard deviations of their logarithm."""


@dataclass(frozen=True)
class Beliefs:
    """Beliefs about durations: each delay's distribution, the spread of a common factor, and the longest run."""

    delays: Mapping[str, Distribution]
    spread: float
    longest_run_s: float


class Bound(NamedTuple):
    """Node `later` comes at most `most_s` after node `earlier`; for a delay, its name and its longest duration.

    With `sign` -1 it comes at least the shortest duration of the delay before it. `why` is in words, or the name of the
    process whose delay or start it is.
    """

    earlier: int
    later: int
    most_s: float
    why: str
    delay: str = ""
    sign: int = 1


@dataclass(frozen=True)
class Fitted:
    """An order on the clock: when each process starts and dies, and how long its delays last, one after the other.

    `factor` is on all durations, `deviations` the same in standard deviations of its logarithm; every duration lies
    within the middle share `middle` of its prior, and the factor too unless `excluded` by it.
    """

    starts_s: Mapping[str, float]
    deaths_s: Mapping[str, float]
    durations_s: Mapping[str, Sequence[float]]
    factor: float
    deviations: float
    middle: float

    @property
    def excluded(self) -> bool:
        """Whether the prior of the common factor excludes its value."""
        return share_within(abs(self.deviations)) > WIDEST + 1e-9


@dataclass
class TimeConstraints:
    """The constraints of one trace of `system`, in which everybody who must end does.

    `starts_s` are known starts, of others 0, but for those of `runs`: these last no longer than a run may, and where
    they have no known start, it is looked for. What a process does first may not be to wait for another.
    """

    system: System
    trace: Trace
    starts_s: Mapping[str, float]
    runs: Sequence[str]
    beliefs: Beliefs
    bounds: list[Bound] = field(default_factory=list)
    nodes: int = 1

    def __post_init__(self) -> None:
        self.semantics = Semantics(self.system)
        self.start = [self._started(name) for name in self.semantics.names]
        self.last = list(self.start)
        self.ready: list[int | None] = [None] * len(self.start)
        self.delays: list[list[tuple[str, int, int]]] = [[] for _ in self.start]
        self.deaths: dict[str, int] = {}
        self.wrote: dict[str, tuple[int, int]] = {}
        self.read: dict[str, list[tuple[int, int]]] = {}
        state = self.semantics.initial()
        self._wake(state, ORIGIN)
        for step in self.trace.steps:
            move = self.semantics.move(state, step.choice)
            node = self._placed(state, move.pid, step)
            self._depend(step, move.pid, node)
            self.last[move.pid] = node
            state = self.semantics.perform(state, move)
            self.ready[move.pid] = None
            self._wake(state, node, move.pid)
        self._finish(state)

    def fitted(self) -> Fitted | None:
        """The most ordinary solution: durations and factor as near the middle of their priors as can be.

        If the priors exclude every factor that fits, the one that deviates least; None if there is none.
        """
        low, high = 0.0, WIDEST
        if self._feasible(high) is None:
            beyond = self._columns(DEVIATIONS, WIDEST)
            return self._solution(float(DEVIATIONS[_nearest(beyond)]), WIDEST) if beyond.any() else None
        while high - low > 0.01:
            middle = (low + high) / 2
            low, high = (low, middle) if self._feasible(middle) is not None else (middle, high)
        at = self._feasible(high)
        assert at is not None
        return self._solution(at, high)

    def conflict(self) -> tuple[str, ...]:
        """Constraints that cannot all hold with the assumed durations; in words.

        Empty if all can hold. They are a negative cycle of the graph; a process's delays in a row are reported as one.
        """
        weights = self._weights(np.zeros(1), WIDEST)[:, 0].tolist()
        cycle = _negative_cycle([(b.earlier, b.later) for b in self.bounds], weights, self.nodes)
        starts = [(self.bounds[i], weights[i]) for i in cycle if ORIGIN in self.bounds[i][:2]]
        reasons = [_starts_text(starts)] if len(starts) == 2 else []
        rest = [i for i in cycle if len(starts) != 2 or ORIGIN not in self.bounds[i][:2]]
        for (why, sign), same in groupby(rest, key=self._kind):
            row = list(same)
            names = list(dict.fromkeys(self.bounds[i].delay for i in sorted(row, key=lambda i: self.bounds[i].later)))
            limit = f"{'at most' if sign > 0 else 'at least'} {abs(sum(weights[i] for i in row)):,.0f} s"
            reasons.append(f"{why}'s {', '.join(names)} take{'s' * (len(names) == 1)} {limit}" if sign else why)
        return tuple(dict.fromkeys(reasons))

    def _kind(self, number: int) -> tuple[str, int]:
        """The owner of a bound's delay and the limit; for another bound, its text and 0."""
        bound = self.bounds[number]
        return bound.why, bound.sign if bound.delay else 0

    def _started(self, name: str) -> int:
        node = self._node()
        at = self.starts_s.get(name)
        if at is None and name in self.runs:
            self._bound(node, ORIGIN, 0.0, "")
            self._bound(ORIGIN, node, max(self.starts_s.values()) + self.beliefs.longest_run_s, "")
            return node
        self._bound(ORIGIN, node, at or 0.0, name)
        self._bound(node, ORIGIN, -(at or 0.0), name)
        return node

    def _placed(self, state: State, pid: int, step: Step) -> int:
        """The node of a step: a new one after a delay or for a death, else that in which its process became free."""
        name, before = self.semantics.names[pid], self.last[pid]
        node = self.semantics.node(state, pid)
        assert node is not None
        if node.op is not None and node.op.patience:
            raise UsageError(f"{node.place}: {node.op}: no times are constructed for an op that gives up")
        waits = node.op is not None and node.op.is_delay
        if step.choice.outcome == CRASH:
            return self._died(name, pid, before, str(node.op.args[0]) if waits and node.op else "")
        if waits and node.op is not None:
            return self._delayed(pid, str(node.op.args[0]), before)
        ready = self.ready[pid]
        assert ready is not None, f"{name} moves while it is blocked"
        if ready != before:
            self._bound(ready, before, -APART_S, f"{name} waits for {node.op}")
        return ready

    def _delayed(self, pid: int, delay: str, before: int) -> int:
        node, name = self._node(), self.semantics.names[pid]
        for ends, sign in (((before, node), 1), ((node, before), -1)):
            self._bound(*ends, 0.0, name, delay, sign)
        self.delays[pid].append((delay, before, node))
        return node

    def _died(self, name: str, pid: int, before: int, delay: str) -> int:
        """A death falls into a delay, which would have gone on, or into a wait."""
        node = self.deaths[name] = self._node()
        self._bound(node, before, 0.0, f"{name} dies after what it did")
        if delay:
            self._bound(before, node, -APART_S, name, delay, 1)
            self.delays[pid].append((delay, before, -1))
        elif self.ready[pid] is not None:
            self._bound(before, node, -APART_S, f"{name} dies between two steps that take no time")
        return node

    def _wake(self, state: State, node: int, moved: int | None = None) -> None:
        """Notes who can go on in the instant of `node`, or no longer can."""
        for pid, name in enumerate(self.semantics.names):
            op = (at := self.semantics.node(state, pid)) and at.op
            if not op or op.is_delay:
                continue
            able = bool(self.semantics.outcomes(state, pid))
            if able and self.ready[pid] is None:
                self.ready[pid] = self.start[pid] if moved is None else node
            elif not able and (ready := self.ready[pid]) is not None:
                self._bound(ready, node, 0.0, f"{name} comes too late for {op}")
                self.ready[pid] = None
            elif not able and pid == moved and op.target is not None:
                self._after(op.target.name, pid, node, looks=True)

    def _depend(self, step: Step, pid: int, node: int) -> None:
        """Orders the step after the steps of others on which it depends: changes of an object, and reads of it."""
        changed = {change.target for change in step.changes}
        for name in sorted(changed | ({step.touched} if step.touched else set())):
            self._after(name, pid, node, looks=name not in changed)

    def _after(self, name: str, pid: int, node: int, *, looks: bool) -> None:
        before = [] if looks else self.read.get(name, [])
        for other, earlier in [*before, *([self.wrote[name]] if name in self.wrote else [])]:
            if other != pid and earlier != node:
                names = self.semantics.names
                self._bound(node, earlier, -APART_S, f"{names[pid]}'s step on {name} follows {names[other]}'s")
        if looks:
            self.read.setdefault(name, []).append((pid, node))
        else:
            self.wrote[name], self.read[name] = (pid, node), []

    def _finish(self, state: State) -> None:
        """Nobody lasts longer than a run may, and what still waits for time at the end goes on after it."""
        must = [pid for pid, process in enumerate(self.semantics.processes) if not process.daemon]
        for pid in must:
            name = self.semantics.names[pid]
            if name in self.runs:
                self._bound(
                    self.start[pid],
                    self.last[pid],
                    self.beliefs.longest_run_s,
                    f"{name} lasts no longer than a run may",
                )
        for pid in range(len(self.last)):
            at = self.semantics.node(state, pid)
            if at is not None and at.op is not None and at.op.is_delay:
                node = self._delayed(pid, str(at.op.args[0]), self.last[pid])
                for other in must:
                    if other != pid:
                        self._bound(
                            node, self.last[other], -APART_S, f"{self.semantics.names[pid]} goes on after the end"
                        )

    def _node(self) -> int:
        self.nodes += 1
        return self.nodes - 1

    def _bound(self, earlier: int, later: int, most_s: float, why: str, delay: str = "", sign: int = 1) -> None:
        self.bounds.append(Bound(earlier, later, most_s, why, delay, sign))

    def _feasible(self, middle: float) -> float | None:
        """The least deviation of the factor with which all fits, within the middle share of every prior."""
        within = DEVIATIONS[[share_within(abs(d)) <= middle + 1e-9 for d in DEVIATIONS]]
        fits = self._columns(within, middle)
        return float(within[_nearest(fits, within)]) if fits.any() else None

    def _weights(self, deviations: Floats, middle: float) -> Floats:
        """A row per bound, a column per factor."""
        factors = np.exp(self.beliefs.spread * deviations)
        weights = np.array([bound.most_s for bound in self.bounds])[:, None] + np.zeros(len(deviations))
        for row, bound in enumerate(self.bounds):
            if bound.delay:
                figure = self.beliefs.delays[bound.delay].sample(0.5 + bound.sign * middle / 2)
                weights[row] += bound.sign * figure * factors
        return weights

    def _columns(self, deviations: Floats, middle: float) -> NDArray[np.bool_]:
        return self._latest(self._weights(deviations, middle))[1]

    def _latest(self, weights: Floats, *, backwards: bool = False) -> tuple[Floats, NDArray[np.bool_]]:
        """The longest time of each node after the origin (backwards: before it), and whether there is a solution."""
        ends = [(b.later, b.earlier) if backwards else (b.earlier, b.later) for b in self.bounds]
        order = sorted(range(len(ends)), key=lambda i: ends[i][1])
        source, target = np.array([ends[i][0] for i in order]), np.array([ends[i][1] for i in order])
        first = np.flatnonzero(np.r_[True, target[1:] != target[:-1]])
        distance = np.full((self.nodes, weights.shape[1]), HORIZON_S)
        distance[ORIGIN] = 0.0
        for _ in range(self.nodes + 1):
            shorter = np.minimum.reduceat(distance[source] + weights[order], first, axis=0)
            known = distance[target[first]]
            better = shorter < known - 1e-9
            if not better.any():
                break
            distance[target[first]] = np.where(better, shorter, known)
        return distance, ~better.any(axis=0)

    def _solution(self, deviations: float, middle: float) -> Fitted:
        """Halfway between the earliest and the latest solution, which is one too."""
        weights = self._weights(np.array([deviations]), middle)
        at = (self._latest(weights)[0][:, 0] - self._latest(weights, backwards=True)[0][:, 0]) / 2
        names = self.semantics.names
        return Fitted(
            {name: float(at[node]) for name, node in zip(names, self.start, strict=True)},
            {name: float(at[node]) for name, node in self.deaths.items()},
            {
                name: [float(at[end] - at[begin]) if end >= 0 else HORIZON_S for _, begin, end in self.delays[pid]]
                for pid, name in enumerate(names)
            },
            exp(self.beliefs.spread * deviations),
            deviations,
            middle,
        )


HORIZON_S = 1e10
"""Every instant of a witness is nearer than this."""


def share_within(deviations: float) -> float:
    """The share of a normal distribution within so many standard deviations."""
    return erf(deviations / sqrt(2.0))


def _nearest(fits: NDArray[np.bool_], deviations: Floats = DEVIATIONS) -> int:
    """Of the columns that fit, that of the least deviation."""
    return min(np.flatnonzero(fits).tolist(), key=lambda i: abs(deviations[i]))


def _starts_text(starts: Sequence[tuple[Bound, float]]) -> str:
    """How far apart two processes start, from the two bounds that say so."""
    (one, weight), (other, other_weight) = starts
    if abs(weight) < abs(other_weight):
        one, other = other, one
    return f"{one.why} starts {abs(weight + other_weight):,.0f} s after {other.why}"


def _negative_cycle(ends: Sequence[tuple[int, int]], weights: Sequence[float], nodes: int) -> list[int]:
    """The edges, by number, of a cycle whose weights add up to less than 0: from the origin if the cycle has it."""
    distance, came = [0.0] * nodes, [-1] * nodes
    last = -1
    for _ in range(nodes):
        last = -1
        for edge, ((earlier, later), weight) in enumerate(zip(ends, weights, strict=True)):
            if distance[earlier] + weight < distance[later] - 1e-9:
                distance[later], came[later], last = distance[earlier] + weight, edge, later
        if last < 0:
            return []
    for _ in range(nodes):
        last = ends[came[last]][0]
    cycle = [came[last]]
    while ends[cycle[-1]][0] != last:
        cycle.append(came[ends[cycle[-1]][0]])
    cycle.reverse()
    first = next((i for i, edge in enumerate(cycle) if ends[edge][0] == ORIGIN), 0)
    return cycle[first:] + cycle[:first]
