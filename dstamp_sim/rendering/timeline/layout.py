"""The timeline of a trace as plain numbers: `lay_out` decides everything that `draw_timeline` draws.

From top to bottom: heading, a lane per process (daemons slimmer), a strip per shared object, the axis, a sentence for
every race, the key of abbreviated names, and the signs. All positions are pixels; the same trace has the same layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from dstamp_sim.core.system import Lane
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.value import text
from dstamp_sim.rendering.timeline.annotations import Annotations
from dstamp_sim.rendering.timeline.arrows import planned
from dstamp_sim.rendering.timeline.axis import Axis, clock_axis, duration, step_axis
from dstamp_sim.rendering.timeline.canvas import (
    LEFT,
    MARGIN,
    MOST_LANES,
    RIGHT,
    Badge,
    Canvas,
    DrawnCheck,
    drawn_checks_of,
    one_line,
)
from dstamp_sim.rendering.timeline.cause import caption, shade_cycle, shade_window
from dstamp_sim.rendering.timeline.facts import Facts, facts_of
from dstamp_sim.rendering.timeline.names import Legend, flow
from dstamp_sim.rendering.timeline.runs import run_lane
from dstamp_sim.rendering.timeline.shapes import (
    WIDTH,
    Box,
    Label,
    Layout,
    Line,
    Mark,
    Spot,
    clean,
    elide,
    measure,
    wrap,
)
from dstamp_sim.rendering.timeline.strips import check_lines, strip_lane

MOST_STEPS, MOST_TIMED_STEPS = 300, 1200
"""How many steps are drawn at most: the last, which lead to the verdict. The picture says what it left out."""
_MOST_NOTES = 12
_MOST_LETTERS = 80
_INSIDE = (MARGIN, WIDTH - MARGIN)


def lay_out(
    trace: Trace,
    lanes: Sequence[Lane] = (),
    *,
    title: str = "",
    subtitle: str = "",
    verdicts: Mapping[str, tuple[str, bool | None]] | None = None,
    origin: datetime | None = None,
    annotations: Annotations | None = None,
) -> Layout:
    """The layout of the timeline of `trace`, 1600 px wide. Deterministic; cost linear in the steps.

    `lanes` says which objects get a strip and which of their values are wrong (default: every shared object that
    changed and is no lock). `verdicts` has each process's text and whether it is good (default: its result). `origin`
    is the moment of second 0 of a timed trace. `annotations` are what an explanation points at: its parts are shaded,
    linked and written below. Long traces are drawn in part, and the picture says so.
    """
    facts = facts_of(
        trace,
        lanes,
        MOST_TIMED_STEPS if trace.timed else MOST_STEPS,
        annotations.sources if annotations else {},
    )
    axis = _axis(trace, facts, origin)
    sections = tuple(dict.fromkeys(one_line(span.name) for span in facts.spans))
    canvas = Canvas(
        trace,
        facts,
        axis,
        drawn_checks_of(trace, facts, annotations),
        annotations or Annotations(),
        key=Legend(sections),
    )
    canvas.routes = planned(canvas)
    top = _heading(canvas, clean(title), clean(subtitle))
    bottom = _lanes(canvas, top, verdicts or {})
    shade_window(canvas)
    shade_cycle(canvas, top, bottom)
    canvas.routes.draw(canvas.sheet, canvas.places, canvas.bars)
    check_lines(canvas)
    y = _draw_axis(canvas, top, bottom)
    y = caption(canvas, y + 6)
    y = _sentences(canvas, y)
    y = flow(canvas.sheet, canvas.key.entries(), _INSIDE, y)
    y = _omissions(canvas, y)
    return canvas.sheet.finish(_signs(canvas, y + 4) + MARGIN, _spots(canvas))


def _spots(canvas: Canvas) -> list[Spot]:
    first = canvas.facts.first
    drawn = enumerate(zip(canvas.trace.steps[first:], canvas.facts.moments[first:], strict=True), start=first)
    return [
        Spot(number, canvas.x(moment.at), place.middle)
        for number, (step, moment) in drawn
        if (place := canvas.places.get(step.process)) is not None
    ]


def _axis(trace: Trace, facts: Facts, origin: datetime | None) -> Axis:
    if not trace.timed:
        return step_axis(facts.first, facts.end, LEFT, RIGHT)
    runs = [name for name in facts.lives if name not in trace.daemons] or list(facts.lives)
    waiting = [(stretch.start, stretch.end) for stretch in facts.waits if stretch.end > facts.begin]
    busy = [facts.lives[name] for name in runs] + [(max(a, facts.begin), b) for a, b in waiting]
    return clock_axis(busy, [m.at for m in facts.moments[facts.first :]], LEFT, RIGHT, origin)


def _heading(canvas: Canvas, title: str, subtitle: str) -> float:
    labels, y = canvas.sheet.labels, MARGIN
    for line in wrap(title, 19, WIDTH - 2 * MARGIN, 2, bold=True):
        labels.append(Label(line, MARGIN, y + 10, 19, "left", "title"))
        y += 27
    for line in wrap(subtitle, 13, WIDTH - 2 * MARGIN, 3):
        labels.append(Label(line, MARGIN, y + 8, 13, "left", "subtitle"))
        y += 18
    return y + (34 if canvas.axis.cuts or canvas.trace.loop is not None else 8)


def _lanes(canvas: Canvas, top: float, verdicts: Mapping[str, tuple[str, bool | None]]) -> float:
    tints: dict[str, int] = {}
    y = top
    for n, process in enumerate(canvas.trace.processes[:MOST_LANES]):
        badge = Badge(*verdicts[process]) if process in verdicts else default_badge(canvas.trace, process)
        run_lane(canvas, process, badge, y, tints)
        y = _ground(canvas, process, "even" if n % 2 else "odd")
    y += 6
    for strip in canvas.facts.strips[:MOST_LANES]:
        strip_lane(canvas, strip, y)
        y = _ground(canvas, strip.name, "object")
    return y


def _ground(canvas: Canvas, name: str, kind: str) -> float:
    place = canvas.places[name]
    canvas.sheet.boxes.append(Box(kind, 0, place.top, WIDTH, place.bottom - place.top, name))
    return place.bottom


def default_badge(trace: Trace, process: str) -> Badge:
    """The text of a process without a verdict: its result, that it died, or what it waits for."""
    if process in trace.results:
        result = trace.results[process]
        return Badge(result if isinstance(result, str) else text(result))
    if process in trace.waiting:
        return Badge(f"waits for {trace.waiting[process]}", False)
    if any(step.op is None and step.process == process for step in trace.steps):
        return Badge("died")
    started = any(step.process == process for step in trace.steps)
    return Badge("not ended" if started else "never moved")


def _draw_axis(canvas: Canvas, top: float, bottom: float) -> float:
    sheet = canvas.sheet
    for piece in canvas.axis.pieces:
        sheet.lines.append(Line("axis", ((piece.left, bottom + 4), (piece.right, bottom + 4))))
    for tick in canvas.axis.ticks():
        sheet.lines.append(Line("grid", ((tick.x, top), (tick.x, bottom + 4))))
        sheet.lines.append(Line("axis", ((tick.x, bottom + 4), (tick.x, bottom + 9))))
        sheet.labels.append(Label(tick.text, tick.x, bottom + 19, 12, "center", "tick"))
    taken = 0.0
    for cut in canvas.axis.cuts:
        name = duration(cut.length)
        sheet.boxes.append(Box("cut", cut.left, top, cut.right - cut.left, bottom + 10 - top, name=name))
        label = Label(name, (cut.left + cut.right) / 2, top - 19, 12, "center", "cut")
        if label.extent[0] > taken:
            sheet.labels.append(label)
            taken = label.extent[2] + 6
        else:
            canvas.key.left_out += 1
    name = "step" if not canvas.trace.timed else "time" if canvas.axis.origin else "h:min"
    sheet.labels.append(Label(name, MARGIN, bottom + 19, 12, "left", "quiet"))
    return bottom + 38


def _sentences(canvas: Canvas, y: float) -> float:
    lettered = [drawn for drawn in canvas.drawn_checks if drawn.letter]
    for drawn in lettered[:_MOST_NOTES]:
        sheet = canvas.sheet
        sheet.marks.append(Mark(f"check_{drawn.kind}", MARGIN + 10, y))
        sheet.labels.append(Label(drawn.letter, MARGIN + 10, y, 11, "center", "letter"))
        words = elide(sentence(canvas, drawn), 13, WIDTH - 2 * MARGIN - 28)
        sheet.labels.append(Label(words, MARGIN + 28, y, 13, "left", "note"))
        y += 23
    if len(lettered) > _MOST_NOTES:
        return flow(canvas.sheet, [f"… and {len(lettered) - _MOST_NOTES} more such checks."], _INSIDE, y)
    return y


def sentence(canvas: Canvas, drawn: DrawnCheck) -> str:
    """A lettered check in words: who saw what, when, and who had written it where."""
    check, seen = drawn.check, drawn.check.seen
    value = _cut(seen.change or clean(seen.shown or "")) or "nothing"
    wrong = ", which is wrong" if seen.wrong else ""
    where = f"checking {_short(check.strip)} at {_when(canvas, check.step)}"
    reader = f"{_short(check.process)}, {where}, saw {value}{wrong}"
    if check.writer is None:
        return f"{reader}: it was there from the start."
    step = canvas.trace.steps[check.writer]
    who = "it itself" if drawn.writer == check.process else _short(step.process)
    within = f" in {_short(step.section)}" if step.section else ""
    return f"{reader}: written by {who}{within} at {_when(canvas, check.writer)}."


def _cut(value: str) -> str:
    """A value, or its beginning where it is very long."""
    return value if len(value) <= _MOST_LETTERS else f"{value[:_MOST_LETTERS]}…"


def _short(name: str) -> str:
    return elide(one_line(name), 13, 260)


def _when(canvas: Canvas, number: int) -> str:
    if not canvas.trace.timed:
        return f"step {number + 1}"
    return canvas.axis.clock(canvas.facts.moments[number].at, seconds=True)


def _omissions(canvas: Canvas, y: float) -> float:
    trace, facts = canvas.trace, canvas.facts
    words = []
    if facts.first:
        words.append(f"Not drawn: the first {facts.first:,} of {len(trace.steps):,} steps.")
    for kind, count in (("processes", len(trace.processes)), ("objects", len(facts.strips))):
        if count > MOST_LANES:
            words.append(f"Not drawn: {count - MOST_LANES:,} of {count:,} {kind}.")
    if canvas.key.left_out:
        left = canvas.key.left_out
        words.append(f"{left:,} label{'s' * (left != 1)} had no room and {'was' if left == 1 else 'were'} left out.")
    return flow(canvas.sheet, words, _INSIDE, y, "omission")


_MEANINGS = {
    "wait": "waiting",
    "hold": "lock held",
    "keep": "held, not a lock",
    "missing": "not held here",
    "window": "the window in which nobody else should write",
    "wrong": "wrong value",
    "wrong_seen": "wrong value that a check saw",
    "write": "the write that a check saw",
    "check_own": "check that saw its own write, or a first value",
    "check_other": "check that saw another's write",
    "check_wrong": "check that saw a wrong value",
    "change": "step that changed something",
    "step": "step that changed nothing",
    "death": "death",
}


_LINKS = {
    "ww": "overwrites what the other wrote",
    "wr": "reads what the other wrote",
    "rw": "overwrites what the other had read",
    "wants": "wants what the other holds",
}


def _signs(canvas: Canvas, y: float) -> float:
    """Samples of the signs that occur, with their meaning, on one or two lines; returns the y below."""
    sheet, x = canvas.sheet, MARGIN
    used = {box.kind for box in sheet.boxes} | {mark.kind for mark in sheet.marks}
    for kind, meaning in _MEANINGS.items():
        if kind not in used:
            continue
        wide = 40 + measure(meaning, 12)
        if x > MARGIN and x + wide > _INSIDE[1]:
            x, y = MARGIN, y + 22
        if kind in ("wait", "hold", "keep", "missing", "window", "wrong", "wrong_seen"):
            sheet.boxes.append(Box(kind, x, y - 6, 28, 12, "key"))
        else:
            sheet.marks.append(Mark(kind, x + 14, y + (3 if kind in ("step", "change") else 0), "key"))
        sheet.labels.append(Label(meaning, x + 34, y, 12, "left", "quiet"))
        x += wide + 22
    kinds = {link.kind for link in canvas.annotations.cycle}
    words = [f"{kind}: {meaning}" for kind, meaning in _LINKS.items() if kind in kinds]
    return flow(sheet, words, _INSIDE, y + 22) if words else y + 10
