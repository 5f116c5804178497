"""SPIN as a second opinion: runs an exported model through it, and says what it found."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dstamp_sim import System
from dstamp_sim.core.properties import PropertyKind
from dstamp_sim.export.promela import promela
from dstamp_sim.export.tabulate import tabulate
from tests.patience import PATIENCE_S

RAW = (("-o1", "-o2", "-o3", "-DCOUNTS"), ("-DNOREDUCE",))
"""Nothing reset, forgotten or merged, nothing reduced, no process that only SPIN's notion of deadlock needs."""

BEST = ((), ())
"""SPIN as it comes: statement merging, dead variables, partial-order reduction."""


@dataclass(frozen=True)
class Opinion:
    """What SPIN says: states and transitions, the numbers of the checks that failed, and whether it met a deadlock."""

    states: int
    transitions: int
    failed: frozenset[int]
    deadlock: bool


def opinion(text: str, folder: Path, configuration=BEST) -> Opinion:
    """SPIN's opinion on a Promela text; errors do not end its search. Raises AssertionError where SPIN complains."""
    of_spin, of_gcc = configuration
    (folder / "model.pml").write_text(text, encoding="ascii")
    said = _run(["spin", "-a", *of_spin, "model.pml"], folder)
    assert not said.strip(), said
    _run(["gcc", "-O0", "-w", "-DSAFETY", *of_gcc, "-o", "pan", "pan.c"], folder)
    out = _run(["./pan", "-c0", "-n", "-w18", "-m200000"], folder)
    assert "max search depth too small" not in out, out
    assert "Search not completed" not in out, out
    return Opinion(
        states=_number(r"(\d+) states, stored", out),
        transitions=_number(r"(\d+) transitions", out) - 1,  # SPIN counts coming to the initial state
        failed=frozenset(map(int, re.findall(r"assertion violated \(\((\d+)!=", out))),
        deadlock=re.search(r"pan:\d+: invalid end state", out) is not None,
    )


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _number(pattern: str, out: str) -> int:
    found = re.search(pattern, out)
    assert found is not None, out
    return int(found[1])


def differences(system: System, report, folder: Path) -> list[str]:
    """What SPIN says otherwise than `report`, which is of the whole space without reductions, in words."""
    said = opinion(promela(tabulate(system, "raw", merge=False)), folder, RAW)
    counts = [
        ("states", said.states, report.coverage.states),
        ("transitions", said.transitions, report.coverage.transitions),
    ]
    found = [f"raw: {theirs} {what}, but {ours}" for what, theirs, ours in counts if theirs != ours]
    reduced = opinion(promela(tabulate(system, "best")), folder)
    found += _verdicts("raw", said, report, raw=True, deadlock=system.crashes == 0)
    return [*found, *_verdicts("best", reduced, report, raw=False, deadlock=True)]


def _verdicts(name, said, report, *, raw, deadlock):
    """Counting leaves out the processes that say what the initial state decides, and that deaths may cease.

    Whether the end stays possible is not exported.
    """
    for number, judgement in enumerate(report.judgements):
        if judgement.prop.asks_ahead or (raw and judgement.trace is not None and not judgement.trace.steps):
            continue
        is_deadlock = judgement.prop.kind is PropertyKind.NO_DEADLOCK
        decided = said.deadlock if is_deadlock else number in said.failed
        if decided != (judgement.trace is not None) and (deadlock or not is_deadlock):
            yield f"{name}: {judgement.prop.name}: SPIN decides it: {decided}, and the report: {judgement.verdict}"


def broken_in_time(system: System, folder: Path, *, fair: bool = True) -> dict[str, bool]:
    """By property in time: whether SPIN finds a cycle that breaks it, fair to all unless `fair` is False."""
    asked = [prop.name for prop in system.properties if prop.in_time]
    text = promela(tabulate(system, "in time", properties=asked))
    (folder / "model.pml").write_text(text, encoding="ascii")
    _run(["spin", "-a", "model.pml"], folder)
    _run(["gcc", "-O0", "-w", "-DNOREDUCE", "-o", "pan", "pan.c"], folder)
    formulas = re.findall(r"^ltl (\w+)", text, re.MULTILINE)
    return {name: _has_cycle(formula, folder, fair=fair) for name, formula in zip(asked, formulas, strict=True)}


def _has_cycle(formula: str, folder: Path, *, fair: bool) -> bool:
    out = _run(["./pan", "-a", *(["-f"] if fair else []), "-n", "-w16", "-m100000", "-N", formula], folder)
    assert "max search depth too small" not in out, out
    return _number(r"errors: (\d+)", out) > 0
