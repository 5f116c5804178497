"""The files of a review: the map, the two price pictures, the stories' timelines, and the page that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dstamp_sim.disk.writing import write
from dstamp_sim.lock_review.answer import answer, end_text, for_whom, no_span, review_question, table, undecided
from dstamp_sim.lock_review.bounded import WithinBounds
from dstamp_sim.lock_review.compare import ANY_NUMBER, AfterDeath, JudgedPlacement, Patience, Standing
from dstamp_sim.lock_review.placement_map import MapCell, Panel, draw_map
from dstamp_sim.lock_review.review import PlacementStory, Review
from dstamp_sim.pipeline.explained import annotations_of, explained
from dstamp_sim.rendering.as_html import html
from dstamp_sim.rendering.as_markdown import markdown
from dstamp_sim.rendering.document import Block, Document, Figure, Heading, Items, Paragraph, Table
from dstamp_sim.rendering.fonts import label
from dstamp_sim.rendering.plots import Curve, Level, PlacementPoint, draw_front, draw_waiting
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.svg import standalone_svg

MOST_PANEL_SECTIONS = 12
"""Up to this many sections, a map of pairs of spans is readable."""


REVIEW_PAGE = "review.html"
"""The whole review as a page, in the folder of a review's files."""


@dataclass(frozen=True)
class ReviewFiles:
    """The whole review as a document, and the files that hold it."""

    page: Document
    files: tuple[Path, ...]


def write_review(review: Review, out: Path) -> ReviewFiles:
    """Writes map, pictures, timelines, `review.md` and `review.html`."""
    files: list[Path] = []
    pictures: dict[str, Path] = {}
    panels = list(_panels(review))
    if panels:
        files += [out / "placement-map.png", out / "placement-map.svg"]
        for file in files:
            draw_map(panels, _title(review), file, for_whom([o for o in review.judged if o.safe and not no_span(o)]))
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
    page = Document(f"Lock review of {review.name}", tuple(_blocks(review, pictures, stories)))
    drawn = [*(file for name, file in pictures.items() if name != "map"), *(story.file for story in stories)]
    write(out / "review.md", lambda: markdown(page, {file.name: file.name for file in (*files, *drawn)}))
    write(out / REVIEW_PAGE, lambda: html(page))
    return ReviewFiles(page, (*files, *drawn, out / "review.md", out / REVIEW_PAGE))


def _title(review: Review) -> str:
    """The question of the map; a long name of a model is cut, the question is not."""
    cost = ", and what does it cost" if any(one.price for one in review.judged) else ""
    return f"{label(review.name)}: which lock placement is safe{cost}?"


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


def _one_span(one: JudgedPlacement) -> bool:
    placement = one.placement
    return len(placement.spans) == 1 and placement.spans[0].waits and not placement.sets


def _of_lock(pairs: Sequence[JudgedPlacement]) -> str:
    locks = {span.lock for one in pairs for span in one.placement.spans}
    return f" of the {locks.pop()} lock" if len(locks) == 1 else ""


def _short(spans: Sequence[str]) -> tuple[str, ...]:
    """Spans without their lock's name if that is always the same."""
    locks = {span.partition(":")[0] for span in spans}
    return tuple(span.partition(":")[2] if len(locks) == 1 else span for span in spans)


def _cell(review: Review, one: JudgedPlacement, row: int, column: int) -> MapCell:
    number: float | None = float(one.steps or one.deadlock_steps) or None
    if one.safe:
        number = one.price.waited_p95_s.mean if one.price else None
    narrow = one.safe and one.numbers != ANY_NUMBER
    marks = (narrow, one.shape == review.present, one in review.recommended, one.wait.patience is Patience.STARVES)
    return MapCell(row, column, one.standing, one.after_death, number, *marks)


