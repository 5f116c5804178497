"""Review: every placement of a model's locks judged and priced, the best ones, and why they end where they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dstamp_sim.core.errors import UsageError, unknown
from dstamp_sim.core.placement import Placement
from dstamp_sim.core.properties import END_POSSIBLE, NO_DEADLOCK, Property
from dstamp_sim.core.scenario import Scenario
from dstamp_sim.core.system import NOTHING_MORE, Also, System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.typed import texts
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.replay import replay
from dstamp_sim.inputs.model_file import any_number, load_model, read_settings
from dstamp_sim.inputs.scenario_file import read_scenario
from dstamp_sim.lock_review.bounded import WithinBounds, bounded
from dstamp_sim.lock_review.compare import (
    MOST_SECTIONS_FOR_PAIRS,
    JudgedPlacement,
    NeededSection,
    Patience,
    best_first,
    candidates,
    dominated,
    ends,
    minimal_safe,
    no_cure,
    recommended,
    written,
)
from dstamp_sim.lock_review.flip import Flips, what_would_flip
from dstamp_sim.lock_review.joined import MOST_JOINED, Joined, pairs_of_locks, worth_judging
from dstamp_sim.lock_review.judge_placement import CopyCounts, ReviewSubject, judged_all
from dstamp_sim.lock_review.stream import ServiceOrder
from dstamp_sim.pipeline.exact_time import timed_scenario
from dstamp_sim.pipeline.explained import explained
from dstamp_sim.pipeline.progress import Progress
from dstamp_sim.pipeline.where import HERE, Where

FLEET = "fleet.toml"
"""The default scenario for prices, if the folder of the model has one."""


@dataclass(frozen=True)
class PlacementStory:
    """How one placement fails: the system and the trace, its subject, and the reason in a sentence."""

    title: str
    judged: JudgedPlacement
    system: System
    trace: Trace
    prop: Property
    sentence: str


@dataclass(frozen=True)
class Waiting:
    """How long 95 in 100 runs wait at most under one placement: by arrivals a day, (low, mean, high) in seconds."""

    shape: str
    per_day: tuple[float, ...]
    waited_s: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Review:
    """The result of `dstamp review`. `shape` in the dictionaries is `JudgedPlacement.shape`.

    `recommended` is the best one, if there is one.
    `orders` are the recommended placement with locks that barge and with FIFO ones, where `--live` asked for it.
    `joined` says which pairs of spans of two locks were judged, if not all; `left_out` are named placements whose locks
    the model does not have.
    """

    reference: str
    name: str
    properties: tuple[str, ...]
    sections: tuple[str, ...]
    locks: tuple[str, ...]
    counted: tuple[str, ...]
    present: str
    judged: tuple[JudgedPlacement, ...]
    minimal: tuple[JudgedPlacement, ...]
    recommended: tuple[JudgedPlacement, ...]
    ends: tuple[NeededSection, ...]
    dominated: dict[str, str]
    no_cure: str
    stories: tuple[PlacementStory, ...]
    assumptions: tuple[tuple[str, str], ...]
    scenario: Scenario | None
    waiting: tuple[Waiting, ...]
    within: WithinBounds | None
    joined: Joined | None
    flips: Flips | None
    orders: tuple[ServiceOrder, ...]
    left_out: tuple[str, ...]

    @property
    def per_day(self) -> float:
        """Arrivals a day in the scenario; 0 if it has none."""
        return (self.scenario.arrivals.per_day or 0.0) if self.scenario and self.scenario.arrivals else 0.0

    def of(self, shape: str) -> JudgedPlacement | None:
        """The judgement of the placement with this text."""
        return next((one for one in self.judged if one.shape == shape), None)


def review_model(
    reference: str,
    *,
    settings: Sequence[str] = (),
    locks: Sequence[str] = (),
    spans: int = 2,
    scenario: Path | None = None,
    within: Path | None = None,
    also: Also = NOTHING_MORE,
    out: Path,
    where: Where = HERE,
    progress: Progress | None = None,
) -> Review:
    """Judges every placement of the model's locks over its sections, and the placements that it names.

    Without `locks` all of them; two spans are tried of the first one, and for two locks those that complement each
    other (`joined`). `within`: those that are not safe are asked again within that scenario's bounds. Deterministic,
    `where`ver it is done (several processes need a main module that can be imported). Raises UsageError for unknown
    names, no locks or sections, and an unwritable folder; ScenarioError and ModelError as their loaders do.
    """
    bounds = timed_scenario(within) if within else None
    model = load_model(reference)
    given = read_settings(model.factory, settings)
    beside = model.path / FLEET if model.path.is_dir() else model.path.parent / FLEET
    priced = read_scenario(scenario or beside) if scenario or beside.exists() else None
    subject = ReviewSubject(model, given, priced, also)
    system = subject.asked(model.build(any_number(model.factory, given)))
    chosen = _chosen(reference, system, [scope.name for scope in system.locks], locks)
    check_writable(out)
    placements, left_out = _placements(subject, system, chosen, spans)
    subject.refuse_contradictions(placements)
    judged = list(_judge(subject, placements, where, progress, 0))
    joined = _join(subject, judged, system, where, progress) if spans > 1 else None
    minimal, beaten = best_first(minimal_safe(judged, system.sections)), dominated(judged)
    best = recommended(minimal, beaten)
    why, present = [e for one in best[:2] for e in ends(one, judged, system.sections)], written(system.placement)
    return Review(
        reference=reference,
        name=":".join(filter(None, [model.path.stem, reference.partition(":")[2]])),
        properties=tuple(prop.title for prop in system.properties),
        sections=tuple(system.sections),
        locks=tuple(chosen),
        counted=system.any_number,
        present=present,
        judged=tuple(judged),
        minimal=tuple(minimal),
        recommended=tuple(best[:1]),
        ends=tuple(why),
        dominated=beaten,
        no_cure=no_cure(judged),
        stories=(*_stories(subject, judged, present, why), *_starving(subject, judged, present, best)),
        assumptions=tuple(model.assumptions),
        scenario=priced,
        waiting=tuple(_waiting(subject, judged, present, minimal)),
        within=bounded(subject, judged, bounds, progress) if bounds else None,
        joined=joined,
        flips=what_would_flip(subject, minimal, best[0]) if best else None,
        orders=tuple(subject.orders(best[0])) if best and also.live else (),
        left_out=left_out,
    )


def _judge(
    subject: ReviewSubject, placements: Sequence[Placement], where: Where, progress: Progress | None, before: int
) -> Iterator[JudgedPlacement]:
    """The judgement of each placement; `before` were judged already."""
    for number, one in enumerate(judged_all(subject, placements, where), start=before + 1):
        yield one
        if progress is not None:
            progress(number, before + len(placements))


def _join(
    subject: ReviewSubject, judged: list[JudgedPlacement], system: System, where: Where, progress: Progress | None
) -> Joined | None:
    """Judges pairs of spans of two locks while they are worth it, and adds them; None if all pairs are judged."""
    if len(system.sections) <= MOST_SECTIONS_FOR_PAIRS or not pairs_of_locks(judged):
        return None
    asked, tried = frozenset(prop.name for prop in system.properties), 0
    while wanted := worth_judging(judged, asked, system.sections):
        left = MOST_JOINED - tried
        judged += _judge(subject, wanted[:left], where, progress, len(judged))
        tried += len(wanted[:left])
        if len(wanted) >= left:
            break
    return Joined(tried, pairs_of_locks(judged), cut=bool(wanted))


RATES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""Arrivals of the waiting curves, as parts of the scenario's."""


