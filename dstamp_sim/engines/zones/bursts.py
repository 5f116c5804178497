"""What happens at an instant: bursts. Between them the system pauses, and time may pass.

As on the clock of `engines.timed`, a process that comes to move goes on until it waits for time or for an object, or
ends: nobody else moves meanwhile. So the states between bursts are few, and they are numbered as they are met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.scenario import Timing
from dstamp_sim.core.semantics import Move, Semantics, State
from dstamp_sim.engines.tables.tables import Grown
from dstamp_sim.engines.timed.timed import STANDSTILL_OPS
from dstamp_sim.engines.zones.ticks import Clockwork, TickBounds
from dstamp_sim.engines.zones.zone_kernel import ENDS, NO_BOUND, RUNS, STUCK, Pauses


class Pause(NamedTuple):
    """A state between bursts; `unstarted` has a bit per process that has not begun."""

    state: State
    unstarted: int


class _Spot(NamedTuple):
    """A state within a burst, and the properties that were decided and asked on the way there (bits), if any."""

    state: State
    decided: int = 0
    asked: int = 0
    moved: bool = True


class Burst(NamedTuple):
    """The moves of a process at one instant, the pause they lead to, and the properties decided and asked (bits)."""

    pid: int
    moves: tuple[Move, ...]
    to: int
    decides: int
    asks: int


class Bursts:
    """The pauses of a system under a scenario and the bursts between them, found on demand. Deterministic."""

    def __init__(self, semantics: Semantics, judge: Judge, timing: Timing, clockwork: Clockwork) -> None:
        self.semantics, self.judge, self.timing, self.clockwork = semantics, judge, timing, clockwork
        self.pauses: list[Pause] = []
        self.all: list[Burst] = []
        self._numbers: dict[Pause, int] = {}
        self._answers: dict[State, tuple[int, int]] = {}
        # By pause: its bounds by process, whether time stands still, what may become of the run, its first burst and
        # how many (-1: not found yet). By burst: its mover, where it leads, what it decides and asks.
        self._of_pause = tuple(Grown(fill, np.int64) for fill in (0, 0, 0, 0, 0, -1))
        self._of_burst = tuple(Grown(dtype=np.int64) for _ in range(4))
        everyone = (1 << len(semantics.names)) - 1
        self.starts = [self._number(Pause(initial, everyone)) for initial in semantics.initials()]

    def judged(self, state: State) -> tuple[int, int]:
        """The properties that a state decides, and those that are asked there, as bits."""
        if state not in self._answers:
            before = Counter(self.judge.exercised)
            decides = sum(1 << index for index in self.judge.decides(state))
            asked = self.judge.exercised
            asks = sum(1 << n for n, prop in enumerate(self.judge.properties) if asked[prop.name] > before[prop.name])
            self._answers[state] = decides, asks
        return self._answers[state]

    def describe(self, number: int) -> None:
        """Finds the bursts of a pause, unless they are known."""
        count = self._of_pause[5]
        if count.data[number] < 0:
            self._of_pause[4].data[number] = len(self.all)
            for burst in self._bursts(self.pauses[number]):
                self.all.append(burst)
                for column, value in zip(self._of_burst, (burst.pid, *burst[2:]), strict=True):
                    column.append(value)
            count.data[number] = len(self.all) - self._of_pause[4].data[number]

    def set_clock(self, clockwork: Clockwork) -> None:
        """Other figures for the same delays and starts: pauses and bursts stay as they are."""
        self.clockwork = clockwork
        low, high = (column.data for column in self._of_pause[:2])
        for number, pause in enumerate(self.pauses):
            of = slice(number * len(self._everyone), (number + 1) * len(self._everyone))
            low[of], high[of] = zip(*(_as_bounds(self.pending(pause, pid)) for pid in self._everyone), strict=True)

    def arrays(self) -> Pauses:
        """The pauses met so far, as compiled code reads them until more are described."""
        low, high, *others = (column.data[: column.size] for column in self._of_pause)
        by_process = (len(self.pauses), len(self.semantics.names))
        return Pauses(
            low.reshape(by_process), high.reshape(by_process), *others, *(column.data for column in self._of_burst)
        )

    def pending(self, pause: Pause, pid: int) -> TickBounds | None:
        """How long what process `pid` is waiting for lasts, if it waits for time."""
        if pause.unstarted >> pid & 1:
            return self.clockwork.starts[pid]
        return self._delay(pause.state, pid)

    def said(self, pause: Pause, pid: int, lasts: TickBounds) -> tuple[str, str]:
        """The least and the greatest length of what process `pid` waits for, in words."""
        name, low, high = self.semantics.names[pid], *(self.clockwork.seconds(end) for end in lasts[:2])
        if pause.unstarted >> pid & 1 and low == high:
            return (f"{name} starts at {low}",) * 2
        if pause.unstarted >> pid & 1:
            return f"{name} starts at {low} or later", f"{name} starts at {high} or earlier"
        delay = self.semantics.lasting(pause.state, pid)
        more, less = "more than" if lasts.open_low else "at least", "less than" if lasts.open_high else "at most"
        return f"{delay!r} of {name} lasts {more} {low}", f"{delay!r} of {name} lasts {less} {high}"

    def is_still(self, pause: Pause) -> bool:
        """Whether time stands still: somebody can move at once, or all have ended, which ends the run."""
        return any(self._is_ready(pause, pid) for pid in self._everyone) or self._all_ended(pause)

    @property
    def _everyone(self) -> range:
        return range(len(self.semantics.names))

    def _delay(self, state: State, pid: int) -> TickBounds | None:
        name = self.semantics.lasting(state, pid)
        if name is None:
            return None
        self.timing.delay(name)
        return self.clockwork.delays[name]

    def _is_ready(self, pause: Pause, pid: int) -> bool:
        return self.pending(pause, pid) is None and bool(self.semantics.outcomes(pause.state, pid))

    def _all_ended(self, pause: Pause) -> bool:
        unstarted = any(
            pause.unstarted >> pid & 1 and not self.semantics.processes[pid].daemon for pid in self._everyone
        )
        return not unstarted and self.semantics.ended(pause.state)

    def _number(self, pause: Pause) -> int:
        number = self._numbers.setdefault(pause, len(self.pauses))
        if number == len(self.pauses):
            self.pauses.append(pause)
            self._note(pause)
        return number

    def _note(self, pause: Pause) -> None:
        """Notes a new pause for compiled code."""
        low, high, still, becomes, first, count = self._of_pause
        pending = [self.pending(pause, pid) for pid in self._everyone]
        ready = any(self._is_ready(pause, pid) for pid in self._everyone)
        for one in pending:
            for column, bound in zip((low, high), _as_bounds(one), strict=True):
                column.append(bound)
        still.append(self.is_still(pause))
        stuck = not ready and not any(one is not None for one in pending)
        becomes.append(STUCK if stuck else ENDS if self._all_ended(pause) and not ready else RUNS)
        first.extend(1)
        count.extend(1)

    def _bursts(self, pause: Pause) -> Iterator[Burst]:
        for pid in self._everyone:
            begins = bool(pause.unstarted >> pid & 1)
            waits = not begins and self._delay(pause.state, pid) is not None
            if begins or waits or self._is_ready(pause, pid):
                unstarted = pause.unstarted & ~(1 << pid)
                for spot, moves in self._ends(pause.state, pid, waits=waits).items():
                    yield Burst(pid, moves, self._number(Pause(spot.state, unstarted)), spot.decided, spot.asked)

    def _ends(self, state: State, pid: int, *, waits: bool) -> dict[_Spot, tuple[Move, ...]]:
        """Where the burst of a process may lead, and the moves of one way there."""
        ends: dict[_Spot, tuple[Move, ...]] = {}
        begins = _Spot(state, moved=False)
        came: dict[_Spot, tuple[_Spot, Move] | None] = {begins: None}
        ahead = [begins]
        while ahead:
            here = ahead.pop()
            rests = self._delay(here.state, pid) is not None and (here.moved or not waits)
            moves = [] if rests else self._moves(here.state, pid)
            if not moves:
                ends[here] = _way(came, here)
            for move in moves:
                after = self.semantics.perform(here.state, move)
                decides, asks = self.judged(after)
                there = _Spot(after, here.decided | decides, here.asked | asks)
                if there not in came:
                    came[there] = here, move
                    ahead.append(there)
            if len(came) > STANDSTILL_OPS:
                ahead, ends = [], {}
        if not ends:
            node = self.semantics.node(state, pid)
            raise ModelError(f"{node.place if node else '?'}: a loop that neither blocks nor delays: time stands still")
        return ends

    def _moves(self, state: State, pid: int) -> list[Move]:
        """The moves of a process whose outcomes the scenario does not rule out with a probability of 0."""
        outcomes, node = self.semantics.outcomes(state, pid), self.semantics.node(state, pid)
        labels = [outcome.label for outcome in outcomes]
        if len(labels) > 1 and any(label in self.timing.probabilities for label in labels):
            weights = self.timing.weights(labels, node and node.op)
            return [Move(pid, number) for number, weight in enumerate(weights) if weight > 0]
        return [Move(pid, number) for number in range(len(labels))]


def _as_bounds(pending: TickBounds | None) -> tuple[int, int]:
    """The bounds of a delay, as compiled code has them."""
    if pending is None:
        return NO_BOUND, NO_BOUND
    return -2 * pending.low + (not pending.open_low), 2 * pending.high + (not pending.open_high)


def _way(came: Mapping[_Spot, tuple[_Spot, Move] | None], end: _Spot) -> tuple[Move, ...]:
    moves: list[Move] = []
    while (before := came[end]) is not None:
        end, move = before
        moves.append(move)
    return tuple(reversed(moves))
