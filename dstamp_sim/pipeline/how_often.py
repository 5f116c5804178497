"""How often each property fails on the clock: many draws of one scenario, each judged as a replay with its seed is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dstamp_sim.analyses.confidence import Interval, interval
from dstamp_sim.analyses.judged_trace import TraceJudge
from dstamp_sim.core.properties import Property
from dstamp_sim.core.scenario import Timing
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.system import System
from dstamp_sim.engines.timed.sweep import Sweeper
from dstamp_sim.engines.timed.timed import run_timed

MOST_NOTED_STEPS = 4_000
"""The most steps of a draw that the compiled clock notes; a longer draw runs on SimPy."""


@dataclass
class HowOften:
    """In how many of `draws` draws a property was decided (broken; a wish: reached), and asked at all.

    `first_seed` is the seed of the first draw that decided it: a replay with that seed shows it.
    """

    prop: Property
    draws: int
    decided: int = 0
    asked: int = 0
    first_seed: int | None = None

    @property
    def limits(self) -> Interval:
        """The limits of the probability that a draw decides it (95 %, exact)."""
        return interval(self.decided, self.draws)

    @property
    def fails(self) -> bool:
        """Whether a draw breaks it."""
        return self.decided > 0 and not self.prop.is_wish


def how_often(
    system: System, timing: Timing, draws: int, tell: Callable[[int, int], None] | None = None
) -> tuple[HowOften, ...]:
    """How often each property fails in the draws with the seeds `timing.seed` to `timing.seed + draws - 1`.

    Deterministic. Each draw is the same as `run_timed` with its seed. Raises what `run_timed` raises.
    """
    system = system.with_crashes(max(system.crashes, len(timing.deaths_s)))
    judge = TraceJudge(system)
    counted = tuple(HowOften(prop, draws) for prop in system.checked_properties)
    for number, schedule in enumerate(_schedules(system, timing, draws)):
        for known, judgement in zip(counted, judge.judge(schedule), strict=True):
            known.asked += judgement.asked
            if judgement.step is not None:
                known.decided += 1
                known.first_seed = timing.seed + number if known.first_seed is None else known.first_seed
        if tell is not None:
            tell(number + 1, draws)
    return counted


def _schedules(system: System, timing: Timing, draws: int) -> Iterator[Schedule]:
    """The schedule of each draw: compiled, unless a death is timed, which the compiled clock does not know."""
    sweeper = None if timing.deaths_s else Sweeper(system)
    for seed in range(timing.seed, timing.seed + draws):
        made = sweeper.schedule(timing, 0, seed=seed, steps=MOST_NOTED_STEPS) if sweeper else None
        if made is None or len(made) == MOST_NOTED_STEPS:
            made = run_timed(system, replace(timing, seed=seed)).schedule
        yield made
