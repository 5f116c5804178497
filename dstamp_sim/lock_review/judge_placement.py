"""One placement judged: for any number of copies where the model has that, its deadlocks, a crash, and its price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.placement import Placement
from dstamp_sim.core.properties import NO_DEADLOCK, Kind
from dstamp_sim.core.scenario import Scenario
from dstamp_sim.core.system import System
from dstamp_sim.core.verdict import Judgement, Report, Verdict, combined
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.engines.parallel.processes import spawned
from dstamp_sim.engines.prove.unbounded import TRIED, TRIED_STATES, prove
from dstamp_sim.inputs.model_file import Model, any_number, checked_settings, load_model
from dstamp_sim.lock_review.compare import Judged, Price
from dstamp_sim.lock_review.price import price_of

Copies = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Question:
    """What placements are laid over: a model with its settings, and the scenario that prices them (None: no price)."""

    model: Model
    settings: Mapping[str, Any]
    scenario: Scenario | None

    def build(self, placement: Placement, settings: Mapping[str, Any]) -> System:
        """The system under a placement. Raises PlacementError where it does not fit."""
        given = checked_settings(self.model.factory, {**settings, **placement.sets})
        return self.model.build(given).with_locks(replace(placement, sets={}))

    def numbers(self) -> list[str]:
        """The factory's parameters that are numbers of copies and not set."""
        return [name for name in any_number(self.model.factory, self.settings) if name not in self.settings]

    def built(self, placement: Placement, copies: Copies) -> System:
        """The system that a schedule of these numbers of copies is for."""
        system = self._build_any(placement)
        if system is None:
            return self.build(placement, {**self.settings, **dict(copies)})
        return system.with_copies(dict(copies))

    def judged(self, placement: Placement) -> Judged:
        """What is found of one placement. Deterministic. Raises DstampError as building and exploring do."""
        system = self._build_any(placement)
        if system is None:
            found = self._for_small_numbers(placement)
        elif system.any_number:
            found = _for_any_number(placement, system)
        else:
            found = _as_declared(placement, system)
        return replace(found, price=self.price(placement))

    def _build_any(self, placement: Placement) -> System | None:
        """The system with any number of copies; None where the model has only numbers of them."""
        try:
            return self.build(placement, any_number(self.model.factory, self.settings))
        except UsageError:
            if not self.numbers():
                raise
        self.build(placement, self.settings)  # what is wrong with any number and with the default is the user's error
        return None

    def _for_small_numbers(self, placement: Placement) -> Judged:
        verdict, tried = Verdict.HOLDS, f"1 to {TRIED}"
        for count in range(1, TRIED + 1):
            copies = tuple((name, count) for name in self.numbers())
            report = explore(self.build(placement, {**self.settings, **dict(copies)}), limit=TRIED_STATES)
            if report.verdict is Verdict.VIOLATED:
                return _told(placement, report, tried, tried, copies)
            verdict = combined([verdict, report.verdict])
        return Judged(placement, verdict, tried, deadlock=verdict, tried=tried)

    def price(self, placement: Placement, per_day: float | None = None) -> Price | None:
        """What the placement costs, at another rate of Poisson arrivals if given; None where that is not known."""
        scenario = self.scenario
        if scenario is None or scenario.arrivals is None:
            return None
        arrivals = scenario.arrivals if per_day is None else replace(scenario.arrivals, per_day=per_day)
        spread = {scenario.arrivals.over: tuple(range(1, scenario.arrivals.domains + 1))}
        streams = any_number(self.model.factory, {})
        try:
            system = self.build(placement, {**scenario.parameters, **self.settings, **spread, **streams})
        except UsageError:
            return None  # a model that has only numbers of copies under this placement has no stream of them
        return price_of(system, arrivals, scenario.timing)


def judged_all(question: Question, placements: Sequence[Placement], workers: int) -> Iterator[Judged]:
    """What is found of each placement, in their order; by several processes where `workers` says so."""
    if workers < 2:
        yield from map(question.judged, placements)
        return
    about = (question.model.reference, dict(question.settings), question.scenario)
    yield from spawned(_judged, placements, workers, _begin, about)


_worker: dict[str, Question] = {}  # of a worker process: what it was begun with


def _begin(reference: str, settings: Mapping[str, Any], scenario: Scenario | None) -> None:
    _worker["question"] = Question(load_model(reference), settings, scenario)


def _judged(placement: Placement) -> Judged:
    return _worker["question"].judged(placement)


def _for_any_number(placement: Placement, system: System) -> Judged:
    report = prove(system)
    found = _told(placement, report, "any number", f"1 to {TRIED}", ())
    if not found.safe:
        return found
    return replace(found, after_crash=_after_crash(prove(system.with_crashes(max(1, system.crashes)))))


def _as_declared(placement: Placement, system: System) -> Judged:
    report = explore(system, keep_going=True)
    found = _told(placement, report, "the declared ones", "the declared ones", ())
    if not found.safe:
        return found
    return replace(
        found, after_crash=_after_crash(explore(system.with_crashes(max(1, system.crashes)), keep_going=True))
    )


def _after_crash(report: Report) -> str:
    """What becomes of the system when one process may die at any point."""
    asked, stuck = _apart(report)
    verdict = combined([judgement.verdict for judgement in asked])
    if verdict is not Verdict.HOLDS:
        return {Verdict.VIOLATED: "breaks", Verdict.UNDETERMINED: "not decided"}[verdict]
    return "the others are stuck" if stuck.verdict is Verdict.VIOLATED else "safe"


def _told(placement: Placement, report: Report, numbers: str, tried: str, copies: Copies) -> Judged:
    """The report on one placement, as the review keeps it: no traces, but the schedules that make them."""
    asked, stuck = _apart(report)
    found = Judged(
        placement,
        combined([judgement.verdict for judgement in asked]) if asked else Verdict.HOLDS,
        numbers,
        deadlock=stuck.verdict,
        tried=tried,
    )
    failing = [j for j in asked if j.verdict is Verdict.VIOLATED and j.trace is not None]
    if failing:
        worst = min(failing, key=lambda j: (_involved(j), len(j.trace.steps) if j.trace else 0))
        found = replace(
            found,
            broken=worst.prop.name,
            smallest=_involved(worst),
            copies=tuple((worst.copies or {}).items()) or copies,
            schedule=str(worst.trace.schedule) if worst.trace else "",
            steps=len(worst.trace.steps) if worst.trace else 0,
        )
    if stuck.trace is not None:
        found = replace(
            found,
            deadlock_copies=tuple((stuck.copies or {}).items()) or copies,
            deadlock_schedule=str(stuck.trace.schedule),
            deadlock_steps=len(stuck.trace.steps),
        )
    return found


def _apart(report: Report) -> tuple[Sequence[Judgement], Judgement]:
    """The judgements on what was declared, and that on deadlock."""
    asked = [j for j in report.judgements if j.prop.kind is not Kind.NO_DEADLOCK]
    return asked, report.judgement(NO_DEADLOCK.name)


def _involved(judgement: Judgement) -> int:
    """How many processes the violation takes: the copies needed, or those that move in its trace."""
    if judgement.copies is not None:
        return sum(judgement.copies.values())
    trace = judgement.trace
    return 0 if trace is None else len({step.process for step in trace.steps} - set(trace.daemons))
