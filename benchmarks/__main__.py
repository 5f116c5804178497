"""`make bench`: every checker beside the others on every workload, as N grows until each passes the limits.

Saves `results.json` and `seconds.png`, prints the tables that README.md quotes; `--write` puts them there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.table import README, RESULTS, quote, tables
from benchmarks.tools import MEMORY_MB, WORKLOADS, Task, tools

SIZES = (3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24)
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Cell:
    """One checker on one workload at one N: medians of `runs` runs, or why there are none.

    `seconds` is the search, `whole_s` the process with its start (for SPIN, without compiling), `peak_mb` the largest
    resident memory.
    """

    tool: str
    workload: str
    n: int
    runs: int
    seconds: float | None = None
    whole_s: float | None = None
    states: float | None = None
    transitions: float | None = None
    peak_mb: float | None = None
    ended: str = "done"


def run_once(task: Task, folder: Path, limit_s: float) -> dict[str, float | None]:
    """One timed run. Raises TimeoutError past the limit, RuntimeError when the checker gave up."""
    out, begun = folder / "out", time.perf_counter()
    with out.open("w", encoding="utf-8") as file:
        child = subprocess.Popen(
            task.run,
            cwd=folder if task.prepare or "java" in task.run else ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=limit_memory,  # noqa: PLW1509 - no threads here
            start_new_session=True,
        )
        usage = wait(child, begun, limit_s)
    whole = time.perf_counter() - begun
    text = out.read_text(encoding="utf-8", errors="replace")
    if child.returncode and "json" in getattr(task.read, "__module__", ""):
        raise RuntimeError(text.strip().splitlines()[-1][:120] if text.strip() else f"exit {child.returncode}")
    found = task.read(text)
    return {**found, "seconds": found["seconds"] or whole, "whole_s": whole, "peak_mb": usage.ru_maxrss / 1024}


def limit_memory() -> None:
    """8 GiB, and a little for what a runtime only reserves."""
    most = (MEMORY_MB + 4000) << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def wait(child: subprocess.Popen[bytes], begun: float, limit_s: float) -> resource.struct_rusage:
    """Wait for a child, and kill its group when its time is up."""
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.perf_counter() - begun > limit_s:
            os.killpg(child.pid, signal.SIGKILL)
            os.wait4(child.pid, 0)
            child.returncode = -9
            raise TimeoutError
        time.sleep(0.01)


def measure(name: str, workload: str, n: int, task: Task, limit_s: float) -> Cell:
    """The median of three runs; of fewer where they would take longer than the limit together."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for command in task.prepare:
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        runs: list[dict[str, float | None]] = []
        spent = 0.0
        try:
            while len(runs) < 3 and (not runs or spent / len(runs) + spent < limit_s):
                runs.append(run_once(task, folder, limit_s))
                spent += runs[-1]["whole_s"] or 0
        except (TimeoutError, RuntimeError, json.JSONDecodeError) as why:
            ended = f"over {limit_s:g} s" if isinstance(why, TimeoutError) else str(why)[:120]
            if not runs:
                return Cell(name, workload, n, 0, ended=ended)
    middle = {key: median([run[key] or 0 for run in runs]) for key in ("seconds", "whole_s", "peak_mb")}
    cell = Cell(name, workload, n, len(runs), states=runs[0]["states"], transitions=runs[0]["transitions"], **middle)
    return cell if (cell.peak_mb or 0) < MEMORY_MB else Cell(name, workload, n, len(runs), ended="over 8 GB")


def measured(options: argparse.Namespace) -> Iterator[Cell]:
    """Every cell asked for, in turn; a checker leaves a workload when it passes a limit."""
    every = {name: tool for name, tool in tools(options.tlc).items() if not options.tool or name in options.tool}
    for workload in options.workload or WORKLOADS:
        running = dict(every)
        for n in options.n or SIZES:
            for name in list(running):
                with tempfile.TemporaryDirectory() as temporary:
                    task = running[name](workload, n, Path(temporary)) if n <= options.most else None
                    if task is None:
                        del running[name]
                        continue
                    cell = measure(name, workload, n, task, options.limit)
                yield cell
                if cell.ended != "done":
                    del running[name]


