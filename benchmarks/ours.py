"""usage: python -m benchmarks.ours WORKLOAD N [raw]; prints one line of JSON.

The time is that of `explore`, tables and all, in a process that has compiled nothing and imported everything.
"""

import json
import sys
import time
from pathlib import Path

from dstamp_sim import explore
from dstamp_sim.engines.explore.settings import ALL_REDUCTIONS, NO_REDUCTION
from dstamp_sim.inputs.model_file import load_model

SWEEP = str(Path(__file__).parent / "models" / "sweep.py")
MODELS = {
    "sweep": (SWEEP, "n", {}, None),
    "sweep-kept": (SWEEP, "n", {"keep": True}, None),
    "cc-ci": ("cc_ci", "runs", {}, "deploy_app"),
    "cc-ci-safe": ("cc_ci", "runs", {}, "deploy_app_to_check"),
    "philosophers": ("classic/philosophers", "philosophers", {}, None),
    "philosophers-ordered": ("classic/philosophers_ordered", "philosophers", {}, None),
    "two-phase-commit": ("classic/two_phase_commit", "managers", {}, None),
}


def system(workload, n):
    reference, size, settings, placement = MODELS[workload]
    return load_model(reference).build({size: n, **settings}, placement)


def main():
    workload, n, raw = sys.argv[1], int(sys.argv[2]), "raw" in sys.argv
    reductions = NO_REDUCTION if raw else ALL_REDUCTIONS
    explore(system(workload, 2), reductions=reductions)  # loads what is compiled
    begun = time.perf_counter()
    report = explore(system(workload, n), keep_going=workload != "philosophers", reductions=reductions)
    seconds = time.perf_counter() - begun
    if report.coverage.stopped.startswith("the limit"):
        sys.exit(report.coverage.stopped)
    found = {"seconds": seconds, "states": report.coverage.states, "transitions": report.coverage.transitions}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
