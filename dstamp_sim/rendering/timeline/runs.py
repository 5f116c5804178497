"""A process's lane: its sections, waiting, steps and what it holds, and its verdict at the end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dstamp_sim.core.trace import Step
from dstamp_sim.core.value import text
from dstamp_sim.rendering.timeline.canvas import LEFT, MARGIN, RIGHT, ROW, Badge, Canvas, Place, plain
from dstamp_sim.rendering.timeline.cause import missing_lock
from dstamp_sim.rendering.timeline.facts import Span, Stretch
from dstamp_sim.rendering.timeline.names import SIZE, Named, Row, name_boxes, needs_flags
from dstamp_sim.rendering.timeline.shapes import WIDTH, Box, Label, Line, clean, elide, measure, wrap

MAIN, SLIM = 26.0, 12.0
"""The height of the main row of a process and of a daemon, in pixels."""
_THIN = 5.0


def run_lane(canvas: Canvas, process: str, badge: Badge, top: float, tints: dict[str, int]) -> None:
    """Puts the lane of a process on the sheet, from `top` downwards, and notes its place."""
    if process in canvas.trace.daemons:
        _daemon_lane(canvas, process, top)
        return
    spans = [span for span in canvas.facts.spans if span.process == process]
    outer = [span for span in spans if not span.leaf]
    y = top + 8 + ROW * len({span.level for span in outer})
    items = [_named(canvas, span) for span in spans if span.leaf]
    y += ROW + 4 if needs_flags(items) else 0
    place = Place(top, y, y + MAIN, 0)
    _life(canvas, process, place)
    _sections(canvas, place, spans, tints)
    _brackets(canvas, outer, top + 8)
    row = Row(place.middle, place.main, place.main - 4 - ROW / 2, (LEFT - 60, RIGHT), "")
    name_boxes(canvas.sheet, row, items, canvas.key)
    arcs = 9 if any(s.check.process == process == s.writer for s in canvas.sights) else 0
    bottom = _deeds(canvas, process, place.main_bottom + arcs)
    bottom = missing_lock(canvas, process, _holds(canvas, process, bottom + 3))
    bottom = max(bottom, place.main + 46, _verdict(canvas, process, badge, place))
    place = Place(top, place.main, place.main_bottom, bottom + 8)
    canvas.places[process] = place
    _signs(canvas, process, place)
    _name(canvas, process, place)


def _daemon_lane(canvas: Canvas, process: str, top: float) -> None:
    place = Place(top, top + 7, top + 7 + SLIM, top + 14 + SLIM)
    canvas.places[process] = place
    _life(canvas, process, place)
    _signs(canvas, process, place)
    name = elide(plain(process), SIZE, LEFT - 2 * MARGIN)
    canvas.sheet.labels.append(Label(name, MARGIN, place.middle, SIZE, "left", "quiet"))


def _life(canvas: Canvas, process: str, place: Place) -> None:
    life = canvas.facts.lives.get(process)
    if life is not None:
        left, right = canvas.x(life[0]), canvas.x(life[1])
        height = place.main_bottom - place.main
        canvas.sheet.boxes.append(Box("life", left, place.main, right - left, height, process))


def _sections(canvas: Canvas, place: Place, spans: Sequence[Span], tints: dict[str, int]) -> None:
    """The sections as boxes, those that hold others behind them; of those side by side, thin ones in front."""
    for span in sorted(spans, key=lambda s: (s.level, s.start - s.end)):
        left, right = _edges(canvas, span)
        tint = tints.setdefault(span.name, len(tints))
        kind = "section" if span.leaf else "outer"
        box = Box(kind, left, place.main, right - left, MAIN, span.process, span.name, tint)
        canvas.sheet.boxes.append(box)


def _edges(canvas: Canvas, span: Span) -> tuple[float, float]:
    """A box's edges; one too thin to be seen is widened to both sides."""
    left, right = canvas.x(max(span.start, canvas.facts.begin)), canvas.x(span.end)
    middle = (left + right) / 2
    return min(left, middle - _THIN / 2), max(right, middle + _THIN / 2)