def show(cell: Cell) -> str:
    """A line for a cell."""
    where = f"{cell.workload:<21} N={cell.n:<3} {cell.tool:<15}"
    if cell.ended != "done" or cell.seconds is None:
        return f"{where} {cell.ended}"
    rate = (cell.transitions or cell.states or 0) / max(cell.seconds, 1e-6)
    counts = f"{cell.states or 0:>13,.0f} states {cell.transitions or 0:>13,.0f} transitions"
    return f"{where} {counts} {cell.seconds:>8.3f} s {rate:>13,.0f}/s {cell.peak_mb:>6,.0f} MB"


def run(options: argparse.Namespace) -> list[dict[str, object]]:
    """The cells as JSON has them; the file is complete after each, so that a run cut short loses nothing.

    Where only some workloads are asked for, what the file has of the others stays.
    """
    about = {"limit_s": options.limit, "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}
    about["load"] = round(os.getloadavg()[0], 1)
    about["spin"] = shutil.which("spin") and subprocess.getoutput("spin -V")
    cells: list[dict[str, object]] = []
    if options.workload and options.into.exists():
        known = json.loads(options.into.read_text(encoding="utf-8"))["cells"]
        cells = [cell for cell in known if cell["workload"] not in options.workload]
    for cell in measured(options):
        print(show(cell), flush=True)
        cells.append(asdict(cell))
        options.into.write_text(json.dumps({"about": about, "cells": cells}, indent=1) + "\n", encoding="utf-8")
    return cells


def draw(cells: list[dict[str, object]], file: Path) -> None:
    """Seconds against N, a panel per workload."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - only when there is something to draw

    figure, panels = plt.subplots(2, 4, figsize=(16, 7), sharex=True, sharey=True, layout="constrained")
    names = list(dict.fromkeys(str(cell["tool"]) for cell in cells))
    for panel, workload in zip(panels.flat, WORKLOADS, strict=False):
        for color, name in enumerate(names):
            done = [c for c in cells if (c["tool"], c["workload"], c["ended"]) == (name, workload, "done")]
            style = {"marker": "o", "markersize": 3, "color": f"C{color}", "linestyle": "--" if "raw" in name else "-"}
            panel.plot([c["n"] for c in done], [c["seconds"] for c in done], label=name, **style)
        panel.set(title=workload, yscale="log", xlabel="N", ylabel="seconds")
        panel.grid(alpha=0.3)
    panels.flat[-1].axis("off")
    panels.flat[-1].legend(*panels.flat[0].get_legend_handles_labels(), loc="center")
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--limit", type=float, default=10, metavar="S", help="seconds for a run (default 10)")
    parser.add_argument("--most", type=int, default=max(SIZES), metavar="N", help="the largest N")
    parser.add_argument("--n", type=int, action="append", metavar="N", help="only this N; repeatable, in order")
    parser.add_argument(
        "--workload", action="append", choices=WORKLOADS, help="only this one (repeatable); the others stay"
    )
    parser.add_argument("--tool", action="append", metavar="NAME", help="only this one; repeatable")
    parser.add_argument("--tlc", type=Path, metavar="JAR", help="tla2tools.jar, to run TLC too")
    parser.add_argument("--into", type=Path, default=RESULTS, metavar="FILE", help="where the results go")
    parser.add_argument(
        "--write", action="store_true", help="put the tables of the results into benchmarks/README.md, and end"
    )
    options = parser.parse_args()
    if not options.write:
        cells = run(options)
        draw(cells, options.into.with_name("seconds.png"))
    results = json.loads(options.into.read_text(encoding="utf-8"))
    print("\n".join(tables(results)))
    if options.write:
        README.write_text(quote(README.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    main()
