"""The files of a review: the map, the two price pictures, the stories' timelines, and the page that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dstamp_sim.core.verdict import Verdict
from dstamp_sim.inputs.witness_file import write_text
from dstamp_sim.lock_review.compare import End, Judged, Price, after_crash_rank
from dstamp_sim.lock_review.placement_map import Cell, Panel, draw_map
from dstamp_sim.lock_review.review import Review, Story
from dstamp_sim.pipeline.explained import explained, told_by
from dstamp_sim.rendering.document import Block, Figure, Part, Table, html, markdown
from dstamp_sim.rendering.plots import Curve, Point, draw_front, draw_waiting, waiting_text
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.svg import standalone_svg

MOST_PANEL_SECTIONS = 12
"""Sections up to which a map of pairs of spans can be read."""


def write_review(review: Review, out: Path) -> list[Path]:
    """Writes map, pictures, timelines, `review.md` and `review.html`; gives the files."""
    files: list[Path] = []
    pictures: dict[str, Path] = {}
    panels = list(_panels(review))
    if panels:
        files += [out / "placement-map.png", out / "placement-map.svg"]
        for file in files:
            draw_map(panels, f"{review.name}: which lock placement is safe, and what does it cost?", file)
        pictures["map"] = out / "placement-map.svg"
    points = list(_points(review))
    if points:
        pictures["front"] = out / "price-against-safety.svg"
        draw_front(points, "What safety costs in waiting time", pictures["front"])
    if review.waiting:
        pictures["waiting"] = out / "waiting-by-arrivals.svg"
        curves = [Curve(one.shape, one.per_day, one.waited_s) for one in review.waiting]
        draw_waiting(curves, review.per_day, "Waiting time as arrivals grow", pictures["waiting"])
    stories = [_draw_story(story, number, out) for number, story in enumerate(review.stories, start=1)]
    parts = _parts(review, pictures, stories)
    title = f"Lock review of {review.name}"
    write_text(out / "review.md", markdown(title, parts))
    write_text(out / "review.html", html(title, parts))
    drawn = [file for name, file in pictures.items() if name != "map"]
    return [*files, *drawn, *(story.file for story in stories), out / "review.md", out / "review.html"]


def answer(review: Review) -> list[str]:
    """The review's answer in a few sentences."""
    judged = review.judged
    if review.no_cure:
        return [f"{review.no_cure[0].upper()}{review.no_cure[1:]}."]
    safe = [one for one in judged if one.safe]
    count = f"{len(safe)} of {len(judged)} placements {'is' if len(safe) == 1 else 'are'} safe"
    lines = [f"{count}{_for_whom(safe)}."]
    none = review.of("none")
    if none is not None and none.safe:
        return [*lines, "No lock is needed: it is safe without one."]
    present = review.of(review.present)
    if present is not None:
        lines.append(f"As it is ({present.shape}): {verdict_text(present)}.")
    best = review.recommended[:1]
    lines += [f"Recommended: {one.shape} ({verdict_text(one)}{_price_text(one.price)})." for one in best]
    fragile = [one for one in review.minimal if after_crash_rank(one) == 2 and one not in review.recommended]
    if fragile and best and _waits(fragile[0]) < _waits(best[0]):
        one = fragile[0]
        lines.append(f"{one.shape} would cost less waiting{_price_text(one.price)}, but is {verdict_text(one)}.")
    return lines


def _waits(one: Judged) -> float:
    return one.price.waited_p95_s.mean if one.price else 0.0


def _for_whom(safe: Sequence[Judged]) -> str:
    return " for every number of runs" if safe and all(one.numbers == "any number" for one in safe) else ""


def verdict_text(one: Judged) -> str:
    """What was found of a placement, in a few words."""
    if one.verdict is Verdict.VIOLATED:
        return f"broken by {one.smallest} in {one.steps} steps"
    if one.deadlock is Verdict.VIOLATED:
        return f"deadlock after {one.deadlock_steps} steps"
    if one.verdict is Verdict.UNDETERMINED:
        return "not decided"
    crash = {"safe": ", also when one dies", "breaks": " until one dies", "the others are stuck": "; a death blocks"}
    return f"safe for {one.numbers}{crash.get(one.after_crash, '')}"


def _price_text(price: Price | None) -> str:
    return "" if price is None else f", 95 in 100 wait at most {waiting_text(price.waited_p95_s.mean)}"


_PRICED = ("runs/h", "makespan", "wait p50", "wait p95 (95 %)", "longest", "lock held", "refused")


def table(review: Review, judged: Sequence[Judged]) -> Table:
    """Placements with verdicts, and with prices where any was priced, as text."""
    priced = _PRICED if any(one.price for one in judged) else ()
    rows = [
        (
            one.shape,
            verdict_text(one),
            *(_figures(one.price) if one.price else ("",) * len(priced)),
            review.dominated.get(one.shape, ""),
        )
        for one in judged
    ]
    return Table(("placement", "verdict", *priced, "dominated by"), tuple(rows))


def _figures(price: Price) -> tuple[str, ...]:
    """A price under the heads of `_PRICED`."""
    return (
        f"{price.throughput_per_h.mean:.2f}",
        waiting_text(price.makespan_s.mean),
        waiting_text(price.waited_p50_s.mean),
        f"{waiting_text(price.waited_p95_s.low)} .. {waiting_text(price.waited_p95_s.high)}",
        waiting_text(price.waited_max_s.mean),
        f"{price.utilisation.mean:.0%}",
        f"{price.turned_away.mean:.0%}",
    )


