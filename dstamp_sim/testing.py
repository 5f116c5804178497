"""For a project's own tests: assertions about models, Hypothesis strategies, and kept witnesses.

    from hypothesis import given
    from dstamp_sim.testing import assert_holds, check, schedules, system_of

    def test_no_double_withdrawal():
        assert_holds(system_of("models/bank.py", customers=2))

    @given(schedule=schedules(system_of("models/bank.py")))
    def test_no_schedule_withdraws_twice(schedule):
        check(system_of("models/bank.py"), schedule)

A failure shows the schedule made minimal, in two columns, the sentence that explains it, and the model's line. With
`pytest --dstamp-artifacts DIR` it also leaves a witness file and a timeline, linked from JUnit XML; a witness put into
the project's `tests/witnesses/` is performed again for ever by `witness_test`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.analyses.minimise import minimise, size
from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.properties import Property
from dstamp_sim.core.schedule import Choice, Schedule
from dstamp_sim.core.system import ANY, NOTHING_MORE, Also, Copies, System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.typed import items, texts
from dstamp_sim.core.verdict import Judgement, Report, Verdict
from dstamp_sim.disk.writing import write
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.engines.generated import generator_of, machine_of, scenarios, schedules, settings_of
from dstamp_sim.engines.prove.unbounded import prove
from dstamp_sim.engines.replay import attempts, replay
from dstamp_sim.inputs.model_file import Model, checked_settings, load_model
from dstamp_sim.inputs.witness_file import Origin, Witness
from dstamp_sim.pipeline.explained import explained, explained_story
from dstamp_sim.pipeline.files import badges_of, draw_witness, save_with_timeline
from dstamp_sim.pipeline.kept_witness import judged_again, performed_again, property_about
from dstamp_sim.pipeline.subject import renamed
from dstamp_sim.random_systems import TooLarge, random_system

if TYPE_CHECKING:
    from dstamp_sim.hunt.hunt import Hunted

__all__ = [
    "ANY",
    "ModelSetting",
    "Violation",
    "assert_holds",
    "assert_violated",
    "check",
    "hunt",
    "scenarios",
    "schedules",
    "small_systems",
    "system_machine",
    "system_of",
    "variants",
    "witness_test",
]

_ORIGINS: WeakKeyDictionary[System, Origin] = WeakKeyDictionary()
"""How `system_of` built its systems, so that their witnesses can be built again."""

CopiesWanted = Copies | Mapping[str, Copies] | None


def system_of(
    reference: str,
    placement: str | None = None,
    *,
    crashes: int = 0,
    serial: bool = False,
    live: bool = False,
    **settings: Any,
) -> System:
    """The system of a model (path.py[:factory], folder, or short name), of which witness files can be written.

    With `serial` and `live`, it is also asked what `dstamp explore --serial` and `--live` ask.
    Raises UsageError and ModelError as the command line does.
    """
    return _built(load_model(reference), placement, crashes, settings, Also(serial, live))


def _built(
    model: Model, placement: str | None, crashes: int, settings: Mapping[str, Any], also: Also = NOTHING_MORE
) -> System:
    parameters = checked_settings(model.factory, settings)
    system = model.build(parameters, placement)
    system = system.with_crashes(max(crashes, system.crashes))
    system = also.of(system)
    _ORIGINS[system] = Origin(model.reference, parameters, placement, {}, system.crashes, **also._asdict())
    return system


class Violation(AssertionError):
    """A property that should hold fails: the exception of this module's assertions.

    Its text is made when it is asked for (minimising while Hypothesis still shrinks would be wasted): the property, the
    minimal schedule in two columns, why, and where in the model. `trace` is that schedule's trace, or the one that is
    `timed`, as a shorter one may need other durations.
    """

    def __init__(
        self, system: System, prop: Property, schedule: Schedule, reason: str = "", *, timed: Trace | None = None
    ) -> None:
        super().__init__(prop.name)
        self.system, self.prop, self.schedule, self.reason, self._timed = system, prop, schedule, reason, timed

    @cached_property
    def trace(self) -> Trace:
        """The trace of the minimal schedule, or the one at its moments."""
        return self._timed or replay(self.system, minimise(self.schedule, attempts(self.system, self.prop)).schedule)

    @cached_property
    def why(self) -> Explanation:
        """Why that trace fails."""
        return explained(self.system, self.trace, about=self.prop)

    def __str__(self) -> str:
        trace, why = self.trace, self.why
        lines = [
            f"{self.prop.title} fails{self.reason and f' ({self.reason})'}: {size(trace.schedule)}",
            f"  at {_where(trace)}" if trace.steps else "  in the initial state",
            "",
            *explained_story(trace, why, width=120),
            "",
            *(line for line in (why.sentence, why.proof) if line),
            f"again: replay(system, {str(trace.schedule)!r})",
        ]
        return "\n".join(lines)

    @property
    def without_witness(self) -> str:
        """Why no witness file can be written; empty if one can."""
        if self.system in _ORIGINS:
            return ""
        made = "system_of or variants, without copies= and unchanged"
        return f"no witness file: it names a model to build again, which only systems made by {made} have"

    def save(self, folder: Path, stem: str) -> tuple[Path, ...]:
        """The witness (see `without_witness`), the timeline and the text, as files in `folder`."""
        origin = _ORIGINS.get(self.system)
        about = self.prop.title
        witness = Witness(origin or Origin(""), about, self.trace)
        make = save_with_timeline if origin else draw_witness
        badges = badges_of(self.system, self.trace, [self.prop])
        files = make(folder, stem, witness, self.system, f"VIOLATED: {about}", badges, self.why)
        text = folder / f"{stem}.txt"
        lines = [str(self), *([self.without_witness] if self.without_witness else [])]
        write(text, lambda: "\n".join(lines) + "\n")
        return (*files, text)


class Undecided(AssertionError):
    """A property that should hold is neither proved nor refuted; that is not a pass."""


def assert_holds(
    system: System,
    property: str | Iterable[str] = (),
    *,
    copies: CopiesWanted = None,
    limit: int | None = None,
    within: Path | str | None = None,
) -> Report:
    """Every named property (all, if none is) HOLDS in every reachable state; with `copies=ANY`, for every number.

    `copies` replaces the number of copies: of the named processes, or of all but daemons. `limit` bounds the states.
    `within` is a scenario: its names, starts, delays and outcomes hold, and the report's reasons say "within these
    bounds"; the system's parameters are its own, and `limit` bounds zones. Raises Violation if a property fails, and
    Undecided if it is not decided.
    """
    __tracebackhide__ = True
    report, judged = _judged(system, property, copies, limit, within)
    for judgement in report.judgements:
        if judgement.verdict is Verdict.VIOLATED:
            raise _failure(judged, judgement)
    undecided = [j for j in report.judgements if j.verdict is Verdict.UNDETERMINED]
    if undecided:
        words = "; ".join(f"{j.prop.title}: {j.reason}" for j in undecided)
        raise Undecided(f"UNDETERMINED, which is not a pass: {words}")
    return report


def assert_violated(
    system: System, property: str | Iterable[str] = (), *, copies: CopiesWanted = None, limit: int | None = None
) -> Trace:
    """The trace that shows one of the properties failing: a shortest one if that can be afforded, or minimised.

    Raises AssertionError, with the verdicts, if none fails.
    """
    __tracebackhide__ = True
    report, judged = _judged(system, property, copies, limit)
    for judgement in report.judgements:
        if judgement.verdict is Verdict.VIOLATED and judgement.trace is not None:
            return judgement.trace if judgement.minimal else _failure(judged, judgement).trace
    words = "; ".join(f"{j.verdict.value} {j.prop.title} ({j.reason})" for j in report.judgements)
    raise AssertionError(f"nothing fails: {words}")


def check(system: System, schedule: Schedule | Iterable[Choice] | str, property: str | Iterable[str] = ()) -> None:
    """In no state along `schedule` a named property (any, if none is) fails; `reachable` ones are not asked.

    Raises Violation if one does, and ScheduleError if the schedule does not fit.
    """
    __tracebackhide__ = True
    choices = Schedule.parse(schedule) if isinstance(schedule, str) else schedule
    found = generator_of(system, _names(property)).first_violation(choices)
    if found is not None:
        raise Violation(system, *found)


class Raced(AssertionError):
    """Real programs that race: the story of a schedule of their system calls that fails. `hunted` is all of it."""

    def __init__(self, hunted: Hunted) -> None:
        super().__init__("\n".join(hunted.text()))
        self.hunted = hunted


def hunt(  # noqa: PLR0913 - the options of the command
    runs: Mapping[str, str],
    *,
    setup: str = "",
    check: str | None = None,
    folder: Path | str | None = None,
    preemptions: int = 2,
    crashes: int = 0,
    seconds: float = 60.0,
    ignore: Iterable[str] = (),
    allow: Iterable[str] = (),
    any_exit: bool = False,
) -> Hunted:
    """No schedule of the runs' system calls within the bounds fails: as `dstamp hunt`, for a test of scripts.

    Raises Raced with the story where one fails, Undecided where not all were played, and UsageError where this machine
    cannot hold system calls or where something is wrong without any race.
    """
    __tracebackhide__ = True
    from dstamp_sim.hunt.hunt import hunt_for  # noqa: PLC0415 - of Linux only
    from dstamp_sim.hunt.job import Job  # noqa: PLC0415 - as above
    from dstamp_sim.hunt.saved import folder_of  # noqa: PLC0415 - as above
    from dstamp_sim.hunt.search import Bounds  # noqa: PLC0415 - as above

    begin = folder_of(None if folder is None else str(folder))
    job = Job(runs, setup, check, begin, texts("hunt", "ignore", ignore), any_exit)
    found = hunt_for(job, Bounds(preemptions, crashes, seconds), allowed=texts("hunt", "allow", allow))
    if found.verdict is Verdict.VIOLATED:
        raise Raced(found)
    if found.verdict is Verdict.UNDETERMINED:
        raise Undecided(f"{found.headline()}, which is no pass")
    return found


def system_machine(system: System, property: str | Iterable[str] = ()) -> type[RuleBasedStateMachine]:
    """A Hypothesis state machine whose rule lets one process move, and whose invariant is the system's properties.

    `TestBank = system_machine(system).TestCase` makes it a test.
    """

    def fail(prop: Property, schedule: Schedule) -> None:
        __tracebackhide__ = True
        raise Violation(system, prop, schedule)

    return machine_of(system, fail, properties=_names(property))


@dataclass(frozen=True)
class ModelSetting:
    """One setting of a model's factory, written as one types it, and its system."""

    settings: Mapping[str, Any]
    placement: str | None
    crashes: int
    system: System

    def __repr__(self) -> str:
        words = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"ModelSetting({words}, placement={self.placement!r}, crashes={self.crashes})"


