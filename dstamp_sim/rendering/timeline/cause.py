"""The part of an explanation in a timeline: the window shaded, the missing lock, the caption."""

from __future__ import annotations

from dstamp_sim.rendering.timeline.canvas import MARGIN, RIGHT, ROW, Canvas
from dstamp_sim.rendering.timeline.shapes import WIDTH, Arrow, Box, Label, Line, clean, elide, measure, wrap
from dstamp_sim.rendering.timeline.shelf import Shelf, around

_ROOM = WIDTH - 2 * MARGIN
_CAUSE_SIZE = 13.0


def shade_window(canvas: Canvas) -> None:
    """Shades the window over the lane of its process, with a line down each edge."""
    window = canvas.annotations.window
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


def shade_cycle(canvas: Canvas, top: float, bottom: float) -> None:
    """A band over all lanes where the steps of a cycle are, with an arrow above it that leads back to its begin.

    Where nobody moves any more, the words alone, at the end.
    """
    loop, facts, sheet = canvas.trace.loop, canvas.facts, canvas.sheet
    if loop is None:
        return
    if loop == len(canvas.trace.steps):
        sheet.labels.append(Label("nobody moves any more", canvas.x(facts.end), top - 12, 12, "right", "cut"))
        return
    begin = (facts.moments[loop - 1].at + facts.moments[loop].at) / 2 if loop else facts.begin
    left = canvas.x(max(begin, facts.begin))
    right = canvas.x(facts.end)
    sheet.boxes.append(Box("cycle", left, top, right - left, bottom - top, name="these steps are made for ever"))
    back = ((right, top), (right, top - 9), (left, top - 9), (left, top))
    sheet.arrows.append(Arrow("again", back, "", ""))
    sheet.labels.append(Label("again and again, for ever", (left + right) / 2, top - 20, 12, "center", "cut"))


def missing_lock(canvas: Canvas, process: str, y: float) -> float:
    """A hollow bar where a lock was missing, in the row of the lane's lock bars; returns the y below."""
    missing = canvas.annotations.missing
    if missing is None or missing.process != process:
        return y
    left, right = _edges(canvas, missing.first, missing.last)
    left, right = (left - 12, right + 12) if right - left < 24 else (left, right)
    canvas.sheet.boxes.append(Box("missing", left, y + 2, right - left, ROW - 4, process, missing.lock))
    words = elide(f"not held: {clean(missing.lock)}" if missing.lock else "no lock held", 11, 320, bold=True)
    wide = measure(words, 11, bold=True)
    shelf = Shelf((MARGIN, RIGHT + 8), canvas.routes.below(process) + around(canvas.upright(process), 3))
    inside = shelf.fit(wide, left + 4, left + 4, right - 4 - wide)
    at = shelf.fit(wide, right + 4, 0, RIGHT) if inside is None else inside
    canvas.sheet.labels.append(Label(words, right + 4 if at is None else at, y + ROW / 2, 11, "left", "missing"))
    return y + ROW


def caption(canvas: Canvas, y: float) -> float:
    """The sentence and its proof, in full as far as six and three lines go; returns the y below."""
    for words, kind, lines in ((canvas.annotations.sentence, "caption", 6), (canvas.annotations.proof, "quiet", 3)):
        for line in wrap(clean(words), _CAUSE_SIZE, _ROOM, lines):
            canvas.sheet.labels.append(Label(line, MARGIN, y, _CAUSE_SIZE, "left", kind))
            y += 19
        y += 4 if words else 0
    return y


def _edges(canvas: Canvas, first: int, last: int) -> tuple[float, float]:
    """The begin and end of a stretch of steps, in pixels; parts that are not drawn are cut off."""
    moments = canvas.facts.moments
    begin = max(moments[first].at, canvas.facts.begin)
    return canvas.x(begin), canvas.x(max(moments[last].at, begin))
