"""What hunts cost: trials to find each racy case, milliseconds a trial, and the whole bounded space of its twin.

    python -m benchmarks.hunt [NAME ...]

Prints a Markdown table. "CPU" is the supervisor's; the programs and the check are in the wall time only.
"""

import sys
import time

from dstamp_sim.hunt.hunt import Hunted, hunt_for
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.search import Bounds
from tests.hunt.cases import CASES, Case

SECONDS = 200.0


def main(names: list[str]) -> None:
    print("| case | schedules to find | preemptions | calls | again | ms a trial (CPU) | twin: schedules, whole |")
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        if not names or case.name in names:
            print(row(case), flush=True)


def row(case: Case) -> str:
    racy, wall, cpu = timed(case, case.racy(), case.preemptions)
    twin, _, _ = timed(case, case.corrected(), min(case.preemptions, 1))
    found = f"{racy.found.played} | {racy.found.preemptions}" if racy.found.failing else "not found | "
    calls = len(racy.found.failing.steps) if racy.found.failing else ""
    again = f"{racy.again.failed} of {racy.again.times}" if racy.again else ""
    whole = "yes" if twin.found.whole else "; ".join(twin.found.reasons())
    return f"| {case.name} | {found} | {calls} | {again} | {wall:.0f} ({cpu:.0f}) | {twin.found.played}, {whole} |"


def timed(case: Case, job: Job, preemptions: int) -> tuple[Hunted, float, float]:
    """A hunt, and the milliseconds of a trial of it: on the clock, and of the supervisor's processor time."""
    wall, cpu = time.monotonic(), time.process_time()
    found = hunt_for(job, Bounds(preemptions, case.crashes, SECONDS), again=10)
    return found, 1000 * (time.monotonic() - wall) / found.trials, 1000 * (time.process_time() - cpu) / found.trials


if __name__ == "__main__":
    main(sys.argv[1:])
