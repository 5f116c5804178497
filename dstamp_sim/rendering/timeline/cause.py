"""What an explanation adds to a timeline: the window shaded, the missing lock, the cycle's arrows, the caption."""

from __future__ import annotations

from dstamp_sim.rendering.timeline.canvas import MARGIN, RIGHT, ROW, Canvas, Place
from dstamp_sim.rendering.timeline.shapes import WIDTH, Arrow, Box, Label, Line, clean, elide, measure, wrap

_ROOM = WIDTH - 2 * MARGIN
_SIZE = 13.0


def shade_window(canvas: Canvas) -> None:
    """Shades the window over the lane of the process whose it is, with a line down each edge."""
    window = canvas.told.window
    place = canvas.places.get(window[0]) if window else None
    if window is None or place is None:
        return
    left, right = _edges(canvas, window[1], window[2])
    if right <= left:
        return
    top, bottom = place.top + 2, place.bottom - 2
    canvas.sheet.boxes.append(Box("window", left, top, right - left, bottom - top, window[0], "window"))
    for x in (left, right):
        canvas.sheet.lines.append(Line("window", ((x, top), (x, bottom))))


def missing_lock(canvas: Canvas, process: str, y: float) -> float:
    """A hollow bar where a lock was missing, in the row of the lane's lock bars; gives the y below."""
    missing = canvas.told.missing
    if missing is None or missing.process != process:
        return y
    left, right = _edges(canvas, missing.first, missing.last)
    left, right = (left - 12, right + 12) if right - left < 24 else (left, right)
    canvas.sheet.boxes.append(Box("missing", left, y + 2, right - left, ROW - 4, process, missing.lock))
    words = f"not held: {clean(missing.lock)}" if missing.lock else "no lock held"
    room = right - left - 8
    if measure(words, 11, bold=True) <= room or room >= 150:
        words = elide(words, 11, room, bold=True)
        canvas.sheet.labels.append(Label(words, left + 4, y + ROW / 2, 11, "left", "missing"))
        return y + ROW
    words = elide(words, 11, 320, bold=True)
    beside = right + 4 if right + 8 + measure(words, 11, bold=True) <= RIGHT else left - 4
    anchor = "left" if beside > right else "right"
    canvas.sheet.labels.append(Label(words, beside, y + ROW / 2, 11, anchor, "missing"))  # type: ignore[arg-type]  # a literal
    return y + ROW


def draw_cycle(canvas: Canvas) -> None:
    """Arrows along the cycle, each named by its kind; one that a check's arrow shows already gets only its name."""
    names: list[tuple[float, float]] = []
    _draw_wishes(canvas, names)
    for link in canvas.told.cycle:
        if link.kind == "wants":
            continue
        if min(link.source, link.target) < canvas.facts.first:
            continue
        first, last = (canvas.trace.steps[n].process for n in (link.source, link.target))
        source, target = canvas.places.get(first), canvas.places.get(last)
        if source is None or target is None or source is target:
            continue
        start, end = (canvas.x(canvas.facts.moments[n].at) for n in (link.source, link.target))
        bend = _between(source, target)
        shown = any(s.check.writer == link.source and s.check.step == link.target for s in canvas.sights)
        if not shown:
            down = 5 if source.top < target.top else -5
            tip = _tip(canvas, link.target)
            points = ((start, source.middle + down), (start, bend), (end, bend), (end, target.middle - (down * tip)))
            kind = "cause" if link.target == canvas.told.reads and link.kind == "wr" else "cycle"
            canvas.sheet.arrows.append(Arrow(kind, points, first, last))
        _name_link(canvas, link.kind, (start + end) / 2, bend, names)


def _draw_wishes(canvas: Canvas, names: list[tuple[float, float]]) -> None:
    """Arrows from the waiting of each process down or up to the bar of the lock that it wants."""
    wishes = [link for link in canvas.told.cycle if link.kind == "wants"]
    for n, link in enumerate(wishes):
        first, last = (canvas.trace.steps[number].process for number in (link.source, link.target))
        source, target = canvas.places.get(first), canvas.places.get(last)
        if source is None or target is None:
            continue
        x = canvas.x(canvas.facts.end) - 30 - 56 * (len(wishes) - n - 1)
        down = source.top < target.top
        foot, head = (source.main_bottom, target.bottom - 9 - ROW) if down else (source.main, target.bottom - 7)
        middle = _between(source, target)
        canvas.sheet.arrows.append(Arrow("cycle", ((x, foot), (x, middle), (x, middle), (x, head)), first, last))
        _name_link(canvas, link.kind, x, middle, names)


def _tip(canvas: Canvas, number: int) -> float:
    lettered = any(sight.check.step == number and sight.letter for sight in canvas.sights)
    return 2.3 if lettered else 1.3


def _between(source: Place, target: Place) -> float:
    """The height of the gap beside the source's lane, on the target's side."""
    return source.bottom if source.top < target.top else source.top


def _name_link(canvas: Canvas, kind: str, x: float, y: float, names: list[tuple[float, float]]) -> None:
    wide, y = measure(kind, 10, bold=True) + 8, y - 2
    while any(abs(x - other) < wide and abs(y - height) < 8 for other, height in names):
        x += wide
    names.append((x, y))
    canvas.sheet.labels.append(Label(kind, x, y, 10, "center", "link"))


def caption(canvas: Canvas, y: float) -> float:
    """The sentence and its proof, in full as far as six and three lines go; gives the y below."""
    for words, kind, lines in ((canvas.told.sentence, "caption", 6), (canvas.told.proof, "quiet", 3)):
        for line in wrap(clean(words), _SIZE, _ROOM, lines):
            canvas.sheet.labels.append(Label(line, MARGIN, y, _SIZE, "left", kind))
            y += 19
        y += 4 if words else 0
    return y


def _edges(canvas: Canvas, first: int, last: int) -> tuple[float, float]:
    """Where a stretch of steps begins and ends, in pixels; what is not drawn is cut off."""
    moments = canvas.facts.moments
    begin = max(moments[first].at, canvas.facts.begin)
    return canvas.x(begin), canvas.x(max(moments[last].at, begin))
