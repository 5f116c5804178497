"""usage: python -m benchmarks.paired PYTHON [--pairs N]; `dstamp explore` of this checkout beside that of another one.

PYTHON is the other checkout's (`../other/.venv/bin/python`). Processor seconds, user and system, of the whole command
with what is compiled kept, run in turn, each first as often as the other. Other work on the machine slows both alike:
what counts is the median of the ratios of pairs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

BOARD = Path(__file__).parent / "models" / "board.py"
COMMAND = "import sys; sys.argv[0] = 'dstamp'; from dstamp_sim.cli import main; main()"
RAW = "--no-por --no-merge --no-symmetry"

EXPLORATIONS = (
    "classic/bank_fixed",
    "classic/bank",
    "classic/philosophers",
    "classic/lock_file_fixed",
    "cc_ci --set runs=6",
    "classic/two_phase_commit --set managers=6",
    f"{BOARD}",
    f"cc_ci --set runs=4 --keep-going {RAW}",
    "classic/two_phase_commit --set managers=7",
    f"classic/philosophers_ordered --set philosophers=9 {RAW}",
)
"""Small ones first; with traces and without, raw and reduced, of the library's objects and of users' own."""


def seconds(python, exploration):
    """Processor seconds of one command, in a folder where no checkout lies."""
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-c", COMMAND, "explore", *exploration.split(), "--out", folder]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"{python}: explore {exploration} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def pairs(measure, one, other, count):
    """So many pairs of measurements of `one` and `other`, in turn first; each is made once before, for its caches."""
    measure(one), measure(other)
    found = []
    for number in range(count):
        order = (one, other) if number % 2 == 0 else (other, one)
        taken = {python: measure(python) for python in order}
        found.append((taken[one], taken[other]))
    return found


def line(exploration, found):
    """A row: the medians of both, and the median, the least and the greatest of the ratios, the other being 1."""
    ratios = sorted(here / there for here, there in found)
    here, there = (median(side) for side in zip(*found, strict=True))
    name = exploration.replace(str(BOARD), "board").replace(RAW, "raw")
    return f"| {name} | {there:.2f} | {here:.2f} | {median(ratios):.3f} | {ratios[0]:.2f} to {ratios[-1]:.2f} |"


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paired")
    parser.add_argument("python", help="the Python of the other checkout's .venv")
    parser.add_argument("--pairs", type=int, default=9)
    asked = parser.parse_args()
    other = str(Path(asked.python).absolute())
    print("| explore | other, s | this, s | ratio | from, to |\n|---|---|---|---|---|")
    for exploration in EXPLORATIONS:
        found = pairs(lambda python, this=exploration: seconds(python, this), sys.executable, other, asked.pairs)
        print(line(exploration, found), flush=True)


if __name__ == "__main__":
    main()
