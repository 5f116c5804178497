"""A fuzzer: valid files of every kind, mutated, and what became of each: one of five outcomes.

`read`, `refused` (with a sentence that names the file), `undetermined`, `fault` (anything else that is raised) and
`hang` (more than `MOST_CPU_S` of processor). The first three are right. Deterministic by its seed.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import DstampError, UsageError
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.engines.replay import replay
from dstamp_sim.hunt.saved import Saved, folding_of, read_saved
from dstamp_sim.incident.evidence import read_evidence
from dstamp_sim.incident.mapping import read_mapping
from dstamp_sim.incident.run_folders import RunFolders, read_run_folders
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.inputs.scenario_file import read_scenario
from dstamp_sim.inputs.witness_file import Origin, Witness, read_witness, write_witness
from dstamp_sim.matrix.kept import KEPT_HEAD, read_kept
from tests.hostile.valid import BANK, CELL, HUNT, MAPPING, MODEL

MOST_CPU_S = 20.0
LONGEST_SENTENCE = 2_500

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 5, 10**9, 10**12, 10**30, 1.5, -0.0, 1e308, float("nan"), float("inf"), "", " ", "x",

    "\0", "\x1b[31m",
    "\u202e", "\ud800", "a" * 5_000, "$\\frac{1}{$", "<img src=x>", "../x", "/etc/passwd", "/dev/zero",
    [], [[]], {}, {"x": None}, {"": 0}, [0] * 300,
)  # fmt: skip
"""What a place of a JSON document may hold instead."""

LITERALS = (
    "true", "-1", "0", "1e400", "nan", "inf", "9" * 5_000, '""', '"x"', '"\\u0000"', "[]", "[[]]", "{}", "[" * 5_000,
    "2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "10:00:00", "'''", '"\\ud800"', '"/dev/zero"',
    "[1, 'x']", "{x = 1}", "[-1, 1]", "[1, -1]", "[1e300, 1e308]",
)  # fmt: skip
"""What may stand behind the sign of equality in a TOML file instead."""

WORDS = (
    "None", "5", "-1", "'x'", "[]", "r", "p", "lambda *a: None", "10**9", "1.5", "(1, [])", "float('nan')", "b''",
    "object()", "print('chatter')", "exit(0)", "1 / 0", "open('x')", "ANY", "Register", "{}", "...", "yield",
)  # fmt: skip
"""What may stand in a model in place of a name or a number."""


OUTCOMES = ("read", "refused", "undetermined", "fault", "hang")
"""What may become of an input; the first three are right."""


class Hang(BaseException):
    """More processor than any small input may take."""


@dataclass
class Tally:
    """How often each outcome was seen, the faults with what made them, and some refusals to be read."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def counts(self) -> str:
        """How often each of the five outcomes was seen."""
        return ", ".join(f"{self.outcomes[name]:,} {name}" for name in OUTCOMES)

    def add(self, kind: str, number: int, outcome: str, told: str) -> None:
        """Counts one input; a refusal that names no file, or goes on and on, is a fault."""
        if outcome == "refused" and (wrong := _unclear(told)):
            outcome, told = "fault", f"unclear ({wrong}): {told[:500]}"
        self.outcomes[outcome] += 1
        if outcome in ("fault", "hang"):
            self.faults.append((f"{kind} {number}", told))
        elif told:
            self.refusals.append(told)


def _unclear(told: str) -> str:
    if len(told) > LONGEST_SENTENCE:
        return "long"
    return (
        ""
        if re.search(r"(?i)in\.(py|toml|json|cells)|runs/|no model|model|witness|process|program", told)
        else "no file named"
    )


def fuzz(folder: Path, inputs: int, seed: int = 0) -> Tally:
    """Tries `inputs` mutated files in `folder`, each kind in turn."""
    kinds = _kinds(folder)
    names, tally = list(kinds), Tally()
    for number in range(inputs):
        kind = names[number % len(names)]
        write, run = kinds[kind]
        write(random.Random(f"{seed} {number}"))
        tally.add(kind, number, *_outcome(run))
    return tally


@contextmanager
def _limited() -> Iterator[list[bool]]:
    over: list[bool] = []

    def ring(*_: object) -> None:
        over.append(True)
        raise Hang

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_CPU_S, 1.0)
    try:
        yield over
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _outcome(run: Callable[[], str]) -> tuple[str, str]:
    with _limited() as over:
        try:
            outcome, told = run(), ""
        except DstampError as error:
            outcome, told = "refused", str(error)
        except BaseException as error:  # whatever it is, it is a fault
            outcome, told = "fault", repr(error)
    return ("hang", told) if over else (outcome, told)


Kind = tuple[Callable[[random.Random], None], Callable[[], str]]


