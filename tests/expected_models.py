"""The manifest `models/expected.toml`: what each model and variant must give; run as a script to write it anew."""

import tomllib
from pathlib import Path
from typing import Any

from dstamp_sim import Report, System, Verdict, explore
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from dstamp_sim.inputs.model_file import load_model, read_settings

MANIFEST = Path(__file__).parent.parent / "models" / "expected.toml"

HEADER = """\
# What every model and variant gives: verdict, states and transitions of the whole space (no reduction), and the length
# of the shortest counterexample (0: none). Checked by tests/models/test_expected.py; written by
# `python -m tests.expected_models` - read the difference before you commit it.
"""


def manifest() -> list[dict[str, Any]]:
    """The manifest's entries."""
    return tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["model"]


def build(entry: dict[str, Any]) -> System:
    """The system of an entry."""
    model = load_model(str(MANIFEST.parent / entry["model"]))
    system = model.build(read_settings(model.factory, entry.get("set", [])), entry.get("placement"))
    return system.with_crashes(entry.get("crashes", system.crashes))


def measured(entry: dict[str, Any]) -> dict[str, Any]:
    """What the entry's model gives now."""
    report = explore(build(entry), keep_going=True, reductions=NO_REDUCTION)
    return {
        "verdict": report.verdict.value,
        "states": report.coverage.states,
        "transitions": report.coverage.transitions,
        "counterexample": shortest(report),
    }


def shortest(report: Report) -> int:
    """The length of the shortest counterexample of any property; 0 when there is none."""
    lengths = [len(j.trace.steps) for j in report.judgements if j.verdict is Verdict.VIOLATED and j.trace]
    return min(lengths, default=0)


def _write() -> None:
    lines = [HEADER]
    for entry in manifest():
        asked = {key: entry[key] for key in ("model", "set", "placement", "crashes") if key in entry}
        lines.append("[[model]]")
        for key, value in (asked | measured(entry)).items():
            shown = f'"{value}"' if isinstance(value, str) else str(value).replace("'", '"')
            lines.append(f"{key} = {shown}")
        lines.append("")
    MANIFEST.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    _write()
