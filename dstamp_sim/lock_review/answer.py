"""The text of a review: the counts, the recommendation, why ends are where they are, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dstamp_sim.core.numbers import many
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.lock_review.compare import (
    ANY_NUMBER,
    DECLARED,
    AfterDeath,
    JudgedPlacement,
    NeededSection,
    Patience,
    Price,
    Standing,
    after_death_rank,
    lies_within,
)
from dstamp_sim.lock_review.flip import Flip, Flips
from dstamp_sim.lock_review.joined import Joined, of_two_locks
from dstamp_sim.lock_review.review import Review
from dstamp_sim.lock_review.stream import ServiceOrder
from dstamp_sim.rendering.document import Table
from dstamp_sim.rendering.plots import waiting_text

MOST_NAMED = 6
"""How many placements a sentence names; the page has all of them."""


def review_question(review: Review) -> str:
    """The question that the review answers."""
    kept = "; ".join(review.properties)
    locks = f"lock{'s' * (len(review.locks) != 1)} {', '.join(review.locks)}"
    return f"Which placement of the {locks} over {', '.join(review.sections)} keeps {kept}?"


def answer(review: Review) -> list[str]:
    """The review's answer in a few sentences."""
    within = review.within.lines() if review.within else ()
    return [
        line for part in (_found(review), within, _beside(review), _limits(review), _prices(review)) for line in part
    ]


def _found(review: Review) -> Iterator[str]:
    """How many are safe, and which one to take."""
    yield f"{counts(review.judged)}."
    if review.no_cure:
        yield f"{review.no_cure[0].upper()}{review.no_cure[1:]}."
        return
    none = review.of("none")
    if none is not None and none.safe:
        yield "No lock is needed: it is safe without one."
        return
    present = review.of(review.present)
    if present is not None:
        yield f"As it is ({present.shape}): {verdict_text(present)}."
    best = review.recommended
    for one in best:
        yield f"Recommended: {one.shape} ({verdict_text(one)}{price_text(one.price)})."
        yield from _maybe_smaller(one, review)
    fragile = [one for one in review.minimal if best and after_death_rank(one) == 2 > after_death_rank(best[0])]
    if fragile and _waits(fragile[0]) < _waits(best[0]):
        one = fragile[0]
        yield f"{one.shape} would cost less waiting{price_text(one.price)}, but is {verdict_text(one)}."


def _beside(review: Review) -> Iterator[str]:
    """What would change the choice, which designs are not spans, and what two locks do together."""
    if review.flips is not None:
        yield flip_text(review.flips)
    if review.orders:
        yield f"The order in which {review.orders[0].shape} serves: {orders_text(review.orders)}."
    designs = [one for one in review.judged if no_span(one)]
    if designs:
        named = "; ".join(f"{one.shape} ({verdict_text(one)}{price_text(one.price)})" for one in designs[:MOST_NAMED])
        more = f"; and {len(designs) - MOST_NAMED} more, which --json has" if len(designs) > MOST_NAMED else ""
        yield f"Designs that are not spans: {named}{more}."
    if review.joined is not None:
        yield _joined_text(review.joined)
    stuck = [one.shape for one in review.judged if of_two_locks(one) and one.standing is Standing.DEADLOCK]
    if stuck:
        yield f"Two locks that are not known to break anything else, but can deadlock together: {_named(stuck)}."


def no_span(one: JudgedPlacement) -> bool:
    """Whether a design does something else than wait for locks over spans: it sets parameters, or turns runs away."""
    return bool(one.placement.sets) or any(not span.waits for span in one.placement.spans)


def flip_text(flips: Flips) -> str:
    """Which assumption would change the choice, in a line; or what was tried and would not."""
    changing = [f"if {one.assumption}, {_instead(one)}" for one in flips.found]
    changes = f"nothing {'else ' if changing else ''}that was tried changes it: if {', '.join(flips.unmoved)}"
    if not changing:
        return f"The choice stands; {changes}."
    return f"The choice would change {'; '.join(changing)}{f'; {changes}' if flips.unmoved else ''}."


