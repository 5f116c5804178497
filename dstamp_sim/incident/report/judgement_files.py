"""The files of a judgement: tables as CSV, the posterior and the witnesses as pictures, and the report."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dstamp_sim.core.scenario import Scenario
from dstamp_sim.incident.judge_mechanisms import Judged
from dstamp_sim.incident.report.markdown import markdown
from dstamp_sim.incident.report.posterior import draw_posterior
from dstamp_sim.incident.witness.drawn import save_witness


def write_judgement(judged: Judged, document: dict[str, Any], scenario: Scenario, out: Path) -> list[Path]:
    """The tables and pictures of a judgement in `out`; the same judgement gives the same bytes of the tables.

    There is no picture of the posterior where no mechanism is left.
    """
    files: list[Path] = []
    if judged.left:
        files.append(out / "posterior.png")
        draw_posterior(judged.posterior, judged.without_share, judged.varied, files[-1])
    for name, (head, rows) in _tables(document).items():
        files.append(out / f"{name}.csv")
        _write_table(files[-1], head, rows)
    for best in judged.witnesses.values():
        files += save_witness(best, scenario.model, scenario.title, judged.since, out)
    return files


def write_report(document: dict[str, Any], title: str, files: Sequence[Path], report: Path) -> list[Path]:
    """The report, and beside it, in a folder of its name, the pictures and tables that it points at."""
    beside = report.parent / report.stem.lower()
    beside.mkdir(exist_ok=True)
    kept = [file for file in files if file.suffix in (".png", ".csv")]
    for file in kept:
        shutil.copyfile(file, beside / file.name)
    links = {file.stem: f"{beside.name}/{file.name}" for file in kept}
    report.write_text(markdown(document, title, links), encoding="utf-8")
    return [report, *(beside / file.name for file in kept)]


Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


def _tables(document: dict[str, Any]) -> dict[str, Table]:
    """By name, columns and rows: mechanisms by reading, likelihoods, posteriors by prior, predictions by experiment."""
    likelihoods = document["likelihoods"]
    return {
        "judgement": (
            ("mechanism", "reading", "verdict", "why", "unseen", "unseen_untimed", "likelihood", "posterior"),
            (
                (
                    row["mechanism"],
                    "; ".join(f"{question}: {answer}" for question, answer in row["reading"].items()),
                    row["verdict"],
                    row["why"],
                    row["unseen_partners"],
                    row["unseen_partners_without_timing"],
                    likelihoods[row["mechanism"]]["estimate"],
                    document["posterior"][row["mechanism"]],
                )
                for row in document["mechanisms"]
            ),
        ),
        "likelihoods": (
            ("mechanism", "worlds", "likelihood", "low", "high", "without_unseen", "posterior", "at_least", "at_most"),
            (
                (
                    name,
                    item["worlds"],
                    item["estimate"],
                    *item["interval"],
                    item["without_unseen_partners"],
                    document["posterior"][name],
                    *document["posterior_limits"][name],
                )
                for name, item in likelihoods.items()
            ),
        ),
        "other-priors": (
            ("priors", "mechanism", "posterior"),
            ((prior, name, share) for prior, of in document["other_priors"].items() for name, share in of.items()),
        ),
        "experiments": (
            ("experiment", "bits", "mechanism", "outcome", "chance"),
            (
                (item["experiment"], item["bits"], name, outcome, chance)
                for item in document["experiments"]
                for name, shares in item["predicted"].items()
                for outcome, chance in shares.items()
            ),
        ),
    }


def _write_table(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
