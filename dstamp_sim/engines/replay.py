"""Schedule to trace, strictly: a schedule that does not fit is refused at the step where it fails."""

from __future__ import annotations

from collections.abc import Iterable

from dstamp_sim.core.errors import ScheduleError
from dstamp_sim.core.schedule import Choice, Schedule
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Step, Trace


def replay(system: System, schedule: Schedule | Iterable[Choice] | str) -> Trace:
    """The trace that `schedule` makes of `system`. Deterministic; cost is one op a choice.

    Raises ScheduleError naming the step and the reason when a choice is not possible where it stands.
    """
    return walk(Semantics(system), schedule)[0]


def walk(semantics: Semantics, schedule: Schedule | Iterable[Choice] | str) -> tuple[Trace, State]:
    """As `replay`, and the state that the trace ends in."""
    choices = Schedule.parse(schedule) if isinstance(schedule, str) else schedule
    state, steps = semantics.initial(), list[Step]()
    for number, choice in enumerate(choices, start=1):
        try:
            move = semantics.move(state, choice)
        except ScheduleError as error:
            raise ScheduleError(f"step {number}, {choice}: {error}") from error
        after = semantics.perform(state, move)
        steps.append(semantics.step(state, move, after))
        state = after
    return semantics.trace(steps, state), state