def flips_in_brief(flips: Flips) -> str:
    """The same without the assumptions that change nothing: their number."""
    changes = "; ".join(f"if {one.assumption} ({_instead(one)})" for one in flips.found) or "nothing that was tried"
    return (
        f"{changes}. {len(flips.unmoved)} other assumptions that were tried change nothing."
        if (flips.found and flips.unmoved)
        else f"{changes}."
    )


def _joined_text(joined: Joined) -> str:
    if joined.tried == 0:
        why = "was worth judging, as no span protects a part of the failing properties"
        return f"Two locks together: none of {joined.possible} pairs {why}."
    cut = f" (more were worth it, but the bound is {joined.tried})" if joined.cut else ""
    return f"Two locks together: {joined.tried} of {joined.possible} pairs of their spans were judged{cut}."


def _instead(flip: Flip) -> str:
    return f"to {flip.choice}" if flip.choice else "as it would no longer be safe"


def counts(judged: Sequence[JudgedPlacement]) -> str:
    """How many placements are safe, and for whom; how many are broken, can deadlock, trap, or are not decided."""
    safe = [one for one in judged if one.safe]
    sentences = [f"{len(safe)} of {many(len(judged), 'placement')} {_are(len(safe))} safe{for_whom(safe)}"]
    for standing, words in (
        (Standing.BROKEN, "{} {are} broken"),
        (Standing.DEADLOCK, "{} of the rest can deadlock"),
        (Standing.TRAP, "{} of the rest can lead into a trap"),
        (Standing.UNDECIDED, "{} {are} not decided"),
    ):
        number = sum(one.standing is standing for one in judged)
        if number:
            sentences.append(words.format(number, are=_are(number)))
    return ", ".join(sentences)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def for_whom(safe: Sequence[JudgedPlacement]) -> str:
    """For which numbers of runs all of these are safe; if that differs, how many of them for each."""
    numbers = [one.numbers for one in safe]
    kinds = dict.fromkeys(sorted(numbers, key=lambda kind: kind != ANY_NUMBER))
    if len(kinds) < 2:
        return "".join(f" for {_whose(kind)}" for kind in kinds)
    return f" ({', '.join(f'{numbers.count(kind)} for {_whose(kind)}' for kind in kinds)})"


def _whose(numbers: str) -> str:
    return {ANY_NUMBER: "every number of runs", DECLARED: "the declared numbers of runs"}.get(
        numbers, f"{numbers} runs"
    )


def _maybe_smaller(one: JudgedPlacement, review: Review) -> Iterator[str]:
    """Smaller placements than a recommended one that are not decided."""
    inside = [
        other.shape
        for other in review.judged
        if other.standing is Standing.UNDECIDED
        and other.placement.spans
        and lies_within(other.placement, one.placement, review.sections)
    ]
    if inside:
        yield f"Less may suffice: {_named(inside)} {_are(len(inside))} not decided."


def _limits(review: Review) -> Iterator[str]:
    """The placements that are not decided, or not for every number, and why; and those that were not judged."""
    if review.left_out:
        yield f"Not judged, as they name unknown locks: {_named(review.left_out)}."
    unknown = [one for one in review.judged if one.wait.patience is Patience.UNDECIDED]
    if unknown:
        named = _named([one.shape for one in unknown])
        yield f"Whether a run may wait for ever is not decided: {named} ({unknown[0].wait.why})."
    for why, shapes in _by_reason(one for one in review.judged if one.standing is Standing.UNDECIDED).items():
        yield f"Not decided: {_named(shapes)} ({why})."
    narrow = [one for one in review.judged if one.safe and one.numbers != ANY_NUMBER]
    for why, shapes in _by_reason(narrow).items():
        numbers = next(one.numbers for one in narrow if one.why == why)
        yield f"Judged for {_whose(numbers)} only: {_named(shapes)} ({why})."


