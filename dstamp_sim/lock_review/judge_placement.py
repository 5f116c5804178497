"""One placement judged: for any number of copies if the model allows that, its deadlocks, a crash, and its price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.placement import Placement
from dstamp_sim.core.properties import BUILT_IN
from dstamp_sim.core.scenario import Scenario
from dstamp_sim.core.system import NOTHING_MORE, Also, System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.verdict import Judgement, Report, Verdict, combined
from dstamp_sim.engines.explore.explorer import explore, uninterrupted
from dstamp_sim.engines.prove.unbounded import TRIED, TRIED_STATES, prove
from dstamp_sim.inputs.model_file import Model, any_number, checked_settings, load_model
from dstamp_sim.lock_review.compare import ANY_NUMBER, DECLARED, AfterDeath, JudgedPlacement, Patience, Price, Wait
from dstamp_sim.lock_review.price import price_of
from dstamp_sim.lock_review.stream import ServiceOrder, in_other_order, stream_of, waits_of
from dstamp_sim.objects.locks import LockScope
from dstamp_sim.pipeline.where import Where

CopyCounts = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class ReviewSubject:
    """The base of placements: a model with its settings, and the scenario that prices them (None: no price).

    `also`: what it is asked besides.
    """

    model: Model
    settings: Mapping[str, Any]
    scenario: Scenario | None
    also: Also = NOTHING_MORE

    def asked(self, system: System) -> System:
        """The system, with what is asked besides; what must come in time is asked of safe placements only (`wait`)."""
        return self.also._replace(live=False).of(system)

    def build(self, placement: Placement, settings: Mapping[str, Any]) -> System:
        """The system under a placement. Raises PlacementError if it does not fit."""
        given = checked_settings(self.model.factory, placement.joined(settings))
        return self.asked(self.model.build(given)).with_locks(replace(placement, sets={}))

    def numbers(self) -> list[str]:
        """The factory's parameters that are numbers of copies and not set."""
        return [name for name in any_number(self.model.factory, self.settings) if name not in self.settings]

    def built(self, placement: Placement, copies: CopyCounts) -> System:
        """The system for a schedule with these numbers of copies."""
        system = self._build_any(placement)
        if system is None:
            return self.build(placement, {**self.settings, **dict(copies)})
        return system.with_copies(dict(copies))

    def judged(self, placement: Placement) -> JudgedPlacement:
        """The judgement of one placement. Deterministic. Raises DstampError as building and exploring do."""
        numbers, why, report = self._reports(placement)
        tried = DECLARED if numbers == DECLARED else SMALL_NUMBERS
        found = _summed_up(placement, report(0), numbers, tried, why)
        if found.safe:
            wait = self.wait(placement) if self.also.live else found.wait
            found = replace(found, after_death=_after_death(report(1)), wait=wait)
        price = self.price(placement)
        return replace(found, unpriced=price) if isinstance(price, str) else replace(found, price=price)

    def stream(self, placement: Placement) -> System | None:
        """The system in which runs keep coming; None if it cannot be made with any number of them."""
        system = self._build_any(placement)
        return system and stream_of(system)

    def wait(self, placement: Placement) -> Wait:
        """Whether a run may wait for ever under a placement while others keep coming."""
        system = self.stream(placement)
        return Wait(Patience.UNDECIDED, _ONLY_NUMBERS) if system is None else waits_of(system)

    def orders(self, one: JudgedPlacement) -> Iterator[ServiceOrder]:
        """A placement that was judged, and the same one with its locks turned; none where they cannot be."""
        system = self.stream(one.placement)
        other = system and in_other_order(system)
        if not one.placement.spans or system is None or other is None:
            return
        fifo = all(scope.fifo for scope in system.locks if isinstance(scope, LockScope))
        yield ServiceOrder(one.shape, fifo, one.wait, one.price)
        price = self.price(one.placement, turn=True)
        yield ServiceOrder(one.shape, not fifo, waits_of(other), None if isinstance(price, str) else price)

    def after_deaths(self, placement: Placement, deaths: int) -> AfterDeath:
        """The status of a safe placement when so many processes die at any point."""
        return _after_death(self._reports(placement)[2](deaths))

    def with_number(self, placement: Placement, count: int) -> JudgedPlacement:
        """The judgement of a placement with so many copies of each process that may be copied, without a price."""
        return _summed_up(placement, self._with(placement, count, 0), f"{count}", f"{count}", "")

    def _reports(self, placement: Placement) -> tuple[str, str, Callable[[int], Report]]:
        """The numbers for which a placement is judged, why they are limited, and the report if so many may die."""
        system = self._build_any(placement)
        if system is None:
            return SMALL_NUMBERS, _ONLY_NUMBERS, partial(self._for_small_numbers, placement)
        if system.any_number:
            return ANY_NUMBER, "", lambda deaths: prove(_mortal(system, deaths), states_beyond=0)
        return DECLARED, _FIXED, lambda deaths: uninterrupted(explore(_mortal(system, deaths), keep_going=True))

    def _build_any(self, placement: Placement) -> System | None:
        """The system with any number of copies; None if the model has fixed numbers only."""
        try:
            return self.build(placement, any_number(self.model.factory, self.settings))
        except UsageError:
            if not self.numbers():
                raise
        self.build(placement, self.settings)  # a fault with any number and with the default is the user's error
        return None

    def _for_small_numbers(self, placement: Placement, deaths: int) -> Report:
        tried = [self._with(placement, count, deaths) for count in range(1, TRIED + 1)]
        return next((one for one in tried if one.verdict is Verdict.VIOLATED), _all_of(tried))

    def _with(self, placement: Placement, count: int, deaths: int) -> Report:
        """The report of `explore` with so many copies of each; the judgements say so."""
        system = self._build_any(placement)
        if system is None:
            copies = dict.fromkeys(self.numbers(), count)
            counted = self.build(placement, {**self.settings, **copies})
        else:
            copies = dict.fromkeys(system.any_number, count)
            counted = system.with_copies(copies)
        report = uninterrupted(explore(_mortal(counted, deaths), limit=TRIED_STATES, keep_going=True))
        return replace(report, judgements=tuple(replace(j, copies=copies) for j in report.judgements))

    def refuse_contradictions(self, placements: Iterable[Placement]) -> None:
        """Raises PlacementError if a placement sets a parameter otherwise than the settings, or than its scenario."""
        priced = self.scenario.parameters if self.scenario and self.scenario.arrivals else {}
        for one in placements:
            one.joined({**priced, **self.settings})

    def price(self, placement: Placement, per_day: float | None = None, *, turn: bool = False) -> Price | str:
        """The price of the placement, at another rate of Poisson arrivals if set; or why it is not known.

        With `turn` its locks serve in the other order.

        Without a scenario nobody asked: the reason is empty.
        """
        scenario = self.scenario
        if scenario is None:
            return ""
        if scenario.arrivals is None:
            return "the scenario has no [arrivals], and a price needs a stream of runs ([[starts]] is for `replay`)"
        arrivals = scenario.arrivals if per_day is None else replace(scenario.arrivals, per_day=per_day)
        settings = placement.joined({**scenario.parameters, **self.settings})
        spread = {arrivals.over: tuple(range(1, arrivals.domains + 1))}
        streams = any_number(self.model.factory, {})
        if not streams:
            return "no parameter of the factory is annotated Copies, so there is no stream of runs to start"
        try:
            system = self.build(placement, {**settings, **spread, **streams})
        except UsageError as error:
            return str(error)
        return price_of((turn and in_other_order(system)) or system, arrivals, scenario.timing)


