"""The files of a judgement: tables as CSV, the posterior and the witnesses as pictures, and the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dstamp_sim.analyses.confidence import below
from dstamp_sim.disk.reading import read_bytes
from dstamp_sim.disk.writing import write
from dstamp_sim.incident.likely.offset_curve import offset_curve, pair_of
from dstamp_sim.incident.loaded import Incident
from dstamp_sim.incident.report.full import full_report
from dstamp_sim.incident.report.offset_picture import draw_offsets
from dstamp_sim.incident.report.posterior import draw_posterior
from dstamp_sim.incident.report.summary import Summary
from dstamp_sim.incident.report.tornado import draw_tornado
from dstamp_sim.incident.standing import IncidentFindings
from dstamp_sim.incident.witness.drawn import save_witness
from dstamp_sim.rendering.as_csv import csv_text
from dstamp_sim.rendering.as_html import html
from dstamp_sim.rendering.as_markdown import markdown

LEAST_DRAWN = 0.02
"""Mechanisms whose share is smaller under all priors are not in the picture of the assumptions."""

OFFSETS, PAIRS = 40, 1000
"""At how many times between two starts so many pairs of runs are run on the clock."""

REPORT_PAGE = "report.html"
"""The whole report as a page, in the folder of a judgement's files."""


def draw_judgement(judged: IncidentFindings, incident: Incident, out: Path) -> list[Path]:
    """The pictures of a judgement in `out`, and its witnesses. No picture of the posterior if no mechanism is left."""
    files: list[Path] = []
    now = judged.standing
    if now.left:
        files.append(out / "posterior.png")
        ends = {"least": {one: now.span(one)[0] for one in now.left}, "most": {one: now.most(one) for one in now.left}}
        draw_posterior(now.posterior, now.without_share, ends, files[-1])
        leading = [name for name in now.left if now.span(name)[1] >= LEAST_DRAWN]
        if leading and now.varied:
            files.append(out / "assumptions.png")
            others = {prior: of.posterior for prior, of in now.varied.items()}
            draw_tornado({name: now.posterior[name] for name in leading}, others, files[-1])
        files += _draw_offsets(judged, incident, out)
    for best in judged.witnesses.values():
        files += save_witness(best, incident.model, incident.scenario.title, judged.since, out)
    return files


def _draw_offsets(judged: IncidentFindings, incident: Incident, out: Path) -> list[Path]:
    """The chance of a wrong result by the time between two runs, of each mechanism that is left and has one."""
    hypotheses, model = incident.model.hypotheses, incident.model
    assert hypotheses is not None
    offsets = tuple(judged.longest_run_s * n / OFFSETS for n in range(OFFSETS + 1))
    curves = []
    for name in judged.standing.left:
        pair = pair_of(model.mechanism(name), judged.standing.best(name).settings, hypotheses)
        curves.append(offset_curve(pair, name, incident.scenario.timing, offsets, runs=PAIRS))
    known = [curve for curve in curves if curve is not None]
    if not known:
        return []
    draw_offsets(
        known, f"{incident.scenario.title}: two runs that share what they can", "mechanism", out / "offsets.png"
    )
    return [out / "offsets.png"]


def write_tables(summary: Summary, out: Path) -> list[Path]:
    """The tables of a judgement in `out`; the same judgement writes the same bytes."""
    files = []
    for name, (head, rows) in _tables(summary).items():
        files.append(out / f"{name}.csv")
        write(files[-1], partial(csv_text, head, [*rows]))
    return files


def write_report(summary: Summary, files: Sequence[Path], out: Path, report: Path | None) -> list[Path]:
    """The report as a page in `out`; also as Markdown if a file is named.

    Beside that, in a folder of its name, lie its pictures and tables.
    """
    kept = [file for file in files if file.suffix in (".png", ".csv")]
    document = full_report(summary, {file.stem: file for file in kept})
    page = out / REPORT_PAGE
    write(page, lambda: html(document))
    if report is None:
        return [page]
    beside = report.parent / report.stem.lower()
    for file in kept:
        if beside.resolve() != file.parent.resolve():
            write(beside / file.name, partial(read_bytes, file))
    write(report, lambda: markdown(document, {file.name: f"{beside.name}/{file.name}" for file in kept}))
    return [page, report, *(beside / file.name for file in kept)]


Rows = tuple[Sequence[str], Iterable[Sequence[Any]]]


def _tables(summary: Summary) -> dict[str, Rows]:
    """By name, columns and rows: mechanisms by reading, likelihoods, posteriors by prior, predictions by experiment."""
    weights = summary.weights
    return {
        "judgement": (
            ("mechanism", "reading", "verdict", "why", "unseen", "unseen_untimed", "likelihood", "posterior"),
            (
                (
                    row.mechanism,
                    "; ".join(f"{question}: {answer}" for question, answer in row.reading.items()),
                    row.verdict,
                    "; ".join(row.reasons),
                    row.least.partners if row.least else None,
                    row.least_without_timing.partners if row.least_without_timing else None,
                    _number(weights[row.mechanism].estimate, weights[row.mechanism].interval[1]),
                    _number(weights[row.mechanism].posterior, weights[row.mechanism].limits[1]),
                )
                for row in summary.mechanisms
            ),
        ),
        "likelihoods": (
            ("mechanism", "worlds", "likelihood", "low", "high", "without_unseen", "posterior", "at_least", "at_most"),
            (
                (
                    name,
                    item.worlds,
                    _number(item.estimate, item.interval[1]),
                    *item.interval,
                    _number(item.without_unseen_partners, item.without_unseen_at_most),
                    _number(item.posterior, item.limits[1]),
                    *item.limits,
                )
                for name, item in weights.items()
            ),
        ),
        "other-priors": (
            ("priors", "mechanism", "posterior", "at_most"),
            (
                (prior, name, _number(share.posterior, share.at_most), share.at_most)
                for prior, of in summary.other_priors.items()
                for name, share in of.items()
            ),
        ),
        "experiments": (
            ("experiment", "bits", "mechanism", "outcome", "chance"),
            (
                (item.experiment, item.bits, name, outcome, chance)
                for item in summary.experiments
                for name, shares in item.predicted.items()
                for outcome, chance in shares.items()
            ),
        ),
    }


def _number(value: float, at_most: float) -> float | str:
    """A number that was counted; where nothing was counted, its upper limit in words: 0 only where that is proved."""
    return value or below(at_most)