def _named(canvas: Canvas, span: Span) -> Named:
    left, right = _edges(canvas, span)
    signs = [(canvas.x(s.check.at), 13.0) for s in canvas.sights if s.check.process == span.process]
    signs += [(canvas.x(at), 9.0) for at in canvas.writes_of(span.process)]
    signs += [(canvas.x(at), 11.0) for at in _deaths(canvas, span.process)]
    cuts = [(cut.left, cut.right) for cut in canvas.axis.cuts]
    taken = [(x - half, x + half) for x, half in signs] + cuts
    taken += [(canvas.x(w.start), canvas.x(w.end)) for w in canvas.facts.waits if w.process == span.process]
    inside = [(max(a, left), min(b, right)) for a, b in taken if a < right and b > left]
    return Named(left, right, plain(span.name), taken=tuple(inside), avoid=_arrow_down(canvas, span))


def _arrow_down(canvas: Canvas, span: Span) -> float | None:
    """Where an arrow from a lane above comes down on a section."""
    order = canvas.trace.processes.index
    for sight in canvas.sights:
        check = sight.check
        if check.process != span.process or not span.start <= check.at <= span.end:
            continue
        from_above = sight.writer is not None and order(sight.writer) < order(span.process)
        if from_above and canvas.trace.steps[check.step].section == span.name:
            return canvas.x(check.at)
    return None


def _brackets(canvas: Canvas, spans: Sequence[Span], top: float) -> None:
    levels = sorted({span.level for span in spans})
    for span in spans:
        y = top + ROW * levels.index(span.level)
        left, right = _edges(canvas, span)
        foot = y + ROW - 1
        points = ((left + 1, foot), (left + 1, foot - 4), (right - 1, foot - 4), (right - 1, foot))
        canvas.sheet.lines.append(Line("bracket", points))
        name = elide(plain(span.name), 11, right - left - 6)
        if len(name) > 2 or name == span.name:
            canvas.sheet.labels.append(Label(name, left + 3, y + 5, 11, "left", "bracket"))
        else:
            canvas.key.left_out += 1


def _deaths(canvas: Canvas, process: str) -> list[float]:
    steps = zip(canvas.trace.steps, canvas.facts.moments, strict=True)
    return [moment.at for step, moment in steps if step.op is None and step.process == process]


def _deeds(canvas: Canvas, process: str, y: float) -> float:
    """What every step did, in words, where an untimed trace leaves room for it; gives the y below.

    Where a step is narrow, the words of a lane stand on two rows by turns.
    """
    first, step_px = canvas.facts.first, canvas.x(canvas.facts.begin + 1) - LEFT
    mine = [n for n, step in enumerate(canvas.trace.steps) if step.process == process and n >= first]
    if canvas.trace.timed or not mine or step_px < 26:
        return y
    rows = 1 if step_px >= 76 else 2
    for row in range(rows):
        _deed_row(canvas, mine[row::rows], y + ROW * row)
    return y + ROW * rows


def _deed_row(canvas: Canvas, numbers: Sequence[int], y: float) -> None:
    edges = [canvas.x(canvas.facts.moments[n].start) for n in numbers] + [RIGHT]
    hit = {sight.check.step for sight in canvas.sights if sight.letter}
    for number, (start, right) in zip(numbers, pairwise(edges), strict=True):
        left = start if number not in hit else canvas.x(canvas.facts.moments[number].at) + 10  # beside the arrow
        room = min(right - left - 5, 420)
        fitting = [words for words in _deeds_of(canvas.trace.steps[number]) if measure(words, 11) <= room]
        if fitting:
            spare = max(0.0, canvas.x(canvas.facts.moments[number].end) - left - measure(fitting[0], 11))
            canvas.sheet.labels.append(Label(fitting[0], left + 2 + spare / 2, y + ROW / 2 + 1, 11, "left", "deed"))
        else:
            canvas.key.left_out += 1


def _deeds_of(step: Step) -> list[str]:
    """What a step did, in fewer and fewer words."""
    if step.op is None:
        return ["dies"]
    verb = step.op.verb
    gave = "" if step.result is None or step.taken else f" → {text(step.result)}"
    label = f" ({step.label})" if step.label else ""
    args = "".join(f" {text(arg)}" for arg in step.op.args)
    whole = clean(f"{verb}{args}{gave}{label}")
    return [whole, elide(whole, 11, 420), clean(verb + gave), clean(verb)]


def _holds(canvas: Canvas, process: str, y: float) -> float:
    """A row of bars for everything held at once; returns the y below."""
    holds = [hold for hold in canvas.facts.holds if hold.process == process]
    rows = 1 + max((hold.row for hold in holds), default=-1)
    for row in range(rows):
        _hold_row(canvas, [hold for hold in holds if hold.row == row], y + ROW * row)
    return y + ROW * rows


