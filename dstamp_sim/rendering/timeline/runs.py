"""A process's lane: its sections, waiting, steps and what it holds, and its verdict at the end."""

from __future__ import annotations

from collections.abc import Sequence

from dstamp_sim.rendering.timeline.canvas import LEFT, MARGIN, RIGHT, ROW, Badge, Canvas, one_line
from dstamp_sim.rendering.timeline.cause import missing_lock
from dstamp_sim.rendering.timeline.deeds import deed_rows
from dstamp_sim.rendering.timeline.facts import Bar, SectionBar
from dstamp_sim.rendering.timeline.names import SIZE, BoxRow, Named, name_boxes, needs_flags
from dstamp_sim.rendering.timeline.routes import LaneBand
from dstamp_sim.rendering.timeline.shapes import WIDTH, Box, Label, Line, elide, measure, wrap
from dstamp_sim.rendering.timeline.shelf import Shelf, gaps

MAIN, SLIM = 26.0, 12.0
"""The height of the main row of a process and of a daemon, in pixels."""
_THIN = 5.0


def run_lane(canvas: Canvas, process: str, badge: Badge, top: float, tints: dict[str, int]) -> None:
    """Puts the lane of a process on the sheet, from `top` downwards, and notes its place.

    A daemon's is slimmer and has no verdict; one without sections has a slim bar.
    """
    daemon = process in canvas.trace.daemons
    spans = [span for span in canvas.facts.spans if span.process == process]
    outer = [span for span in spans if not span.leaf]
    y = top + (7 if daemon else 8) + ROW * len({span.level for span in outer})
    items = [_named(canvas, span) for span in spans if span.leaf]
    y += ROW + 4 if needs_flags(items) else 0
    place = LaneBand(top, y, y + (SLIM if daemon and not spans else MAIN), 0, 0)
    _life(canvas, process, place)
    _sections(canvas, place, spans, tints)
    _brackets(canvas, outer, top + 8)
    row = BoxRow(
        place.middle, place.main, place.main - 4 - ROW / 2, (LEFT - 60, RIGHT), "", canvas.routes.above(process)
    )
    name_boxes(canvas.sheet, row, items, canvas.key)
    foot = deed_rows(canvas, process, place.main_bottom + (10 if canvas.routes.own(process) else 0))
    foot = missing_lock(canvas, process, _holds(canvas, process, foot + 3))
    if not daemon:
        foot = max(foot, place.main + 46, _verdict(canvas, process, badge, place))
    place = place._replace(foot=foot, bottom=foot + canvas.routes.room(process))
    canvas.places[process] = place
    _signs(canvas, process, place)
    _name(canvas, process, place, daemon=daemon)


def _life(canvas: Canvas, process: str, place: LaneBand) -> None:
    life = canvas.facts.lives.get(process)
    if life is not None:
        left, right = canvas.x(life[0]), canvas.x(life[1])
        height = place.main_bottom - place.main
        canvas.sheet.boxes.append(Box("life", left, place.main, right - left, height, process))


def _sections(canvas: Canvas, place: LaneBand, spans: Sequence[SectionBar], tints: dict[str, int]) -> None:
    """The sections as boxes, sections that contain others behind them; of neighbours, thin ones in front."""
    for span in sorted(spans, key=lambda s: (s.level, s.start - s.end)):
        left, right = _edges(canvas, span)
        tint = tints.setdefault(span.name, len(tints))
        kind = "section" if span.leaf else "outer"
        high = place.main_bottom - place.main
        box = Box(kind, left, place.main, right - left, high, span.process, span.name, tint)
        canvas.sheet.boxes.append(box)


def _edges(canvas: Canvas, span: SectionBar) -> tuple[float, float]:
    """A box's edges; one too thin to be seen is widened to both sides."""
    left, right = canvas.x(max(span.start, canvas.facts.begin)), canvas.x(span.end)
    middle = (left + right) / 2
    return min(left, middle - _THIN / 2), max(right, middle + _THIN / 2)


def _named(canvas: Canvas, span: SectionBar) -> Named:
    left, right = _edges(canvas, span)
    signs = [(canvas.x(s.check.at), 13.0) for s in canvas.drawn_checks if s.check.process == span.process]
    signs += [(canvas.x(at), 9.0) for at in canvas.writes_of(span.process)]
    signs += [(canvas.x(at), 11.0) for at in _deaths(canvas, span.process)]
    signs += [(x, 7.0) for x in canvas.routes.on(span.process)]
    cuts = [(cut.left, cut.right) for cut in canvas.axis.cuts]
    taken = [(x - half, x + half) for x, half in signs] + cuts
    taken += [(canvas.x(w.start), canvas.x(w.end)) for w in canvas.facts.waits if w.process == span.process]
    inside = [(max(a, left), min(b, right)) for a, b in taken if a < right and b > left]
    return Named(left, right, one_line(span.name), taken=tuple(inside))


def _brackets(canvas: Canvas, spans: Sequence[SectionBar], top: float) -> None:
    levels = sorted({span.level for span in spans})
    for span in spans:
        y = top + ROW * levels.index(span.level)
        left, right = _edges(canvas, span)
        foot = y + ROW - 1
        points = ((left + 1, foot), (left + 1, foot - 4), (right - 1, foot - 4), (right - 1, foot))
        canvas.sheet.lines.append(Line("bracket", points))
        free = gaps((left + 3, right - 3), canvas.routes.above(span.process)) or [(left, left)]
        begin, end = max(free, key=lambda gap: (min(gap[1] - gap[0], measure(one_line(span.name), 11)), -gap[0]))
        name = elide(one_line(span.name), 11, end - begin)
        if len(name) > 2 or name == span.name:
            canvas.sheet.labels.append(Label(name, begin, y + 5, 11, "left", "bracket"))
        else:
            canvas.key.left_out += 1


