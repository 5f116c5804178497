"""What the steps of a lane did, in words below its bar: steps of the story always, others if there is room."""

from __future__ import annotations

from dataclasses import dataclass

from dstamp_sim.core.op import GAVE_UP
from dstamp_sim.core.trace import Step
from dstamp_sim.core.value import text
from dstamp_sim.rendering.timeline.canvas import LEFT, RIGHT, ROW, Canvas
from dstamp_sim.rendering.timeline.shapes import Label, clean, elide, measure
from dstamp_sim.rendering.timeline.shelf import Extent, Shelf, around

_DEED_SIZE = 11
_WIDEST_PX = 420.0
_NARROW_PX, _WIDE_PX = 26.0, 76.0
"""A step narrower than the first has words only if the story needs them; wider than the second, two rows suffice."""
_NEAR_PX = 9.0
"""How far from its step a label may begin or end, in pixels."""


@dataclass
class _Deed:
    """One step's words, from most to fewest; their place: the row, and the part of it that they take."""

    x: float
    words: list[str]
    in_story: bool
    row: int = -1
    at: float = 0.0
    stretch: Extent = (0.0, 0.0)
    chosen: str = ""


def deed_rows(canvas: Canvas, process: str, y: float) -> float:
    """Writes what the steps of a process did, on as many rows from `y` on as needed; returns the y below."""
    deeds = _deeds(canvas, process)
    blocked = canvas.routes.below(process) + around(canvas.upright(process), 3)
    shelves = list[Shelf]()
    for deed in deeds:
        _stand(deed, shelves, blocked, _most_rows(canvas))
    for deed in deeds:
        _grow(deed, shelves)
    for deed in deeds:
        if deed.row < 0:
            canvas.key.left_out += 1
            continue
        kind = "story" if deed.in_story else "deed"
        middle = y + ROW * deed.row + ROW / 2 + 1
        canvas.sheet.labels.append(Label(deed.chosen, deed.at, middle, _DEED_SIZE, "left", kind))
    return y + ROW * len(shelves)


def _most_rows(canvas: Canvas) -> int:
    return 2 if _step_px(canvas) >= _WIDE_PX else 3


def _step_px(canvas: Canvas) -> float:
    return canvas.x(canvas.facts.begin + 1) - LEFT


def _deeds(canvas: Canvas, process: str) -> list[_Deed]:
    """The steps that want words: the story's first, so that they find room."""
    in_story = canvas.annotations.steps
    all_of_them = not canvas.trace.timed and _step_px(canvas) >= _NARROW_PX
    found = [
        _Deed(canvas.x(canvas.facts.moments[n].at), _words(canvas, n), n in in_story or step.op is None)
        for n, step in enumerate(canvas.trace.steps)
        if step.process == process and n >= canvas.facts.first and (all_of_them or n in in_story or step.op is None)
    ]
    return sorted(found, key=lambda deed: not deed.in_story)


def _words(canvas: Canvas, number: int) -> list[str]:
    """What a step did, in fewer and fewer words; for a step that the story needs, never without its result."""
    step = canvas.trace.steps[number]
    if step.op is None:
        return ["dies"]
    in_story = number in canvas.annotations.steps
    verb, gave = step.op.verb, _gave(step, said=number in canvas.annotations.nones | canvas.trace.telling_nones)
    label = f" ({step.label})" if step.label else ""
    args = "".join(f" {text(arg)}" for arg in step.op.args)
    whole, brief = clean(f"{verb}{args}{gave}{label}"), clean(verb + gave)
    words = [
        whole,
        elide(whole, _DEED_SIZE, _WIDEST_PX),
        brief,
        elide(brief, _DEED_SIZE, 200),
        *([] if in_story else [clean(verb)]),
    ]
    return [word for word in dict.fromkeys(words) if word and measure(word, _DEED_SIZE) <= _WIDEST_PX]


def _gave(step: Step, *, said: bool) -> str:
    """The result of a step; None is written where it is an answer."""
    if step.taken is not None or step.op is None or step.op.target is None:
        return ""
    if step.result is GAVE_UP or (step.result is None and not said):
        return ""
    return f" → {text(step.result)}"


def _stand(deed: _Deed, shelves: list[Shelf], blocked: list[Extent], most: int) -> None:
    """Puts a deed's fewest words on the first row that has room near it; the story has a separate row if necessary."""
    words = deed.words[-1]
    wide = measure(words, _DEED_SIZE)
    fresh = Shelf((LEFT - 40, RIGHT + 8), blocked)
    for row, shelf in enumerate([*shelves, fresh]):
        left = _near(deed, shelf, wide) if row < most or deed.in_story else None
        if left is None and shelf is fresh and deed.in_story:
            left = shelf.fit(wide, deed.x - wide / 2, 0, RIGHT + 8)
        if left is not None:
            shelves += [fresh] * (shelf is fresh)
            deed.row, deed.at, deed.chosen, deed.stretch = row, left, words, shelf.take(left, wide)
            return


def _grow(deed: _Deed, shelves: list[Shelf]) -> None:
    """Extends a deed to as many words as its place has room for."""
    if deed.row < 0:
        return
    shelf = shelves[deed.row]
    shelf.leave(deed.stretch)
    for words in deed.words:
        wide = measure(words, _DEED_SIZE)
        left = deed.at if words == deed.chosen else _near(deed, shelf, wide)
        if left is not None:
            deed.at, deed.chosen, deed.stretch = left, words, shelf.take(left, wide)
            return


def _near(deed: _Deed, shelf: Shelf, wide: float) -> float | None:
    return shelf.fit(wide, deed.x - wide / 2, deed.x - wide - _NEAR_PX, deed.x + _NEAR_PX)
