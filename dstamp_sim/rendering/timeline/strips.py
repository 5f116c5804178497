"""A shared object's lane: its value over time, the wrong ones standing out."""

from __future__ import annotations

from dstamp_sim.rendering.timeline.canvas import LEFT, MARGIN, Canvas, one_line
from dstamp_sim.rendering.timeline.facts import Segment, Strip
from dstamp_sim.rendering.timeline.names import BoxRow, Named, name_boxes, needs_flags
from dstamp_sim.rendering.timeline.routes import LaneBand
from dstamp_sim.rendering.timeline.shapes import WIDTH, Box, Label, Line, clean, wrap
from dstamp_sim.rendering.timeline.shelf import around

HEIGHT = 28.0
"""The height of a strip, in pixels."""


def strip_lane(canvas: Canvas, strip: Strip, top: float) -> None:
    """Puts an object's strip on the sheet, from `top` downwards, and notes its place."""
    begin = canvas.facts.begin
    drawn = [seg for seg in strip.segments if seg.end > begin or seg is strip.segments[-1]]
    items = [_named(canvas, strip, seg) for seg in drawn if seg.shown is not None]
    if any(seg.change for seg in drawn) and needs_flags(items, whole=True):
        items = [_named(canvas, strip, seg, by_change=True) for seg in drawn if seg.shown is not None]
    main = top + 8 + (21 if needs_flags(items, whole=True) else 0)
    place = LaneBand(top, main, main + HEIGHT, main + HEIGHT, main + HEIGHT + 10)
    canvas.places[strip.name] = place
    for segment in drawn:
        _segment(canvas, strip.name, segment, place)
    row = BoxRow(place.middle, main, main - 12.5, (LEFT - 60, WIDTH - MARGIN), "V", around(_looks(canvas, strip), 3))
    name_boxes(canvas.sheet, row, items, canvas.key)
    lines = wrap(one_line(strip.name), 13, LEFT - 2 * MARGIN, 2, bold=True)
    for n, line in enumerate(lines):
        y = place.middle + 16 * (n - (len(lines) - 1) / 2)
        canvas.sheet.labels.append(Label(line, MARGIN, y, 13, "left", "process"))


def _looks(canvas: Canvas, strip: Strip, *, through: bool = False) -> list[float]:
    """Where checks look down at a strip, or past it at one below; `through`: only those past it."""
    order = [known.name for known in canvas.facts.strips]
    lettered = [drawn.check for drawn in canvas.drawn_checks if drawn.letter]
    return [canvas.x(c.at) for c in lettered if order.index(c.strip) >= order.index(strip.name) + through]


def _segment(canvas: Canvas, owner: str, segment: Segment, place: LaneBand) -> None:
    left, right = canvas.x(max(segment.start, canvas.facts.begin)), canvas.x(segment.end)
    if segment.shown is None:
        points = ((left, place.middle), (right, place.middle))
        canvas.sheet.lines.append(Line("absent", points))
        if right - left > 24:
            canvas.sheet.labels.append(Label("—", (left + right) / 2, place.middle, 12, "center", "absent"))
        return
    seen = any(drawn.check.seen is segment for drawn in canvas.drawn_checks)
    kind = "value" if not segment.wrong else "wrong_seen" if seen else "wrong"
    box = Box(kind, left, place.main, right - left, HEIGHT, owner, segment.shown)
    canvas.sheet.boxes.append(box)


def _named(canvas: Canvas, strip: Strip, segment: Segment, *, by_change: bool = False) -> Named:
    left, right = canvas.x(max(segment.start, canvas.facts.begin)), canvas.x(segment.end)
    inside = [c for c in canvas.axis.cuts if c.left < right and c.right > left]
    cuts = [(max(c.left, left), min(c.right, right)) for c in inside]
    cuts += [look for look in around(_looks(canvas, strip, through=True), 3) if left < look[0] and look[1] < right]
    name = clean((segment.change if by_change else "") or segment.shown or "") or "(empty)"
    kind = "on_wrong" if segment.wrong else "on_value"
    return Named(left, right, f"✗ {name}" if segment.wrong else name, kind, tuple(cuts))


def check_lines(canvas: Canvas) -> None:
    """Puts a thin line from every check that the text mentions down to the value that it saw."""
    for drawn in canvas.drawn_checks:
        place, strip = canvas.places.get(drawn.check.process), canvas.places.get(drawn.check.strip)
        if place and strip and drawn.letter:
            x = canvas.x(drawn.check.at)
            canvas.sheet.lines.append(Line("sight", ((x, place.main_bottom), (x, strip.main))))