def _waiting(
    subject: ReviewSubject, judged: Sequence[JudgedPlacement], present: str, best: Sequence[JudgedPlacement]
) -> Iterator[Waiting]:
    """The curves of the present placement and of the best three, if the scenario has Poisson arrivals."""
    arrivals = subject.scenario.arrivals if subject.scenario else None
    if arrivals is None or arrivals.per_day is None:
        return
    per_day = tuple(arrivals.per_day * rate for rate in RATES)
    shown = [*best[:3], *(one for one in judged if one.shape == present and one not in best[:3])]
    for one in shown:
        prices = [subject.price(one.placement, rate) for rate in per_day]
        waited = [price.waited_p95_s for price in prices if not isinstance(price, str)]
        if len(waited) == len(per_day):
            yield Waiting(one.shape, per_day, tuple((w.low, w.mean, w.high) for w in waited))


def _chosen(reference: str, system: System, vocabulary: Sequence[str], locks: Sequence[str]) -> list[str]:
    if not vocabulary or not system.sections:
        missing = "locks=[...]" if not vocabulary else "sections=[...]"
        raise UsageError(f"{reference} has no System({missing}): a review lays locks over sections")
    for name in texts("review", "locks", locks):
        if name not in vocabulary:
            raise UsageError(unknown("lock", name, vocabulary))
    return list(locks or vocabulary)