def _points(review: Review) -> Iterator[PlacementPoint]:
    named = {one.shape for one in review.minimal[:3]} | {review.present, "none"}
    for one in review.judged:
        price = one.price
        if price is None or price.turned_away.mean > 0:
            continue
        waited = price.waited_p95_s
        name = one.shape if one.shape in named else ""
        yield PlacementPoint(
            waited.mean, waited.low, waited.high, _level(one), one.steps, name, one in review.recommended
        )


def _level(one: JudgedPlacement) -> Level:
    unsafe = {
        Standing.BROKEN: Level.BROKEN,
        Standing.DEADLOCK: Level.DEADLOCK,
        Standing.TRAP: Level.TRAP,
        Standing.UNDECIDED: Level.UNDECIDED,
    }
    safe = {AfterDeath.SAFE: Level.SAFE, AfterDeath.STUCK: Level.BLOCKS, AfterDeath.BREAKS: Level.FRAGILE}
    return safe.get(one.after_death, Level.DEATH_UNDECIDED) if one.safe else unsafe[one.standing]


def _draw_story(story: PlacementStory, number: int, out: Path) -> Figure:
    """The timeline of a story, with its caption."""
    file = out / f"story-{number}.svg"
    write(file, lambda: _story_picture(story))
    return Figure(file, story.sentence)


def _story_picture(story: PlacementStory) -> str:
    why = explained(story.system, story.trace, about=story.prop)
    annotations = annotations_of(story.trace, why) if why.fact else None
    layout = lay_out(story.trace, story.system.lanes, title=story.title, annotations=annotations)
    return standalone_svg(layout, story.title)


def _blocks(review: Review, pictures: dict[str, Path], stories: Sequence[Figure]) -> Iterator[Block]:
    """The page: a heading for each part with content, and its blocks."""
    for heading, *blocks in _parts(review, pictures, stories):
        if blocks:
            yield Heading(heading)
            yield from blocks


ReviewPart = tuple[str, *tuple[Block, ...]]
"""A heading, and the blocks below it."""


def _parts(review: Review, pictures: dict[str, Path], stories: Sequence[Figure]) -> Iterator[ReviewPart]:
    best = list(review.minimal[:6])
    present = review.of(review.present)
    listed = [*best, *([present] if present and present not in best else [])]
    named = [one for one in review.judged if no_span(one)]
    captions = {
        "map": "Every span by its first and last section.",
        "front": (
            "Every placement that was priced and turns nobody away; the dashed line joins those that no other beats in "
            "both, as far as they are decided."
        ),
        "waiting": "The smallest safe placements and the present one as arrivals grow; each stream has as many runs.",
    }
    figures = {name: (Figure(pictures[name], captions[name]),) for name in captions if name in pictures}
    yield "Question", Paragraph(review_question(review))
    yield "Answer", *map(Paragraph, answer(review))
    yield "Map", *figures.get("map", ())
    yield "Within bounds", *([_within_table(review.within)] if review.within else [])
    yield "Not decided", *([undecided(review)] if undecided(review).rows else [])
    yield "The smallest safe ones, best first, and the present one", table(review, listed)
    yield "Designs that are not spans", *([table(review, named)] if named else [])
    yield "Why the ends are where they are", *([Items(tuple(map(end_text, review.ends)))] if review.ends else [])
    yield "Price", *figures.get("front", ()), *figures.get("waiting", ())
    yield "Stories", *stories
    yield "Assumptions", Items(tuple(_assumptions(review)))


def _within_table(within: WithinBounds) -> Table:
    """What becomes of each placement that is not safe."""
    return Table(("not safe", f"within {within.scenario}"), tuple(within.found.items()))


def _assumptions(review: Review) -> list[str]:
    lines = [f"{text} ({source})" for text, source in review.assumptions]
    for name, delay in review.scenario.timing.delays.items() if review.scenario else ():
        figures = ", ".join(f"{figure:g}" for figure in delay.figures)
        lines.append(f"{name}: {delay.shape.value} {figures} ({delay.source})")
    lines.append(
        "Verdicts are about the model; deadlocks and traps are searched for with the named numbers of processes."
    )
    return lines
