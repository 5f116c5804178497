"""Two different locks together: which pairs of spans are worth judging, by what each span alone protects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from dstamp_sim.core.placement import Placement, Span
from dstamp_sim.lock_review.compare import JudgedPlacement, lies_within, one_shorter, placed, span_numbers, written

MOST_JOINED = 150
"""How many pairs of spans of two different locks a review judges beside the enumerated ones."""


@dataclass(frozen=True)
class Joined:
    """How many pairs of spans of two locks were judged, of how many; `cut`: the bound left some out."""

    tried: int
    possible: int
    cut: bool


def pairs_of_locks(judged: Sequence[JudgedPlacement]) -> int:
    """How many pairs of spans of two different locks there are."""
    locks = [one.placement.spans[0].lock for one in _singles(judged)]
    return sum(one != other for one, other in combinations(locks, 2))


def of_two_locks(one: JudgedPlacement) -> bool:
    """Whether it is a pair of spans of two different locks."""
    return len({span.lock for span in one.placement.spans}) == 2 == len(one.placement.spans) and not one.placement.sets


def worth_judging(judged: Sequence[JudgedPlacement], asked: frozenset[str], sections: Sequence[str]) -> list[Placement]:
    """Pairs of spans of two locks that are worth judging and not judged yet; empty if there are none left.

    First each smallest span that protects a property which fails without locks is joined with the smallest spans of
    other locks that protect the rest. Safe pairs are then made shorter, a section at one end at a time. If none is
    safe, those smallest spans are joined with every span of the other locks. Spans that are safe alone are not joined.
    `asked` are the names of the declared properties.
    """
    known = {one.shape for one in judged}

    def fresh(wanted: Iterable[Placement]) -> list[Placement]:
        return [one for one in {written(one): one for one in wanted}.values() if written(one) not in known]

    menders = _menders(judged, asked, sections)
    complementary = fresh(pair for one in menders for pair in _completed(one, judged, asked, sections))
    if complementary:
        return complementary
    safe = [one for one in judged if one.safe and of_two_locks(one)]
    if safe:
        shorter = (other for one in safe for _, other in one_shorter(one.placement, sections))
        return fresh(other for other in shorter if len(other.spans) == 2)
    return fresh(pair for one in menders for other in _others(one, judged) for pair in _pairs(one, other, sections))


def _singles(judged: Sequence[JudgedPlacement]) -> list[JudgedPlacement]:
    """The single spans that wait, in the order in which they were judged."""
    alone = (one for one in judged if len(one.placement.spans) == 1 and not one.placement.sets)
    return [one for one in alone if one.placement.spans[0].waits]


def _menders(
    judged: Sequence[JudgedPlacement], asked: frozenset[str], sections: Sequence[str]
) -> list[JudgedPlacement]:
    """For each lock and each property that fails without locks: the smallest spans that protect it, if not all do."""
    none = next((one for one in judged if not one.placement.spans and not one.placement.sets), None)
    failing = sorted(asked - set(none.held if none else ()))
    found: dict[str, JudgedPlacement] = {}
    for name in failing:
        keep = [one for one in _singles(judged) if name in one.held and not one.safe]
        found |= {one.shape: one for one in _smallest(keep, sections)}
    return list(found.values())


def _smallest(keep: Sequence[JudgedPlacement], sections: Sequence[str]) -> list[JudgedPlacement]:
    return [
        one
        for one in keep
        if not any(other is not one and lies_within(other.placement, one.placement, sections) for other in keep)
    ]


def _others(one: JudgedPlacement, judged: Sequence[JudgedPlacement]) -> list[JudgedPlacement]:
    """The spans of other locks that are not safe alone."""
    lock = one.placement.spans[0].lock
    return [other for other in _singles(judged) if other.placement.spans[0].lock != lock and not other.safe]


def _completed(
    one: JudgedPlacement, judged: Sequence[JudgedPlacement], asked: frozenset[str], sections: Sequence[str]
) -> Iterator[Placement]:
    """A span joined with the smallest spans of other locks that protect the rest."""
    missing = asked - set(one.held)
    keep = [other for other in _others(one, judged) if missing <= set(other.held)]
    for other in _smallest(keep, sections):
        yield from _pairs(one, other, sections)


def _pairs(one: JudgedPlacement, other: JudgedPlacement, sections: Sequence[str]) -> Iterator[Placement]:
    """Two spans as one placement, in the order of their first sections; both orders where they begin together."""
    both = (one.placement.spans[0], other.placement.spans[0])
    spans: list[Span] = sorted(both, key=lambda span: (span_numbers(span, sections), span.lock))
    yield placed(*spans)
    if spans[0].first == spans[1].first:
        yield placed(*reversed(spans))
