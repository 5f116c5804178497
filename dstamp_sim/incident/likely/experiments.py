"""What to do next: how each experiment would come out under every surviving mechanism, and what that would show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dstamp_sim.analyses.confidence import below, never_seen, share
from dstamp_sim.core.errors import UsageError, unknown
from dstamp_sim.core.experiment import Experiment
from dstamp_sim.core.mechanism import Hypotheses, Mechanism, Rule
from dstamp_sim.core.scenario import Timing
from dstamp_sim.incident.evidence import Evidence
from dstamp_sim.incident.likely.likelihood import Predicted, Weighed, observe, predict

NEGLIGIBLE = 0.01
"""Smaller shares of the posterior are not listed."""

WORTH = 0.1
"""An experiment that costs no run comes first if it tells as many bits of the question which mechanism it was."""


@dataclass(frozen=True)
class Survivors:
    """The mechanisms that are not impossible, with their worlds, and the clock on which experiments are run."""

    mechanisms: Mapping[str, Mechanism]
    weighed: Mapping[str, Weighed]
    timing: Timing

    def predict(self, experiment: Experiment) -> dict[str, Predicted]:
        """How an experiment comes out under each."""
        return {
            name: predict(experiment, mechanism, self.weighed[name], self.timing, seed=self.timing.seed)
            for name, mechanism in self.mechanisms.items()
        }


@dataclass(frozen=True)
class Rated:
    """An experiment: its outcomes by mechanism, its expected information in bits, and a sentence per outcome."""

    name: str
    experiment: Experiment
    predicted: Mapping[str, Predicted]
    bits: float
    means: Mapping[str, str]

    def unknown(self) -> tuple[str, ...]:
        """The mechanisms of which nothing is known here: no drawn world agrees with the evidence, or there is none.

        The worlds that agree with most of it still say how new runs come out, but nothing of what the incident left.
        """
        new_runs = bool(self.experiment.starts_s)
        return tuple(name for name, of in self.predicted.items() if not (of.agree or (of.worlds and new_runs)))


@dataclass(frozen=True)
class RuleJudged:
    """A rule compared with the predictions: which mechanisms need company, and what its two outcomes would prove.

    `chances` is, by mechanism, how likely the rule's outcome is; `factor` by how much at most that outcome can raise
    the odds of the mechanisms that need company; None if there is nothing to compare.
    """

    rule: Rule
    company: tuple[str, ...]
    chances: Mapping[str, float]
    factor: float | None
    sentences: tuple[str, ...]


def check_outcome(known: Hypotheses, experiment: str, outcome: str) -> None:
    """Raises UsageError, with the nearest name, unless the experiment is in the catalogue and can come out so."""
    if experiment not in known.experiments:
        raise UsageError(unknown("experiment", experiment, known.experiments))
    try:
        known.experiments[experiment].check(outcome)
    except UsageError as error:
        raise UsageError(f"{experiment}: {error}") from error


def observed_since(
    evidence: Evidence, hypotheses: Hypotheses, survivors: Survivors
) -> tuple[Survivors, dict[str, float]]:
    """The worlds that also agree with the experiments' outcomes in the evidence, and how likely each makes these.

    The outcomes are weighed together, for they belong to one world: an unknown rate is the same in all. Raises
    UsageError for an experiment or an outcome that the model does not know.
    """
    found = dict.fromkeys(survivors.mechanisms, 1.0)
    weighed = dict(survivors.weighed)
    for number, item in enumerate(evidence.outcomes):
        check_outcome(hypotheses, item.experiment, item.outcome)
        experiment, seed = hypotheses.experiments[item.experiment], survivors.timing.seed + 1 + number
        for name, mechanism in survivors.mechanisms.items():
            asked = experiment, item.outcome, mechanism, weighed[name], survivors.timing
            weighed[name], chance = observe(*asked, seed=seed)
            found[name] *= chance
    return replace(survivors, weighed=weighed), found


def rated(posterior: Mapping[str, float], hypotheses: Hypotheses, survivors: Survivors) -> tuple[Rated, ...]:
    """The catalogue, the most telling experiment first; before it those that cost no run and tell something."""
    found = []
    for name, experiment in hypotheses.experiments.items():
        predicted = survivors.predict(experiment)
        outcomes = sorted({outcome for item in predicted.values() for outcome in item.shares})
        one = Rated(name, experiment, predicted, _bits(posterior, predicted, outcomes), {})
        known = {name: of for name, of in predicted.items() if name not in one.unknown()}
        found.append(replace(one, means={outcome: _meaning(outcome, posterior, known) for outcome in outcomes}))
    return tuple(sorted(found, key=lambda item: (bool(item.experiment.starts_s) or item.bits < WORTH, -item.bits)))


def judged_rule(rule: Rule, predicted: Mapping[str, Predicted]) -> RuleJudged:
    """What the rule's outcomes would prove, given how the experiment comes out under each mechanism."""
    company = tuple(name for name, item in predicted.items() if item.worlds and rule.other not in item.shares)
    chances = {name: item.shares.get(rule.outcome, 0.0) for name, item in predicted.items() if item.worlds}
    rest = {name: chance for name, chance in chances.items() if name not in company}
    least = min(rest.values(), default=0.0)
    factor = max((chances[name] for name in company), default=0.0) / least if company and least else None
    return RuleJudged(rule, company, chances, factor, tuple(_judgement(rule, predicted, company, rest, factor)))


