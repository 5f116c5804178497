"""The margins of a model under a scenario: by property and by duration, where the verdict flips, in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic

from dstamp_sim.core.properties import Property
from dstamp_sim.engines.zones.levers import Lever, MovedEnd, levers
from dstamp_sim.engines.zones.margins import AnsweredShifts, Margin, Margins, VerdictFlip
from dstamp_sim.engines.zones.stretches import ShiftSpot
from dstamp_sim.engines.zones.ticks import Clockwork
from dstamp_sim.engines.zones.within import Possibility, is_of_a_state, timed_bursts
from dstamp_sim.pipeline.exact_time import TimedSubject
from dstamp_sim.pipeline.progress import Progress


@dataclass(frozen=True)
class Duration:
    """One single duration: what is known of each of its lengths, in seconds, and where the verdict flips."""

    name: str
    found: Margin
    clockwork: Clockwork

    @property
    def now(self) -> int:
        """Its length as the scenario has it, in ticks: of an interval, the end that moves."""
        bounds = self.found.lever.bounds(self.clockwork)
        return bounds.high if self.found.lever.end is MovedEnd.LONGEST else bounds.low

    @property
    def change(self) -> Fraction | None:
        """How far the nearest flip is, in ticks."""
        return min((flip.change for flip in self.found.flips), default=None)

    def seconds(self, shift: Fraction | float) -> Fraction | float:
        """The length after a shift."""
        return shift if isinstance(shift, float) else (self.now + shift) / self.clockwork.per_s

    def text(self, shift: Fraction | float | int) -> str:
        """The length after a shift that is a figure, exactly."""
        return self.clockwork.seconds(self.now + Fraction(shift))

    def words(self) -> list[str]:
        """Which lengths change what, and which are not known."""
        beyond = map(self._answer, self.found.flips)
        told = [f"{one.possibility.value} {self._lengths(one)}" for one in beyond]
        return told + [f"not known {self._lengths(one)}: {one.why}" for one in self.found.known if one.why]

    def checked(self) -> list[str]:
        """Of each flip, what was found when both sides were asked again, and what it is due to."""
        return [*map(self._checked, self.found.flips)]

    def _checked(self, flip: VerdictFlip) -> str:
        sides = ", ".join(f"{side.possibility.value} at {self.text(side.shift)}" for side in flip.sides)
        return f"{sides}, as {' and '.join(flip.because)}" if flip.because else sides

    def _answer(self, flip: VerdictFlip) -> AnsweredShifts:
        """What is so beyond a flip."""
        return next(one for one in self.found.known if one.shifts.has(ShiftSpot(flip.sides[1].shift)))

    def _lengths(self, one: AnsweredShifts) -> str:
        """The lengths of a stretch, as far as the ends of the domain do not say it."""
        (low, last), domain = one.shifts, self.found.lever.domain(self.clockwork)
        told = [f"{'above' if low.side else 'from'} {self.text(low.figure)}"] if low != domain.first else []
        told += [f"{'below' if last.side else 'up to'} {self.text(last.figure)}"] if last != domain.last else []
        return " and ".join(told) or "whatever its length"


@dataclass(frozen=True)
class PropertyMargins:
    """Of one property: what is so now, and the durations, the nearest flips first. `stopped`: why no more."""

    prop: Property
    present: AnsweredShifts
    durations: tuple[Duration, ...]
    stopped: str

    @property
    def flipping(self) -> tuple[Duration, ...]:
        """The durations that change something, alone."""
        return tuple(one for one in self.durations if one.found.flips)

    @property
    def unchanging(self) -> tuple[Duration, ...]:
        """The durations of which no length changes anything."""
        return tuple(one for one in self.durations if not one.words())

    @property
    def is_whole(self) -> bool:
        """Whether all lengths of all durations are decided."""
        begun = self.present.possibility is not Possibility.UNKNOWN and not self.stopped
        return begun and all(one.found.is_whole for one in self.durations)

    def headline(self) -> str:
        """What is so now, and the smallest change that changes it."""
        now = f"{self.prop.title}: {self.present.possibility.value} within these bounds"
        if self.present.possibility is Possibility.UNKNOWN:
            return f"{now} ({self.present.why})"
        if not self.flipping:
            return f"{now}; no single duration {'changes' if self.is_whole else 'is known to change'} that"
        nearest = self.flipping[0]
        return f"{now}; smallest change: {nearest.name}, {nearest.text(0)} now, {nearest.words()[0]}"


def find_margins(
    asked: TimedSubject, *, limit: int, budget_s: float, progress: Progress | None = None
) -> Iterator[PropertyMargins]:
    """The margins of each property that was named, or of all that single states decide.

    `limit` is of the zones of one search; what is not asked within `budget_s` is not known, nor after Ctrl-C. Raises
    as `engines.zones.within.explore_within`.
    """
    system, named = asked.subject.system, asked.subject.properties
    judged = tuple(prop for prop in system.properties_named(named) if is_of_a_state(prop))
    bursts, deadline = timed_bursts(system, asked.timing, judged), monotonic() + budget_s
    base, names = bursts.clockwork, bursts.semantics.names
    every = [*levers(base, names, asked.timing)]
    for index, prop in enumerate(judged):
        margins, durations = Margins(bursts, index, limit=limit, deadline=deadline), []
        for number, lever in enumerate(every):
            if margins.stopped or margins.present.possibility is Possibility.UNKNOWN:
                break
            name = _name(lever, names)
            if progress:
                progress(index * len(every) + number, len(judged) * len(every), name)
            durations.append(Duration(name, margins.of(lever), base))
        bursts.judge.check()
        yield PropertyMargins(prop, margins.present, tuple(sorted(durations, key=_order)), margins.stopped)


def _name(lever: Lever, names: Sequence[str]) -> str:
    name = f"start of {names[lever.of]}" if isinstance(lever.of, int) else lever.of
    return name if lever.end is MovedEnd.BOTH else f"{name}, {lever.end.value}"


def _order(one: Duration) -> tuple[bool, Fraction]:
    return one.change is None, one.change or Fraction(0)