def _hold_row(canvas: Canvas, holds: Sequence[Stretch], y: float) -> None:
    lefts = [canvas.x(max(hold.start, canvas.facts.begin)) for hold in holds]
    for n, (hold, left) in enumerate(zip(holds, lefts, strict=True)):
        right = max(canvas.x(hold.end), left + 2)
        kind = "hold" if hold.lock else "keep"
        canvas.sheet.boxes.append(Box(kind, left, y + 2, right - left, ROW - 4, hold.process, hold.name))
        room = (lefts[n + 1] if n + 1 < len(lefts) else RIGHT) - right
        _hold_name(canvas, plain(hold.name), (left, right), room, y + ROW / 2, f"on_{kind}")


def _hold_name(canvas: Canvas, name: str, edges: tuple[float, float], room: float, y: float, on_bar: str) -> None:
    """Inside the bar (as a label of kind `on_bar`), or to its right, or as a code in one of these places."""
    left, right = edges
    labels = canvas.sheet.labels
    brief = elide(name, 11, max(right - left - 8, 0))
    if 8 <= len(brief) < len(name) and right - left < 320:
        name = brief
    for words in (name, elide(name, 11, 320), canvas.key):
        words = words if isinstance(words, str) else canvas.key.code("L", name)  # noqa: PLW2901 - shortened
        wide = measure(words, 11)
        if words and wide + 6 <= right - left:
            labels.append(Label(words, left + 4, y, 11, "left", on_bar))
            return
        if words and wide + 12 <= room:
            labels.append(Label(words, right + 4, y, 11, "left", "hold"))
            return
    canvas.key.left_out += 1


def _signs(canvas: Canvas, process: str, place: Place) -> None:
    """Waiting, the ticks of the steps, the writes that were seen, the checks and the deaths."""
    for wait in canvas.facts.waits:
        if wait.process == process:
            left, right = canvas.x(max(wait.start, canvas.facts.begin)), canvas.x(wait.end)
            box = Box("wait", left, place.main, right - left, MAIN, process, wait.name)
            canvas.sheet.boxes.append(box)
    for step, moment in zip(canvas.trace.steps, canvas.facts.moments, strict=True):
        if step.process == process and step.op is not None and step.op.target is not None:
            canvas.mark("change" if step.changes else "step", moment.at, place.main_bottom, process)
    for at in canvas.writes_of(process):
        canvas.mark("write", at, place.middle, process)
    for sight in canvas.sights:
        if sight.check.process == process:
            canvas.mark(f"check_{sight.kind}", sight.check.at, place.middle, process)
            x = canvas.x(sight.check.at)
            canvas.sheet.labels += [Label(sight.letter, x, place.middle, 11, "center", "letter")] * bool(sight.letter)
    for at in _deaths(canvas, process):
        canvas.mark("death", at, place.middle, process)


def _name(canvas: Canvas, process: str, place: Place) -> None:
    lines = wrap(plain(process), 13, LEFT - 2 * MARGIN, 2, bold=True)
    labels = canvas.sheet.labels
    first = place.middle - (7 if canvas.trace.timed else 8 * (len(lines) - 1))
    for n, line in enumerate(lines):
        labels.append(Label(line, MARGIN, first + 16 * n, 13, "left", "process"))
    if canvas.trace.timed and process in canvas.facts.lives:
        began = canvas.axis.clock((canvas.trace.starts_s or {}).get(process, canvas.facts.lives[process][0]))
        labels.append(Label(f"from {began}", MARGIN, first + 16 * len(lines), 11, "left", "quiet"))


def _verdict(canvas: Canvas, process: str, badge: Badge, place: Place) -> float:
    """The badge beside the main row, in the lane; gives the y of its foot."""
    sign = {True: "✓ ", False: "✗ ", None: ""}[badge.good]
    kind = {True: "verdict_good", False: "verdict_bad", None: "verdict"}[badge.good]
    left, room = RIGHT + 14, WIDTH - MARGIN - RIGHT - 14
    lines = wrap(sign + plain(badge.text), SIZE, room - 16, 4, bold=True)
    height = 16.0 * len(lines) + 8
    top = max(place.top + 5, place.middle - height / 2)
    canvas.sheet.boxes.append(Box(kind, left, top, room, height, process, badge.text))
    for n, line in enumerate(lines):
        canvas.sheet.labels.append(Label(line, left + 8, top + 12 + 16 * n, SIZE, "left", kind))
    return top + height
