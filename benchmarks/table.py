"""The tables that `benchmarks/README.md` quotes, from the saved results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.tools import WORKLOADS

RESULTS = Path(__file__).parent / "results.json"
README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- benchmarks/results.json, written by make bench-table -->", "<!-- end -->"

LARGE = 5_000_000
"""States from which on a space counts as large for throughput."""

Cells = dict[tuple[str, str, int], dict[str, Any]]


def tables(results: dict[str, Any]) -> list[str]:
    """Best against best at the largest N that SPIN finished, and throughput at the largest N that both raw ones did."""
    cells = {(c["tool"], c["workload"], c["n"]): c for c in results["cells"] if c["ended"] == "done"}
    about = results["about"]
    limit, sizes = about["limit_s"], ", ".join(map(str, sorted({cell["n"] for cell in results["cells"]})))
    cores = f"{about['cores']} core{'s' * (about['cores'] > 1)}"
    return [
        f"On {cores}, beside {about['load']:g} other processes when it began.",
        "",
        f"All reductions on, at the largest N of {sizes} that SPIN finishes within {limit:g} s and 8 GB "
        "(states, seconds, MB):",
        "",
        "| workload | N | dstamp | SPIN | SPIN / dstamp | largest N of dstamp, minicheck, musil, musil's symmetry |",
        "|---|---|---|---|---|---|",
        *(line for workload in WORKLOADS if (line := _best(cells, workload))),
        "",
        "No reduction on either side, at the largest N that both finish (million transitions a second; the Python "
        "checkers in million states a second, at their largest N):",
        "",
        "| workload | N | states | dstamp | SPIN | dstamp / SPIN | dstamp, minicheck, musil, states |",
        "|---|---|---|---|---|---|---|",
        *(line for workload in WORKLOADS if (line := _raw(cells, workload))),
    ]


def _largest(cells: Cells, workload: str, *names: str) -> int:
    """The largest N at which all of `names` are done; 0 for none."""
    return max((n for name, w, n in cells if w == workload and all((t, w, n) in cells for t in names)), default=0)


def _best(cells: Cells, workload: str) -> str:
    n = _largest(cells, workload, "dstamp", "SPIN")
    if not n:
        return ""
    ours, theirs = cells["dstamp", workload, n], cells["SPIN", workload, n]
    others = [_largest(cells, workload, name) for name in ("dstamp", "minicheck", "musil", "musil symmetry")]
    ratio = theirs["seconds"] / ours["seconds"]
    reached = ", ".join(str(n) if n else "-" for n in others)
    return f"| {workload} | {n} | {_cell(ours)} | {_cell(theirs)} | {_times(ratio)} | {reached} |"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _cell(cell: dict[str, Any]) -> str:
    return f"{cell['states']:,.0f}, {cell['seconds']:.3g} s, {cell['peak_mb']:,.0f}"


def _raw(cells: Cells, workload: str) -> str:
    n = _largest(cells, workload, "dstamp raw", "SPIN raw")
    if not n:
        return ""
    ours, theirs = (cells[name, workload, n] for name in ("dstamp raw", "SPIN raw"))
    rates = [cell["transitions"] / cell["seconds"] / 1e6 for cell in (ours, theirs)]
    python = [_states_rate(cells, name, workload) for name in ("dstamp raw", "minicheck", "musil")]
    return (
        f"| {workload} | {n} | {ours['states']:,.0f}{'' if ours['states'] < LARGE else ' (large)'} | {rates[0]:.3g} | "
        f"{rates[1]:.3g} | {rates[0] / rates[1]:.3g} | {', '.join(python)} |"
    )


def _states_rate(cells: Cells, name: str, workload: str) -> str:
    n = _largest(cells, workload, name)
    cell = cells.get((name, workload, n))
    return f"{cell['states'] / cell['seconds'] / 1e6:.3f}" if cell else "-"


def quote(text: str, results: dict[str, Any]) -> str:
    """`text` with the tables between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([before + BEGIN, *tables(results), END + after])
