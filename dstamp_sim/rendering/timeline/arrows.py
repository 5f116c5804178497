"""Which arrows a picture has: from the write that a check saw to that check, along the cycle, and from who waits."""

from __future__ import annotations

from collections.abc import Iterator

from dstamp_sim.rendering.timeline.annotations import DependencyLink
from dstamp_sim.rendering.timeline.canvas import MOST_LANES, Canvas, DrawnCheck
from dstamp_sim.rendering.timeline.routes import Route, Routes


def planned(canvas: Canvas) -> Routes:
    """The arrows of the picture. A dependency that a check's arrow already shows only names that arrow."""
    seen = {(s.check.writer, s.check.step): r for s, r in _of_checks(canvas)}
    others = list[Route]()
    for link in canvas.annotations.cycle:
        if link.kind != "wants" and (shown := seen.get((link.source, link.target))) is not None:
            shown.name = link.kind
        elif link.kind != "wants":
            others += _along(canvas, link)
    first = sorted(seen.values(), key=lambda route: route.kind != "own")
    return Routes(canvas.trace.processes[:MOST_LANES], [*first, *_wishes(canvas), *others])


def _of_checks(canvas: Canvas) -> Iterator[tuple[DrawnCheck, Route]]:
    for drawn in canvas.drawn_checks:
        writer = drawn.check.writer
        if writer is not None:
            start, end = canvas.x(canvas.facts.moments[writer].at), canvas.x(drawn.check.at)
            tip = 11.0 if drawn.letter else 6.0
            yield drawn, Route(drawn.kind, drawn.writer or "", drawn.check.process, start, end, tip)


def _along(canvas: Canvas, link: DependencyLink) -> Iterator[Route]:
    """The arrow of a dependency between two lanes, unless a part of it is not drawn."""
    steps, moments = canvas.trace.steps, canvas.facts.moments
    source, target = steps[link.source].process, steps[link.target].process
    if source == target or min(link.source, link.target) < canvas.facts.first:
        return
    start, end = (canvas.x(moments[n].at) for n in (link.source, link.target))
    kind = "cause" if link.target == canvas.annotations.reads and link.kind == "wr" else "cycle"
    lettered = any(drawn.check.step == link.target and drawn.letter for drawn in canvas.drawn_checks)
    yield Route(kind, source, target, start, end, 11.5 if lettered else 6.5, link.kind)


def _wishes(canvas: Canvas) -> Iterator[Route]:
    """Arrows from the waiting of each process to the bar of what it wants."""
    wishes = [link for link in canvas.annotations.cycle if link.kind == "wants"]
    for number, link in enumerate(wishes):
        waits, holds = canvas.trace.steps[link.source], canvas.trace.steps[link.target]
        x = canvas.x(canvas.facts.end) - 30 - 56 * (len(wishes) - number - 1)
        if waits.process != holds.process:
            bar = holds.taken.target.name if holds.taken else holds.process
            yield Route("cycle", waits.process, holds.process, x, x, name=link.kind, bar=bar)