def _judgement(
    rule: Rule,
    predicted: Mapping[str, Predicted],
    company: Sequence[str],
    rest: Mapping[str, float],
    factor: float | None,
) -> list[str]:
    if not company or not rest:
        return ["Every mechanism that is left is on the same side of the rule: its experiment decides nothing."]
    limit = max(never_seen(predicted[name].worlds) for name in company)
    spread = f"{min(rest.values()):.0%} to {max(rest.values()):.0%}"
    raises = f"raises their odds by a factor of {factor:.1f} at most" if factor else "does so without limit"
    return [
        f"{', '.join(company)} need other runs: alone they never had `{rule.other}` (chance {below(limit)}, 95 %).",
        f"`{rule.outcome}` proves none of them: the others have it too, with a chance of {spread} "
        f"({', '.join(f'{name} {chance:.0%}' for name, chance in rest.items())}). It {raises}.",
        f"`{rule.other}` refutes them{f', if {rule.provided}' if rule.provided else ''}; "
        f"it does not say which of {', '.join(rest)} it was.",
    ]


def _bits(posterior: Mapping[str, float], predicted: Mapping[str, Predicted], outcomes: Sequence[str]) -> float:
    """The expected information on the mechanism: the entropy now, less that expected after the outcome."""
    after = 0.0
    for outcome in outcomes:
        joint = {name: posterior[name] * item.shares.get(outcome, 0.0) for name, item in predicted.items()}
        chance = sum(joint.values())
        after += chance * entropy([part / chance for part in joint.values()]) if chance > 0 else 0.0
    return max(0.0, entropy([posterior[name] for name in predicted]) - after)


def entropy(shares: Sequence[float]) -> float:
    """In bits."""
    return -sum(part * math.log2(part) for part in shares if part > 0)


def _meaning(outcome: str, posterior: Mapping[str, float], predicted: Mapping[str, Predicted]) -> str:
    """What an outcome would and would not show."""
    joint = {name: posterior[name] * item.shares.get(outcome, 0.0) for name, item in predicted.items()}
    chance = sum(joint.values())
    never = [name for name, item in predicted.items() if item.worlds and outcome not in item.shares]
    against = f"speaks against {', '.join(never)} (never in {_worlds(predicted, never)} worlds)" if never else ""
    if chance == 0:
        return f"{against}; expected only of mechanisms with which no drawn world agrees" if against else "not expected"
    after = {name: part / chance for name, part in joint.items()}
    kept = [name for name in sorted(after, key=lambda n: -after[n]) if after[name] >= NEGLIGIBLE]
    ranked = ", ".join(f"{name} {share(posterior[name])} -> {share(after[name])}" for name in kept)
    cannot = f"cannot tell {' from '.join(kept)}" if len(kept) > 1 else "leaves no other with 1 % or more"
    return "; ".join(part for part in (against, ranked, cannot) if part)


def _worlds(predicted: Mapping[str, Predicted], names: Sequence[str]) -> str:
    counts = sorted({predicted[name].worlds for name in names})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