def variants(
    reference: str,
    *,
    placements: Iterable[str | None] = (None,),
    crashes: st.SearchStrategy[int] | None = None,
    **given: st.SearchStrategy[Any],
) -> st.SearchStrategy[ModelSetting]:
    """Systems of a model: every switch (`Literal` or `bool` parameter of its factory), what is `given`, a placement.

    Shrinks towards the factory's defaults and the first placement. Settings that the model refuses are not drawn.
    """
    model = load_model(reference)
    laid = items("variants", "placements", placements, (str, type(None)), "names, or None")

    def built(settings: Mapping[str, Any], placement: str | None, deaths: int) -> ModelSetting:
        try:
            return ModelSetting(settings, placement, deaths, _built(model, placement, deaths, settings))
        except UsageError:
            hypothesis.reject()
            raise

    deaths = st.just(0) if crashes is None else crashes
    return st.builds(built, settings_of(model.factory, **given), st.sampled_from(laid), deaths)


def small_systems() -> st.SearchStrategy[System]:
    """Small random systems with every kind of object, process and property, for gates of engines.

    At most some thousand states; `random_systems.described` prints one. Shrinks towards simple programs.
    """

    def made(rng: random.Random) -> System:
        try:
            return random_system(rng)
        except TooLarge:
            hypothesis.reject()
            raise

    return st.randoms(use_true_random=False).map(made)


