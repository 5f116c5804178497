"""usage: python -m benchmarks.cores; explorations of large spaces on one core and on all that this process may use.

Medians of three, in turn, each in a process of its own; seconds are of `explore`, as in `benchmarks.ours`.
"""

import json
import os
import subprocess
import sys
from statistics import median

LARGE = (
    ("sweep", 6, "raw"),
    ("sweep-kept", 16, "raw"),
    ("cc-ci", 4, "raw"),
    ("cc-ci-safe", 6, "raw"),
    ("philosophers-ordered", 10, "raw"),
    ("cc-ci", 24, ""),
)


def measured(workload, n, how, cores):
    """Seconds, and the states, which must not depend on the cores."""
    command = [sys.executable, "-m", "benchmarks.ours", workload, str(n), *how.split()]
    pinned = ["taskset", "--cpu-list", ",".join(map(str, cores)), *command]
    found = json.loads(subprocess.run(pinned, check=True, capture_output=True, text=True).stdout)
    return found["seconds"], found["states"]


def main():
    cores = sorted(os.sched_getaffinity(0))
    for workload, n, how in LARGE:
        one, every = [], []
        for _ in range(3):
            one.append(measured(workload, n, how, cores[:1]))
            every.append(measured(workload, n, how, cores))
        (states,) = {states for _, states in one + every}
        alone, shared = (median(seconds for seconds, _ in runs) for runs in (one, every))
        name = f"{workload} N = {n} {how}".strip()
        print(
            f"{name}: {states:,} states, 1 core {alone:.2f} s, {len(cores)} cores {shared:.2f} s: {alone / shared:.2f}"
        )


if __name__ == "__main__":
    main()