def _kinds(folder: Path) -> dict[str, Kind]:
    """By name: what writes one mutated file, and what reads it."""
    (folder / "bank.py").write_text(MODEL)
    witness, model = folder / "in.json", folder / "in.py"
    _keep_witness(folder, witness)
    kept = json.loads(witness.read_text())
    scenario, evidence = (BANK / name for name in ("scenario.toml", "evidence.toml"))
    observable = load_model(str(BANK / "overdraft.py")).evidence
    runs = folder / "runs"
    (runs / "a").mkdir(parents=True)
    results, log = runs / "a" / "results.json", runs / "a" / "run.log"
    logged = "2026-01-01T00:00:00Z begin\n2026-01-01T00:01:00Z end\n"
    path, cells = folder / "in.toml", folder / "in.cells"

    def mutated(file: Path, text: str, change: Callable[[random.Random, str], str]) -> Callable[[random.Random], None]:
        return lambda rng: _save(file, rng, change(rng, text) if rng.random() < 0.8 else text)

    def document(file: Path, content: Any) -> Callable[[random.Random], None]:
        return lambda rng: _save(file, rng, json.dumps(_other(rng, content)))

    def lines(rng: random.Random) -> None:
        content = f"key {json.dumps(_other(rng, CELL))}"
        digest = hashlib.sha256(content.encode()).hexdigest()[:32]
        _save(cells, rng, f"{KEPT_HEAD}\n{digest} {content}\n")

    def run_folder(rng: random.Random) -> None:
        _save(results, rng, json.dumps(_other(rng, {"paid": True, "left": 40, "account": 1})))
        _save(log, rng, logged)

    return {
        "witness": (document(witness, kept), lambda: _done(read_witness(witness, replay))),
        "scenario": (mutated(path, scenario.read_text(), _toml), lambda: _done(read_scenario(path))),
        "evidence": (mutated(path, evidence.read_text(), _toml), lambda: _done(read_evidence(path, observable))),
        "run folder": (run_folder, lambda: _all_read(read_run_folders(runs, observable))),
        "mapping": (mutated(path, MAPPING, _toml), lambda: _done(read_mapping(path))),
        "cells": (lines, lambda: _done(read_kept(cells))),
        "model": (mutated(model, MODEL, _code), lambda: _explored(model)),
        "hunt file": (document(witness, HUNT), lambda: _prepared(read_saved(witness))),
    }


def _keep_witness(folder: Path, path: Path) -> None:
    origin = Origin(str(folder / "bank.py"))
    trace = explore(origin.build()).judgements[0].trace
    assert trace is not None
    write_witness(path, Witness(origin, "no lost update", trace))


def _done(_: object) -> str:
    return "read"


def _all_read(found: RunFolders) -> str:
    """Raises the complaint about a file that was skipped."""
    for complaint in found.complaints:
        raise UsageError(f"skipped {complaint.file}: {complaint.why}")
    return _done(found)


def _prepared(saved: Saved) -> str:
    """What comes before any command of a hunt file is run: its job, and how names are folded."""
    folding_of(saved).fold("d/stamp-123456789")
    return _done([*saved.commands(), saved.job() if saved.folder is None else None])


def _explored(model: Path) -> str:
    verdict = explore(load_model(str(model)).build({}), limit=2_000).verdict
    return "undetermined" if verdict is Verdict.UNDETERMINED else "read"


def _save(path: Path, rng: random.Random, text: str) -> None:
    """Writes the text; one in five has a byte or more that is other, missing or twice."""
    content = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(rng.choice((0, 0, 0, 0, 1)) and rng.randint(1, 4)):
        at = rng.randrange(len(content) + 1)
        match rng.randrange(4):
            case 0:
                content[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del content[at : at + rng.randint(1, 40)]
            case 2:
                content[at:at] = content[at : at + rng.randint(1, 400)] * rng.randint(1, 3)
            case _:
                del content[at:]
    path.write_bytes(content)


def _other(rng: random.Random, content: Any) -> Any:
    """A copy of a JSON document in which one place holds another value, is missing, or has a stranger beside it."""
    if rng.random() < 0.25 or not isinstance(content, dict | list) or not content:
        return rng.choice(VALUES)
    if isinstance(content, list):
        at = rng.randrange(len(content))
        return [_other(rng, item) if number == at else item for number, item in enumerate(content)]
    name = rng.choice(list(content))
    if rng.random() < 0.1:
        return {key: value for key, value in content.items() if key != name}
    if rng.random() < 0.1:
        return content | {rng.choice(("x", name[:-1], "", "\x1b")): rng.choice(VALUES)}
    return content | {name: _other(rng, content[name])}


def _toml(rng: random.Random, text: str) -> str:
    lines = text.splitlines()
    at = rng.randrange(len(lines))
    key, sign, _ = lines[at].partition(" = ")
    match rng.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, rng.choice(lines))
        case _ if sign:
            lines[at] = f"{key} = {rng.choice(LITERALS)}"
        case _:
            lines[at] = rng.choice(("[[starts]]", "[delays]", "[[runs]]", "[x]", "x = 1", "[[", ""))
    return "\n".join(lines) + "\n"


def _code(rng: random.Random, text: str) -> str:
    places = list(re.finditer(r"\b[a-z_]+\b|\d+|'[a-z]+'", text))
    found = rng.choice(places)
    return text[: found.start()] + rng.choice(WORDS) + text[found.end() :]
