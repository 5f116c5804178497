"""Lock placements compared: the candidates, the smallest safe ones, the dominated ones, and why the ends matter.

Nothing here runs a system: the judgements are arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations, combinations_with_replacement, product

from dstamp_sim.core.placement import PROCESS_EXIT, Placement, Span
from dstamp_sim.core.verdict import Verdict

MOST_SECTIONS_FOR_PAIRS = 4
"""Up to this many sections, spans of two different locks are combined too: their number grows with the fourth power."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval over replications."""

    low: float
    mean: float
    high: float


@dataclass(frozen=True)
class Price:
    """What a placement costs under a scenario's arrivals; times in seconds, over all runs of a replication.

    `waited_*` is how long runs were blocked, `utilisation` the busiest lock's held time over the makespan, and
    `turned_away` the part of the runs that a placement refused instead of making them wait.
    """

    throughput_per_h: Estimate
    makespan_s: Estimate
    waited_p50_s: Estimate
    waited_p95_s: Estimate
    waited_max_s: Estimate
    utilisation: Estimate
    turned_away: Estimate


class Standing(Enum):
    """The status of a placement; the value is the word for it."""

    SAFE = "safe"
    BROKEN = "broken"
    DEADLOCK = "deadlock"
    TRAP = "trap"
    UNDECIDED = "not decided"


class AfterDeath(Enum):
    """The status of a safe placement when one process dies at any point; the value is the word for it."""

    SAFE = "safe"
    STUCK = "the others are stuck"
    BREAKS = "breaks"
    UNDECIDED = "not decided"
    NOT_ASKED = ""


class Patience(Enum):
    """Whether a run may wait for ever under a safe placement; the value is the word for it."""

    COMES = "every run gets on"
    STARVES = "starves"
    UNDECIDED = "not decided"
    NOT_ASKED = ""


@dataclass(frozen=True)
class Wait:
    """The answer for one placement: why it is not known, or the lasso of a run that waits for ever, in `steps`."""

    patience: Patience = Patience.NOT_ASKED
    why: str = ""
    prop: str = ""
    schedule: str = ""
    steps: int = 0


ANY_NUMBER, DECLARED = "any number", "the declared ones"
"""The values of `JudgedPlacement.numbers` for every number of copies, and for the model's own numbers."""


@dataclass(frozen=True)
class JudgedPlacement:
    """One placement with its judgement.

    `numbers` says for which numbers of copies the verdict is (`ANY_NUMBER`, `DECLARED`, "1 to 3"); `why` says why it is
    limited to these, or why there is none; `held` are the declared properties that HOLD. Where it fails: the property
    (`broken`), how many processes move (`smallest`) and how many of them in some section (`in_sections`), the schedule
    of its shortest story, the numbers of `copies` it needs, and how many `steps` it has. Deadlocks are looked for with
    the numbers in `tried`, and so are traps (states from which the end is not possible any more); `trapped` says that
    the one that was found is a trap in which somebody can still move. `unpriced` says why there is no price; `wait`
    says of a safe one whether a run may wait for ever while others keep coming, if that was asked.
    """

    placement: Placement
    verdict: Verdict
    numbers: str
    held: tuple[str, ...] = ()
    why: str = ""
    broken: str = ""
    smallest: int | None = None
    in_sections: int | None = None
    copies: tuple[tuple[str, int], ...] = ()
    schedule: str = ""
    steps: int = 0
    deadlock: Verdict = Verdict.UNDETERMINED
    deadlock_copies: tuple[tuple[str, int], ...] = ()
    deadlock_schedule: str = ""
    deadlock_steps: int = 0
    trapped: bool = False
    tried: str = ""
    after_death: AfterDeath = AfterDeath.NOT_ASKED
    wait: Wait = Wait()
    price: Price | None = None
    unpriced: str = ""

    @property
    def standing(self) -> Standing:
        """Its status. Safe means proved, and free of deadlocks with the numbers in `tried`."""
        if self.verdict is Verdict.VIOLATED:
            return Standing.BROKEN
        if self.deadlock is Verdict.VIOLATED:
            return Standing.TRAP if self.trapped else Standing.DEADLOCK
        decided = self.verdict is Verdict.HOLDS and self.deadlock is Verdict.HOLDS
        return Standing.SAFE if decided else Standing.UNDECIDED

    @property
    def safe(self) -> bool:
        """Whether it is known to be safe."""
        return self.standing is Standing.SAFE

    @property
    def fails(self) -> bool:
        """Whether it is known to be broken, or to let somebody wait for ever."""
        return self.standing not in (Standing.SAFE, Standing.UNDECIDED)

    @property
    def shape(self) -> str:
        """Its spans as text, or its name if it has other means."""
        return written(self.placement)


