"""A failing trial as files: its timeline as PNG and SVG, and a page that steps through it with the files' contents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from dstamp_sim.disk.writing import write
from dstamp_sim.hunt.job import Job
from dstamp_sim.hunt.seen_trace import lanes_of, trace_of
from dstamp_sim.hunt.shrink import Shrunk
from dstamp_sim.hunt.story import numbers_of, sentence_of, step_words, window_of
from dstamp_sim.hunt.touches import Touch
from dstamp_sim.hunt.trial_outcome import HeldStep
from dstamp_sim.rendering.page import trace_page
from dstamp_sim.rendering.timeline.annotations import MOST_LINKS, Annotations, DependencyLink
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.png import png
from dstamp_sim.rendering.timeline.shapes import Layout
from dstamp_sim.rendering.timeline.svg import standalone_svg

_SAYS = {"wr": "may read what it wrote", "ww": "writes after it", "rw": "writes after it looked"}


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


def links_of(steps: Sequence[HeldStep]) -> tuple[DependencyLink, ...]:
    """The links between steps of different runs that touch one object and one of which writes."""
    found = {(link.kind, link.source, link.target): link for link in _links(steps)}
    return tuple(found.values())[-MOST_LINKS:]


def _links(steps: Sequence[HeldStep]) -> Iterator[DependencyLink]:
    writer: dict[str, int] = {}
    readers: dict[str, list[int]] = {}
    for target, step in enumerate(steps):
        for name, how in step.call.touches:
            sources = [("w" + how, writer[name])] if name in writer else []
            sources += [("rw", reader) for reader in readers.get(name, [])] if how == "w" else []
            for kind, source in sources:
                if steps[source].run != step.run:
                    says = f"{step_words(steps, target)} {_SAYS[kind]}: {step_words(steps, source)}"
                    yield DependencyLink(kind, source, target, says)
        for touch in step.call.touches:
            _note(touch, target, writer, readers)


def _note(touch: Touch, number: int, writer: dict[str, int], readers: dict[str, list[int]]) -> None:
    if touch.how == "w":
        writer[touch.object] = number
        readers[touch.object] = []
    else:
        readers.setdefault(touch.object, []).append(number)


def clocks_of(
    steps: Sequence[HeldStep], runs: Sequence[str], links: Sequence[DependencyLink]
) -> tuple[tuple[int, ...], ...]:
    """A vector clock for each step: how many steps of each run it comes after, itself included."""
    sources: dict[int, list[int]] = {}
    for link in links:
        sources.setdefault(link.target, []).append(link.source)
    last = {run: (0,) * len(runs) for run in runs}
    clocks: list[tuple[int, ...]] = []
    for number, step in enumerate(steps):
        known = [last[step.run], *(clocks[source] for source in sources.get(number, ()))]
        clock = [max(counts) for counts in zip(*known, strict=True)]
        clock[runs.index(step.run)] += 1
        last[step.run] = tuple(clock)
        clocks.append(tuple(clock))
    return tuple(clocks)