SMALL_NUMBERS = f"1 to {TRIED}"
"""The value of `JudgedPlacement.numbers` if each of a few numbers was judged separately."""

_FIXED = "the model fixes its numbers of processes: annotate a parameter of the factory with Copies, and leave it unset"
_ONLY_NUMBERS = "under this placement the model takes only numbers of processes, not ANY"


def judged_all(subject: ReviewSubject, placements: Sequence[Placement], where: Where) -> Iterator[JudgedPlacement]:
    """The judgement of each placement, in their order."""
    about = (subject.model.reference, dict(subject.settings), subject.scenario, subject.also)
    return where.workers(subject, subject.model.reference, _begin, about, len(placements)).in_turn(
        ReviewSubject.judged, placements
    )


def _begin(reference: str, settings: Mapping[str, Any], scenario: Scenario | None, also: Also) -> ReviewSubject:
    return ReviewSubject(load_model(reference), settings, scenario, also)


def _mortal(system: System, deaths: int) -> System:
    """The system in which so many processes may die, if it does not allow as many."""
    return system.with_crashes(max(deaths, system.crashes))


def _all_of(reports: Sequence[Report]) -> Report:
    """Reports on several numbers of copies as one: for each property the weakest judgement."""
    columns = zip(*(report.judgements for report in reports), strict=True)
    least = (next((j for j in column if j.verdict is not Verdict.HOLDS), column[0]) for column in columns)
    return Report(tuple(least), reports[-1].coverage)