def written(placement: Placement) -> str:
    """The spans of a placement; its name if it sets parameters of the model instead, or has no span."""
    return placement.name if placement.sets or not placement.spans else ", ".join(map(str, placement.spans))


def candidates(sections: Sequence[str], locks: Sequence[str], spans: int, pairs_of: str | None) -> Iterator[Placement]:
    """No lock; every single span of each lock; with `spans` 2, also two disjoint spans of `pairs_of`.

    With few sections, also one span of each of two locks: there lock orders can form a cycle.
    """
    yield Placement("none")
    stretches = list(combinations_with_replacement(range(len(sections)), 2))

    def span(lock: str, stretch: tuple[int, int]) -> Span:
        return Span(lock, sections[stretch[0]], sections[stretch[1]])

    for lock, stretch in product(locks, stretches):
        yield placed(span(lock, stretch))
    if spans < 2:
        return
    for first, second in product(stretches, stretches) if pairs_of else ():
        if first[1] < second[0]:
            yield placed(span(pairs_of or "", first), span(pairs_of or "", second))
    for one, other in combinations(locks, 2) if len(sections) <= MOST_SECTIONS_FOR_PAIRS else ():
        for first, second in product(stretches, stretches):
            yield placed(span(one, first), span(other, second))
            if first[0] == second[0]:  # both are asked for at the same entry: the placement chooses which comes first
                yield placed(span(other, second), span(one, first))


def placed(*spans: Span) -> Placement:
    """The placement of these spans, named by their text; without any, the one of no lock."""
    if not spans:
        return Placement("none")
    return Placement(",".join(map(str, spans)), spans)


def lies_within(small: Placement, large: Placement, sections: Sequence[str]) -> bool:
    """Whether every span of `small` lies within a span of `large` of the same lock."""
    return all(any(_inside(span, other, sections) for other in large.spans) for span in small.spans)


def _inside(span: Span, other: Span, sections: Sequence[str]) -> bool:
    (first, last), (begin, end) = span_numbers(span, sections), span_numbers(other, sections)
    return (span.lock, span.waits) == (other.lock, other.waits) and begin <= first and last <= end


def span_numbers(span: Span, sections: Sequence[str]) -> tuple[int, int]:
    """The numbers of the first and the last section of a span; the process's exit counts as one more."""
    return sections.index(span.first), len(sections) if span.last == PROCESS_EXIT else sections.index(span.last)


def minimal_safe(judged: Sequence[JudgedPlacement], sections: Sequence[str]) -> list[JudgedPlacement]:
    """The safe placements of spans that contain no other safe one with as few spans; none if no lock is needed."""
    if any(one.safe and not one.placement.spans and not one.placement.sets for one in judged):
        return []
    safe = [one for one in judged if one.safe and one.placement.spans and not one.placement.sets]
    return [
        one
        for one in safe
        if not any(
            other is not one
            and len(other.placement.spans) <= len(one.placement.spans)
            and lies_within(other.placement, one.placement, sections)
            and not lies_within(one.placement, other.placement, sections)
            for other in safe
        )
    ]


def best_first(judged: Sequence[JudgedPlacement]) -> list[JudgedPlacement]:
    """The best first: by crash safety, then by the fewest turned away, then by waiting time, then by makespan.

    The waiting time is the one that 95 runs in 100 stay below. Placements without a price come last among equals.
    """

    def cost(one: JudgedPlacement) -> tuple[float, ...]:
        price = one.price
        if price is None:
            return after_death_rank(one), float("inf")
        return after_death_rank(one), price.turned_away.mean, price.waited_p95_s.mean, price.makespan_s.mean

    return sorted(judged, key=cost)


