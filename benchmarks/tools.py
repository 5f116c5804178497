"""The checkers, and how each is asked to visit one workload: what to prepare, what to run, what it prints."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PEERS = HERE / "peers"
MEMORY_MB = 8000

WORKLOADS = (
    "sweep",
    "sweep-kept",
    "cc-ci",
    "cc-ci-safe",
    "philosophers",
    "philosophers-ordered",
    "two-phase-commit",
)

SPIN = {
    "sweep": ("sweep.pml", (), ()),
    "sweep-kept": ("sweep.pml", ("-DKEEP",), ()),
    "cc-ci": ("cc_ci.pml", (), ("-c0",)),
    "cc-ci-safe": ("cc_ci.pml", ("-DSAFE",), ()),
    "philosophers": ("philosophers.pml", (), ()),
    "philosophers-ordered": ("philosophers.pml", ("-DORDERED",), ()),
    "two-phase-commit": ("two_phase_commit.pml", (), ()),
}
"""Promela file, macros, and options of pan: an exploration that must not end at the first violation has -c0."""

TLC = {
    "sweep": ("Dstamp", "SAFE = FALSE SWEEP = TRUE"),
    "sweep-kept": ("Dstamp", "SAFE = TRUE SWEEP = TRUE"),
    "philosophers": ("Phil", "ORDERED = FALSE"),
    "philosophers-ordered": ("Phil", "ORDERED = TRUE"),
}


@dataclass(frozen=True)
class Task:
    """What visits one workload: commands that prepare it in a folder, the command that is timed, what it says."""

    prepare: Sequence[Sequence[str]]
    run: Sequence[str]
    read: Callable[[str], dict[str, float | None]]


Tool = Callable[[str, int, Path], Task | None]
"""By workload, N and folder to work in; None where the tool has no such model."""


def dstamp(workload: str, n: int, folder: Path, *options: str) -> Task:
    return Task([], [sys.executable, "-m", "benchmarks.ours", workload, str(n), *options], json.loads)


def dstamp_raw(workload: str, n: int, folder: Path) -> Task:
    return dstamp(workload, n, folder, "raw")


def spin(workload: str, n: int, folder: Path, of_spin: Sequence[str] = (), of_gcc: Sequence[str] = ()) -> Task:
    file, macros, of_pan = SPIN[workload]
    model = str((PEERS / "spin" / file).resolve())
    make = ["gcc", "-O2", "-w", "-DSAFETY", f"-DMEMLIM={MEMORY_MB}", *of_gcc, "-o", "pan", "pan.c"]
    run = ["./pan", "-n", "-m1000000", *of_pan]
    return Task([["spin", "-a", *of_spin, f"-DN={n}", *macros, model], make], run, read_pan)


def spin_raw(workload: str, n: int, folder: Path) -> Task:
    return spin(workload, n, folder, ["-o3"], ["-DNOREDUCE"])


def read_pan(out: str) -> dict[str, float | None]:
    if "Search not completed" in out and "errors: 0" in out:
        raise RuntimeError("ran out of memory or depth")
    patterns = (r"(\d+) states, stored", r"(\d+) transitions", r"elapsed time ([\d.e+-]+) seconds")
    found = [re.search(pattern, out) for pattern in patterns]
    states, transitions, seconds = (float(match[1]) if match else None for match in found)
    return {"states": states, "transitions": transitions, "seconds": max(seconds or 0, 0.01)}  # to its last digit


def python_peer(script: str, *options: str) -> Tool:
    def tool(workload: str, n: int, folder: Path) -> Task | None:
        if "symmetry" in options and workload.startswith("philosophers"):
            return None
        peer = HERE.parent / ".venv-bench" / "bin" / "python"
        return Task([], [str(peer), str((PEERS / "python" / script).resolve()), workload, str(n), *options], json.loads)

    return tool


def tlc(jar: Path, *, symmetry: bool) -> Tool:
    def tool(workload: str, n: int, folder: Path) -> Task | None:
        if workload not in TLC or (symmetry and workload.startswith("philosophers")):
            return None
        name, constants = TLC[workload]
        shutil.copy(PEERS / "tlc" / f"{name}.tla", folder)
        who = f"Runs = {{{', '.join(f'r{i}' for i in range(n))}}}" if name == "Dstamp" else f"N = {n}"
        names = "".join(f" r{i} = r{i}" for i in range(n)) if name == "Dstamp" else ""
        text = f"SPECIFICATION Spec\nCONSTANTS {constants} {who}{names}\n" + ("SYMMETRY Sym\n" if symmetry else "")
        (folder / f"{name}.cfg").write_text(text, encoding="utf-8")
        dead = [] if name == "Phil" else ["-deadlock"]
        run = [
            "java",
            f"-Xmx{MEMORY_MB}m",
            "-cp",
            str(jar.resolve()),
            "tlc2.TLC",
            "-workers",
            "1",
            *dead,
            f"{name}.tla",
        ]
        return Task([], run, read_tlc)

    return tool


def read_tlc(out: str) -> dict[str, float | None]:
    found = re.search(r"(\d+) states generated, (\d+) distinct states found", out)
    if found is None:
        raise RuntimeError(out[-300:])
    return {"states": float(found[2]), "transitions": float(found[1]), "seconds": None}


def tools(jar: Path | None) -> dict[str, Tool]:
    """Those that are there, by name, in the order in which they are run beside each other."""
    found: dict[str, Tool] = {"dstamp": dstamp, "dstamp raw": dstamp_raw}
    if shutil.which("spin") and shutil.which("gcc"):
        found |= {"SPIN": spin, "SPIN raw": spin_raw}
    installed = {path.name for path in HERE.parent.glob(".venv-bench/lib/python*/site-packages/*")}
    if "minicheck" in installed:
        found["minicheck"] = python_peer("run_minicheck.py")
    if "musil" in installed:
        found |= {"musil": python_peer("run_musil.py"), "musil symmetry": python_peer("run_musil.py", "symmetry")}
    if jar is not None:
        found |= {"TLC": tlc(jar, symmetry=False), "TLC symmetry": tlc(jar, symmetry=True)}
    return found
