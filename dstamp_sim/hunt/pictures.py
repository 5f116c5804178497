"""A failing trial as files: its timeline as PNG and SVG, and a page that steps through it with the files' contents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dstamp_sim.disk.writing import write
from dstamp_sim.hunt.dependencies import clocks_of, links_of
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.seen_trace import lanes_of, trace_of
from dstamp_sim.hunt.shrink import Shrunk
from dstamp_sim.hunt.story import numbers_of, sentence_of, window_of
from dstamp_sim.rendering.page import trace_page
from dstamp_sim.rendering.timeline.annotations import Annotations
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.png import png
from dstamp_sim.rendering.timeline.shapes import Layout
from dstamp_sim.rendering.timeline.svg import standalone_svg


def draw(out: Path, stem: str, job: Job, shrunk: Shrunk, *, html: bool = True) -> tuple[Path, ...]:
    """The timeline of a failing trial as PNG and SVG in `out`; with `html`, a page too."""
    picture, drawing, page = (out / f"{stem}.{ending}" for ending in ("png", "svg", "html"))
    pointed, title = pointed_at(job, shrunk), _title(job, shrunk)
    layout = laid_out(job, shrunk, pointed)
    write(picture, lambda: png(layout))
    write(drawing, lambda: standalone_svg(layout, title))
    if html:
        write(page, lambda: _page(job, shrunk, pointed))
    return (picture, drawing, *([page] if html else []))


def pointed_at(job: Job, shrunk: Shrunk) -> Annotations:
    """What pictures point at: from what a run had seen to what it did too late, what came between, all links."""
    steps, window = shrunk.outcome.steps, window_of(shrunk)
    links = links_of(steps)
    return Annotations(
        sentence=sentence_of(shrunk),
        window=None if window is None else (steps[window[2]].run, window[0], window[2]),
        write=None if window is None else window[1],
        steps=frozenset(numbers_of(shrunk)),
        links=links,
        clocks=clocks_of(steps, tuple(job.runs), links),
    )


def laid_out(job: Job, shrunk: Shrunk, pointed: Annotations) -> Layout:
    """The timeline of a failing trial: a lane for each run and each file of the story, held locks as bars."""
    trace = trace_of(job, shrunk.outcome)
    badges = {name: (f"exit {code}", None) for name, code in shrunk.outcome.exits.items()}
    return lay_out(trace, lanes_of(trace, shrunk), title=_title(job, shrunk), verdicts=badges, annotations=pointed)


def _title(job: Job, shrunk: Shrunk) -> str:
    return f"{' and '.join(job.runs)}: {shrunk.outcome.why}"


def _page(job: Job, shrunk: Shrunk, pointed: Annotations) -> str:
    """The page: it says the sentence above the picture, and shows files line by line."""
    layout = laid_out(job, shrunk, replace(pointed, sentence=""))
    trace = trace_of(job, shrunk.outcome, line_by_line=True)
    commands = {f"run {name}": command for name, command in job.runs.items()}
    about = {"setup": job.setup, **commands, "check": job.check or ""}
    return trace_page(trace, layout, title=_title(job, shrunk), about=about, annotations=pointed)