def after_death_rank(one: JudgedPlacement) -> int:
    """0 if it stays safe when a process dies, 1 if the others are then stuck, 2 if it breaks or that is unknown."""
    return {AfterDeath.SAFE: 0, AfterDeath.STUCK: 1}.get(one.after_death, 2)


def recommended(minimal: Sequence[JudgedPlacement], beaten: Mapping[str, str]) -> list[JudgedPlacement]:
    """The minimal safe placements, best first, that no other dominates, that are as crash-safe as any, and that wait.

    Placements that turn runs away are left out if others make them wait instead.
    """
    least = min(map(after_death_rank, minimal), default=0)
    equals = [one for one in minimal if after_death_rank(one) == least and one.shape not in beaten]
    patient = [one for one in equals if one.price is None or one.price.turned_away.mean == 0]
    return best_first(patient or equals)


def dominated(judged: Sequence[JudgedPlacement]) -> dict[str, str]:
    """By shape of a safe placement: one that is as safe, even after a crash, and clearly cheaper.

    Clearly: it turns away no more, and the intervals of their waiting times do not meet. Only placements of one design
    are compared: another design (a stack per run) has costs that waiting times do not show.
    """
    found: dict[str, str] = {}
    safe = best_first([one for one in judged if one.safe])
    for one in safe:
        for other in safe:
            alike = other.placement.sets == one.placement.sets and after_death_rank(other) <= after_death_rank(one)
            if alike and _cheaper(other.price, one.price):
                found.setdefault(one.shape, other.shape)
    return found


def _cheaper(price: Price | None, other: Price | None) -> bool:
    if price is None or other is None or price.turned_away.mean > other.turned_away.mean:
        return False
    return price.waited_p95_s.high < other.waited_p95_s.low


@dataclass(frozen=True)
class NeededSection:
    """Why a span of a safe placement ends where it does: `section` inside, or else `otherwise` fails."""

    section: str
    otherwise: JudgedPlacement


def ends(safe: JudgedPlacement, judged: Sequence[JudgedPlacement], sections: Sequence[str]) -> list[NeededSection]:
    """For each end of each span of a minimal placement: the placement that is one section shorter there, and fails."""
    known = {one.shape: one for one in judged}
    shorter = ((section, known.get(written(other))) for section, other in one_shorter(safe.placement, sections))
    return [NeededSection(section, other) for section, other in shorter if other is not None and other.fails]


def one_shorter(placement: Placement, sections: Sequence[str]) -> Iterator[tuple[str, Placement]]:
    """The placements that are one section shorter at one end of one span, each with the section that it leaves out."""
    for index, span in enumerate(placement.spans):
        for section, rest in _shorter(span, sections):
            yield section, placed(*placement.spans[:index], *rest, *placement.spans[index + 1 :])


def _shorter(span: Span, sections: Sequence[str]) -> Iterator[tuple[str, list[Span]]]:
    first, last = span_numbers(span, sections)
    if span.last == PROCESS_EXIT:
        return
    if first == last:
        yield span.first, []
        return
    yield span.first, [Span(span.lock, sections[first + 1], span.last)]
    yield span.last, [Span(span.lock, span.first, sections[last - 1])]


def no_cure(judged: Sequence[JudgedPlacement]) -> str:
    """What it means that all placements are broken; empty if one is not known to be."""
    if any(one.verdict is not Verdict.VIOLATED for one in judged if one.placement.spans or not one.placement.sets):
        return ""
    plain = [one for one in judged if not one.placement.sets]
    if all(one.in_sections is not None and one.in_sections <= 1 for one in plain):
        alone = all(one.smallest == 1 for one in plain)
        why = "one process alone fails" if alone else "no two processes of a story are in sections"
        return f"no placement of these locks removes it: {why}, so a lock keeps nobody out. Locks are not the cure"
    return "no placement that was judged removes it; one of more spans may"