class WitnessFile(NamedTuple):
    """A witness file that a test performs again."""

    file: Path

    def __str__(self) -> str:
        return self.file.name.removesuffix(".witness.json")


def witness_test(folder: Path | str, *, fixed: bool = True) -> Callable[..., None]:
    """A test for each witness file in `folder`, to be bound to a name that pytest collects.

    With `fixed`, what each witness showed must not happen any more; without, it must replay and still show it. Either
    way every step of it is performed: a witness whose model does another step now is no pass. Then what it showed is
    looked for, and the test fails with the new story, or with what to do with the file. Relative paths count from where
    pytest runs; raises UsageError if there is no such folder.
    """
    import pytest  # noqa: PLC0415 - only where the plugin's own library is there

    if not Path(folder).is_dir():
        raise UsageError(
            f"witness_test({str(folder)!r}): no such folder in {Path.cwd()}; without witnesses, drop the test"
        )
    files = [WitnessFile(file) for file in sorted(Path(folder).glob("*.witness.json"))]
    judge = _is_fixed if fixed else _still_shows

    @pytest.mark.parametrize("witness", files, ids=str)
    def test(witness: WitnessFile) -> None:
        judge(witness.file)

    return test


def _is_fixed(file: Path) -> None:
    again = judged_again(file)
    if again is not None:
        _ORIGINS[again.system] = again.origin
        raise Violation(again.system, again.prop, again.schedule, again.reason)