def _after_death(report: Report) -> AfterDeath:
    """The status of the system when processes may die at any point."""
    asked, stuck = _apart(report)
    verdict = combined([_for_some(judgement) for judgement in asked] or [Verdict.HOLDS])
    if verdict is not Verdict.HOLDS:
        return AfterDeath.BREAKS if verdict is Verdict.VIOLATED else AfterDeath.UNDECIDED
    of_waits = {Verdict.VIOLATED: AfterDeath.STUCK, Verdict.HOLDS: AfterDeath.SAFE}
    return of_waits.get(_for_some(stuck), AfterDeath.UNDECIDED)


def _for_some(judgement: Judgement) -> Verdict:
    """The verdict for every number, or else for the numbers with which it HOLDS."""
    return Verdict.HOLDS if judgement.holds_up_to else judgement.verdict


def _summed_up(placement: Placement, report: Report, numbers: str, tried: str, why: str) -> JudgedPlacement:
    """The report on one placement, as the review keeps it: no traces, but the schedules that make them."""
    asked, stuck = _apart(report)
    narrowed = [j for j in asked if j.holds_up_to]
    open_ones = [j for j in (*asked, stuck) if _for_some(j) is Verdict.UNDETERMINED]
    found = JudgedPlacement(
        placement,
        combined([_for_some(judgement) for judgement in asked] or [Verdict.HOLDS]),
        SMALL_NUMBERS if narrowed else numbers,
        held=tuple(j.prop.name for j in asked if _for_some(j) is Verdict.HOLDS),
        why="; ".join(f"{j.prop.title}: {j.reason}" for j in open_ones or narrowed) or why,
        deadlock=_for_some(stuck),
        tried=tried,
    )
    failing = [j for j in asked if j.verdict is Verdict.VIOLATED]
    if failing:
        worst = min(failing, key=_size)
        found = replace(found, broken=worst.prop.name, copies=tuple((worst.copies or {}).items()))
        if worst.trace is not None:
            found = replace(
                found,
                smallest=_movers(worst.trace),
                in_sections=_movers(worst.trace, in_sections=True),
                schedule=str(worst.trace.schedule),
                steps=len(worst.trace.steps),
            )
    if stuck.trace is not None:
        found = replace(
            found,
            deadlock_copies=tuple((stuck.copies or {}).items()),
            deadlock_schedule=str(stuck.trace.schedule),
            deadlock_steps=len(stuck.trace.steps),
            trapped=stuck.prop.asks_ahead,
        )
    return found


def _apart(report: Report) -> tuple[Sequence[Judgement], Judgement]:
    """The judgements on the declared properties, and the worse one of those on deadlocks and traps."""
    asked = [j for j in report.judgements if j.prop not in BUILT_IN]
    of_waits = [report.judgement(prop.name) for prop in BUILT_IN]
    return asked, min(of_waits, key=lambda j: _WORST_FIRST.index(_for_some(j)))


_WORST_FIRST = (Verdict.VIOLATED, Verdict.UNDETERMINED, Verdict.HOLDS)


def _size(judgement: Judgement) -> tuple[bool, int, int]:
    """What makes one violation smaller than another: that there is a trace, its processes, its steps."""
    trace = judgement.trace
    return (True, 0, 0) if trace is None else (False, _movers(trace), len(trace.steps))


def _movers(trace: Trace, *, in_sections: bool = False) -> int:
    """How many processes move in a trace, daemons too; with `in_sections`, those a lock may be laid over."""
    return len({step.process for step in trace.steps if step.sections or not in_sections})