def _deaths(canvas: Canvas, process: str) -> list[float]:
    steps = zip(canvas.trace.steps, canvas.facts.moments, strict=True)
    return [moment.at for step, moment in steps if step.op is None and step.process == process]


def _holds(canvas: Canvas, process: str, y: float) -> float:
    """A row of bars for everything held at once; returns the y below."""
    holds = [hold for hold in canvas.facts.holds if hold.process == process]
    rows = 1 + max((hold.row for hold in holds), default=-1)
    for row in range(rows):
        _hold_row(canvas, [hold for hold in holds if hold.row == row], y + ROW * row)
    return y + ROW * rows


def _hold_row(canvas: Canvas, holds: Sequence[Bar], y: float) -> None:
    lefts = [canvas.x(max(hold.start, canvas.facts.begin)) for hold in holds]
    for n, (hold, left) in enumerate(zip(holds, lefts, strict=True)):
        right = max(canvas.x(hold.end), left + 2)
        kind = "hold" if hold.lock else "keep"
        canvas.sheet.boxes.append(Box(kind, left, y + 2, right - left, ROW - 4, hold.process, hold.name))
        canvas.bars[hold.process, hold.name] = (y + 2, y + ROW - 2)
        end = lefts[n + 1] if n + 1 < len(lefts) else RIGHT
        _hold_name(canvas, hold, (left, right, end), y + ROW / 2, f"on_{kind}")


def _hold_name(canvas: Canvas, hold: Bar, edges: tuple[float, float, float], y: float, on_bar: str) -> None:
    """Inside the bar (as a label of kind `on_bar`), or to its right up to the next, or as a code in one of these."""
    left, right, end = edges
    blocked, name = canvas.routes.below(hold.process), one_line(hold.name)
    inside, beside = Shelf((left + 3, right - 2), blocked), Shelf((right + 4, end - 6), blocked)
    brief = elide(name, 11, max(right - left - 8, 0))
    if 8 <= len(brief) < len(name) and right - left < 320:
        name = brief
    for words in (name, elide(name, 11, 320), canvas.key):
        words = words if isinstance(words, str) else canvas.key.code("L", name)  # noqa: PLW2901 - shortened
        for shelf, kind in ((inside, on_bar), (beside, "hold")):
            at = shelf.fit(measure(words, 11), left + 4, 0, RIGHT) if words else None
            if at is not None:
                canvas.sheet.labels.append(Label(words, at, y, 11, "left", kind))
                return
    canvas.key.left_out += 1


def _signs(canvas: Canvas, process: str, place: LaneBand) -> None:
    """Waiting, the ticks of the steps, the writes that were seen, the checks and the deaths."""
    for wait in canvas.facts.waits:
        if wait.process == process:
            left, right = canvas.x(max(wait.start, canvas.facts.begin)), canvas.x(wait.end)
            box = Box("wait", left, place.main, right - left, place.main_bottom - place.main, process, wait.name)
            canvas.sheet.boxes.append(box)
    for step, moment in zip(canvas.trace.steps, canvas.facts.moments, strict=True):
        if step.process == process and step.op is not None and step.op.target is not None:
            canvas.mark("change" if step.changes else "step", moment.at, place.main_bottom, process)
    for at in canvas.writes_of(process):
        canvas.mark("write", at, place.middle, process)
    for drawn in canvas.drawn_checks:
        if drawn.check.process == process:
            canvas.mark(f"check_{drawn.kind}", drawn.check.at, place.middle, process)
            x = canvas.x(drawn.check.at)
            canvas.sheet.labels += [Label(drawn.letter, x, place.middle, 11, "center", "letter")] * bool(drawn.letter)
    for at in _deaths(canvas, process):
        canvas.mark("death", at, place.middle, process)


def _name(canvas: Canvas, process: str, place: LaneBand, *, daemon: bool) -> None:
    if daemon:
        name = elide(one_line(process), SIZE, LEFT - 2 * MARGIN)
        canvas.sheet.labels.append(Label(name, MARGIN, place.middle, SIZE, "left", "quiet"))
        return
    lines = wrap(one_line(process), 13, LEFT - 2 * MARGIN, 2, bold=True)
    labels = canvas.sheet.labels
    first = place.middle - (7 if canvas.trace.timed else 8 * (len(lines) - 1))
    for n, line in enumerate(lines):
        labels.append(Label(line, MARGIN, first + 16 * n, 13, "left", "process"))
    if canvas.trace.timed and process in canvas.facts.lives:
        began = canvas.axis.clock((canvas.trace.starts_s or {}).get(process, canvas.facts.lives[process][0]))
        labels.append(Label(f"from {began}", MARGIN, first + 16 * len(lines), 11, "left", "quiet"))


def _verdict(canvas: Canvas, process: str, badge: Badge, place: LaneBand) -> float:
    """The badge beside the main row, in the lane; returns the y of its foot."""
    sign = {True: "✓ ", False: "✗ ", None: ""}[badge.good]
    kind = {True: "verdict_good", False: "verdict_bad", None: "verdict"}[badge.good]
    left, room = RIGHT + 14, WIDTH - MARGIN - RIGHT - 14
    lines = wrap(sign + one_line(badge.text), SIZE, room - 16, 4, bold=True)
    height = 16.0 * len(lines) + 8
    top = max(place.top + 5, place.middle - height / 2)
    canvas.sheet.boxes.append(Box(kind, left, top, room, height, process, badge.text))
    for n, line in enumerate(lines):
        canvas.sheet.labels.append(Label(line, left + 8, top + 12 + 16 * n, SIZE, "left", kind))
    return top + height