def _panels(review: Review) -> Iterator[Panel]:
    sections = review.sections
    for lock in review.locks:
        spans = [(one, one.placement.spans[0]) for one in review.judged if _one_span(one)]
        cells = [
            _cell(review, one, sections.index(span.first), sections.index(span.last))
            for one, span in spans
            if span.lock == lock and span.last in sections
        ]
        yield Panel(f"one span of the {lock} lock", sections, sections, tuple(cells), "from", "to")
    pairs = [one for one in review.judged if len(one.placement.spans) == 2 and not one.placement.sets]
    if pairs and len(sections) <= MOST_PANEL_SECTIONS:
        rows = list(dict.fromkeys(str(one.placement.spans[0]) for one in pairs))
        columns = list(dict.fromkeys(str(one.placement.spans[1]) for one in pairs))
        cells = [
            _cell(review, one, rows.index(str(one.placement.spans[0])), columns.index(str(one.placement.spans[1])))
            for one in pairs
        ]
        yield Panel(
            f"two spans{_of_lock(pairs)}", _short(rows), _short(columns), tuple(cells), "first span", "second span"
        )


def _one_span(one: Judged) -> bool:
    placement = one.placement
    return len(placement.spans) == 1 and placement.spans[0].waits and not placement.sets


def _of_lock(pairs: Sequence[Judged]) -> str:
    locks = {span.lock for one in pairs for span in one.placement.spans}
    return f" of the {locks.pop()} lock" if len(locks) == 1 else ""


def _short(spans: Sequence[str]) -> tuple[str, ...]:
    """Spans without their lock's name where that is always the same."""
    locks = {span.partition(":")[0] for span in spans}
    return tuple(span.partition(":")[2] if len(locks) == 1 else span for span in spans)


def _cell(review: Review, one: Judged, row: int, column: int) -> Cell:
    number: float | None = float(one.steps or one.deadlock_steps)
    state = "broken"
    if one.safe:
        state = "fragile" if after_crash_rank(one) == 2 else "safe"
        number = one.price.waited_p95_s.mean if one.price else None
    elif one.verdict is Verdict.UNDETERMINED:
        state = "unknown"
    elif one.verdict is Verdict.HOLDS:
        state = "stuck"
    return Cell(row, column, state, number, one.shape == review.present, one in review.recommended)


def _points(review: Review) -> Iterator[Point]:
    named = {one.shape for one in review.minimal[:3]} | {review.present, "none"}
    for one in review.judged:
        price = one.price
        if price is None or one.verdict is Verdict.UNDETERMINED or price.turned_away.mean > 0:
            continue
        level = 0 if one.verdict is Verdict.VIOLATED else 1 if not one.safe else 2 if after_crash_rank(one) == 2 else 3
        waited = price.waited_p95_s
        name = one.shape if one.shape in named else ""
        yield Point(waited.mean, waited.low, waited.high, level, one.steps, name, one in review.recommended)


def _draw_story(story: Story, number: int, out: Path) -> Figure:
    """The timeline of a story, with its caption."""
    why = explained(story.system, story.trace, about=story.prop)
    told = told_by(story.trace, why) if why.fact else None
    layout = lay_out(story.trace, story.system.lanes, title=story.title, told=told)
    file = out / f"story-{number}.svg"
    file.write_text(standalone_svg(layout, story.title), encoding="utf-8")
    return Figure(file, story.sentence)


def _parts(review: Review, pictures: dict[str, Path], stories: Sequence[Figure]) -> list[Part]:
    best = list(review.minimal[:6])
    present = review.of(review.present)
    listed = [*best, *([present] if present and present not in best else [])]
    named = [one for one in review.judged if one.placement.sets or any(not s.waits for s in one.placement.spans)]
    captions = {
        "map": "Every span by its first and last section.",
        "front": "Every placement that was priced; the dashed line joins those that no other beats in both.",
        "waiting": "The smallest safe placements and the present one as arrivals grow; each stream has as many runs.",
    }
    figures: dict[str, list[Block]] = {k: [Figure(pictures[k], captions[k])] for k in captions if k in pictures}
    question = (
        f"Which placement of the locks {', '.join(review.locks)} over {', '.join(review.sections)} keeps "
        f"{'; '.join(review.properties)}?"
    )
    parts = [
        Part("Question", (question,)),
        Part("Answer", tuple(answer(review))),
        Part("Map", tuple(figures.get("map", []))),
        Part("The smallest safe ones, best first, and the present one", (table(review, listed),)),
        Part("Designs that are no span", (table(review, named),)) if named else Part("", ()),
        Part("Why the ends are where they are", ([end_text(end) for end in review.ends],))
        if review.ends
        else Part("", ()),
        Part("Price", (*figures.get("front", []), *figures.get("waiting", []))),
        Part("Stories", tuple(stories)),
        Part("Assumptions", (_assumptions(review),)),
    ]
    return [part for part in parts if part.blocks]


def end_text(end: End) -> str:
    """Why a recommended span has the end that it has."""
    return f"{end.section} must be inside: otherwise ({end.otherwise.shape}) it is {verdict_text(end.otherwise)}."


def _assumptions(review: Review) -> list[str]:
    lines = [f"{text} ({source})" for text, source in review.assumptions]
    for name, delay in review.scenario.timing.delays.items() if review.scenario else ():
        figures = ", ".join(f"{figure:g}" for figure in delay.figures)
        lines.append(f"{name}: {delay.shape.value} {figures} ({delay.source})")
    lines.append("Verdicts are of the model; deadlocks are looked for with the numbers of processes that are named.")
    return lines
