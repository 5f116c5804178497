"""`make bench-samplers`: schedules per second of the samplers beside detangle and seedloop, and the time until
Hypothesis has found, shrunk and told the stack race, beside a state machine written by hand.

    python -m benchmarks.samplers [--peers PYTHON] [--budget N]     PYTHON has `pip install detangle seedloop`

On the cc-ci model with 3 runs, in one process, medians of three (by hand: one run, it is slow). Seconds are of the
processor, so that other load counts less; for what was found also of the clock. Saves `samplers.json`, and puts its
tables into docs/samplers.md.
"""  # noqa: D205 - two things, one sentence

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from dstamp_sim.engines.sampling.sampler import NAMES, Settings, sample
from dstamp_sim.testing import Violation, check, schedules, system_of

HERE = Path(__file__).parent
RESULTS, DOC = HERE / "samplers.json", HERE.parent / "docs" / "samplers.md"
BEGIN, END = "<!-- benchmarks/samplers.json, written by make bench-samplers -->", "<!-- end -->"
PEERS = {
    "detangle, random walk": ("detangle_cc_ci.py", "random"),
    "detangle, PCT": ("detangle_cc_ci.py", "pct"),
    "seedloop": ("seedloop_cc_ci.py",),
}
RACE = "HC1 reads no wrong commit"
FIXED = settings(database=None, derandomize=True, deadline=None, phases=[Phase.generate, Phase.shrink])


def seconds(work: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """Processor seconds and seconds of the clock that `work` takes, each the median."""
    cpu, wall = [], []
    for _ in range(times):
        begun, began = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - begun)
        wall.append(time.perf_counter() - began)
    return median(cpu), median(wall)


def sampled_per_second(strategy: str, budget: int) -> float:
    """Schedules per second on the cc-ci model with 3 runs, tables and compiled code being warm."""
    system = system_of("cc_ci", runs=3)
    schedules = sample(system, 100, Settings(strategy)).schedules
    less, _ = seconds(lambda: sample(system, 100, Settings(strategy)))
    schedules = sample(system, budget, Settings(strategy)).schedules - schedules
    return schedules / (seconds(lambda: sample(system, budget, Settings(strategy)))[0] - less)


def found_by_schedules(runs: int, crashes: int) -> None:
    """Our strategy: until the race is found, shrunk, minimised and told."""
    system = system_of("cc_ci", runs=runs, crashes=crashes)

    @FIXED
    @given(schedule=schedules(system, properties=[RACE]))
    def never_drifts(schedule: object) -> None:
        check(system, schedule, RACE)  # type: ignore[arg-type]  # a Schedule here

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


def measured(peers: Path | None, budget: int) -> dict[str, Any]:
    """Everything, as it is saved."""
    rates = {strategy: sampled_per_second(strategy, budget) for strategy in NAMES}
    for name, (script, *words) in PEERS.items() if peers else ():
        command = [str(peers), str(HERE / "peers" / script), "2000", *words]
        done = [subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(3)]
        if any("ModuleNotFoundError" in run.stderr for run in done):
            print(f"{name}: left out, as it is not installed there", file=sys.stderr)
        else:
            rates[name] = median(float(run.stdout) for run in done)
    found = {}
    for runs, crashes in ((2, 0), (3, 0), (3, 1)):
        work = seconds(lambda runs=runs, crashes=crashes: found_by_schedules(runs, crashes))
        found[f"@given(schedules(...)), {runs} runs, {crashes} crashes"] = work
    found["a `RuleBasedStateMachine` by hand, 2 runs"] = seconds(found_by_hand, times=1)
    about = {
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "budget": budget,
    }
    return {"about": about, "schedules_per_s": rates, "found_cpu_wall_s": found}


def tables(results: dict[str, Any]) -> list[str]:
    """The tables that docs/samplers.md quotes."""
    about = results["about"]
    return [
        f"Python {about['python']}, cores it could use: {about['cores']}, load {about['load']:g} when it ended; "
        f"{about['budget']:,} schedules each, 2,000 of the peers.",
        "",
        "| `cc_ci`, 3 runs (69 steps), one process | schedules a second of processor time |",
        "|---|---|",
        *(f"| {name} | {rate:,.0f} |" for name, rate in results["schedules_per_s"].items()),
        "",
        "| the stack race, from nothing to the minimal story | processor s | clock s |",
        "|---|---|---|",
        *(f"| {name} | {cpu:.2f} | {wall:.2f} |" for name, (cpu, wall) in results["found_cpu_wall_s"].items()),
    ]


def quote(text: str, results: dict[str, Any]) -> str:
    """`text` with the tables between its marks."""
    before, _, rest = text.partition(BEGIN)
    return "\n".join([before + BEGIN, "", *tables(results), "", END + rest.partition(END)[2]])


def main() -> None:
    """Measure, save, and quote."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, help="a Python with detangle and seedloop")
    parser.add_argument("--budget", type=int, default=200_000)
    asked = parser.parse_args()
    results = measured(asked.peers, asked.budget)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    DOC.write_text(quote(DOC.read_text(encoding="utf-8"), results), encoding="utf-8")
    print("\n".join(tables(results)))


if __name__ == "__main__":
    main()