def _prices(review: Review) -> Iterator[str]:
    """Why a price is missing."""
    found: dict[str, list[str]] = {}
    for one in review.judged:
        if one.unpriced:
            found.setdefault(one.unpriced, []).append(one.shape)
    for why, shapes in found.items():
        of = "" if len(shapes) == len(review.judged) else f" of {_named(shapes)}"
        yield f"No price{of}: {why}."


def _by_reason(judged: Iterable[JudgedPlacement]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in judged:
        found.setdefault(one.why, []).append(one.shape)
    return found


def _named(shapes: Sequence[str]) -> str:
    named, more = "; ".join(shapes[:MOST_NAMED]), len(shapes) - MOST_NAMED
    return f"{named}; and {more} more, which --json has" if more > 0 else named


def _waits(one: JudgedPlacement) -> float:
    return one.price.waited_p95_s.mean if one.price else 0.0


_WITH_DEATH = {
    AfterDeath.SAFE: ", also when one dies",
    AfterDeath.STUCK: "; a death blocks",
    AfterDeath.BREAKS: " until one dies",
    AfterDeath.UNDECIDED: "; with a death not decided",
    AfterDeath.NOT_ASKED: "",
}


_PATIENCE = {
    Patience.COMES: "",
    Patience.STARVES: "; a run may wait for ever",
    Patience.UNDECIDED: "; whether a run may wait for ever is not decided",
    Patience.NOT_ASKED: "",
}


def orders_text(orders: Sequence[ServiceOrder]) -> str:
    """What a placement's locks cost and grant if they barge, and if they are FIFO, in a line."""
    return "; ".join(f"{'FIFO' if one.fifo else 'barging'}: {_order(one)}" for one in orders)


def _order(one: ServiceOrder) -> str:
    wait = {Patience.STARVES: "a run may wait for ever while others keep coming"}.get(
        one.wait.patience, one.wait.patience.value
    )
    if one.price is None:
        return wait
    longest = waiting_text(one.price.waited_max_s.mean)
    return f"{wait}{price_text(one.price)}, the worst run {longest}"


def verdict_text(one: JudgedPlacement) -> str:
    """The verdict on a placement, in a few words."""
    match one.standing:
        case Standing.BROKEN:
            return f"broken by {one.smallest} in {many(one.steps, 'step')}" if one.steps else f"broken: {one.broken}"
        case Standing.DEADLOCK | Standing.TRAP:
            unknown = ", the rest not decided" if one.verdict is Verdict.UNDETERMINED else ""
            steps = many(one.deadlock_steps, "step")
            return f"{one.standing.value} after {steps}{unknown}"
        case Standing.UNDECIDED:
            return "not decided"
        case Standing.SAFE:
            return f"safe for {one.numbers}{_WITH_DEATH[one.after_death]}{_PATIENCE[one.wait.patience]}"


def price_text(price: Price | None) -> str:
    """The time that 95 runs in 100 wait at most; empty if there is no price."""
    return "" if price is None else f", 95 in 100 wait at most {waiting_text(price.waited_p95_s.mean)}"


def end_text(end: NeededSection) -> str:
    """Why a recommended span ends where it does."""
    return f"{end.section} must be inside: otherwise ({end.otherwise.shape}) it is {verdict_text(end.otherwise)}."


_PRICED = ("runs/h", "makespan", "wait p50", "wait p95 (95 %)", "longest", "lock held", "refused")


def table(review: Review, judged: Sequence[JudgedPlacement]) -> Table:
    """Placements with verdicts, and with prices if any was priced, as text."""
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


def undecided(review: Review) -> Table:
    """Every placement that is not decided, and why."""
    rows = [(one.shape, one.why) for one in review.judged if one.standing is Standing.UNDECIDED]
    return Table(("placement", "why it is not decided"), tuple(rows))


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