def _placements(
    subject: ReviewSubject, system: System, locks: Sequence[str], spans: int
) -> tuple[list[Placement], tuple[str, ...]]:
    """The enumerated placements, the present one and the named ones; and the named ones whose locks are missing."""
    known = {scope.name for scope in system.locks}
    named = list(subject.model.placements.values())
    fitting = [one for one in named if {span.lock for span in one.spans} <= known]
    every = (*candidates(system.sections, locks, spans, locks[0]), system.placement, *fitting)
    found: dict[str, Placement] = {}
    for one in every:
        found.setdefault(written(one), one)
    return list(found.values()), tuple(one.name for one in named if one not in fitting)


def _stories(
    subject: ReviewSubject, judged: Sequence[JudgedPlacement], present: str, why: Sequence[NeededSection]
) -> Iterator[PlacementStory]:
    """How the present placement fails, then the failure one section short of the best, then a deadlock."""
    shown = set()
    for one in judged:
        if one.shape == present and one.schedule:
            shown.add(one.shape)
            yield _story(subject, one, f"As it is: {one.shape}", one.schedule, one.copies, one.broken)
    for end in why:
        one = end.otherwise
        if one.schedule and one.shape not in shown and len(shown) < 5:
            shown.add(one.shape)
            title = f"Why {end.section} must be inside: {one.shape}"
            yield _story(subject, one, title, one.schedule, one.copies, one.broken)
    stuck = min((one for one in judged if one.deadlock_schedule), key=_worth_showing, default=None)
    if stuck is not None:
        title, failed = ("Trap", END_POSSIBLE) if stuck.trapped else ("Deadlock", NO_DEADLOCK)
        schedule, copies = stuck.deadlock_schedule, stuck.deadlock_copies
        yield _story(subject, stuck, f"{title}: {stuck.shape}", schedule, copies, failed.name)


def _starving(
    subject: ReviewSubject, judged: Sequence[JudgedPlacement], present: str, best: Sequence[JudgedPlacement]
) -> Iterator[PlacementStory]:
    """How a run waits for ever under the recommended placement and the present one, if it may."""
    shown = [*best[:1], *(one for one in judged if one.shape == present and one not in best[:1])]
    for one in shown:
        system = subject.stream(one.placement) if one.wait.patience is Patience.STARVES else None
        if system is not None:
            title = f"Waits for ever: {one.shape}"
            yield _told(system.with_live(), one, title, one.wait.schedule, one.wait.prop)


def _worth_showing(one: JudgedPlacement) -> tuple[bool, int]:
    """A deadlock is worth telling if nothing else is wrong; then the shortest."""
    return one.verdict is Verdict.VIOLATED, one.deadlock_steps


def _story(
    subject: ReviewSubject, one: JudgedPlacement, title: str, schedule: str, copies: CopyCounts, about: str
) -> PlacementStory:
    return _told(subject.built(one.placement, copies), one, title, schedule, about)


def _told(system: System, one: JudgedPlacement, title: str, schedule: str, about: str) -> PlacementStory:
    trace = replay(system, schedule)
    prop = system.properties_named([about])[0]
    why = explained(system, trace, about=prop)
    return PlacementStory(title, one, system, trace, prop, why.sentence)
