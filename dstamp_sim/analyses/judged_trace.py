"""What one behaviour shows of each property: where it fails, where a wish is reached, and what it never asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dstamp_sim.core.judge import Judge
from dstamp_sim.core.lasso import lasso_of
from dstamp_sim.core.properties import Property
from dstamp_sim.core.schedule import CRASH, Choice, Schedule
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace


@dataclass(frozen=True, slots=True)
class TraceJudgement:
    """A property in one trace: the step that decided it (violated it, or reached it in case of a wish).

    `step` counts from 0; -1 is the initial state, None says that nothing decided it. `asked` is False if the trace
    never reached its subject: an end, a result. No answer here is a verdict: it is about one trace.
    """

    prop: Property
    step: int | None
    asked: bool

    @property
    def fails(self) -> bool:
        """Whether the trace breaks the property; a wish that it does not reach is not broken."""
        return self.step is not None and not self.prop.is_wish


class TraceJudge:
    """Judges traces of one system, each as an explorer judges its states; answers are remembered from trace to trace.

    Raises ModelError if a predicate does.
    """

    def __init__(self, system: System) -> None:
        self._semantics = Semantics(system, by_value=True)
        self._judge = Judge(self._semantics, system.checked_properties)

    def judge(self, choices: Iterable[Choice]) -> tuple[TraceJudgement, ...]:
        """A judgement of every property, in the system's order. Raises ScheduleError if a choice is not possible.

        Properties in time are asked of a schedule with a cycle only: no other shows all of a behaviour.
        """
        self._judge.exercised.clear()
        states, decided = [self._semantics.initial()], dict[int, int]()
        for choice in choices:
            states.append(self._semantics.perform(states[-1], self._semantics.move(states[-1], choice)))
        for number, index in self._judge.decides_along(states):
            decided.setdefault(index, number - 1)
        if isinstance(choices, Schedule) and choices.loop is not None:
            decided.update(self._in_time(choices))
        self._judge.check()
        asked = self._judge.exercised
        return tuple(
            TraceJudgement(prop, decided.get(index), asked[prop.name] > 0)
            for index, prop in enumerate(self._judge.properties)
        )

    def _in_time(self, schedule: Schedule) -> Iterator[tuple[int, int]]:
        """The properties in time that a lasso breaks, by index: the last step before they wait in vain."""
        lasso, judge = lasso_of(self._semantics, schedule), Judge(self._semantics, ())
        for index, prop in enumerate(self._judge.properties):
            if prop.in_time:
                self._judge.exercised[prop.name] += 1
                since = lasso.broken_since(judge, prop)
                if since is not None:
                    yield index, since - 1
        judge.check()


def judged_trace(system: System, trace: Trace) -> tuple[TraceJudgement, ...]:
    """What `trace` shows of each property of `system`, even if it has more deaths than the system allows."""
    deaths = sum(step.choice.outcome == CRASH for step in trace.steps)
    allowed = system.with_crashes(max(system.crashes, deaths)).with_start(trace.start)
    return TraceJudge(allowed).judge(trace.schedule)
