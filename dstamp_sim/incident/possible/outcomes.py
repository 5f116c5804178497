"""Whether an experiment can come out as it did under a mechanism: asked of the experiment's own runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from dstamp_sim.core.experiment import Experiment, Seen
from dstamp_sim.core.properties import at_end
from dstamp_sim.core.system import System
from dstamp_sim.incident.possible.case import EngineAnswer, Engines, Possible
from dstamp_sim.incident.possible.turns import ALL_SEEN


class _ClockAsked(Exception):
    """An outcome depends on when a run ends, which no untimed engine knows."""


class _Ended(Seen):
    """A run of an experiment whose end has no instant."""

    def __getattribute__(self, name: str) -> Any:
        """Raises _ClockAsked for its end."""
        if name == "end_s":
            raise _ClockAsked
        return super().__getattribute__(name)


@dataclass
class OutcomeQuestion:
    """Whether the runs of an experiment can end with an outcome, in some order of their steps."""

    experiment: Experiment
    outcome: str
    clock_asked: bool = False

    def answer(self, system: System, engines: Engines) -> EngineAnswer:
        """The answer for these runs: impossible only if no order of their steps comes out so.

        The starts are not respected: every order that they allow is tried, and others.
        """
        names = [item.name for item in system.instances() if not item.process.daemon][: len(self.experiment.starts_s)]
        asked = at_end(ALL_SEEN, lambda results: not self._is_so([results.get(name) for name in names]))
        found = engines.comes_out(replace(system, properties=[asked]))
        return EngineAnswer(Possible.UNDETERMINED, "it depends on the clock") if self.clock_asked else found

    def _is_so(self, results: list[Any]) -> bool:
        seen = [_Ended(r, start, start) for r, start in zip(results, self.experiment.starts_s, strict=True)]
        try:
            return self.experiment.fits(self.outcome, self.experiment.came(seen))
        except _ClockAsked:
            self.clock_asked = True
            return False
