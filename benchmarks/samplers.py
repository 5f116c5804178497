"""Schedules per second of the samplers on the cc-ci model with 3 runs, one process, beside `detangle`; and the time
until Hypothesis has found and shrunk the stack race, beside a state machine written by hand (one run: it is slow).

    python -m benchmarks.samplers [--detangle PYTHON]     PYTHON of an environment with `pip install detangle`

Seconds of processor time, so that other load on the machine counts less; medians of three.
"""  # noqa: D205 - two things, one sentence

import argparse
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from dstamp_sim.engines.sampling.sampler import STRATEGIES, Settings, sample
from dstamp_sim.testing import Violation, check, schedules, system_of

PEER = Path(__file__).parent / "peers" / "detangle_cc_ci.py"
RACE = "HC1 reads no wrong commit"
FIXED = settings(database=None, derandomize=True, deadline=None, phases=[Phase.generate, Phase.shrink])


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of `work`, median of three."""

    def once() -> float:
        begun = time.process_time()
        work()
        return time.process_time() - begun

    return median(once() for _ in range(3))


def sampled_per_second(strategy: str, budget: int) -> float:
    """Schedules per second on the cc-ci model with 3 runs, tables and compiled code being warm."""
    system = system_of("cc_ci", runs=3)
    schedules = sample(system, 100, Settings(strategy)).schedules
    less = seconds(lambda: sample(system, 100, Settings(strategy)))
    schedules = sample(system, budget, Settings(strategy)).schedules - schedules
    return schedules / (seconds(lambda: sample(system, budget, Settings(strategy))) - less)


def found_by_schedules(runs: int, crashes: int) -> None:
    """Our strategy: until the race is found, shrunk, minimised and told."""
    system = system_of("cc_ci", runs=runs, crashes=crashes)

    @FIXED
    @given(schedule=schedules(system, properties=[RACE]))
    def never_drifts(schedule: object) -> None:
        check(system, schedule, RACE)  # type: ignore[arg-type]

    try:
        never_drifts()
    except Violation as violation:
        str(violation)
        return
    raise AssertionError("not found")


class ByHand(RuleBasedStateMachine):
    """The stack race of 2 runs as one writes it without this package: 23 steps a run, one lock, one stamp."""

    def __init__(self) -> None:
        super().__init__()
        self.at, self.lock, self.stamp = [0, 0], None, ""

    def can(self, me: int) -> bool:
        return self.at[me] < 23 and not (self.at[me] == 2 and self.lock not in (None, me))

    @precondition(lambda self: self.can(0) or self.can(1))
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        me = data.draw(st.sampled_from([run for run in (0, 1) if self.can(run)]))
        match self.at[me]:
            case 2:
                self.lock = me
            case 9:
                self.stamp = "base"
            case 10:
                self.lock = None
            case 18:
                self.stamp = "head"
            case 20:
                assert self.stamp != "base"
        self.at[me] += 1

    @precondition(lambda self: not (self.can(0) or self.can(1)))
    @rule()
    def rest(self) -> None:
        pass


def found_by_hand() -> None:
    """The state machine written by hand: until the race is found and shrunk."""
    try:
        run_state_machine_as_test(ByHand, settings=settings(FIXED, stateful_step_count=60, max_examples=1_000))
    except AssertionError:
        return
    raise AssertionError("not found")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detangle", type=Path, help="a Python with detangle")
    parser.add_argument("--budget", type=int, default=200_000)
    asked = parser.parse_args()
    for strategy in STRATEGIES:
        print(f"{strategy:<20}{sampled_per_second(strategy, asked.budget):>12,.0f} schedules/s")
    for strategy in ("random", "pct") if asked.detangle else ():
        done = subprocess.run([asked.detangle, PEER, "2000", strategy], capture_output=True, text=True, check=True)
        print(f"detangle {strategy:<11}{float(done.stdout):>12,.0f} schedules/s")
    for runs, crashes in ((2, 0), (3, 0), (3, 1)):
        took = seconds(lambda runs=runs, crashes=crashes: found_by_schedules(runs, crashes))
        print(f"@given(schedules), {runs} runs, {crashes} crashes: {took:.2f} s to the minimal story")
    begun = time.process_time()
    found_by_hand()
    print(f"a state machine by hand, 2 runs: {time.process_time() - begun:.2f} s, shrunk by Hypothesis alone")


if __name__ == "__main__":
    main()
