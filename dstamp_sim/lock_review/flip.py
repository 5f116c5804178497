"""Which assumption would change the recommendation: each is changed alone, and contenders are judged or priced anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from dstamp_sim.core.scenario import Distribution, Scenario, Shape
from dstamp_sim.lock_review.compare import (
    ANY_NUMBER,
    DECLARED,
    AfterDeath,
    JudgedPlacement,
    Standing,
    best_first,
    dominated,
    recommended,
)
from dstamp_sim.lock_review.judge_placement import ReviewSubject
from dstamp_sim.rendering.plots import waiting_text

CONTENDERS = 3
"""How many of the smallest safe placements, the best first, are judged or priced anew."""

FACTORS = (0.5, 2.0)
"""The factors on arrivals and on each delay."""

MORE = 4
"""A placement that was judged for fewer is tried with this many processes of each."""


@dataclass(frozen=True)
class Flip:
    """An assumption, and the choice under it (empty: the recommended placement is no longer safe)."""

    assumption: str
    choice: str


@dataclass(frozen=True)
class Flips:
    """The assumptions that would change a recommendation, and the tried ones that would not."""

    found: tuple[Flip, ...]
    unmoved: tuple[str, ...]


Rejudged = Callable[[JudgedPlacement], JudgedPlacement]


def what_would_flip(subject: ReviewSubject, minimal: Sequence[JudgedPlacement], best: JudgedPlacement) -> Flips:
    """The assumptions under which another placement than `best` is the one to take. Deterministic.

    It changes, one at a time: that a run may die, and how many; how often runs come; each delay of the scenario; and
    the number of runs unless it was any. The choice changes if `best` is then clearly beaten, or no longer safe.
    """
    found, unmoved = list[Flip](), dict[str, None]()
    for assumption in _assumptions(subject, best):
        first = minimal[: assumption.contenders]
        contenders = [*first, *([] if best in first else [best])]
        choice = _choice([assumption.rejudge(one) for one in contenders], best.shape)
        if choice is None:
            unmoved[assumption.kind or assumption.words] = None
        else:
            found.append(Flip(assumption.words, choice))
    return Flips(tuple(found), tuple(unmoved))


def _choice(again: Sequence[JudgedPlacement], before: str) -> str | None:
    """The choice among contenders that were judged anew; None if the earlier choice is as good as any."""
    safe = best_first([one for one in again if one.safe])
    good = recommended(safe, dominated(safe))
    if before in (one.shape for one in good):
        return None
    return with_waiting(good[0]) if good else ""


def with_waiting(one: JudgedPlacement) -> str:
    """A placement with the time that 95 runs in 100 wait under it at most."""
    waits = f", 95 in 100 wait at most {waiting_text(one.price.waited_p95_s.mean)}" if one.price else ""
    return f"{one.shape}{waits}"


@dataclass(frozen=True)
class _Assumption:
    """An assumption, how a placement is judged under it, and how many are; `kind` names the group of its kind."""

    words: str
    rejudge: Rejudged
    contenders: int | None = CONTENDERS
    kind: str = ""


def _assumptions(subject: ReviewSubject, best: JudgedPlacement) -> Iterator[_Assumption]:
    """The assumptions to change, each with how a placement is judged under it. That no process dies is tried on all.

    Assumptions under which `best` is not decided are left out: nothing could be said.
    """
    yield _Assumption("no run ever died", lambda one: replace(one, after_death=AfterDeath.SAFE), None)
    if subject.after_deaths(best.placement, 2) is not AfterDeath.UNDECIDED:
        twice = "a second run died"
        yield _Assumption(twice, lambda one: replace(one, after_death=subject.after_deaths(one.placement, 2)))
    few = best.numbers not in (ANY_NUMBER, DECLARED)
    if few and subject.with_number(best.placement, MORE).standing is not Standing.UNDECIDED:
        yield _Assumption(f"there were {MORE} runs", lambda one: _with_more(subject, one))
    scenario = subject.scenario
    if scenario is None or best.price is None:
        return
    for words, kind, changed in _scenarios(scenario):
        yield _Assumption(words, _priced_by(replace(subject, scenario=changed)), kind=kind)


def _with_more(subject: ReviewSubject, one: JudgedPlacement) -> JudgedPlacement:
    more = subject.with_number(one.placement, MORE)
    return one if more.standing is Standing.UNDECIDED else replace(one, verdict=more.verdict, deadlock=more.deadlock)


def _priced_by(subject: ReviewSubject) -> Rejudged:
    def again(one: JudgedPlacement) -> JudgedPlacement:
        price = subject.price(one.placement)
        return one if isinstance(price, str) else replace(one, price=price)

    return again


def _scenarios(scenario: Scenario) -> Iterator[tuple[str, str, Scenario]]:
    """The scenario with other arrivals, then with each delay shorter and longer; the change, and its kind."""
    arrivals, timing = scenario.arrivals, scenario.timing
    if arrivals is not None and arrivals.per_day is not None:
        for factor in FACTORS:
            per_day = arrivals.per_day * factor
            words = f"{per_day:g} runs came a day"
            yield (
                words,
                "runs came half or twice as often",
                replace(scenario, arrivals=replace(arrivals, per_day=per_day)),
            )
    kind = f"one of the {len(timing.delays)} delays took half or twice as long"
    for name, delay in timing.delays.items():
        for factor in FACTORS:
            delays = {**timing.delays, name: _scaled(delay, factor)}
            words = f"{name} took {'half' if factor < 1 else 'twice'} as long"
            yield words, kind, replace(scenario, timing=replace(timing, delays=delays))


def _scaled(delay: Distribution, factor: float) -> Distribution:
    """The delay with every duration multiplied: of a lognormal delay only the median is a duration."""
    first, *rest = delay.figures
    kept = rest if delay.shape is Shape.LOGNORMAL else [figure * factor for figure in rest]
    return replace(delay, figures=(first * factor, *kept))
