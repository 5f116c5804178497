"""The observed runs on the clock, under each mechanism that may have produced them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.scenario import Priors, Timing
from dstamp_sim.incident.likely.experiments import Survivors
from dstamp_sim.incident.likely.identifiability import Profile, either, twins
from dstamp_sim.incident.likely.likelihood import weigh
from dstamp_sim.incident.likely.profiles import Numbers, ProfileSize, flat_priors, observed_outcomes, profile
from dstamp_sim.incident.likely.splitting import FEW_AGREE, SplittingSize, split
from dstamp_sim.incident.likely.worlds import Sweepers
from dstamp_sim.incident.possible.case import Case

Advance = Callable[[float], None]
"""Is told of one more step of a judgement, or of a part of one."""


def _ignored(_: float) -> None:
    """Progress that nobody asks for."""


@dataclass(frozen=True)
class Cluster:
    """The observed runs on the clock, under each of `mechanisms` but for its `impossible` settings.

    With a `splitting`, what hardly any drawn world agrees with is estimated by that (`estimated`).
    """

    hypotheses: Hypotheses
    case: Case
    timing: Timing
    mechanisms: Mapping[str, Mechanism]
    impossible: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    sweepers: Sweepers = field(default_factory=dict)
    numbers: Numbers = field(default_factory=Numbers)
    splitting: SplittingSize | None = None

    @property
    def needs(self) -> dict[str, Any]:
        """The parameters with which a result has every field that was observed of a run, or that can be looked up."""
        seen = {name for run in self.case.runs for name, _ in run.fields}
        later = [item.settings for item in self.hypotheses.experiments.values() if not item.starts_s]
        found = [self.hypotheses.evidence.needs(sorted(seen)), *later]
        return {key: value for given in found for key, value in given.items()}

    def weighed(self, beliefs: Priors, step: Advance = _ignored) -> Survivors:
        """How likely each makes the evidence."""
        weighed = {}
        for name, mechanism in self.mechanisms.items():
            weighed[name] = weigh(
                mechanism, self.hypotheses, self.case, self.timing, beliefs, seed=self.timing.seed,
                needs=self.needs, impossible=self.impossible.get(name, ()), sweepers=self.sweepers,
            )  # fmt: skip
            step(1 / len(self.mechanisms))
        return Survivors(self.mechanisms, weighed, self.timing)

    def estimated(self, drawn: Survivors, beliefs: Priors, step: Advance = _ignored) -> Survivors:
        """The same, with estimates by splitting where fewer than `FEW_AGREE` drawn worlds agreed."""
        assert self.splitting is not None
        weighed = dict(drawn.weighed)
        for name, item in drawn.weighed.items():
            if item.likelihood.hits < FEW_AGREE:
                weighed[name] = split(
                    item, self.mechanisms[name], self.hypotheses, self.case, self.timing, beliefs,
                    needs=self.needs, sweepers=self.sweepers, size=self.splitting,
                )  # fmt: skip
            step(1.0)
        return replace(drawn, weighed=weighed)

    def observed(self, beliefs: Priors) -> list[int]:
        """The numbers, in profiles, of what was observed."""
        return observed_outcomes(self.case, self.timing, beliefs.longest_run_s, self.numbers)

    def profiles(self, beliefs: Priors, size: ProfileSize, step: Advance = _ignored) -> dict[str, Profile]:
        """What the observed runs do under each mechanism, many times over."""
        found = {}
        for name, mechanism in self.mechanisms.items():
            found[name] = profile(
                mechanism, self.hypotheses, self.case, self.timing, beliefs, size, seed=self.timing.seed,
                needs=self.needs, impossible=self.impossible.get(name, ()), sweepers=self.sweepers,
                numbers=self.numbers,
            )  # fmt: skip
            step(1.0)
        return found

    def twins(
        self,
        priors: Priors,
        size: ProfileSize,
        observed: Sequence[int] | None = None,
        step: Advance = _ignored,
    ) -> dict[str, dict[str, float]]:
        """By mechanism, those that the outcomes do not distinguish from it, with any or with believed unknowns."""
        beliefs = (flat_priors(priors), priors)
        return either(*(twins(self.profiles(belief, size, step), observed) for belief in beliefs))