def _still_shows(file: Path) -> None:
    witness, system = performed_again(file)
    prop = property_about(system, witness.about, file)
    assert attempts(system, prop)(witness.trace.schedule) is not None, f"{file}: {witness.about} does not fail any more"


def _judged(
    system: System,
    property: str | Iterable[str],
    copies: CopiesWanted,
    limit: int | None,
    within: Path | str | None = None,
) -> tuple[Report, System]:
    asked = system if copies is None else _with_copies(system, copies)
    names = _names(property)
    if within is not None:
        return _judged_within(asked, names, Path(within), limit)
    if asked.any_number:
        return prove(asked, properties=names), asked
    run = explore if limit is None else partial(explore, limit=limit)
    return run(asked, properties=names, keep_going=True), asked


def _judged_within(
    system: System, properties: tuple[str, ...], scenario: Path, limit: int | None
) -> tuple[Report, System]:
    from dstamp_sim.engines.zones.within import MOST_ZONES, explore_within  # noqa: PLC0415 - where time is asked about
    from dstamp_sim.pipeline.exact_time import timed_scenario  # noqa: PLC0415 - as above

    if system.any_number:
        raise UsageError("exact time knows no proof for any number of copies: set a number of them")
    given = timed_scenario(scenario)
    timed, names = renamed(system, given.names)
    if system in _ORIGINS:
        _ORIGINS[timed] = replace(_ORIGINS[system], names=names)
    return explore_within(timed, given.timing, properties=properties, limit=limit or MOST_ZONES).report, timed


def _failure(system: System, judgement: Judgement) -> Violation:
    assert judgement.trace is not None
    if judgement.trace.timed:
        timed = judgement.trace
        return Violation(system, judgement.prop, timed.schedule, judgement.reason, timed=timed)
    small = system.with_copies(judgement.copies) if judgement.copies else system
    reason = ", ".join(f"{count} {name}" for name, count in (judgement.copies or {}).items())
    return Violation(small, judgement.prop, judgement.trace.schedule, reason)


def _with_copies(system: System, copies: Copies | Mapping[str, Copies]) -> System:
    must_end = [process.name for process in system.processes if not process.daemon]
    numbers = copies if isinstance(copies, Mapping) else dict.fromkeys(must_end, copies)
    processes = (p.with_copies(numbers[p.name]) if p.name in numbers else p for p in system.processes)
    return replace(system, processes=tuple(processes))


def _names(property: str | Iterable[str]) -> tuple[str, ...]:
    return (property,) if isinstance(property, str) else tuple(property)


def _where(trace: Trace) -> str:
    place = trace.steps[-1].place
    return f"{place}: {place.source}"
