"""Schedule to trace, strictly: a schedule that does not fit is refused at the step where it fails.

`attempts` alone is lenient: it is for search, and its schedules replay strictly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from dstamp_sim.core.errors import ScheduleError, cut
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.lasso import check_led_back
from dstamp_sim.core.properties import Property
from dstamp_sim.core.schedule import Choice, Schedule
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Step, Trace


def replay(system: System, schedule: Schedule | Iterable[Choice] | str) -> Trace:
    """The trace that `schedule` makes of `system`. Deterministic; cost is one op a choice.

    Raises ScheduleError with the step and the reason when a choice is impossible at its place, and when a cycle does
    not lead back to the very state in which it begins.
    """
    choices = _read(schedule)
    return replay_to_end(Semantics(system, by_value=choices.loop is not None), choices)[0]


def begun(semantics: Semantics, choices: Iterable[Choice]) -> Semantics:
    """The semantics of the behaviours that begin where a schedule does; a list of choices alone names no start."""
    return semantics.started(dict(choices.start)) if isinstance(choices, Schedule) and choices.start else semantics


def replay_to_end(semantics: Semantics, schedule: Schedule | Iterable[Choice] | str) -> tuple[Trace, State]:
    """As `replay`, and the state that the trace ends in."""
    choices = _read(schedule)
    semantics = begun(semantics, choices)
    state, steps = semantics.initial(), list[Step]()
    origin = state
    for number, choice in enumerate(choices, start=1):
        try:
            move = semantics.move(state, choice)
        except ScheduleError as error:
            raise ScheduleError(f"step {number}, {cut(str(choice))}: {error}", number - 1) from error
        after = semantics.perform(state, move)
        steps.append(semantics.step(state, move, after))
        state = after
        origin = state if number == choices.loop else origin
    semantics.check()
    if choices.loop is not None:
        check_led_back(origin, state, choices)
    return replace(semantics.trace(steps, state), loop=choices.loop), state


def _read(schedule: Schedule | Iterable[Choice] | str) -> Schedule:
    if isinstance(schedule, str):
        return Schedule.parse(schedule)
    return schedule if isinstance(schedule, Schedule) else Schedule(tuple(schedule))


def attempts(system: System, prop: Property) -> Callable[[Iterable[Choice]], Schedule | None]:
    """A function that performs the possible choices of a schedule and skips the rest, until a state decides `prop`.

    It returns the performed choices, which replay strictly, or None when no state on the way decides (violates `prop`,
    or reaches it in case of a wish). `analyses.minimise` takes such a function.
    """
    every = Semantics(system, by_value=prop.asks_ahead)
    judge = Judge(every, [prop])

    def decides(state: State) -> bool:
        return any(True for _ in judge.decides(state))

    def attempt(choices: Iterable[Choice]) -> Schedule | None:
        semantics = begun(every, choices)
        state, performed = semantics.initial(), list[Choice]()
        if decides(state):
            return Schedule(start=semantics.start)
        for choice in choices:
            try:
                state = semantics.perform(state, semantics.move(state, choice))
            except ScheduleError:
                continue
            performed.append(choice)
            if decides(state):
                return Schedule(tuple(performed), start=semantics.start)
        return None

    return attempt
