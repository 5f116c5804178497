"""The first screen of a review: the question, the answer in a few lines, one small table, and where the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dstamp_sim.lock_review.answer import counts, flips_in_brief, orders_text, price_text, review_question, verdict_text
from dstamp_sim.lock_review.compare import ANY_NUMBER, DECLARED, JudgedPlacement, Standing
from dstamp_sim.lock_review.review import Review
from dstamp_sim.rendering.document import Document, Items, Paragraph, Table, Text, strong
from dstamp_sim.rendering.plots import waiting_text

MOST_ROWS = 4
"""How many of the smallest safe placements the table has."""


def brief(review: Review, page: Path) -> Document:
    """What a reader must know first; `page` is the file of the whole review."""
    rest = f"Reasons, stories, the map, prices and all tables: {page}, or here with --full."
    blocks = (Paragraph(review_question(review)), Items(tuple(_lines(review))), _small_table(review), Paragraph(rest))
    return Document(f"Lock review of {review.name}", blocks)


def _lines(review: Review) -> Iterator[Text]:
    yield strong("Judged"), f": {counts(review.judged)}."
    none, present = review.of("none"), review.of(review.present)
    if present is not None:
        yield strong("As it is"), f" ({present.shape}): {verdict_text(present)}.{_how(review, present)}"
    if review.no_cure:
        yield f"{review.no_cure[0].upper()}{review.no_cure[1:]}."
    elif none is not None and none.safe:
        yield strong("No lock is needed"), ": it is safe without one."
    elif review.recommended:
        best = review.recommended[0]
        yield strong("Recommended"), f": {best.shape} ({verdict_text(best)}{price_text(best.price)})."
    yield from review.within.lines() if review.within else ()
    if review.orders:
        yield strong("Served"), f": {orders_text(review.orders)}."
    if review.flips is not None:
        yield strong("Would change the choice"), f": {flips_in_brief(review.flips)}"
    if unknown := _unknown(review):
        yield strong("Not known"), f": {unknown}."


def _how(review: Review, present: JudgedPlacement) -> str:
    """How the present placement fails, in a sentence; empty if it does not."""
    return next((f" {story.sentence}" for story in review.stories if story.judged == present), "")


def _unknown(review: Review) -> str:
    """How many placements are judged in part only, or not at all; the page has their names and the reasons."""
    narrow = [one for one in review.judged if one.safe and one.numbers != ANY_NUMBER]
    numbers = {
        "not decided": [one for one in review.judged if one.standing is Standing.UNDECIDED],
        f"safe for some numbers of runs only{_as_declared(narrow)}": narrow,
        "not judged, as they name unknown locks": review.left_out,
        "without a price": [one for one in review.judged if one.unpriced],
    }
    return ", ".join(f"{len(those)} {words}" for words, those in numbers.items() if those)


def _as_declared(narrow: Sequence[JudgedPlacement]) -> str:
    """Why all of these are judged for the declared numbers only, and the remedy; empty if that is not the reason."""
    reasons = {one.why if one.numbers == DECLARED else "" for one in narrow}
    return f" ({reasons.pop()})" if len(reasons) == 1 and "" not in reasons else ""


def _small_table(review: Review) -> Table:
    """The smallest safe placements, the best first, and the present one."""
    best: Sequence[JudgedPlacement] = review.minimal[:MOST_ROWS]
    present = review.of(review.present)
    listed = [*best, *([present] if present and present not in best else [])]
    priced = any(one.price for one in listed)
    rows = [(one.shape, verdict_text(one), *([_waited(one)] if priced else [])) for one in listed]
    return Table(("placement", "verdict", *(["95 in 100 wait at most"] if priced else [])), tuple(rows))


def _waited(one: JudgedPlacement) -> str:
    return waiting_text(one.price.waited_p95_s.mean) if one.price else ""
